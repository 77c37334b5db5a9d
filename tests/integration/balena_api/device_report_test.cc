#include "balena_api/device_report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "balena_api/report_json.h"
#include "lockstep/planner.h"

namespace lockstep {
namespace {

using ::testing::IsEmpty;

// A device with the app u1, whose services web and db are at release c1 and to be at c2.
struct World {
  Plan plan;
  ObservedState state;
  Target target;
  UpdateActivity activity;

  World() {
    TargetRelease release;
    release.commit = "c2";
    for (const char* name : {"db", "web"}) {
      TargetService service;
      service.name = name;
      service.spec.image = std::string(name) + ":2";
      release.services.push_back(service);
    }
    TargetApp app;
    app.uuid = "u1";
    app.id = "1";
    app.name = "shop";
    app.release = release;
    target.apps.push_back(app);
    plan.apps.push_back({.app = "u1",
                         .name = "shop",
                         .status = PlanStatus::kReady,
                         .from = "c1",
                         .to = "c2",
                         .services = {},
                         .holders = {},
                         .gaps = {}});
  }

  ObservedContainer& Add(const std::string& service, const std::string& commit,
                         ContainerState container = ContainerState::kRunning) {
    ObservedContainer made;
    made.id = service + "-" + commit;
    made.name = made.id;
    made.image = service + ":" + commit.substr(1);
    made.app = "u1";
    made.service = service;
    made.commit = commit;
    made.owned = true;
    made.state = container;
    state.engine.containers.push_back(made);
    return state.engine.containers.back();
  }
  void Step(StepKind kind, const std::string& subject, bool running = false) {
    lockstep::Step step;
    step.id.value = plan.steps.size() + 1;
    step.kind = kind;
    step.app = "u1";
    step.subject = subject;
    plan.steps.push_back(step);
    if (running) activity.running.insert(step.id);
  }

  // "c1 done: web Running; c2 downloading: db Downloading 0, web Downloaded"
  std::string Text() const {
    const DeviceReport report = ReportOf(plan, state, target, activity);
    std::string text;
    if (!report.apps.contains("u1")) return text;
    for (const auto& [commit, release] : report.apps.at("u1").releases) {
      text += (text.empty() ? "" : "; ") + commit + ' ' + release.update_status + ':';
      bool first = true;
      for (const auto& [name, service] : release.services) {
        text += (first ? " " : ", ") + name + ' ' + service.status;
        if (service.download_progress) text += ' ' + std::to_string(*service.download_progress);
        first = false;
      }
    }
    return text;
  }
};

struct ReportCase {
  std::string name;
  std::function<void(World&)> make;
  std::string expected;
};
class ReportOfTest : public ::testing::TestWithParam<ReportCase> {};

TEST_P(ReportOfTest, SaysHowFarItIs) {
  World world;
  GetParam().make(world);
  EXPECT_EQ(world.Text(), GetParam().expected);
}

void Old(World& world) {
  world.Add("db", "c1");
  world.Add("web", "c1");
}

void New(World& world, ContainerState state) {
  world.Add("db", "c2", state);
  world.Add("web", "c2", state);
}

const ReportCase kReportCases[] = {
    {"NothingIsThereYet",
     [](World& world) {
       world.plan.apps[0].from.reset();
       world.Step(StepKind::kPullImage, "db:2");
       world.Step(StepKind::kPullImage, "web:2");
     },
     "c2 downloading: db Downloading 0, web Downloading 0"},
    {"Downloading",
     [](World& world) {
       Old(world);
       world.Step(StepKind::kPullImage, "web:2", true);
       world.activity.downloads["web:2"] = {.current_bytes = 30, .total_bytes = 90};
     },
     "c1 done: db Running, web Running; c2 downloading: db Downloaded, web Downloading 33"},
    {"ProgressStaysWithinBounds",
     [](World& world) {
       world.activity.downloads["web:2"] = {.current_bytes = 300, .total_bytes = 90};
       world.activity.downloads["db:2"] = {.current_bytes = -300, .total_bytes = 90};
     },
     "c2 downloading: db Downloading 0, web Downloading 100"},
    {"ProgressOfNothingKnown",
     [](World& world) { world.activity.downloads["web:2"] = {.current_bytes = 3}; },
     "c2 downloading: db Downloaded, web Downloading 0"},
    {"DownloadedAndHeld",
     [](World& world) {
       Old(world);
       world.plan.apps[0].status = PlanStatus::kHeld;
       New(world, ContainerState::kCreated);
       world.Step(StepKind::kTakeLocks, "");
       world.Step(StepKind::kStopContainer, "web-c1");
     },
     "c1 done: db Running, web Running; c2 downloaded: db Downloaded, web Downloaded"},
    {"CuttingOver",
     [](World& world) {
       world.state.spans = {"u1"};
       world.Add("db", "c1", ContainerState::kExited);
       world.Add("web", "c1");
       world.Add("db", "c2");
       world.Add("web", "c2", ContainerState::kCreated);
       world.Step(StepKind::kStopContainer, "web-c1", true);
     },
     "c1 done: web Stopping; c2 applying changes: db Running, web Installed"},
    {"Starting",
     [](World& world) {
       world.state.spans = {"u1"};
       world.Add("db", "c2");
       world.Add("web", "c2", ContainerState::kCreated);
       world.Step(StepKind::kStartContainer, "web-c2", true);
     },
     "c2 applying changes: db Running, web Starting"},
    {"ToBeRenamedInTheSpan",
     [](World& world) {
       world.state.spans = {"u1"};
       world.Add("db", "c1");
       world.Add("web", "c2");
     },
     "c1 done: db Running; c2 applying changes: db Installing, web Running"},
    {"HandingOver",
     [](World& world) {
       world.state.spans = {"u1"};
       world.Add("db", "c2");
       world.Add("web", "c1");
       world.Add("web", "c2");
     },
     "c1 done: web Handing over; c2 applying changes: db Running, web Awaiting handover"},
    {"Settling", [](World& world) { New(world, ContainerState::kRunning); },
     "c2 applying changes: db Running, web Running"},
    {"Done",
     [](World& world) {
       New(world, ContainerState::kRunning);
       world.plan.apps[0].from = "c2";
       world.plan.apps[0].status = PlanStatus::kInSync;
     },
     "c2 done: db Running, web Running"},
    {"DoneThoughSomeStopped",
     [](World& world) {
       world.Add("db", "c2", ContainerState::kExited);
       world.Add("web", "c2", ContainerState::kRestarting);
       world.plan.apps[0].from = "c2";
     },
     "c2 done: db exited, web restarting"},
    {"OtherStates",
     [](World& world) {
       world.Add("db", "c2", ContainerState::kPaused);
       world.Add("web", "c2", ContainerState::kDead);
       world.plan.apps[0].from = "c2";
     },
     "c2 done: db paused, web Dead"},
    {"LeftoversAreNotReported",
     [](World& world) {
       New(world, ContainerState::kRunning);
       world.Add("web", "c1", ContainerState::kExited);
       world.Add("old", "c0", ContainerState::kExited);
       world.plan.apps[0].from = "c2";
     },
     "c2 done: db Running, web Running"},
    {"JobsOfTheRunningReleaseAre",
     [](World& world) {
       world.Add("web", "c1");
       world.Add("db", "c1", ContainerState::kExited);
       world.Step(StepKind::kPullImage, "db:2");
     },
     "c1 done: db exited, web Running; c2 downloading: db Downloading 0, web Downloaded"},
    {"Rejected",
     [](World& world) {
       Old(world);
       world.plan.apps[0].status = PlanStatus::kBlocked;
       world.plan.apps[0].gaps = {{"dependency-cycle", "web -> db -> web"}};
     },
     "c1 done: db Running, web Running; c2 rejected:"},
    {"Aborted",
     [](World& world) {
       Old(world);
       world.plan.apps[0].status = PlanStatus::kBlocked;
       world.plan.apps[0].gaps = {{"release-failed", "it failed"}};
     },
     "c1 done: db Running, web Running; c2 aborted:"},
    {"NothingIsToRun",
     [](World& world) {
       Old(world);
       world.target.apps[0].release.reset();
     },
     "c1 done: db Running, web Running"},
    {"WhatIsNotOursIsNotReported",
     [](World& world) {
       New(world, ContainerState::kRunning);
       world.Add("web", "c1").owned = false;
       world.Add("web", "c1").app = "u9";
       world.Add("web", "c1").commit.clear();
     },
     "c2 applying changes: db Running, web Running"},
    {"AHostAppIsNotReported", [](World& world) { world.target.apps[0].is_host = true; }, ""},
    {"AComposeAppIsNotReported", [](World& world) { world.target.apps[0].id.clear(); }, ""},
};
INSTANTIATE_TEST_SUITE_P(Cases, ReportOfTest, ::testing::ValuesIn(kReportCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(DeviceReportTest, NamesTheReleaseThatTheAppIsCommittedTo) {
  World world;
  Old(world);
  const DeviceReport report = ReportOf(world.plan, world.state, world.target, {});
  EXPECT_EQ(report.apps.at("u1").release_uuid, "c1");
  EXPECT_EQ(report.apps.at("u1").target, "c2");
}

// The backend refuses a whole report for an image that is not the release's.
TEST(DeviceReportTest, NamesImagesAsTheirReleaseDoes) {
  World world;
  world.Add("web", "c2").image = "web:0";  // Renamed, from a release before.
  world.Add("db", "c1").image = "db:0";
  world.activity.images["c1"]["db"] = "db:1";
  const DeviceReport report = ReportOf(world.plan, world.state, world.target, world.activity);
  EXPECT_EQ(report.apps.at("u1").releases.at("c2").services.at("web").image, "web:2");
  EXPECT_EQ(report.apps.at("u1").releases.at("c1").services.at("db").image, "db:1");
}

TEST(DeviceReportTest, RemembersImagesAsLongAsSomethingIsLeftOfTheirRelease) {
  World world;
  Old(world);
  world.activity.images["c0"]["web"] = "web:0";
  world.activity.images["c1"]["web"] = "web:1";
  RememberImages(world.target, world.state, world.activity);
  EXPECT_FALSE(world.activity.images.contains("c0"));
  EXPECT_EQ(world.activity.images["c1"]["web"], "web:1");
  EXPECT_EQ(world.activity.images["c2"]["web"], "web:2");
}

TEST(DeviceReportTest, OfTwoContainersTheOneThatRunsCounts) {
  World world;
  world.target.apps[0].release->services.resize(1);
  world.Add("db", "c2", ContainerState::kExited).created_at = WallTime{} + std::chrono::hours(2);
  world.Add("db", "c2").created_at = WallTime{} + std::chrono::hours(1);
  EXPECT_EQ(world.Text(), "c2 applying changes: db Running");
}

// What is known of steps and images is what the planner makes.
TEST(DeviceReportTest, UnderstandsWhatThePlannerPlans) {
  World world;
  const Plan plan = MakePlan(world.state, world.target);
  ASSERT_FALSE(plan.steps.empty());
  const DeviceReport report = ReportOf(plan, world.state, world.target, {});
  const ReleaseReport& release = report.apps.at("u1").releases.at("c2");
  EXPECT_EQ(release.update_status, "downloading");
  EXPECT_EQ(release.services.at("web").status, "Downloading");
}

TEST(DeviceReportTest, TargetsAloneLeavesTheRestOut) {
  World world;
  Old(world);
  const DeviceReport report =
      TargetsAlone(ReportOf(world.plan, world.state, world.target, world.activity));
  EXPECT_EQ(report.apps.at("u1").release_uuid, std::nullopt);
  EXPECT_EQ(report.apps.at("u1").releases.size(), 1U);
  EXPECT_TRUE(report.apps.at("u1").releases.contains("c2"));
}

}  // namespace
}  // namespace lockstep
