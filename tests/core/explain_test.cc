// Plans in words: what differs, what a step comes right after, why a step waits.
#include "lockstep/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

Reason Changed(std::string field, Value from, Value to, bool secret = false) {
  return {ReasonCode::kFieldChanged, std::move(field), std::move(from), std::move(to), secret};
}

Value Words(std::vector<std::string> words) {
  return Value(Value::List(words.begin(), words.end()));
}

struct ExplainCase {
  std::string name;
  Reason reason;
  std::string text;
};
class ExplainReasonTest : public ::testing::TestWithParam<ExplainCase> {};
TEST_P(ExplainReasonTest, SaysItInWords) { EXPECT_EQ(Explain(GetParam().reason), GetParam().text); }
INSTANTIATE_TEST_SUITE_P(
    Cases, ExplainReasonTest,
    ::testing::Values(
        ExplainCase{"Text", Changed("user", "root", "nobody"), "user changes from root to nobody"},
        ExplainCase{"New", Changed("user", {}, "nobody"), "user is new: nobody"},
        ExplainCase{"Gone", Changed("user", "root", {}), "user goes: root"},
        ExplainCase{"EmptyText", Changed("user", "", "root"), "user changes from \"\" to root"},
        ExplainCase{"EmptyListIsNothing", Changed("ports", Value::List{}, Words({"80:80/tcp"})),
                    "ports is new: 80:80/tcp"},
        ExplainCase{"ListOfWords", Changed("command", Words({"web", "-v"}), Words({"web"})),
                    "command changes from web -v to web"},
        ExplainCase{"ListThatIsNoWords", Changed("command", Words({"sh", "a b"}), Words({""})),
                    R"(command changes from ["sh","a b"] to [""])"},
        ExplainCase{
            "MapsMemberByMember",
            Changed("healthcheck", Value::Map{{"interval", "10s"}, {"retries", 3}, {"test", "x"}},
                    Value::Map{{"interval", "30s"}, {"start", "1s"}, {"test", "x"}}),
            "healthcheck.interval changes from 10s to 30s; healthcheck.retries goes: 3; "
            "healthcheck.start is new: 1s"},
        ExplainCase{"SecretChanges", Changed("environment.A", "old", "new", true),
                    "environment.A changes"},
        ExplainCase{"SecretIsNew", Changed("environment.A", {}, "new", true),
                    "environment.A is new"},
        ExplainCase{"SecretGoes", Changed("environment.A", "old", {}, true), "environment.A goes"},
        ExplainCase{"Dependency", Reason{ReasonCode::kDependencyRestarts, "db", {}, {}, false},
                    "restarts with db"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(DifferencesTest, HideWhatMayBeSecretUntilAskedFor) {
  const Reason reason = Changed("environment.A", "old", "new", true);
  EXPECT_THAT(Differences(reason), ElementsAre(Difference{"environment.A", "", "", true}));
  EXPECT_THAT(Differences(reason, ShowValues::kYes),
              ElementsAre(Difference{"environment.A", "old", "new", false}));
}

TEST(DifferencesTest, TakeNoDocumentApartForEver) {
  Value from("x");
  Value to("y");
  for (int i = 0; i < 100; ++i) {
    from = Value(Value::Map{{"a", from}});
    to = Value(Value::Map{{"a", to}});
  }
  ASSERT_EQ(Differences(Changed("f", from, to)).size(), 1U);
  EXPECT_EQ(Differences(Changed("f", from, to))[0].field, "f.a.a.a.a.a.a.a.a");
}

using Graph = std::vector<std::vector<std::uint32_t>>;

Plan PlanOf(const Graph& after) {
  Plan plan;
  for (const auto& steps : after) {
    Step step;
    step.after = steps;
    plan.steps.push_back(std::move(step));
  }
  return plan;
}

// Whether `to` comes after `from` in `graph`, by every way there is.
bool Reaches(const Graph& graph, std::uint32_t from, std::uint32_t to) {
  return std::any_of(graph[to].begin(), graph[to].end(), [&](std::uint32_t each) {
    return each == from || Reaches(graph, from, each);
  });
}

TEST(DirectPredecessorsTest, LeavesOutWhatAnotherOneComesAfterAnyway) {
  EXPECT_EQ(DirectPredecessors(PlanOf({{}, {0}, {0, 1}, {}, {0, 1, 2, 3}})),
            (Graph{{}, {0}, {1}, {}, {2, 3}}));
}

TEST(DirectPredecessorsTest, TakesUnsortedAndRepeatedOnesAndNoneThatIsNotBefore) {
  EXPECT_EQ(DirectPredecessors(PlanOf({{}, {}, {1, 0, 1, 2, 7}})), (Graph{{}, {}, {0, 1}}));
}

// Many steps before one and one before many: where a plan's gate, its end and its commit are.
TEST(DirectPredecessorsTest, SeesThroughStepsWithManyPredecessors) {
  constexpr std::uint32_t kServices = 300;
  Graph after(1);  // The gate.
  for (std::uint32_t i = 1; i <= kServices; ++i) after.push_back({0});
  std::vector<std::uint32_t> all(kServices + 1);
  for (std::uint32_t i = 0; i <= kServices; ++i) all[i] = i;
  after.push_back(all);  // The end of the span.
  for (std::uint32_t i = 1; i <= kServices; ++i) after.push_back({0, i, kServices + 1});
  const Graph reduced = DirectPredecessors(PlanOf(after));
  EXPECT_EQ(reduced[kServices + 1].size(), kServices);
  for (std::uint32_t i = kServices + 2; i < reduced.size(); ++i) {
    EXPECT_THAT(reduced[i], ElementsAre(kServices + 1));
  }
}

TEST(DirectPredecessorsTest, KeepsTheOrderAndNothingMoreOfAnyGraph) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Graph after(14);
    for (std::uint32_t i = 1; i < after.size(); ++i) {
      for (std::uint32_t j = 0; j < i; ++j) {
        if (random() % 3 == 0) after[i].push_back(j);
      }
    }
    const Graph reduced = DirectPredecessors(PlanOf(after));
    for (std::uint32_t i = 0; i < after.size(); ++i) {
      EXPECT_THAT(after[i], IsSupersetOf(reduced[i]));
      for (std::uint32_t j = 0; j < i; ++j) {
        EXPECT_EQ(Reaches(reduced, j, i), Reaches(after, j, i)) << "seed " << seed;
      }
      for (const std::uint32_t each : reduced[i]) {
        for (const std::uint32_t other : reduced[i]) {
          EXPECT_FALSE(Reaches(after, each, other)) << "seed " << seed;
        }
      }
    }
  }
}

LockHolder Lock(const std::string& service, bool ours = false) {
  LockHolder holder;
  holder.service = service;
  holder.ours = ours;
  return holder;
}

// Download, gate (held), stop; of app "a", which db and web lock; and of app "z", which lion locks.
Plan HeldPlan() {
  Plan plan = PlanOf({{}, {0}, {0, 1}, {}});
  plan.steps[0].app = plan.steps[1].app = plan.steps[2].app = "a";
  plan.steps[1].kind = StepKind::kTakeLocks;
  plan.steps[1].status = plan.steps[2].status = StepStatus::kHeld;
  AppPlan a;
  a.app = "a";
  a.holders = {Lock("db"), Lock("web"), Lock("api", true)};
  AppPlan z;
  z.app = "z";
  z.holders = {Lock("lion")};
  plan.apps = {a, z};
  return plan;
}

std::vector<std::string> Codes(const std::vector<WaitReason>& reasons) {
  std::vector<std::string> codes;
  for (const WaitReason& reason : reasons) {
    std::string text(WaitCodeName(reason.code));
    text += ' ';
    text += reason.holder != nullptr ? reason.holder->service : std::to_string(reason.step);
    codes.push_back(std::move(text));
  }
  return codes;
}

TEST(ExplainWaitsTest, NamesTheLocksAtTheGateAndTheGateBehindIt) {
  const Plan plan = HeldPlan();
  const auto waits = ExplainWaits(plan);
  EXPECT_THAT(waits[0], IsEmpty());
  EXPECT_THAT(Codes(waits[1]), ElementsAre("lock-held db", "lock-held web", "after-step 0"));
  EXPECT_THAT(Codes(waits[2]), ElementsAre("gate-held 1", "after-step 1"));
  EXPECT_THAT(waits[3], IsEmpty());
  EXPECT_EQ(Explain(waits[1][0], plan), "waits for the update lock of db");
  EXPECT_EQ(Explain(waits[2][0], plan), "waits behind: take the update locks");
  EXPECT_EQ(Explain(waits[2][1], plan), "comes after: take the update locks");
}

TEST(ExplainWaitsTest, AStepOfTheDeviceWaitsForTheLocksOfEveryApp) {
  Plan plan = HeldPlan();
  plan.steps[3].kind = StepKind::kReboot;
  plan.steps[3].status = StepStatus::kDeferred;
  const auto waits = ExplainWaits(plan);
  EXPECT_THAT(Codes(waits[3]), ElementsAre("lock-held db", "lock-held web", "lock-held lion"));
}

}  // namespace
}  // namespace lockstep
