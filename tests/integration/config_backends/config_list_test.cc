#include "config_backends/config_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "format_testing.h"

namespace lockstep::test {
namespace {

using List = std::vector<std::string>;

struct ListCase {
  std::string name;
  std::string value;
  std::optional<List> list;
};
class ParseListTest : public ::testing::TestWithParam<ListCase> {};
TEST_P(ParseListTest, TakesOneBareEntryOrQuotedOnes) {
  EXPECT_EQ(ParseList(GetParam().value), GetParam().list);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ParseListTest,
    ::testing::Values(ListCase{"Bare", "a", List{"a"}}, ListCase{"Empty", "", List{""}},
                      ListCase{"BareWithCommas", "a,b=1", List{"a,b=1"}},
                      ListCase{"OneQuoted", R"("a")", List{"a"}},
                      ListCase{"TwoQuoted", R"("a","b,c=1")", List{"a", "b,c=1"}},
                      ListCase{"BlanksBetween", R"("a" , "b" )", List{"a", "b"}},
                      ListCase{"Escapes", R"("a\"b\\","c")", List{R"(a"b\)", "c"}},
                      ListCase{"OtherEscape", R"("a\n")", std::nullopt},
                      ListCase{"NotClosed", R"("a","b)", std::nullopt},
                      ListCase{"CommaAtEnd", R"("a",)", std::nullopt},
                      ListCase{"NoComma", R"("a""b")", std::nullopt},
                      ListCase{"BareBehind", R"("a",b)", std::nullopt},
                      ListCase{"EscapeAtEnd", "\"a\\", std::nullopt}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(FormatListTest, WhatItWritesIsReadAsTheSame) {
  for (const List& list : {List{"a"}, List{"a", "b"}, List{"\"vc4\""}, List{"a\\", "b\"c"},
                           List{""}, List{"", ""}, List{"a,b"}, List{"a\\b"}}) {
    EXPECT_EQ(ParseList(FormatList(list)), list) << FormatList(list);
  }
}

TEST(FormatListTest, PutsNoQuotesAroundOneEntry) {
  EXPECT_EQ(FormatList({"vc4-kms-v3d"}), "vc4-kms-v3d");
  EXPECT_EQ(FormatList({"a", "b"}), R"("a","b")");
}

// What is in the old list and stays, of the slots for `wanted`.
List Staying(const List& old, const List& wanted) {
  List staying;
  for (const ListSlot& slot : MatchLists(old, wanted)) {
    if (slot.stays) staying.push_back(slot.text);
  }
  return staying;
}

TEST(MatchListsTest, LetsWhatIsInBothStay) {
  EXPECT_EQ(Staying({"a", "b", "c"}, {"a", "c"}), (List{"a", "c"}));
  EXPECT_EQ(Staying({"a", "c"}, {"a", "b", "c", "d"}), (List{"a", "c"}));
  EXPECT_EQ(Staying({"a", "b"}, {"b", "a"}), (List{"b"}));
  EXPECT_EQ(Staying({"x", "y", "x"}, {"y", "x"}), (List{"y", "x"}));
}

TEST(MatchListsTest, AChangedEntryTakesThePlaceOfTheOldOne) {
  const auto slots = MatchLists({"a", "rtc,ds1307", "c"}, {"a", "rtc,ds3231", "c"});
  ASSERT_EQ(slots.size(), 3U);
  EXPECT_EQ(slots[1].old, 1U);
  EXPECT_FALSE(slots[1].stays);
}

TEST(MatchListsTest, OldPlacesRiseAndAreTakenOnce) {
  Chance chance(1);
  const List names = {"a", "b", "c", "d"};
  for (int round = 0; round < 3000; ++round) {
    List old(chance.Below(6));
    List wanted(chance.Below(6));
    for (auto& entry : old) entry = chance.Of(names);
    for (auto& entry : wanted) entry = chance.Of(names);
    std::size_t next = 0;
    const auto slots = MatchLists(old, wanted);
    ASSERT_EQ(slots.size(), wanted.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      EXPECT_EQ(slots[i].text, wanted[i]);
      if (!slots[i].old) continue;
      ASSERT_GE(*slots[i].old, next);
      ASSERT_LT(*slots[i].old, old.size());
      EXPECT_TRUE(!slots[i].stays || old[*slots[i].old] == wanted[i]);
      next = *slots[i].old + 1;
    }
  }
}

}  // namespace
}  // namespace lockstep::test
