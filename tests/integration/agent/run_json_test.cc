#include "agent/run_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace lockstep {
namespace {

using ::testing::SizeIs;

constexpr WallTime kNow{std::chrono::hours(1000)};

RunView ViewOfShop() {
  auto target = std::make_shared<Target>();
  target->device_uuid = "d0";
  TargetApp& wanted = target->apps.emplace_back();
  wanted.uuid = "shop";
  wanted.id = "7";
  wanted.release.emplace().commit = "b0b";
  TargetService& web = wanted.release->services.emplace_back();
  web.name = "web";
  web.spec.image = "web:2";

  RunView view;
  view.target = target;
  view.plan.status = PlanStatus::kReady;
  AppPlan& app = view.plan.apps.emplace_back();
  app.app = "shop";
  app.name = "Shop";
  app.status = PlanStatus::kReady;
  app.from = "a0a";
  app.to = "b0b";
  ServicePlan& service = app.services.emplace_back();
  service.service = "web";
  service.change = ServiceChange::kRecreate;
  Step& pull = view.plan.steps.emplace_back();
  pull.id = {1};
  pull.kind = StepKind::kPullImage;
  pull.subject = "web:2";
  Step& gate = view.plan.steps.emplace_back();
  gate.id = {2};
  gate.status = StepStatus::kHeld;
  view.running = {StepId{1}};
  view.pulls[StepId{1}] = {3, 10};

  ObservedContainer& container = view.observed.engine.containers.emplace_back();
  container.image = "web:1";
  container.state = ContainerState::kRunning;
  container.health = Health::kHealthy;
  container.app = "shop";
  container.service = "web";
  container.owned = true;
  return view;
}

RunFacts Facts() {
  RunFacts facts;
  facts.now = kNow;
  return facts;
}

TEST(RunJsonTest, SaysWhatRunsAndHowFarDownloadsAre) {
  const auto json = RunToJson(ViewOfShop(), Facts());
  EXPECT_EQ(json["format"], "lockstep.run/1");
  EXPECT_EQ(json["device"], "d0");
  EXPECT_EQ(json["steps"]["left"], 2);
  EXPECT_EQ(json["steps"]["ready"], 1);
  EXPECT_EQ(json["steps"]["held"], 1);
  EXPECT_EQ(json["steps"]["waiting"], 0);
  ASSERT_THAT(json["running"], SizeIs(1));
  EXPECT_EQ(json["running"][0]["subject"], "web:2");
  EXPECT_EQ(json["running"][0]["current_bytes"], 3);
  EXPECT_EQ(json["running"][0]["total_bytes"], 10);
}

TEST(RunJsonTest, SaysOfEachServiceWhatIsThereAndWhatIsToBe) {
  const auto json = RunToJson(ViewOfShop(), Facts());
  const auto& app = json["apps"][0];
  EXPECT_EQ(app["app"], "shop");
  EXPECT_EQ(app["app_id"], "7");
  EXPECT_EQ(app["status"], "ready");
  EXPECT_EQ(app["from"], "a0a");
  EXPECT_EQ(app["to"], "b0b");
  const auto& service = app["services"][0];
  EXPECT_EQ(service["image"], "web:2");
  EXPECT_EQ(service["change"], "recreate");
  ASSERT_THAT(service["containers"], SizeIs(1));
  EXPECT_EQ(service["containers"][0]["state"], "running");
  EXPECT_EQ(service["containers"][0]["health"], "healthy");
  EXPECT_EQ(service["containers"][0]["image"], "web:1");
}

TEST(RunJsonTest, LeavesOutContainersOfOthers) {
  RunView view = ViewOfShop();
  view.observed.engine.containers[0].owned = false;
  const auto json = RunToJson(view, Facts());
  EXPECT_THAT(json["apps"][0]["services"][0]["containers"], SizeIs(0));
}

TEST(RunJsonTest, SaysWhatAPersonAskedFor) {
  RunView view = ViewOfShop();
  AppRecord& record = view.observed.apps.emplace_back();
  record.app = "shop";
  record.failed = {"bad"};
  record.stopped = {"web"};
  record.paused = true;
  const auto app = RunToJson(view, Facts())["apps"][0];
  EXPECT_EQ(app["paused"], true);
  EXPECT_EQ(app["failed_releases"][0], "bad");
  EXPECT_EQ(app["services"][0]["stopped"], true);
}

TEST(RunJsonTest, SaysWhatIsTheMatter) {
  RunView view = ViewOfShop();
  const auto why = MakeError(ErrorCode::kUnavailable, "no daemon", "start it");
  view.look_error = why;
  AppReport shop;
  shop.app = "shop";
  shop.error = MakeError(ErrorCode::kNotFound, "no image", "push it");
  shop.unhealthy = {"web"};
  shop.back_to = "a0a";
  shop.findings["web"].exit_code = 3;
  shop.findings["web"].last_lines = {"oh no"};
  AppReport device;
  device.error = MakeError(ErrorCode::kInternal, "no reboot", "");
  view.apps = {shop, device};
  RunFacts facts = Facts();
  facts.target_problem = MakeError(ErrorCode::kInvalidInput, "no YAML", "correct it");
  const auto json = RunToJson(view, facts);
  EXPECT_EQ(json["look_error"]["message"], "no daemon");
  EXPECT_EQ(json["target_problem"]["message"], "no YAML");
  EXPECT_EQ(json["error"]["message"], "no reboot");
  const auto& app = json["apps"][0];
  EXPECT_EQ(app["error"]["message"], "no image");
  EXPECT_EQ(app["back_to"], "a0a");
  EXPECT_EQ(app["services"][0]["unhealthy"], true);
  EXPECT_EQ(app["services"][0]["exit_code"], 3);
  EXPECT_EQ(app["services"][0]["logs"][0], "oh no");
}

TEST(RunJsonTest, CountsTheAgeOfALockToNow) {
  LockHolder lock;
  lock.app = "shop";
  lock.service = "web";
  lock.since = kNow - std::chrono::seconds(90);
  RunFacts facts = Facts();
  facts.locks = {lock};
  const auto json = RunToJson(ViewOfShop(), facts);
  EXPECT_EQ(json["locks"][0]["age_s"], 90);
  EXPECT_EQ(json["locks"][0]["service"], "web");
}

TEST(RunJsonTest, AddsToAPlanWhichStepsRun) {
  RunView view = ViewOfShop();
  view.at_rest = true;
  nlohmann::ordered_json plan;
  AddRun(view, plan);
  ASSERT_THAT(plan["running"], SizeIs(1));
  EXPECT_EQ(plan["running"][0], StepId{1}.ToString());
  EXPECT_EQ(plan["at_rest"], true);
  EXPECT_TRUE(plan["look_error"].is_null());
}

}  // namespace
}  // namespace lockstep
