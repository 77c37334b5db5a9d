#include "version_range.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

struct RangeCase {
  const char* range;
  std::initializer_list<const char*> in;
  std::initializer_list<const char*> out;
};

const RangeCase kRanges[] = {
    // Everything, and nothing.
    {"", {"0.0.0", "1.2.3"}, {"1.2.3-beta"}},
    {"*", {"0.0.0", "99.0.0"}, {"1.2.3-beta"}},
    {"x", {"1.2.3"}, {}},
    {">=*", {"1.2.3"}, {}},
    {"<=*", {"1.2.3"}, {}},
    {"<*", {}, {"0.0.0", "1.2.3"}},
    {">*", {}, {"0.0.0", "1.2.3"}},
    // One version, in all its spellings.
    {"1.2.3", {"1.2.3"}, {"1.2.4", "1.2.2", "1.2.3-beta"}},
    {"v1.2.3", {"1.2.3"}, {"1.2.4"}},
    {"=1.2.3", {"1.2.3"}, {"1.2.4"}},
    {"= v1.2.3", {"1.2.3"}, {"1.2.4"}},
    {"1.2.3+rev4", {"1.2.3", "1.2.3+rev5"}, {"1.2.4"}},
    {"1.2.3-beta.2", {"1.2.3-beta.2"}, {"1.2.3-beta.3", "1.2.3"}},
    // Numbers that are left out, or wild.
    {"1", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "2.0.0-alpha"}},
    {"1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
    {"1.x", {"1.0.0", "1.9.9"}, {"2.0.0"}},
    {"1.2.*", {"1.2.0", "1.2.9"}, {"1.3.0"}},
    {"1.2.X", {"1.2.5"}, {"1.3.0"}},
    {"=1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
    // Less and more.
    {">1.2.3", {"1.2.4", "2.0.0"}, {"1.2.3", "1.2.3+rev9"}},
    {">1.2", {"1.3.0", "2.0.0"}, {"1.2.0", "1.2.9"}},
    {">1", {"2.0.0"}, {"1.0.0", "1.9.9"}},
    {">5.15.*", {"5.16.0", "6.1.0"}, {"5.15.150"}},
    {">=1.2.3", {"1.2.3", "1.2.4"}, {"1.2.2"}},
    {">= 1.2.3", {"1.2.3"}, {"1.2.2"}},
    {">=1.2", {"1.2.0"}, {"1.1.9"}},
    {">=14", {"14.0.0", "19.0.5"}, {"13.9.9"}},
    {"<1.2.3", {"1.2.2", "0.0.0"}, {"1.2.3"}},
    {"<1.2", {"1.1.9"}, {"1.2.0", "1.2.0-alpha"}},
    {"<1", {"0.9.9"}, {"1.0.0"}},
    {"<=1.2.3", {"1.2.3"}, {"1.2.4"}},
    {"<=1.2", {"1.2.9"}, {"1.3.0"}},
    {"<=5", {"5.9.9"}, {"6.0.0", "32.2.0"}},
    // As long as nothing to the left of the first number that counts changes.
    {"^1.2.3", {"1.2.3", "1.9.0"}, {"1.2.2", "2.0.0", "2.0.0-0"}},
    {"^1.2", {"1.2.0", "1.9.0"}, {"1.1.9", "2.0.0"}},
    {"^1", {"1.0.0", "1.9.0"}, {"0.9.9", "2.0.0"}},
    {"^1.x", {"1.0.0"}, {"2.0.0"}},
    {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0"}},
    {"^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4"}},
    {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
    {"^0.0.x", {"0.0.9"}, {"0.1.0"}},
    {"^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
    {"^0.x", {"0.9.9"}, {"1.0.0"}},
    {"^*", {"0.0.0", "7.0.0"}, {}},
    {"^1.2.3-beta.2", {"1.2.3-beta.2", "1.2.3-beta.10", "1.5.0"}, {"1.2.3-beta.1", "1.2.4-beta.2"}},
    // As long as the second number stays.
    {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
    {"~1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
    {"~1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
    {"~>1.2", {"1.2.9"}, {"1.3.0"}},
    {"~ 1.2.3", {"1.2.9"}, {"1.3.0"}},
    {"~0.2.3-rc1", {"0.2.3-rc1", "0.2.3", "0.2.9"}, {"0.2.3-alpha", "0.3.0"}},
    // From here to there.
    {"1.2.3 - 2.3.4", {"1.2.3", "2.3.4"}, {"1.2.2", "2.3.5"}},
    {"1.2 - 2.3.4", {"1.2.0"}, {"1.1.9"}},
    {"1.2.3 - 2.3", {"2.3.9"}, {"2.4.0"}},
    {"1.2.3 - 2", {"2.9.9"}, {"3.0.0"}},
    {"1 - *", {"1.0.0", "9.0.0"}, {"0.9.9"}},
    // And, or.
    {">=1.2.3 <2", {"1.2.3", "1.9.9"}, {"1.2.2", "2.0.0"}},
    {">=1.2.3  <2  >1.4", {"1.5.0"}, {"1.4.9", "2.0.0"}},
    {">1 <1", {}, {"1.0.0", "0.9.0", "2.0.0"}},
    {"1.2.3 || 2", {"1.2.3", "2.7.0"}, {"1.2.4", "3.0.0"}},
    {"<1||>=2", {"0.9.9", "2.0.0"}, {"1.5.0"}},
    {"1 - 2 || 4", {"1.0.0", "4.5.0"}, {"3.0.0"}},
    {"1 ||", {"7.0.0"}, {}},
    // Pre-releases: only where one of the same numbers is named.
    {">=1.2.3-alpha", {"1.2.3-alpha", "1.2.3-beta", "1.2.3", "9.0.0"}, {"1.3.0-alpha"}},
    {"<2.0.0-beta", {"2.0.0-alpha", "1.0.0"}, {"2.0.0-beta", "1.0.0-alpha"}},
    {">1.2.3-alpha.3",
     {"1.2.3-alpha.7", "1.2.3-alpha.3.1", "3.4.5"},
     {"1.2.3-alpha.3", "3.4.5-alpha.9"}},
    {">=1.0.0-2", {"1.0.0-2", "1.0.0-10", "1.0.0-a"}, {"1.0.0-1"}},
};

TEST(VersionMatchesTest, FollowsTheRulesOfSemanticVersioning) {
  for (const RangeCase& row : kRanges) {
    for (const char* version : row.in) {
      EXPECT_TRUE(VersionMatches(version, row.range)) << version << " in " << row.range;
    }
    for (const char* version : row.out) {
      EXPECT_FALSE(VersionMatches(version, row.range)) << version << " in " << row.range;
    }
  }
}

TEST(VersionMatchesTest, CompletesAVersionThatLacksNumbers) {
  EXPECT_TRUE(VersionMatches("12", ">=12.0.0 <12.0.1"));
  EXPECT_TRUE(VersionMatches("22.04", ">=22.4"));
  EXPECT_TRUE(VersionMatches("v6.5.24+rev1", "6.5.24"));
  EXPECT_FALSE(VersionMatches("22.04", ">=23"));
}

// Of a range that is none no version is in it, and of a text that is no version none is asked.
TEST(VersionMatchesTest, ComparesTextsWhereOneIsNoVersion) {
  const std::string long_text(300, '1');
  for (const std::string& text :
       {std::string("wheezy"), std::string("1.2.3.4"), std::string(">"), std::string("1.2."),
        std::string("01.2.3"), std::string("1.2.3-"), std::string("1.2-beta"), std::string("1.x.3"),
        std::string(">=1.2.3-beta..1"), std::string("1.2.3 -"), std::string("latest || 1"),
        std::string("9999999999999999.0.0"), std::string("\0", 1), long_text}) {
    EXPECT_FALSE(VersionMatches("1.2.3", text)) << text;
    EXPECT_TRUE(VersionMatches(text, text)) << text;
  }
  EXPECT_FALSE(VersionMatches("", ">=0"));
  EXPECT_FALSE(VersionMatches("wheezy", "*"));
}

}  // namespace
}  // namespace lockstep
