#include "http_api/request_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

struct TargetCase {
  std::string name;
  std::string raw;
  std::string path;
  TextMap query;
};
class GoodTargetTest : public ::testing::TestWithParam<TargetCase> {};

TEST_P(GoodTargetTest, IsDecoded) {
  const auto target = ParseRequestTarget(GetParam().raw);
  ASSERT_THAT(target, test::IsOk());
  EXPECT_EQ(target.assume_value().path, GetParam().path);
  EXPECT_EQ(target.assume_value().query, GetParam().query);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GoodTargetTest,
    ::testing::ValuesIn(std::vector<TargetCase>{
        {"Root", "/", "/", {}},
        {"Plain", "/v1/device", "/v1/device", {}},
        {"PlusOfAPathIsAPlus", "/a+b", "/a+b", {}},
        {"Decoded", "/a%20b/%C3%A4", "/a b/\xC3\xA4", {}},
        {"DotsInAName", "/a..b/..c", "/a..b/..c", {}},
        {"EmptySegments", "//a/", "//a/", {}},
        {"Query", "/a?x=1&y=a+b%26c", "/a", {{"x", "1"}, {"y", "a b&c"}}},
        {"QueryWithoutValues", "/a?x&=1&&y=", "/a", {{"x", ""}, {"", "1"}, {"y", ""}}},
        {"TheFirstOfAName", "/a?x=1&x=2", "/a", {{"x", "1"}}},
        {"ValuesMayHaveWhatPathsMayNot", "/a?x=../b&y==/?", "/a", {{"x", "../b"}, {"y", "=/?"}}},
        {"EmptyQuery", "/a?", "/a", {}}}),
    [](const auto& param_info) { return param_info.param.name; });

class BadTargetTest : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(BadTargetTest, IsRefused) {
  EXPECT_THAT(ParseRequestTarget(GetParam().second), test::IsError(ErrorCode::kInvalidInput));
}

INSTANTIATE_TEST_SUITE_P(Cases, BadTargetTest,
                         ::testing::ValuesIn(std::vector<std::pair<std::string, std::string>>{
                             {"Empty", ""},
                             {"Absolute", "http://localhost/a"},
                             {"Star", "*"},
                             {"Up", "/a/../b"},
                             {"UpAtTheEnd", "/a/.."},
                             {"UpEncoded", "/a/%2e%2E/b"},
                             {"Here", "/a/./b"},
                             {"Nul", "/a%00b"},
                             {"NulInQuery", "/a?x=%00"},
                             {"NewLine", "/a%0Ab"},
                             {"Delete", "/a%7f"},
                             {"EncodedSlash", "/a%2Fb"},
                             {"Backslash", "/a\\b"},
                             {"CutOff", "/a%2"},
                             {"NoDigits", "/a%zz"},
                             {"CutOffInQuery", "/a?x=%"},
                             {"NoUtf8", "/a%ff"},
                             {"NoUtf8InQuery", "/a?%ff=1"}}),
                         [](const auto& param_info) { return param_info.param.first; });

}  // namespace
}  // namespace lockstep
