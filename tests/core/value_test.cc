#include "lockstep/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace lockstep {
namespace {

using List = Value::List;
using Map = Value::Map;

TEST(ValueTest, KnowsItsType) {
  EXPECT_TRUE(Value().is_null());
  EXPECT_NE(Value(true).AsBool(), nullptr);
  EXPECT_NE(Value(1).AsInt(), nullptr);
  EXPECT_NE(Value(1.0).AsDouble(), nullptr);
  EXPECT_NE(Value("a").AsString(), nullptr);
  EXPECT_NE(Value(List{}).AsList(), nullptr);
  EXPECT_NE(Value(Map{}).AsMap(), nullptr);
  EXPECT_EQ(Value(1).AsDouble(), nullptr);
  EXPECT_EQ(Value("a").AsBool(), nullptr);
}

TEST(ValueTest, SortsMapsAndLetsTheLaterMemberWin) {
  const Value map = Map{{"b", 1}, {"a", 2}, {"b", 3}};
  EXPECT_EQ(ToText(map), R"({"a":2,"b":3})");
}

TEST(ValueTest, FindsMembersOfMapsOnly) {
  const Value map = Map{{"b", 1}, {"a", 2}};
  ASSERT_NE(map.Find("a"), nullptr);
  EXPECT_EQ(*map.Find("a"), Value(2));
  EXPECT_EQ(map.Find("c"), nullptr);
  EXPECT_EQ(map.Find(""), nullptr);
  EXPECT_EQ(Value("a").Find("a"), nullptr);
  EXPECT_EQ(Value(List{"a"}).Find("a"), nullptr);
}

TEST(ValueTest, EqualsByTypeAndContent) {
  EXPECT_EQ(Value(Map{{"a", List{1, "x"}}, {"b", Value()}}),
            Value(Map{{"b", Value()}, {"a", List{1, "x"}}}));
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_NE(Value(1), Value("1"));
  EXPECT_NE(Value(true), Value(1));
  EXPECT_NE(Value(), Value(Map{}));
  EXPECT_NE(Value(Map{{"a", 1}}), Value(Map{{"a", 2}}));
  EXPECT_NE(Value(Map{{"a", 1}}), Value(Map{{"b", 1}}));
}

TEST(ValueTest, HasATotalOrderAlsoWithNan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  List values = {Map{}, nan, "b",           List{1, 2}, List{1}, Value(), "a",   true, nan,
                 1,     2.5, Map{{"a", 1}}, List{"a"},  0,       Value(), false, -1.0};
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      EXPECT_EQ(values[i]<values[j], values[j]> values[i]);
      if (i < j) {
        EXPECT_LE(values[i], values[j]);
      }
    }
  }
  EXPECT_EQ(Value(nan), Value(nan));
}

TEST(ValueTest, PrintsAsCompactJson) {
  const Value tree =
      Map{{"n", Value()}, {"b", List{true, false}}, {"d", 0.5}, {"i", -7}, {"s", "x"}};
  EXPECT_EQ(ToText(tree), R"({"b":[true,false],"d":0.5,"i":-7,"n":null,"s":"x"})");
  EXPECT_EQ(ToText(std::string("\"\\\n\0\x7f\u00e9", 7)),
            "\"\\\"\\\\\\u000a\\u0000\\u007f\u00e9\"");
}

TEST(ToTextTest, StopsWhereItIsLongEnough) {
  Value deep = std::string(1'000'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    Value::List list;
    list.push_back(std::move(deep));
    deep = std::move(list);
  }
  EXPECT_LT(ToText(deep, 100).size(), 110U);
  EXPECT_EQ(ToText(deep, 2), "[[[");
  EXPECT_EQ(ToText(Value::List{1, 2}, 5), "[1,2]");
  EXPECT_LT(ToText(std::string(1'000'000, '\0'), 10).size(), 20U);
}

}  // namespace
}  // namespace lockstep
