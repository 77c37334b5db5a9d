#include "target_sources/path_watch.h"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "scratch_directory.h"

namespace lockstep {
namespace {

class PathWatchTest : public ::testing::TestWithParam<PathWatch::Leases> {
 protected:
  test::ScratchDirectory dir_;
  PathWatch watch_{GetParam()};
};

TEST_P(PathWatchTest, AFileThatIsMadeIsBeingWrittenUntilItIsClosed) {
  watch_.Watch({dir_.At("a")});
  EXPECT_FALSE(watch_.Stirred());
  std::ofstream file(dir_.At("a"));
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_TRUE(watch_.being_written());
  file << "x" << std::flush;
  watch_.Watch({dir_.At("a")});
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_TRUE(watch_.being_written());
  file.close();
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_FALSE(watch_.being_written());
}

TEST_P(PathWatchTest, AFileThatIsWrittenAnewIsBeingWrittenUntilItIsClosed) {
  dir_.Write("a", "x");
  watch_.Watch({dir_.At("a")});
  EXPECT_FALSE(watch_.Stirred());
  std::ofstream file(dir_.At("a"));
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_TRUE(watch_.being_written());
  file.close();
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_FALSE(watch_.being_written());
}

TEST_P(PathWatchTest, LinksAreWholeAtOnce) {
  dir_.Write("whole", "x");
  watch_.Watch({dir_.At("hard"), dir_.At("soft")});
  std::filesystem::create_hard_link(dir_.At("whole"), dir_.At("hard"));
  std::filesystem::create_symlink("whole", dir_.At("soft"));
  EXPECT_TRUE(watch_.Stirred());
  EXPECT_FALSE(watch_.being_written());
}

TEST_P(PathWatchTest, WhatElseIsInADirectoryIsNotHeardOf) {
  dir_.Make("d");
  dir_.Write("d/a", "x");
  watch_.Watch({dir_.At("d/a")});
  dir_.Write("d/b", "x");
  dir_.Make("d/c");
  dir_.Write("e", "x");
  EXPECT_FALSE(watch_.Stirred());
  dir_.Remove("d/b");
  EXPECT_FALSE(watch_.Stirred());
  dir_.Remove("d/a");
  EXPECT_TRUE(watch_.Stirred());
}

INSTANTIATE_TEST_SUITE_P(Leases, PathWatchTest,
                         ::testing::Values(PathWatch::Leases::kUsed, PathWatch::Leases::kNone),
                         [](const auto& param_info) {
                           return param_info.param == PathWatch::Leases::kUsed ? "Used" : "None";
                         });

// Whoever began to write before it was watched made no event.
TEST(OpenFileTest, AFileThatIsOpenForWritingIsBeingWritten) {
  const test::ScratchDirectory dir;
  std::ofstream file(dir.At("a"));
  PathWatch watch;
  watch.Watch({dir.At("a")});
  EXPECT_TRUE(watch.Stirred());
  EXPECT_TRUE(watch.being_written());
}

}  // namespace
}  // namespace lockstep
