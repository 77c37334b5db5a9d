// A reboot as an Orchestrator performs it: from the change that needs one to the look after it.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "event_recorder.h"
#include "lockstep/orchestrator.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_config_backend.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

const std::string kGpu = "BALENA_HOST_CONFIG_gpu_mem";
const std::string kFan = "BALENA_HOST_CONFIG_fan_profile";

class RebootTest : public ::testing::Test {
 protected:
  RebootTest() {
    options_.session.settle = std::chrono::milliseconds(0);
    options_.session.back_off = std::chrono::milliseconds(1);
    place_.Set({{kGpu, "16"}});
    // What a machine that goes down does to its processes.
    host_.OnReboot([this] { going_down_.request_stop(); });
  }

  static std::vector<std::unique_ptr<ConfigBackend>> Backends(FakeConfigPlace& place) {
    std::vector<std::unique_ptr<ConfigBackend>> backends;
    backends.push_back(std::make_unique<FakeConfigBackend>(
        "config.txt",
        std::vector<ConfigRule>{{.backend = {}, .key = "BALENA_HOST_CONFIG_*"},
                                {.backend = {}, .key = kFan, .needs_reboot = false}},
        place));
    return backends;
  }

  Result<ApplyReport> Apply(std::map<std::string, std::string> config) {
    going_down_ = std::stop_source();
    Target target = MakeTarget({MakeApp("c1", {{.name = "db"}, {.name = "web"}}),
                                MakeApp("c1", {{.name = "x"}}, "b2", "2")});
    target.config = std::move(config);
    Orchestrator orchestrator({engine_, locks_, store_, host_, config_, clock_});
    return orchestrator.Apply(target, options_, recorder_, going_down_.get_token());
  }

  static ApplyOutcome OutcomeOf(const Result<ApplyReport>& report) {
    EXPECT_THAT(report, IsOk());
    return report ? report.assume_value().outcome : ApplyOutcome::kFailed;
  }

  static std::string ErrorOf(const Result<ApplyReport>& report) {
    EXPECT_THAT(report, IsOk());
    for (const AppReport& app : report ? report.assume_value().apps : std::vector<AppReport>()) {
      if (app.error) return Describe(*app.error);
    }
    return {};
  }

  static MemoryOptions PullAnything() {
    MemoryOptions options;
    options.pull_anything = true;
    return options;
  }

  std::stop_source going_down_;
  FakeConfigPlace place_;
  MemoryEngine engine_{PullAnything()};
  FakeLockFs locks_;
  FakeStore store_;
  FakeHostControl host_;
  DeviceConfig config_{Backends(place_)};
  SystemClock clock_;
  Recorder recorder_;
  ApplyOptions options_;
  const ServiceRef x_{"b2", "2", "x"};
};

TEST_F(RebootTest, WritesRebootsAndLooksAtItAfterwards) {
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kInterrupted) << "it goes down";
  EXPECT_EQ(host_.reboots(), 1);
  EXPECT_THAT(place_.values(), ElementsAre(Pair(kGpu, "64")));
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_FALSE(locks_.HoldByApp(x_)) << "it goes down: the locks were to stay";
  ASSERT_TRUE(store_.state().reboot);
  EXPECT_EQ(store_.state().reboot->boot_id, "boot-1");
  EXPECT_THAT(store_.state().reboot->changes, ElementsAre(Pair(kGpu, "64")));
  EXPECT_THAT(store_.state().config_keys, ElementsAre(kGpu));

  host_.Restart();
  const std::size_t before = recorder_.seen().size();
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kInSync);
  EXPECT_EQ(host_.reboots(), 1);
  EXPECT_THAT(store_.state().reboot->changes, IsEmpty());
  const Event first = recorder_.seen().at(before);
  EXPECT_EQ(first.kind, EventKind::kStepDone);
  EXPECT_EQ(first.step_kind, StepKind::kReboot);
  EXPECT_EQ(first.subject, kGpu);
}

TEST_F(RebootTest, WaitsForTheLockOfAnyAppAndGoesOnWhenItIsReleased) {
  ASSERT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(x_));
  std::jthread app([this] {
    recorder_.AwaitFirst(EventKind::kHeld);
    EXPECT_EQ(host_.reboots(), 0);
    EXPECT_THAT(place_.values(), Contains(Pair(kGpu, "16")));
    locks_.AwaitWatchers(1);
    locks_.ReleaseByApp(x_);
  });
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}, {kFan, "cool"}})), ApplyOutcome::kInterrupted);
  EXPECT_EQ(host_.reboots(), 1);
  EXPECT_THAT(place_.values(), ElementsAre(Pair(kFan, "cool"), Pair(kGpu, "64")));
}

TEST_F(RebootTest, WithoutWaitingItEndsAsHeldAndNothingIsWritten) {
  ASSERT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  ASSERT_TRUE(locks_.HoldByApp(x_));
  options_.session.wait_when_held = false;
  const auto report = Apply({{kGpu, "64"}});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kHeld);
  EXPECT_THAT(report.assume_value().apps.back().holders, SizeIs(1));
  EXPECT_EQ(place_.writes(), 0);
  EXPECT_EQ(store_.state().reboot, std::nullopt);
  EXPECT_THAT(locks_.taken(), IsEmpty());
}

TEST_F(RebootTest, LeftToOthersItEndsWellAndGivesTheLocksBack) {
  host_.Answer(PowerAnswer::kLeftToOthers);
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kInSync);
  EXPECT_THAT(locks_.taken(), IsEmpty());
  EXPECT_TRUE(locks_.HoldByApp(x_));
  EXPECT_EQ(store_.state().reboot->reboots, 0) << "it was none of ours";
  locks_.ReleaseByApp(x_);
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kInSync) << "still to come";
}

TEST_F(RebootTest, RefusedByTheMachineItIsAFailureAndGivesTheLocksBack) {
  host_.Answer(MakeError(ErrorCode::kPermissionDenied, "not allowed", "run as root"));
  const auto report = Apply({{kGpu, "64"}});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
  EXPECT_THAT(ErrorOf(report), HasSubstr("not allowed"));
  EXPECT_TRUE(locks_.HoldByApp(x_));
  EXPECT_EQ(store_.state().reboot->reboots, 0);
}

TEST_F(RebootTest, AMachineThatStaysUpGetsItsLocksBackAndTheAttemptCounts) {
  host_.OnReboot([] {});
  options_.session.reboot_timeout = std::chrono::milliseconds(1);
  for (int attempt = 1; attempt <= kMostReboots; ++attempt) {
    const auto report = Apply({{kGpu, "64"}});
    EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
    EXPECT_THAT(ErrorOf(report), HasSubstr("still runs"));
    EXPECT_EQ(store_.state().reboot->reboots, attempt);
    EXPECT_TRUE(locks_.HoldByApp(x_));
    locks_.ReleaseByApp(x_);
  }
  (void)Apply({{kGpu, "64"}});
  EXPECT_EQ(host_.reboots(), kMostReboots) << "not for ever";
}

TEST_F(RebootTest, AFileThatCannotBeWrittenIsAFailureAndNoReboot) {
  place_.FailWrites(MakeError(ErrorCode::kNoSpace, "the partition is full", "free some space"));
  const auto report = Apply({{kGpu, "64"}});
  EXPECT_EQ(OutcomeOf(report), ApplyOutcome::kFailed);
  EXPECT_THAT(ErrorOf(report), HasSubstr("the partition is full"));
  EXPECT_EQ(host_.reboots(), 0);
  EXPECT_TRUE(locks_.HoldByApp(x_));
  locks_.ReleaseByApp(x_);
  (void)Apply({{kGpu, "64"}});
  EXPECT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  EXPECT_EQ(host_.reboots(), 0) << "nothing was written, however often it was tried";
  host_.Restart();
  EXPECT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  EXPECT_THAT(store_.state().config_keys, IsEmpty()) << "what the factory wrote is not Lockstep's";
  EXPECT_THAT(place_.values(), ElementsAre(Pair(kGpu, "16")));
}

// Killed between the record and the file.
TEST_F(RebootTest, WhatWasNeverWrittenIsNoReasonToReboot) {
  ASSERT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  ASSERT_THAT(store_.PutReboot({"boot-1", "c", 0, {{kGpu, "64"}}}), IsOk());
  EXPECT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  EXPECT_EQ(host_.reboots(), 0);
  host_.Restart();
  (void)Apply({});
  EXPECT_THAT(store_.state().config_keys, IsEmpty());
}

// Asked, and no answer came: the machine may go down all the same, or not.
TEST_F(RebootTest, AnAnswerThatIsNotHeardCounts) {
  host_.OnReboot([] {});
  host_.Answer(MakeError(ErrorCode::kDeadlineExceeded, "no answer"));
  options_.session.reboot_timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kFailed);
  EXPECT_EQ(store_.state().reboot->reboots, 1);
  EXPECT_TRUE(locks_.HoldByApp(x_)) << "it still runs: the locks were to be given back";
}

// Killed behind the write, before the reboot: the locks that are left are the reboot's still.
TEST_F(RebootTest, LocksThatAreLeftForARebootAreTakenOver) {
  ASSERT_EQ(OutcomeOf(Apply({})), ApplyOutcome::kInSync);
  place_.Set({{kGpu, "64"}});
  ASSERT_THAT(store_.PutReboot({"boot-1", "c", 0, {{kGpu, "64"}}}), IsOk());
  locks_.LeaveBehind(x_);
  bool given_back = false;
  host_.OnReboot([&] {
    given_back = locks_.HoldByApp(x_);
    going_down_.request_stop();
  });
  (void)Apply({{kGpu, "64"}});
  EXPECT_EQ(host_.reboots(), 1);
  EXPECT_FALSE(given_back);
}

TEST_F(RebootTest, AFileThatCannotBeReadKeepsNoAppFromItsUpdate) {
  place_.FailReads(MakeError(ErrorCode::kInvalidInput, "it is no config.txt"));
  EXPECT_EQ(OutcomeOf(Apply({{kGpu, "64"}})), ApplyOutcome::kInSync);
  EXPECT_EQ(engine_.State().containers.size(), 3U);
  EXPECT_EQ(place_.writes(), 0);
  EXPECT_EQ(host_.reboots(), 0);
}

TEST_F(RebootTest, WhatTheRebootDidNotBringIsSaidAndTriedAFewTimesOnly) {
  for (int boot = 1; boot <= 5; ++boot) {
    (void)Apply({{kGpu, "64"}});
    if (host_.reboots() < boot) break;
    host_.Restart();
    place_.Set({{kGpu, "16"}});  // As a watchdog that restores the file.
  }
  EXPECT_EQ(host_.reboots(), kMostReboots);
  int said = 0;
  for (const Event& event : recorder_.seen()) {
    if (!event.error) continue;
    said += Describe(*event.error).find("is \"16\" after it") != std::string::npos;
  }
  EXPECT_EQ(said, kMostReboots);
}

TEST_F(RebootTest, AKeyThatTheTargetNoLongerNamesGoesIfLockstepSetIt) {
  place_.Set({{kGpu, "16"}, {"BALENA_HOST_CONFIG_factory", "1"}});
  (void)Apply({{kGpu, "64"}});
  host_.Restart();
  (void)Apply({});
  EXPECT_EQ(host_.reboots(), 2);
  EXPECT_THAT(place_.values(), ElementsAre(Pair("BALENA_HOST_CONFIG_factory", "1")));
  EXPECT_THAT(store_.state().config_keys, IsEmpty());
}

}  // namespace
}  // namespace lockstep::test
