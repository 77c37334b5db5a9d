#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/session.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr WallTime kNoon{milliseconds(1'700'000'000'000)};
const Error kDown = MakeError(ErrorCode::kUnavailable, "the registry does not answer");

// A device that has one image to pull and nothing else to do before it.
class SessionRetriesTest : public ::testing::Test {
 protected:
  SessionRetriesTest() {
    options_.keep_retries = true;
    options_.max_attempts = 3;
    options_.back_off = milliseconds(1000);
    options_.longest_back_off = milliseconds(60'000);
  }

  // A process that finds what the one before it left in the store.
  Session& Start(WallTime today) {
    ObservedState observed;
    observed.taken_at = today;
    observed.boot_id = "b1";
    if (record_) observed.apps = {*record_};
    session_.emplace(MakeTarget({MakeApp("c1", {{.name = "web"}})}), options_);
    session_->OnObserved(observed, now_);
    pulling_.reset();
    Collect();
    return *session_;
  }

  // Answers looks at once, and keeps what is to be saved.
  void Collect() {
    for (bool again = true; again;) {
      again = false;
      for (const Action& action : session_->Next(now_)) {
        if (const auto* run = std::get_if<RunStepAction>(&action);
            run != nullptr && run->step.kind == StepKind::kPullImage) {
          pulling_ = run->step.id;
        } else if (const auto* save = std::get_if<SaveRecordAction>(&action)) {
          record_ = save->record;
        } else if (std::holds_alternative<LookAction>(action)) {
          ObservedState observed = session_->observed();
          observed.taken_at += now_ - looked_;
          looked_ = now_;
          if (record_) observed.apps = {*record_};
          session_->OnObserved(observed, now_);
          again = true;
        }
      }
    }
  }

  void Fail() {
    ASSERT_TRUE(pulling_);
    session_->OnStepFailed(*std::exchange(pulling_, std::nullopt), kDown, now_);
    Collect();
  }

  milliseconds UntilWake() {
    EXPECT_TRUE(session_->WakeAt());
    return session_->WakeAt().value_or(now_) - now_;
  }

  void Sleep(milliseconds time) {
    now_ += time;
    Collect();
  }

  SessionOptions options_;
  std::optional<Session> session_;
  std::optional<AppRecord> record_;  // What the store has.
  std::optional<StepId> pulling_;
  MonoTime now_{milliseconds(5'000)};
  MonoTime looked_ = now_;
};

TEST_F(SessionRetriesTest, WaitsBetweenHalfOfTheBackOffAndTheWholeOfIt) {
  Start(kNoon);
  milliseconds whole = options_.back_off;
  for (int failures = 1; failures < options_.max_attempts; ++failures, whole *= 2) {
    Fail();
    EXPECT_FALSE(pulling_);
    EXPECT_LE(UntilWake(), whole);
    EXPECT_GE(UntilWake(), whole / 2);
    Sleep(UntilWake());
    EXPECT_TRUE(pulling_);
  }
}

TEST_F(SessionRetriesTest, DevicesThatFailAtOnceDoNotComeBackAtOnce) {
  std::set<milliseconds> waits;
  for (int device = 0; device < 100; ++device) {
    ObservedState observed;
    observed.boot_id = "boot-" + std::to_string(device);
    session_.emplace(MakeTarget({MakeApp("c1", {{.name = "web"}})}), options_);
    session_->OnObserved(observed, now_);
    record_.reset();
    Collect();
    Fail();
    waits.insert(UntilWake());
  }
  EXPECT_GT(waits.size(), 50u);
}

TEST_F(SessionRetriesTest, TheNextProcessWaitsForTheRestOfTheTime) {
  Start(kNoon);
  Fail();
  const milliseconds wait = UntilWake();
  ASSERT_TRUE(record_);
  EXPECT_THAT(record_->retries, SizeIs(1));
  // 100 ms later, on another monotonic clock.
  now_ = looked_ = MonoTime(milliseconds(77));
  Start(kNoon + milliseconds(100));
  EXPECT_FALSE(pulling_) << "it was tried before its time";
  EXPECT_EQ(UntilWake(), wait - milliseconds(100));
  Sleep(UntilWake());
  EXPECT_TRUE(pulling_);
}

TEST_F(SessionRetriesTest, TheNextProcessGoesOnCountingAndHasItsOwnBudget) {
  Start(kNoon);
  for (int failures = 1; failures < options_.max_attempts; ++failures) {
    Fail();
    Sleep(UntilWake());
  }
  Fail();
  EXPECT_TRUE(session_->Finished()) << "its budget is used up";
  ASSERT_TRUE(record_);
  EXPECT_EQ(record_->retries.begin()->second.failures, 3);
  Start(record_->retries.begin()->second.due);
  ASSERT_TRUE(pulling_) << "the budget is of one process";
  Fail();
  EXPECT_GE(UntilWake(), options_.back_off * 4) << "the fourth failure in a row";
  EXPECT_EQ(record_->retries.begin()->second.failures, 4);
}

TEST_F(SessionRetriesTest, AClockThatWasSetMakesItWaitNoLongerThanItsBackOff) {
  for (const auto& shift :
       {-std::chrono::hours(24 * 365 * 50), std::chrono::hours(24 * 365 * 50)}) {
    record_.reset();
    Start(kNoon);
    Fail();
    Start(kNoon + shift);
    if (shift.count() > 0) {
      EXPECT_TRUE(pulling_);
    } else {
      EXPECT_LE(UntilWake(), options_.back_off);
    }
  }
}

TEST_F(SessionRetriesTest, WaitsNoLongerThanTheLongestBackOff) {
  record_.emplace().app = kApp;
  Start(kNoon);
  Fail();
  record_->retries.begin()->second = {Retry::kMostFailures, kNoon + std::chrono::hours(5)};
  Start(kNoon);
  EXPECT_EQ(UntilWake(), options_.longest_back_off);
}

TEST_F(SessionRetriesTest, ForgetsWhatSucceeded) {
  Start(kNoon);
  Fail();
  ASSERT_THAT(record_->retries, SizeIs(1));
  Sleep(UntilWake());
  ASSERT_TRUE(pulling_);
  StepResult result;
  result.id = "sha256:1";
  session_->OnStepDone(*pulling_, result, now_);
  Collect();
  EXPECT_THAT(record_->retries, IsEmpty());
}

TEST_F(SessionRetriesTest, ForgetsTheStepsOfAnotherTarget) {
  record_.emplace().app = kApp;
  record_->retries["s1:0123456789abcdef"] = {2, kNoon};
  Start(kNoon);
  Collect();
  Fail();  // Any look.
  EXPECT_FALSE(record_->retries.contains("s1:0123456789abcdef"));
}

TEST_F(SessionRetriesTest, WhoAsksForItNowIsNotKeptWaiting) {
  Start(kNoon);
  Fail();
  options_.keep_retries = false;
  Start(kNoon);
  EXPECT_TRUE(pulling_);
}

}  // namespace
}  // namespace lockstep::test
