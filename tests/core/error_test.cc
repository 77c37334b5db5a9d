#include "lockstep/error.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep {
namespace {

struct DescribeCase {
  std::string name;
  Error error;
  std::string line;
};
class DescribeTest : public ::testing::TestWithParam<DescribeCase> {};

TEST_P(DescribeTest, SaysWhatWhyAndWhatToDoOnOneLine) {
  EXPECT_EQ(Describe(GetParam().error), GetParam().line);
}

const std::vector<DescribeCase> kDescribeCases = {
    {"WithEverything",
     WithContext(WithContext(MakeError(ErrorCode::kNotFound, "manifest unknown", "push it first"),
                             "pull web:2"),
                 "download"),
     "download: pull web:2 : manifest unknown; push it first"},
    {"WithoutContext", MakeError(ErrorCode::kNoSpace, "disk full", "free some"),
     "no-space : disk full; free some"},
    {"WithoutHint", WithContext(MakeError(ErrorCode::kUnavailable, "no reply."), "look"),
     "look : no reply; try again later"},
    {"WithWhatAPeerSent",
     WithContext(MakeError(ErrorCode::kBadReply, "a\nb\tc\x1b[31m", "look"), "x"),
     "x : a b c\\x1b[31m; look"},
};
INSTANTIATE_TEST_SUITE_P(Cases, DescribeTest, ::testing::ValuesIn(kDescribeCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(ErrorTest, OnlyWhatMayPassByItselfIsTransient) {
  EXPECT_TRUE(IsTransient(ErrorCode::kUnavailable));
  EXPECT_TRUE(IsTransient(ErrorCode::kDeadlineExceeded));
  EXPECT_FALSE(IsTransient(ErrorCode::kNotFound));
  EXPECT_FALSE(IsTransient(ErrorCode::kNoSpace));
  EXPECT_FALSE(IsTransient(ErrorCode::kInvalidTarget));
}

}  // namespace
}  // namespace lockstep
