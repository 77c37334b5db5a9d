// Targets that are far too big, or that no one would write in good faith: each is planned or
// refused, and what is wrong in one app changes nothing for another.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "balena_target.h"
#include "lockstep/planner.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using nlohmann::json;
using test::IsOk;

json Service(int number) {
  return {{"id", number},
          {"image_id", number},
          {"image", "registry.example/s" + std::to_string(number) + ":1"},
          {"environment", {{"NUMBER", std::to_string(number)}}},
          {"labels", json::object()},
          {"composition", json::object()}};
}

json App(int number, json services) {
  return {{"id", number},
          {"name", "app" + std::to_string(number)},
          {"class", "fleet"},
          {"is_host", false},
          {"releases",
           {{"c1",
             {{"id", number},
              {"services", std::move(services)},
              {"networks", json::object()},
              {"volumes", json::object()}}}}}};
}

json Document(json apps) {
  return {{"dev1", {{"name", "d"}, {"config", json::object()}, {"apps", std::move(apps)}}}};
}

Plan PlanOf(const std::string& text) {
  const auto target = ReadBalenaTarget(text);
  EXPECT_THAT(target, IsOk());
  return target ? MakePlan(ObservedState{}, target.assume_value()) : Plan();
}

std::size_t StepsOfKind(const Plan& plan, StepKind kind) {
  return static_cast<std::size_t>(std::count_if(
      plan.steps.begin(), plan.steps.end(), [&](const Step& step) { return step.kind == kind; }));
}

TEST(HostileTargetTest, AHundredThousandServicesArePlanned) {
  constexpr int kServices = 100'000;
  json services = json::object();
  for (int i = 0; i < kServices; ++i) {
    json service = Service(i);
    if (i % 10 != 0) service["composition"]["depends_on"] = {"s" + std::to_string(i - 1)};
    services["s" + std::to_string(i)] = std::move(service);
  }
  const std::string text = Document({{"big", App(1, std::move(services))}}).dump();
  EXPECT_GT(text.size(), 10'000'000U);
  const Plan plan = PlanOf(text);
  EXPECT_EQ(plan.status, PlanStatus::kReady);
  EXPECT_EQ(StepsOfKind(plan, StepKind::kStartContainer), static_cast<std::size_t>(kServices));
}

TEST(HostileTargetTest, AChainOfTenThousandDependenciesIsPlanned) {
  constexpr int kServices = 10'000;
  json services = json::object();
  for (int i = 0; i < kServices; ++i) {
    json service = Service(i);
    if (i != 0) service["composition"]["depends_on"] = {"s" + std::to_string(i - 1)};
    services["s" + std::to_string(i)] = std::move(service);
  }
  const Plan plan = PlanOf(Document({{"deep", App(1, std::move(services))}}).dump());
  EXPECT_EQ(StepsOfKind(plan, StepKind::kStartContainer), static_cast<std::size_t>(kServices));
}

TEST(HostileTargetTest, AVariableOfTenMegabytesIsPlanned) {
  json service = Service(1);
  service["environment"]["BIG"] = std::string(10'000'000, 'x');
  const Plan plan = PlanOf(Document({{"one", App(1, {{"web", std::move(service)}})}}).dump());
  EXPECT_EQ(StepsOfKind(plan, StepKind::kStartContainer), 1U);
}

struct Poison {
  std::string name;     // Of the case.
  std::string service;  // Its key in the target.
  json change;          // Merged into the service.
  std::string gap;
};

void PrintTo(const Poison& poison, std::ostream* out) { *out << poison.name; }

class HostileAppTest : public ::testing::TestWithParam<Poison> {};

TEST_P(HostileAppTest, IsBlockedAndChangesNothingForAnother) {
  const json good = App(2, {{"web", Service(2)}});
  const Plan alone = PlanOf(Document({{"good", good}}).dump());
  json service = Service(1);
  service.merge_patch(GetParam().change);
  const json bad = App(1, {{GetParam().service, std::move(service)}});
  const Plan plan = PlanOf(Document({{"bad", bad}, {"good", good}}).dump());

  ASSERT_EQ(plan.apps.size(), 2U);
  const auto& gaps = plan.apps[0].gaps;
  const bool said = std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
    return gap.code == GetParam().gap && gap.blocks && !gap.message.empty();
  });
  EXPECT_TRUE(said) << (gaps.empty() ? "no gap" : gaps.front().code + ": " + gaps.front().message);
  EXPECT_EQ(plan.apps[0].status, PlanStatus::kBlocked);
  ASSERT_EQ(plan.steps.size(), alone.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    EXPECT_EQ(plan.steps[i].id, alone.steps[i].id);
    EXPECT_EQ(plan.steps[i].after, alone.steps[i].after);
  }
}

json Composition(json fields) { return {{"composition", std::move(fields)}}; }

INSTANTIATE_TEST_SUITE_P(
    Cases, HostileAppTest,
    ::testing::Values(
        Poison{"NameWithSlash", "a/b", json::object(), "invalid-name"},
        Poison{"NameIsTheParent", "..", json::object(), "invalid-name"},
        Poison{"NameOfTwoLines", "a\nb", json::object(), "invalid-name"},
        Poison{"NameWithNul", std::string("a\0b", 3), json::object(), "invalid-name"},
        Poison{"NameForAShell", "$(reboot)", json::object(), "invalid-name"},
        Poison{"NameThatIsAnOption", "-rf", json::object(), "invalid-name"},
        Poison{"NameThatColours", "a\x1b[31mb", json::object(), "invalid-name"},
        Poison{"NoName", "", json::object(), "invalid-name"},
        Poison{"LongName", std::string(300, 'x'), json::object(), "invalid-name"},
        Poison{"ImageOfTwoLines", "web", {{"image", "r/x:1\n--privileged"}}, "invalid-value"},
        Poison{"IdTooBig", "web", {{"id", 1e25}}, "invalid-value"},
        Poison{"NegativeId", "web", {{"id", -1}}, "invalid-value"},
        Poison{"MemoryTooBig", "web", Composition({{"mem_limit", 1e30}}), "invalid-value"},
        Poison{"NegativeMemory", "web", Composition({{"mem_limit", -5}}), "invalid-value"},
        Poison{"PortTooBig", "web", Composition({{"ports", {"70000:80"}}}), "invalid-value"},
        Poison{"PortsBackwards", "web", Composition({{"ports", {"90-80:90-80"}}}), "invalid-value"},
        Poison{"NoNumberOfProcessors", "web", Composition({{"cpus", "nan"}}), "invalid-value"},
        Poison{"GraceTooLong", "web", Composition({{"stop_grace_period", "99999999999999999999s"}}),
               "invalid-value"},
        Poison{"PathOfTheHost", "web", Composition({{"volumes", {"/etc:/etc"}}}), "invalid-value"},
        Poison{"NetworkOfNowhere", "web", Composition({{"networks", {"nope"}}}),
               "undefined-network"},
        Poison{"VolumeOfNowhere", "web", Composition({{"volumes", {"nope:/data"}}}),
               "undefined-volume"},
        Poison{"DependsOnNothing", "web", Composition({{"depends_on", {"nope"}}}),
               "unknown-dependency"},
        Poison{"DependsOnItself", "web", Composition({{"depends_on", {"web"}}}),
               "dependency-cycle"}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep
