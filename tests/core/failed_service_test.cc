// What a person is told of a service that fails, and that nothing waits for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "event_recorder.h"
#include "lockstep/explain.h"
#include "lockstep/orchestrator.h"
#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/fake_host_control.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/mock_runtime_backend.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::NiceMock;
using ::testing::SizeIs;

constexpr const char* kImage = "registry.example/web:1";
const std::vector<ServiceDraft> kWeb = {{.name = "web", .image = kImage, .restart = "no"}};

class FailedServiceTest : public ::testing::Test {
 protected:
  FailedServiceTest() {
    options_.session.settle = std::chrono::hours(1);  // By time alone nothing settles here.
    options_.session.back_off = std::chrono::milliseconds(1);
    engine_.OnCall([this](Call call, const std::string& subject) {
      if (call != Call::kExamine) return;
      if (on_examine) on_examine();
      const std::scoped_lock lock(mutex_);
      examined_.push_back(subject);
    });
  }

  ApplyReport Apply(const Target& target, RuntimeBackend& engine, std::stop_token interrupt = {}) {
    Orchestrator orchestrator({engine, locks_, store_, host_, config_, clock_});
    auto report = orchestrator.Apply(target, options_, recorder_, std::move(interrupt));
    EXPECT_THAT(report, IsOk());
    return report ? std::move(report).assume_value() : ApplyReport{};
  }
  ApplyReport Apply(const std::vector<ServiceDraft>& services) {
    return Apply(MakeTarget({MakeApp("c1", services)}), engine_);
  }

  std::string IdOf(const std::string& service) const {
    for (const ObservedContainer& container : engine_.State().containers) {
      if (container.service == service) return container.id;
    }
    return {};
  }

  std::vector<Event> Failures() const {
    std::vector<Event> failures = recorder_.seen();
    std::erase_if(failures, [](const Event& event) {
      return event.kind != EventKind::kStepFailed || !event.step;
    });
    return failures;
  }

  std::vector<std::string> examined() {
    const std::scoped_lock lock(mutex_);
    return examined_;
  }

  static MemoryOptions PullAnything() {
    MemoryOptions options;
    options.pull_anything = true;
    return options;
  }

  std::function<void()> on_examine;
  MemoryEngine engine_{PullAnything()};
  FakeLockFs locks_;
  FakeStore store_;
  FakeHostControl host_;
  DeviceConfig config_;
  SystemClock clock_;
  Recorder recorder_;
  ApplyOptions options_;

 private:
  std::mutex mutex_;
  std::vector<std::string> examined_;
};

TEST_F(FailedServiceTest, OneThatEndsAtOnceIsToldWithHowItEndedAndWhatItPrinted) {
  engine_.AddImage(kImage, {.exit_code = 3, .output = "starting\ncannot start\n"});
  const ApplyReport report = Apply(kWeb);
  EXPECT_EQ(report.outcome, ApplyOutcome::kUnhealthy);
  EXPECT_THAT(examined(), ElementsAre(IdOf("web"))) << "once";
  const auto failures = Failures();
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].step_kind, StepKind::kAwaitHealth);
  EXPECT_EQ(failures[0].service, "web");
  EXPECT_EQ(failures[0].error->message, "it did not stay up: it exited with 3");
  EXPECT_THAT(failures[0].findings.last_lines, ElementsAre("starting", "cannot start"));
  EXPECT_EQ(report.apps[0].findings.at("web"), failures[0].findings);
}

TEST_F(FailedServiceTest, OneThatIsKilledForWantOfMemoryIsToldSo) {
  NiceMock<MockRuntimeBackend> engine(engine_);
  ON_CALL(engine, StartContainer).WillByDefault([&](const std::string& id, std::stop_token stop) {
    auto started = engine_.StartContainer(id, stop);
    engine_.RunOutOfMemory(id);
    return started;
  });
  EXPECT_EQ(Apply(MakeTarget({MakeApp("c1", kWeb)}), engine).outcome, ApplyOutcome::kUnhealthy);
  ASSERT_THAT(Failures(), SizeIs(1));
  EXPECT_EQ(Failures()[0].error->message,
            "it did not stay up: it exited with 137, it ran out of memory");
}

TEST_F(FailedServiceTest, OneThatWillNotStartIsExaminedOnceWhenItIsGivenUp) {
  for (int i = 0; i < 3; ++i) {
    engine_.FailNext(Call::kStartContainer, MakeError(ErrorCode::kUnavailable, "no shim"));
  }
  bool printed = false;
  on_examine = [&] { printed = engine_.Print(IdOf("web"), "from an earlier run\n"); };
  const ApplyReport report = Apply(kWeb);
  EXPECT_EQ(report.outcome, ApplyOutcome::kFailed);
  EXPECT_TRUE(printed);
  EXPECT_THAT(examined(), ElementsAre(IdOf("web")));
  const auto failures = Failures();
  ASSERT_THAT(failures, SizeIs(3));
  EXPECT_TRUE(failures[0].findings.empty());
  EXPECT_TRUE(failures[1].findings.empty());
  EXPECT_THAT(failures[2].findings.last_lines, ElementsAre("from an earlier run"));
  EXPECT_EQ(failures[2].error->message, "no shim");
  EXPECT_EQ(report.apps[0].error->message, "no shim; it printed last: from an earlier run");
}

TEST_F(FailedServiceTest, WhatTheEngineSaysTwiceIsToldOnce) {
  NiceMock<MockRuntimeBackend> engine(engine_);
  ON_CALL(engine, StartContainer).WillByDefault([](const std::string&, std::stop_token) {
    return Result<void>(MakeError(ErrorCode::kInvalidInput, "no such program: /x"));
  });
  Findings findings;
  findings.engine_error = "no such program: /x";
  EXPECT_CALL(engine, Examine(_, _)).WillOnce(::testing::Return(Result<Findings>(findings)));
  const ApplyReport report = Apply(MakeTarget({MakeApp("c1", kWeb)}), engine);
  EXPECT_EQ(report.apps[0].error->message, "no such program: /x");
}

TEST_F(FailedServiceTest, AnExaminationThatFailsLeavesTheFailureAsItIs) {
  engine_.FailNext(Call::kStartContainer, MakeError(ErrorCode::kInvalidInput, "no such program"));
  engine_.FailNext(Call::kExamine, MakeError(ErrorCode::kUnavailable, "engine is gone"));
  const ApplyReport report = Apply(kWeb);
  EXPECT_EQ(report.outcome, ApplyOutcome::kFailed);
  EXPECT_EQ(report.apps[0].error->message, "no such program");
  EXPECT_THAT(report.apps[0].findings, IsEmpty());
  ASSERT_THAT(Failures(), SizeIs(1));
  EXPECT_EQ(Failures()[0].error->message, "no such program");
}

TEST_F(FailedServiceTest, ABackendThatTellsNothingLeavesTheExitCode) {
  engine_.AddImage(kImage, {.exit_code = 3});
  engine_.FailNext(Call::kExamine, MakeError(ErrorCode::kUnsupported, "cannot"));
  (void)Apply(kWeb);
  ASSERT_THAT(Failures(), SizeIs(1));
  EXPECT_EQ(Failures()[0].error->message, "it did not stay up: it exited with 3");
}

TEST_F(FailedServiceTest, NoOtherAppWaitsForAnExamination) {
  engine_.AddImage(kImage, {.exit_code = 3});
  engine_.AddImage("registry.example/db:1", {.exit_code = 0});
  TargetApp other = MakeApp("c1", {{.name = "db", .restart = "no"}});
  other.uuid = "other";
  other.id = "2";
  std::atomic<bool> committed = false;
  on_examine = [&] { committed = recorder_.Await(EventKind::kCommitted, "other"); };
  const ApplyReport report = Apply(MakeTarget({MakeApp("c1", kWeb), other}), engine_);
  EXPECT_TRUE(committed);
  EXPECT_THAT(Failures(), SizeIs(1));
  EXPECT_EQ(recorder_.seen().back().kind, EventKind::kDone);
}

TEST_F(FailedServiceTest, AnInterruptEndsAnExamination) {
  engine_.AddImage(kImage, {.exit_code = 3});
  engine_.SetLatency([](Call call) {
    return call == Call::kExamine ? std::chrono::hours(1) : std::chrono::milliseconds(0);
  });
  std::stop_source interrupt;
  on_examine = [&] { interrupt.request_stop(); };
  (void)Apply(MakeTarget({MakeApp("c1", kWeb)}), engine_, interrupt.get_token());
  EXPECT_THAT(Failures(), SizeIs(1));
}

TEST_F(FailedServiceTest, AStartWithoutAnEffectIsNoSuccess) {
  options_.session.settle = std::chrono::milliseconds(0);
  NiceMock<MockRuntimeBackend> engine(engine_);
  ON_CALL(engine, StartContainer).WillByDefault([](const std::string&, std::stop_token) {
    return Result<void>(Ok());
  });
  const ApplyReport report = Apply(MakeTarget({MakeApp("c1", kWeb)}), engine);
  EXPECT_EQ(report.outcome, ApplyOutcome::kFailed);
  EXPECT_THAT(report.apps[0].error->message, HasSubstr("did not stay up"));
}

TEST_F(FailedServiceTest, OneThatIsGoneAfterEachStartIsGivenUp) {
  NiceMock<MockRuntimeBackend> engine(engine_);
  int gone = 0;
  ON_CALL(engine, StartContainer).WillByDefault([&](const std::string& id, std::stop_token stop) {
    auto started = engine_.StartContainer(id, stop);
    (void)engine_.StopContainer(id, {}, stop);
    (void)engine_.RemoveContainer(id, stop);
    ++gone;
    return started;
  });
  const ApplyReport report = Apply(MakeTarget({MakeApp("c1", kWeb)}), engine);
  EXPECT_EQ(report.outcome, ApplyOutcome::kFailed);
  EXPECT_EQ(gone, 3);
  EXPECT_THAT(report.apps[0].error->message, HasSubstr("is gone again"));
}

// The examination comes before the removal, or there is nothing left to examine.
TEST(FailedServiceSessionTest, WhatIsExaminedIsNotRemovedMeanwhile) {
  const std::vector<ServiceDraft> next = {{.name = "db", .image = "registry.example/db:2"}};
  Session session(MakeTarget({MakeApp("c2", next)}), {});
  ObservedState truth = Running(MakeApp("c1", {{.name = "db"}}));
  session.OnObserved(truth, MonoTime{});
  std::string examined;
  std::set<std::string> removed;
  MonoTime now{};
  const auto work = [&] {
    for (int i = 0; i < 100 && !session.Finished(); ++i) {
      for (const Action& action : session.Next(now)) {
        if (const auto* examine = std::get_if<ExamineAction>(&action)) {
          EXPECT_EQ(examined, "") << "asked twice";
          examined = examine->container;
        } else if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
          truth.AppFor(save->record.app) = save->record;
        } else if (std::holds_alternative<LookAction>(action)) {
          session.OnObserved(truth, now);
        } else if (const auto* run = std::get_if<RunStepAction>(&action)) {
          const bool fails =
              run->step.kind == StepKind::kStartContainer && run->step.subject == "new";
          if (fails) {
            session.OnStepFailed(run->step.id, MakeError(ErrorCode::kInvalidInput, "no"), now);
            continue;
          }
          StepResult result;
          result.id = run->step.kind == StepKind::kCreateContainer ? "new" : "image";
          ApplyEffect(run->step, run->request, result, truth);
          session.OnStepDone(run->step.id, result, now);
          if (run->step.kind == StepKind::kRemoveContainer) removed.insert(run->step.subject);
        }
      }
      if (session.WakeAt()) now = std::max(now, *session.WakeAt());
    }
  };
  work();
  EXPECT_EQ(examined, "new");
  EXPECT_EQ(removed.count("new"), 0U);
  EXPECT_FALSE(session.Finished());
  Findings findings;
  findings.exit_code = 3;
  session.OnExamined("new", findings);
  work();
  EXPECT_TRUE(session.Finished());
  EXPECT_EQ(removed.count("new"), 1U);
  EXPECT_EQ(session.Reports().at(0).error->message, "no: it exited with 3");
}

TEST(ExplainFindingsTest, SaysAllThatIsKnown) {
  Findings findings;
  EXPECT_EQ(Explain(findings), "");
  findings.exit_code = 137;
  findings.out_of_memory = true;
  findings.restarts = 2;
  findings.engine_error = "no";
  findings.health_output = "no db";
  EXPECT_EQ(Explain(findings),
            "it exited with 137, it ran out of memory, its engine started it again 2 times, "
            "the engine says: no, its health check says: no db");
}

}  // namespace
}  // namespace lockstep::test
