// Names that are short and distinct, and values in the room there is.
#include "plan_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text.h"
#include "value_change.h"

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string Hash(const std::string& begin, const std::string& end = {}) {
  return begin + std::string(64 - begin.size() - end.size(), '0') + end;
}

Plan PlanWith(const std::vector<std::string>& subjects) {
  Plan plan;
  for (const std::string& subject : subjects) {
    Step step;
    step.subject = subject;
    plan.steps.push_back(std::move(step));
  }
  return plan;
}

TEST(PlanNamesTest, CutHashesToWhatTellsThemApart) {
  const PlanNames names(PlanWith({Hash("aaaaaaaabb"), Hash("aaaaaaaabc"), Hash("12345678")}));
  EXPECT_EQ(names.Short("x@sha256:" + Hash("12345678")), "x@sha256:12345678");
  EXPECT_EQ(names.Short(Hash("aaaaaaaabb")), "aaaaaaaabb");
  EXPECT_EQ(names.Short(Hash("aaaaaaaabc")), "aaaaaaaabc");
}

TEST(PlanNamesTest, HashesThatBeginAlikeAreToldByTheirEnd) {
  const PlanNames names(PlanWith({Hash("", "ea4040"), Hash("", "ea4559"), Hash("1", "7")}));
  EXPECT_EQ(names.Short(Hash("", "ea4040")), "..00ea4040");
  EXPECT_EQ(names.Short(Hash("", "ea4559")), "..00ea4559");
  EXPECT_EQ(names.Short(Hash("1", "7")), "10000000");
}

TEST(PlanNamesTest, OneThatCanNotBeToldShortIsLeftWhole) {
  const std::string odd = std::string(32, 'a') + "1" + std::string(31, 'b');
  const std::string other = std::string(32, 'a') + "2" + std::string(31, 'b');
  EXPECT_EQ(PlanNames(PlanWith({odd, other})).Short(odd), odd);
}

TEST(PlanNamesTest, ImagesAreCalledByTheirLastName) {
  const std::string digest = "@sha256:" + Hash("3d7d40f6");
  const std::string balena = "registry2.balena-cloud.com/v2/" + std::string(32, 'c');
  const PlanNames names(PlanWith({digest}));
  EXPECT_EQ(names.Image("registry.example:5000/x/web:2"), "web:2");
  EXPECT_EQ(names.Image("web"), "web");
  EXPECT_EQ(names.Image("registry.example/web" + digest), "web@3d7d40f6");
  EXPECT_EQ(names.Image("registry.example/web:2" + digest), "web@3d7d40f6");
  EXPECT_EQ(names.Image(balena + digest), "sha256:3d7d40f6");
  EXPECT_THAT(names.Images("r.example/web:1", "r.example/web:2"), Pair("web:1", "web:2"));
  EXPECT_THAT(names.Images("a.example/web:1", "b.example/web:1"),
              Pair("a.example/web:1", "b.example/web:1"));
}

TEST(RenderValueChangeTest, SaysWhatHappensToTheValue) {
  const auto line = [](std::optional<std::string> from, std::optional<std::string> to,
                       bool hidden = false) {
    return RenderValueChange({std::move(from), std::move(to), hidden}, 0);
  };
  EXPECT_THAT(line("a", "b"), ElementsAre("a -> b"));
  EXPECT_THAT(line({}, "b"), ElementsAre("is new: b"));
  EXPECT_THAT(line({}, "{}"), ElementsAre("is new"));
  EXPECT_THAT(line("a", {}), ElementsAre("goes: a"));
  EXPECT_THAT(line({}, {}), ElementsAre("changes"));
  EXPECT_THAT(line("", "", true), ElementsAre("changes (hidden)"));
  EXPECT_THAT(line({}, "", true), ElementsAre("is new (hidden)"));
  EXPECT_THAT(line("", {}, true), ElementsAre("goes"));
}

TEST(RenderValueChangeTest, CutsToWhereTheValuesDiffer) {
  const std::string x(100, 'x');
  EXPECT_THAT(RenderValueChange({x + "info" + x, x + "debug" + x, false}, 23),
              ElementsAre("   ...xxxxxinfoxxxxx...", "-> ...xxxxdebugxxxxx..."));
  EXPECT_THAT(RenderValueChange({"info" + x, "debug" + x, false}, 23),
              ElementsAre("   infoxxxxxxxxxx...", "-> debugxxxxxxxxx..."));
  EXPECT_THAT(RenderValueChange({x + "1", x + "2", false}, 23),
              ElementsAre("   ...xxxxxxxxxxxx1", "-> ...xxxxxxxxxxxx2"));
}

TEST(RenderValueChangeTest, NeverExceedsTheWidthAndCutsNoCharacter) {
  const std::string wide = "\u65e5\u672c\u8a9e";
  std::string a;
  std::string b;
  for (int i = 0; i < 20; ++i) {
    a += wide;
    b += i == 10 ? "\u00e9" : wide;
  }
  for (int width = 1; width < 80; ++width) {
    for (const auto& change : {ValueChange{a, b, false}, ValueChange{b, a, false},
                               ValueChange{a, {}, false}, ValueChange{"x", a, false}}) {
      for (const std::string& line : RenderValueChange(change, width)) {
        EXPECT_LE(DisplayWidth(line), std::max(width, 4)) << line;
        EXPECT_EQ(Printable(line), line);
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
