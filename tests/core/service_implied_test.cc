// What a container has without having been asked for it makes no difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using List = Value::List;
using Map = Value::Map;

struct ImpliedCase {
  std::string name;  // Letters and digits: part of the test's name.
  Field field;
  Value asked;
  Value implied;
  Value left;  // Null: nothing.
};

void PrintTo(const ImpliedCase& row, std::ostream* out) { *out << ToText(row.asked); }

class WithoutImpliedTest : public ::testing::TestWithParam<ImpliedCase> {};

TEST_P(WithoutImpliedTest, LeavesWhatIsSaidBeyondIt) {
  const auto& [name, field, asked, implied, left] = GetParam();
  ServiceSpec spec;
  spec.Set(field, asked);
  ServiceSpec known;
  known.Set(field, implied);
  const ServiceSpec rest = WithoutImplied(spec, known);
  const Value* value = rest.Find(field);
  EXPECT_EQ(ToText(value == nullptr ? Value() : *value), ToText(left));
}

const Map kHealth = {{"interval", 5}, {"test", List{"CMD", "a"}}};

const std::vector<ImpliedCase> kCases = {
    {"SameText", Field::kUser, "node", "node", {}},
    {"OtherText", Field::kUser, "root", "node", "root"},
    {"NothingAsked", Field::kUser, {}, "node", {}},
    {"NothingImplied", Field::kUser, "node", {}, "node"},
    {"SameCommand", Field::kCommand, List{"a", "b"}, List{"a", "b"}, {}},
    {"OtherCommandStaysWhole", Field::kCommand, List{"a", "c"}, List{"a", "b"}, List{"a", "c"}},
    {"EmptyEntrypoint", Field::kEntrypoint, List{}, List{}, {}},
    {"EmptyEntrypointInPlaceOfAnother", Field::kEntrypoint, List{}, List{"a"}, List{}},
    {"EntryOfASet", Field::kExpose, List{"1/tcp", "2/tcp"}, List{"2/tcp", "3/tcp"}, List{"1/tcp"}},
    {"AllOfASet", Field::kExpose, List{"2/tcp"}, List{"2/tcp", "3/tcp"}, {}},
    {"MemberOfAMap", Field::kLogging, Map{{"driver", "a"}, {"options", Map{{"b", "c"}}}},
     Map{{"driver", "a"}}, Map{{"options", Map{{"b", "c"}}}}},
    {"AllOfAMap", Field::kLogging, Map{{"driver", "a"}}, Map{{"driver", "a"}}, {}},
    {"HealthMember", Field::kHealthcheck, Map{{"interval", 5}, {"retries", 2}}, kHealth,
     Map{{"retries", 2}}},
    {"HealthTestStaysWhole", Field::kHealthcheck, Map{{"test", List{"CMD", "b"}}}, kHealth,
     Map{{"test", List{"CMD", "b"}}}},
    {"Alias", Field::kNetworks, Map{{"n", Map{{"aliases", List{"web", "www"}}}}},
     Map{{"n", Map{{"aliases", List{"web"}}}}}, Map{{"n", Map{{"aliases", List{"www"}}}}}},
    {"NetworkStaysJoined", Field::kNetworks, Map{{"n", Map{{"aliases", List{"web"}}}}},
     Map{{"n", Map{{"aliases", List{"web"}}}}}, Map{{"n", Map{}}}},
    {"OtherNetwork", Field::kNetworks, Map{{"m", Map{}}}, Map{{"n", Map{}}}, Map{{"m", Map{}}}},
    {"OtherType", Field::kLogging, "a", Map{{"driver", "a"}}, "a"},
};

INSTANTIATE_TEST_SUITE_P(Cases, WithoutImpliedTest, ::testing::ValuesIn(kCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(WithoutImpliedTest, TextsGoOneByOne) {
  ServiceSpec spec;
  spec.environment = {{"A", "1"}, {"B", "2"}, {"C", "3"}};
  spec.labels = spec.environment;
  ServiceSpec implied;
  implied.environment = {{"A", "1"}, {"B", "other"}, {"D", "4"}};
  implied.labels = {{"C", "3"}};
  const ServiceSpec rest = WithoutImplied(spec, implied);
  EXPECT_THAT(rest.environment, ElementsAre(std::pair("B", "2"), std::pair("C", "3")));
  EXPECT_THAT(rest.labels, ElementsAre(std::pair("A", "1"), std::pair("B", "2")));
}

// A container that another program made of this image, and a target that repeats what it says.
TEST(PlannerImpliedTest, AdoptedContainerIsTheSameThoughTheTargetRepeatsItsImage) {
  TargetApp app = MakeApp("c1", {{.name = "web", .environment = {{"A", "1"}}}});
  ObservedState observed = Running(app);
  ObservedContainer& web = observed.engine.containers.front();
  web.implied.emplace();
  web.implied->environment = {{"LANG", "C"}};
  web.implied->Set(Field::kCommand, List{"serve"});
  ServiceSpec& asked = app.release->services.front().spec;
  asked.environment["LANG"] = "C";
  asked.Set(Field::kCommand, List{"serve"});
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({app}))), IsEmpty());

  asked.Set(Field::kUser, "nobody");
  const Plan plan = MakePlan(observed, MakeTarget({app}));
  EXPECT_EQ(ChangeOf(plan, "web"), ServiceChange::kRecreate);
  const std::vector<Reason>& why = plan.apps.front().services.front().why;
  ASSERT_EQ(why.size(), 1U) << "what is the same is no reason";
  EXPECT_EQ(why.front().field, "user");
}

TEST(PlannerImpliedTest, AdoptedContainerIsAnotherWhereTheTargetSaysOtherwise) {
  TargetApp app = MakeApp("c1", {{.name = "web"}});
  ObservedState observed = Running(app);
  observed.engine.containers.front().implied.emplace();
  observed.engine.containers.front().implied->Set(Field::kUser, "node");
  app.release->services.front().spec.Set(Field::kUser, "root");
  EXPECT_EQ(ChangeOf(MakePlan(observed, MakeTarget({app})), "web"), ServiceChange::kRecreate);
}

TEST(PlannerPullPolicyTest, MakesNoContainerNew) {
  TargetApp app = MakeApp("c1", {{.name = "web"}, {.name = "db"}});
  ObservedState observed = Running(app);
  observed.engine.containers.front().config_hash =
      ConfigHash(*observed.engine.containers.front().spec);
  for (TargetService& service : app.release->services) {
    service.spec.Set(Field::kPullPolicy, "always");
  }
  EXPECT_THAT(Words(MakePlan(observed, MakeTarget({app}))), IsEmpty());
  EXPECT_THAT(DiffSpecs({}, app.release->services.front().spec),
              ::testing::Not(::testing::Contains(
                  ::testing::Field(&Reason::field, std::string("pull_policy")))));
}

}  // namespace
}  // namespace lockstep::test
