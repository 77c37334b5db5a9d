// A Session that never finishes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/session.h"
#include "simulated_device.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::vector<ServiceDraft> kOld = {{.name = "db"}};
const std::vector<ServiceDraft> kNew = {{.name = "db", .image = "registry.example/db:2"}};
const std::vector<ServiceDraft> kNext = {{.name = "db", .image = "registry.example/db:3"}};

// A Session at its target, or on its way there, and what it asked for last.
class KeepGoingTest : public ::testing::Test {
 protected:
  static SessionOptions Options() {
    SessionOptions options;
    options.keep_going = true;
    options.settle = std::chrono::seconds(10);
    return options;
  }

  void Start(const ObservedState& observed, const Target& target) {
    session_.emplace(target, Options());
    session_->OnObserved(observed, now_);
    Next();
  }

  void Next() {
    runs_.clear();
    cancels_.clear();
    events_.clear();
    saved_.clear();
    for (Action& action : session_->Next(now_)) {
      if (auto* run = std::get_if<RunStepAction>(&action)) runs_.push_back(run->step);
      if (auto* cancel = std::get_if<CancelStepAction>(&action)) cancels_.push_back(cancel->step);
      if (std::holds_alternative<LookAction>(action)) ++looks_;
      if (auto* report = std::get_if<ReportAction>(&action)) events_.push_back(report->event.kind);
      if (auto* save = std::get_if<SaveRecordAction>(&action)) saved_.push_back(save->record);
    }
  }

  void Look(ObservedState observed) {
    looks_ = 0;
    session_->OnObserved(std::move(observed), now_);
    Next();
  }

  // Answers the look that was asked for with what the Session believes.
  void LookAgain() { Look(session_->observed()); }

  std::vector<std::string> Pulls() const {
    std::vector<std::string> images;
    for (const Step& step : runs_) {
      if (step.kind == StepKind::kPullImage) images.push_back(step.subject);
    }
    return images;
  }

  void Died(const std::string& container) {
    EngineEvent event;
    event.kind = EngineEventKind::kDied;
    event.container = container;
    event.exit_code = 1;
    session_->OnEngineEvent(event, now_);
    Next();
  }

  MonoTime now_{};
  std::optional<Session> session_;
  std::vector<Step> runs_;
  std::vector<StepId> cancels_;
  std::vector<EventKind> events_;
  std::vector<AppRecord> saved_;
  int looks_ = 0;  // To be answered.
};

TEST_F(KeepGoingTest, RestsWithoutATimerWhenNothingIsToBeDone) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", kOld)}));
  EXPECT_THAT(events_, Contains(EventKind::kDone));
  EXPECT_TRUE(session_->AtRest());
  EXPECT_FALSE(session_->Finished());
  EXPECT_EQ(session_->WakeAt(), std::nullopt);
  Next();
  EXPECT_THAT(events_, IsEmpty()) << "it had said so";
}

TEST_F(KeepGoingTest, EndsWhenItIsInterruptedAtRest) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", kOld)}));
  session_->Interrupt();
  Next();
  EXPECT_TRUE(session_->Finished());
}

TEST_F(KeepGoingTest, GoesOverToAnotherTarget) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", kOld)}));
  session_->SetTarget(MakeTarget({MakeApp("c2", kNew)}));
  Next();
  EXPECT_THAT(Pulls(), ElementsAre("registry.example/db:2"));
  EXPECT_FALSE(session_->AtRest());
}

TEST_F(KeepGoingTest, DropsADownloadThatNobodyWantsAnyMore) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  ASSERT_THAT(runs_, SizeIs(1));
  const StepId unwanted = runs_.front().id;
  session_->SetTarget(MakeTarget({MakeApp("c3", kNext)}));
  Next();
  EXPECT_THAT(cancels_, ElementsAre(unwanted));
  EXPECT_THAT(Pulls(), ElementsAre("registry.example/db:3"));
  session_->OnStepFailed(unwanted, MakeError(ErrorCode::kCancelled, "cancelled"), now_);
  Next();
  EXPECT_THAT(events_, Not(Contains(EventKind::kStepFailed))) << "that is no failure";
}

TEST_F(KeepGoingTest, ATargetThatComesBackFindsItsDownloadUnderWay) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  session_->SetTarget(MakeTarget({MakeApp("c3", kNext)}));
  Next();
  session_->SetTarget(MakeTarget({MakeApp("c2", kNew)}));
  Next();
  EXPECT_THAT(Pulls(), IsEmpty()) << "the one that is being cancelled has not ended";
  EXPECT_THAT(cancels_, SizeIs(1));
}

// An app whose services are being stopped and started goes on to where it was going.
TEST_F(KeepGoingTest, AnAppInItsSpanFinishesItsCutoverBeforeItTakesUpAnotherTarget) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.spans = {kApp};
  observed.AppFor(kApp).cutover = "c2";
  Start(observed, MakeTarget({MakeApp("c2", kNew)}));
  session_->SetTarget(MakeTarget({MakeApp("c3", kNext)}));
  Next();
  EXPECT_EQ(session_->target()->apps.front().release->commit, "c2");
  ObservedState free = observed;
  free.spans.clear();
  Look(free);
  EXPECT_EQ(session_->target()->apps.front().release->commit, "c3");
}

TEST_F(KeepGoingTest, ASpanKeepsNoOtherAppFromItsTarget) {
  TargetApp other = MakeApp("c1", {{.name = "ui"}}, "b0000000000000000000000000000002", "2");
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.spans = {kApp};
  observed.AppFor(kApp).cutover = "c2";
  Start(observed, MakeTarget({MakeApp("c2", kNew)}));
  session_->SetTarget(MakeTarget({MakeApp("c3", kNext), other}));
  Next();
  EXPECT_THAT(Pulls(), Contains("registry.example/ui:1"));
}

TEST_F(KeepGoingTest, TriesAgainWhatHasFailedForGood) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  int attempts = 0;
  for (int i = 0; i < 40; ++i) {
    if (!Pulls().empty()) {
      ++attempts;
      session_->OnStepFailed(runs_.front().id, MakeError(ErrorCode::kNotFound, "no such image"),
                             now_);
      Next();
    } else if (looks_ != 0) {
      LookAgain();
    } else {
      ASSERT_TRUE(session_->WakeAt()) << "it waits for nothing";
      EXPECT_LE(*session_->WakeAt() - now_, Options().longest_back_off);
      now_ = *session_->WakeAt();
      Next();
    }
  }
  EXPECT_GT(attempts, 5);
  EXPECT_GT(now_.time_since_epoch(), std::chrono::minutes(15)) << "without a pause between them";
  const auto reports = session_->Reports();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_TRUE(reports.front().error) << "why it is not there yet is forgotten";
}

TEST_F(KeepGoingTest, AnotherTargetIsNotMadeToWaitForWhatFailedBefore) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  session_->OnStepFailed(runs_.front().id, MakeError(ErrorCode::kNotFound, "no"), now_);
  Next();
  session_->SetTarget(MakeTarget({MakeApp("c3", kNext)}));
  Next();
  if (looks_ != 0) LookAgain();
  EXPECT_THAT(Pulls(), ElementsAre("registry.example/db:3"));
}

TEST_F(KeepGoingTest, WaitsForAnEngineThatIsAway) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", kOld)}));
  session_->OnEngineGap();
  Next();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(std::exchange(looks_, 0), 1);
    session_->OnLookFailed(MakeError(ErrorCode::kPermissionDenied, "not now"), now_);
    Next();
    EXPECT_FALSE(session_->Finished());
    ASSERT_TRUE(session_->WakeAt());
    EXPECT_LE(*session_->WakeAt() - now_, std::chrono::minutes(1));
    now_ = *session_->WakeAt();
    Next();
  }
  LookAgain();
  EXPECT_TRUE(session_->AtRest());
}

TEST_F(KeepGoingTest, LooksAfterAContainerThatEndedByItself) {
  const ObservedState observed = Running(MakeApp("c1", kOld));
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  const std::string container = observed.engine.containers.front().id;
  Died(container);
  ASSERT_TRUE(session_->WakeAt());
  now_ = *session_->WakeAt();
  Next();
  EXPECT_EQ(looks_, 1);
  ObservedState stopped = observed;
  stopped.engine.containers.front().state = ContainerState::kExited;
  Look(stopped);
  ASSERT_THAT(runs_, SizeIs(1));
  EXPECT_EQ(runs_.front().kind, StepKind::kStartContainer);
}

// Whoever stops it by hand once a year is not to use up the attempts of one update.
TEST_F(KeepGoingTest, AContainerThatStayedUpHasAllItsAttemptsAgain) {
  const ObservedState observed = Running(MakeApp("c1", kOld));
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  const std::string container = observed.engine.containers.front().id;
  for (int year = 0; year < 10; ++year) {
    now_ += std::chrono::years(1);
    Died(container);
    now_ = *session_->WakeAt();
    Next();
    ObservedState stopped = session_->observed();
    stopped.engine.containers.front().state = ContainerState::kExited;
    Look(stopped);
    ASSERT_THAT(runs_, SizeIs(1)) << "year " << year;
    session_->OnStepDone(runs_.front().id, {}, now_);
    Next();
    while (looks_ != 0) LookAgain();
  }
}

TEST_F(KeepGoingTest, EventsThatComeToNothingAreLookedAfterLessAndLessOften) {
  const ObservedState observed = Running(MakeApp("c1", kOld));
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  EngineEvent event;
  event.kind = EngineEventKind::kOther;
  MonoTime::duration last{};
  for (int i = 0; i < 12; ++i) {
    const MonoTime heard = now_;
    session_->OnEngineEvent(event, now_);
    Next();
    ASSERT_TRUE(session_->WakeAt());
    now_ = *session_->WakeAt();
    EXPECT_GE(now_ - heard, last);
    last = now_ - heard;
    Next();
    ASSERT_EQ(looks_, 1);
    LookAgain();
  }
  EXPECT_GE(last, std::chrono::seconds(60));
}

TEST_F(KeepGoingTest, ForceRunsOverALockOnceAndIsForgottenAtTheGate) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.locks.push_back(HeldBy("db"));
  Start(observed, MakeTarget({MakeApp("c2", {{.name = "db", .environment = {{"A", "1"}}}})}));
  std::optional<StepId> gate;
  const auto go_on = [&] {
    for (int i = 0; i < 10 && !gate; ++i) {
      for (const Step& step : runs_) {
        StepResult made;
        made.id = "made";
        if (step.kind == StepKind::kTakeLocks) {
          gate = step.id;
        } else {
          session_->OnStepDone(step.id, made, now_);
        }
      }
      if (!gate) looks_ != 0 ? LookAgain() : Next();
    }
  };
  go_on();
  ASSERT_FALSE(gate);
  ASSERT_EQ(session_->plan().apps.front().status, PlanStatus::kHeld);
  session_->OnUpdateRequest({.force = true});
  Next();
  go_on();
  ASSERT_TRUE(gate);
  session_->OnStepDone(*gate, {}, now_);
  Next();
  EXPECT_EQ(session_->plan().apps.front().status, PlanStatus::kReady);
  // The next release is held as any.
  ObservedState later = Running(MakeApp("c2", kOld));
  later.locks.push_back(HeldBy("db"));
  session_->SetTarget(MakeTarget({MakeApp("c3", {{.name = "db", .environment = {{"A", "2"}}}})}));
  Look(later);
  EXPECT_EQ(session_->plan().apps.front().status, PlanStatus::kHeld);
}

TEST_F(KeepGoingTest, AnUpdateByRequestWaitsForNoBackOff) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  session_->OnStepFailed(runs_.front().id, MakeError(ErrorCode::kNotFound, "no"), now_);
  Next();
  if (looks_ != 0) LookAgain();
  ASSERT_THAT(Pulls(), IsEmpty());
  session_->OnUpdateRequest({});
  Next();
  EXPECT_THAT(Pulls(), SizeIs(1));
}

TEST_F(KeepGoingTest, AFailedReleaseIsTriedAgainByForceOnly) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.AppFor(kApp).failed = {"c2"};
  Start(observed, MakeTarget({MakeApp("c2", kNew)}));
  EXPECT_THAT(runs_, IsEmpty());
  session_->OnUpdateRequest({});
  Next();
  LookAgain();
  EXPECT_THAT(runs_, IsEmpty());
  session_->OnUpdateRequest({.force = true});
  Next();
  ASSERT_THAT(saved_, SizeIs(1));
  EXPECT_THAT(saved_.front().failed, IsEmpty());
  EXPECT_THAT(Pulls(), SizeIs(1));
}

TEST_F(KeepGoingTest, AStopByRequestIsRememberedAndCarriedOut) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c1", kOld)}));
  session_->OnAppRequest({.kind = AppRequestKind::kStop, .app = kApp, .names = {"db"}});
  Next();
  ASSERT_THAT(saved_, SizeIs(1));
  EXPECT_THAT(saved_.front().stopped, ElementsAre("db"));
  ASSERT_THAT(runs_, SizeIs(1));
  EXPECT_EQ(runs_.front().kind, StepKind::kTakeLocks);
}

// A look reads the store; it may have done so before the request was written.
TEST_F(KeepGoingTest, ALookUnderWayDoesNotForgetARequest) {
  const ObservedState before = Running(MakeApp("c1", kOld));
  Start(before, MakeTarget({MakeApp("c1", kOld)}));
  session_->OnEngineGap();
  Next();
  ASSERT_EQ(looks_, 1);
  session_->OnAppRequest({.kind = AppRequestKind::kStop, .app = kApp, .names = {"db"}});
  Next();
  Look(before);
  EXPECT_THAT(session_->observed().FindApp(kApp)->stopped, ElementsAre("db"));
}

TEST_F(KeepGoingTest, ALookUnderWayDoesNotForgetWhatWasRememberedMeanwhile) {
  const ObservedState before = Running(MakeApp("c1", kOld));
  Start(before, MakeTarget({MakeApp("c2", kNew)}));
  ASSERT_THAT(Pulls(), SizeIs(1));
  const StepId pull = runs_.front().id;
  session_->OnEngineGap();
  Next();
  ASSERT_EQ(looks_, 1);
  StepResult pulled;
  pulled.id = "sha256:2";
  session_->OnStepDone(pull, pulled, now_);
  Next();
  Look(before);
  ASSERT_TRUE(session_->observed().FindApp(kApp));
  EXPECT_THAT(session_->observed().FindApp(kApp)->retired, Contains("sha256:2"));
}

// A target that goes before anything was made of what was downloaded for it.
TEST_F(KeepGoingTest, ADownloadThatWasForNothingIsRemovedAgain) {
  Start(Running(MakeApp("c1", kOld)), MakeTarget({MakeApp("c2", kNew)}));
  StepResult pulled;
  pulled.id = "sha256:2";
  session_->OnStepDone(runs_.front().id, pulled, now_);
  session_->SetTarget(MakeTarget({MakeApp("c1", kOld)}));
  Next();
  ASSERT_THAT(saved_, SizeIs(1));
  EXPECT_THAT(saved_.front().retired, Contains("sha256:2"));
  for (int i = 0; i < 10 && runs_.empty(); ++i) looks_ != 0 ? LookAgain() : Next();
  ASSERT_THAT(runs_, SizeIs(1));
  EXPECT_EQ(runs_.front().kind, StepKind::kRemoveImage);
  EXPECT_EQ(runs_.front().subject, "sha256:2");
}

TEST_F(KeepGoingTest, WhatIsDoneAndStillToBeDoneWaitsForALook) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.AppFor(kApp).committed = "c1";
  // It is called otherwise than any that could be removed.
  ObservedNetwork stray;
  stray.app = "1";
  stray.name = "stray";
  stray.owned = true;
  observed.engine.networks.push_back(stray);
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  ASSERT_THAT(runs_, SizeIs(1));
  ASSERT_EQ(runs_.front().kind, StepKind::kRemoveNetwork);
  const Step first = runs_.front();
  // A look that began before may be older than the step: it confirms nothing.
  session_->OnEngineGap();
  Next();
  session_->OnStepDone(first.id, {}, now_);
  Next();
  LookAgain();
  EXPECT_THAT(runs_, IsEmpty());
  EXPECT_EQ(looks_, 1);
  LookAgain();
  now_ += std::chrono::hours(1);
  Next();
  ASSERT_THAT(runs_, SizeIs(1));
  for (int failures = 2; failures <= 3; ++failures) {
    const StepId id = runs_.front().id;
    session_->OnStepDone(id, {}, now_);
    Next();
    EXPECT_THAT(runs_, IsEmpty());
    EXPECT_EQ(looks_, 1);
    LookAgain();
    EXPECT_THAT(runs_, IsEmpty()) << "it counts as failed, and waits";
    if (failures == 3) break;
    now_ += std::chrono::hours(1);
    Next();
    ASSERT_THAT(runs_, SizeIs(1));
  }
  EXPECT_THAT(events_, Contains(EventKind::kDone));
  EXPECT_EQ(session_->Reports().front().error->code, ErrorCode::kBadReply);
}

TEST_F(KeepGoingTest, StepsOfOneAppSideBySideForgetNothingOfEachOther) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.AppFor(kApp).committed = "c1";
  for (const char* name : {"past1", "past2"}) {
    ObservedContainer past = observed.engine.containers.front();
    past.id = past.service = name;
    past.name = name + std::string("_1_1_c0");
    past.image = past.image_id = std::string("sha256:") + name;
    past.state = ContainerState::kExited;
    observed.engine.containers.push_back(past);
    observed.engine.images.push_back({.id = past.image_id, .references = {}, .labels = {}});
  }
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  ASSERT_THAT(runs_, SizeIs(2));
  const auto both = runs_;
  for (const Step& step : both) {
    ASSERT_EQ(step.kind, StepKind::kRemoveContainer);
    session_->OnStepDone(step.id, {}, now_);
  }
  Next();
  ASSERT_FALSE(saved_.empty());
  EXPECT_THAT(saved_.back().retired, ElementsAre("sha256:past1", "sha256:past2"));
}

TEST_F(KeepGoingTest, WhereADownloadDoesNotFitWhatNobodyNeedsGoesFirst) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.engine.images.push_back({"sha256:old", {"registry.example/db:0"}, {}});
  observed.AppFor(kApp).retired = {"sha256:old"};
  Start(observed, MakeTarget({MakeApp("c2", kNew)}));
  ASSERT_THAT(Pulls(), SizeIs(1)) << "there is room as far as anybody knows";
  session_->OnStepFailed(runs_.front().id, MakeError(ErrorCode::kNoSpace, "23 MB are free"), now_);
  Next();
  for (int i = 0; i < 10 && runs_.empty(); ++i) looks_ != 0 ? LookAgain() : Next();
  ASSERT_FALSE(runs_.empty());
  EXPECT_EQ(runs_.front().kind, StepKind::kRemoveImage);
  EXPECT_EQ(runs_.front().subject, "sha256:old");
}

// Left by an engine that was killed while it started it: no attempt will ever succeed.
TEST_F(KeepGoingTest, AContainerThatCanNeverStartAgainIsMadeAnew) {
  ObservedState observed = Running(MakeApp("c1", kOld));
  observed.engine.containers.front().state = ContainerState::kExited;
  Start(observed, MakeTarget({MakeApp("c1", kOld)}));
  ASSERT_THAT(runs_, SizeIs(1));
  ASSERT_EQ(runs_.front().kind, StepKind::kStartContainer);
  session_->OnStepFailed(runs_.front().id, MakeError(ErrorCode::kDefunct, "task: already exists"),
                         now_);
  Next();
  std::vector<StepKind> done;
  for (int i = 0; i < 20 && !session_->AtRest(); ++i) {
    for (const Step& step : std::vector<Step>(runs_)) {
      done.push_back(step.kind);
      StepResult made;
      made.id = "anew";
      session_->OnStepDone(step.id, made, now_);
    }
    if (runs_.empty() && looks_ == 0 && session_->WakeAt()) now_ = *session_->WakeAt();
    looks_ != 0 && runs_.empty() ? LookAgain() : Next();
  }
  EXPECT_THAT(done, Contains(StepKind::kCreateContainer));
  EXPECT_THAT(done, Contains(StepKind::kRemoveContainer));
  ASSERT_THAT(session_->observed().engine.containers, SizeIs(1));
  EXPECT_EQ(session_->observed().engine.containers.front().id, "anew");
  EXPECT_TRUE(session_->observed().engine.containers.front().IsUp());
}

}  // namespace
}  // namespace lockstep::test
