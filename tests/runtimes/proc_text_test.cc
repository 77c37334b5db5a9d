#include "proc_text.h"

#include <gtest/gtest.h>

namespace lockstep::docker {
namespace {

TEST(ProcTextTest, IsTheWholeFile) {
  EXPECT_EQ(ProcText("/proc/self/stat").back(), '\n');
  EXPECT_EQ(ProcText("/proc/self/no-such-file"), "");
}

// As that of a process that ended when it had been opened.
TEST(ProcTextTest, IsNothingWhereReadingFails) { EXPECT_EQ(ProcText("/proc/self/mem"), ""); }

}  // namespace
}  // namespace lockstep::docker
