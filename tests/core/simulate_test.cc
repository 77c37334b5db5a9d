#include "lockstep/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<ServiceDraft> kOld = {{.name = "db"}, {.name = "web", .depends_on = {"db"}}};
const std::vector<ServiceDraft> kNew = {
    {.name = "db"}, {.name = "web", .image = "registry.example/web:2", .depends_on = {"db"}}};

class SimulateTest : public ::testing::Test {
 protected:
  SimulateTest()
      : observed_(Running(MakeApp("c1", kOld))), target_(MakeTarget({MakeApp("c2", kNew)})) {}

  ObservedState observed_;
  Target target_;
};

TEST_F(SimulateTest, GivesTheStateAfterEachStepInTheOrderOfThePlan) {
  const Plan plan = MakePlan(observed_, target_);
  const std::vector<ObservedState> states = Simulate(plan, observed_, target_);
  ASSERT_EQ(states.size(), plan.steps.size());
  const auto after = [&](StepKind kind, const std::string& service = "") -> const ObservedState& {
    return states[static_cast<std::size_t>(FindStep(plan, kind, service) - plan.steps.data())];
  };
  EXPECT_THAT(NamesUp(after(StepKind::kTakeLocks).engine), ElementsAre("db_0_0_c1", "web_0_0_c1"));
  EXPECT_TRUE(after(StepKind::kTakeLocks).HasSpan(kApp));
  EXPECT_THAT(NamesUp(after(StepKind::kStopContainer, "web").engine), ElementsAre("db_0_0_c1"));
  EXPECT_THAT(NamesUp(after(StepKind::kStartContainer, "web").engine),
              ElementsAre("db_0_0_c1", "web_0_0_c2"));
  EXPECT_EQ(after(StepKind::kCommitRelease).FindApp(kApp)->committed, "c2");
  EXPECT_THAT(MakePlan(states.back(), target_).steps, IsEmpty());
}

TEST_F(SimulateTest, PerformsOnlyWhatIsReadyAndThatOnce) {
  const Plan plan = MakePlan(observed_, target_);
  Simulation simulation(plan, observed_, target_);
  const auto last = static_cast<std::uint32_t>(plan.steps.size() - 1);
  EXPECT_FALSE(simulation.Perform(last));
  EXPECT_FALSE(simulation.Perform(last + 1));
  EXPECT_TRUE(simulation.Perform(0));
  EXPECT_FALSE(simulation.Perform(0));
  while (!simulation.Ready().empty()) EXPECT_TRUE(simulation.Perform(simulation.Ready().back()));
  EXPECT_THAT(MakePlan(simulation.state(), target_).steps, IsEmpty());
}

TEST_F(SimulateTest, AsksWhichImageAReferenceGives) {
  const Plan plan = MakePlan(observed_, target_);
  Simulation simulation(plan, observed_, target_, [](std::string_view) { return "sha256:2"; });
  ASSERT_EQ(plan.steps[0].kind, StepKind::kPullImage);
  simulation.Perform(0);
  EXPECT_EQ(simulation.state().engine.images.back().id, "sha256:2");
}

TEST_F(SimulateTest, EndsWhatThePlanWaitsForTheEndOf) {
  target_.apps[0].release->services[1].spec.depends_on[0].condition =
      DependencyCondition::kCompletedSuccessfully;
  target_.apps[0].release->services[0].spec.Set(Field::kRestart, Value("no"));
  const Plan plan = MakePlan({}, target_);
  std::vector<std::string> up;
  Simulate(plan, {}, target_, [&](const Step&, const ObservedState& after) {
    up = NamesUp(after.engine);
    return true;
  });
  EXPECT_THAT(up, ElementsAre("web_0_0_c2"));
}

TEST_F(SimulateTest, LetsTheVisitorEndTheWalk) {
  int visits = 0;
  Simulate(MakePlan(observed_, target_), observed_, target_,
           [&](const Step&, const ObservedState&) { return ++visits < 3; });
  EXPECT_EQ(visits, 3);
}

TEST_F(SimulateTest, TellsApartWhatIsMadeNowFromWhatWasMadeBefore) {
  const auto content = [](std::string_view reference) { return std::string(reference); };
  for (const std::string version : {"2", "3", "4"}) {
    std::vector<ServiceDraft> drafts = kNew;
    drafts[1].image = "registry.example/web:" + version;
    target_ = MakeTarget({MakeApp("c" + version, drafts)});
    const Plan plan = MakePlan(observed_, target_);
    Simulation simulation(plan, observed_, target_, content);
    for (std::uint32_t i = 0; i < plan.steps.size(); ++i) simulation.Perform(i);
    observed_ = std::move(simulation).TakeState();
  }
  EXPECT_THAT(NamesUp(observed_.engine), ElementsAre("db_0_0_c4", "web_0_0_c4"));
}

}  // namespace
}  // namespace lockstep::test
