// What people ask of an app, as what is remembered of it; and an app as it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/requests.h"
#include "lockstep/running_app.h"
#include "lockstep/testing/matchers.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TargetApp Shop() {
  TargetApp app =
      MakeApp("c1", {{.name = "db"}, {.name = "job", .restart = "no"}, {.name = "web"}});
  app.release->volumes = {{"data", EmptyMap()}, {"cache", EmptyMap()}};
  return app;
}

class AppRequestTest : public ::testing::Test {
 protected:
  AppRequestTest() : observed_(Running(Shop())), target_(MakeTarget({Shop()})) {
    ObservedContainer& job = ContainerOf(observed_, "job-c1-1");
    job.state = ContainerState::kExited;
    observed_.engine.volumes.push_back({"theirs", kApp, "1", false, EmptyMap()});
  }

  Result<AppRecord> After(AppRequestKind kind, std::vector<std::string> names = {}) {
    return RecordAfter({kind, kApp, std::move(names)}, observed_, target_);
  }
  AppRecord Get(AppRequestKind kind, std::vector<std::string> names = {}) {
    auto record = After(kind, std::move(names));
    EXPECT_THAT(record, IsOk());
    return record ? std::move(record).assume_value() : AppRecord();
  }
  void Take(const AppRecord& record) { observed_.AppFor(kApp) = record; }

  ObservedState observed_;
  Target target_;
};

TEST_F(AppRequestTest, StopsWhatIsNamedAndStartsItAgain) {
  Take(Get(AppRequestKind::kStop, {"web"}));
  EXPECT_THAT(observed_.apps[0].stopped, ElementsAre("web"));
  // What was known without a record still is.
  EXPECT_EQ(observed_.apps[0].committed, "c1");
  Take(Get(AppRequestKind::kStop, {"db", "web"}));
  EXPECT_THAT(observed_.apps[0].stopped, ElementsAre("db", "web"));
  Take(Get(AppRequestKind::kStart, {"db"}));
  EXPECT_THAT(observed_.apps[0].stopped, ElementsAre("web"));
  Take(Get(AppRequestKind::kStop));
  EXPECT_THAT(observed_.apps[0].stopped, ElementsAre("db", "job", "web"));
}

TEST_F(AppRequestTest, StartsAJobThatHasEndedWhereItIsNamedOrWasStopped) {
  EXPECT_THAT(Get(AppRequestKind::kStart).interrupted, IsEmpty());
  EXPECT_THAT(Get(AppRequestKind::kStart, {"job"}).interrupted, ElementsAre("job-c1-1"));
  EXPECT_THAT(Get(AppRequestKind::kRestart, {"job"}).interrupted, ElementsAre("job-c1-1"));
  Take(Get(AppRequestKind::kStop));
  const AppRecord record = Get(AppRequestKind::kStart);
  EXPECT_THAT(record.stopped, IsEmpty());
  EXPECT_THAT(record.interrupted, ElementsAre("job-c1-1"));
  Take(record);
  EXPECT_NE(FindStep(MakePlan(observed_, target_), StepKind::kStartContainer, "job"), nullptr);
}

TEST_F(AppRequestTest, StartsWhoSharesANamespaceWithWhatWasStopped) {
  ServiceOf(target_.apps[0], "job").spec.Set(Field::kNetworkMode, Value("service:web"));
  Take(Get(AppRequestKind::kStop, {"web"}));
  EXPECT_THAT(Get(AppRequestKind::kStart, {"web"}).interrupted, ElementsAre("job-c1-1"));
}

TEST_F(AppRequestTest, RestartsWhatRunsAndForgetsWhatIsGone) {
  observed_.AppFor(kApp).restart = {"gone"};
  EXPECT_THAT(Get(AppRequestKind::kRestart).restart, ElementsAre("db-c1-1", "web-c1-1"));
  EXPECT_THAT(Get(AppRequestKind::kRestart, {"web"}).restart, ElementsAre("web-c1-1"));
  Take(Get(AppRequestKind::kStop, {"web"}));
  EXPECT_THAT(Get(AppRequestKind::kRestart).restart, ElementsAre("db-c1-1"));
  EXPECT_THAT(After(AppRequestKind::kRestart, {"web"}), IsError(ErrorCode::kConflict));
}

TEST_F(AppRequestTest, PurgesItsOwnVolumesAlone) {
  EXPECT_THAT(Get(AppRequestKind::kPurge).purge, ElementsAre("cache", "data"));
  EXPECT_THAT(Get(AppRequestKind::kPurge, {"data"}).purge, ElementsAre("data"));
  EXPECT_THAT(After(AppRequestKind::kPurge, {"theirs"}), IsError(ErrorCode::kNotFound));
}

TEST_F(AppRequestTest, PausesAndResumes) {
  Take(Get(AppRequestKind::kPause));
  EXPECT_TRUE(observed_.apps[0].paused);
  EXPECT_FALSE(Get(AppRequestKind::kResume).paused);
}

TEST_F(AppRequestTest, RemovesNothingThatTheTargetNames) {
  EXPECT_THAT(After(AppRequestKind::kRemove), IsError(ErrorCode::kConflict));
  target_.apps.clear();
  Take(Get(AppRequestKind::kRemove));
  EXPECT_TRUE(observed_.apps[0].remove);
  EXPECT_FALSE(Get(AppRequestKind::kStart).remove);
}

TEST_F(AppRequestTest, NamesWhatWasProbablyMeant) {
  const auto refused = After(AppRequestKind::kStop, {"webb"});
  ASSERT_THAT(refused, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(refused.assume_error().message, HasSubstr("did you mean \"web\"?"));
  EXPECT_THAT(refused.assume_error().hint, HasSubstr("db, job, web"));
}

TEST_F(AppRequestTest, AnAppIsCalledByUuidIdOrName) {
  for (const char* name : {kApp.c_str(), "1", "shop"}) {
    EXPECT_THAT(FindAppCalled(name, observed_, target_), IsOkAndHolds(kApp)) << name;
  }
  const auto refused = FindAppCalled("shpo", observed_, target_);
  ASSERT_THAT(refused, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(refused.assume_error().message, HasSubstr("did you mean \"shop\"?"));
  target_.apps.push_back(MakeApp("c1", {}, "b0000000000000000000000000000002", "2"));
  EXPECT_THAT(FindAppCalled("shop", observed_, target_), IsError(ErrorCode::kInvalidInput));
}

TEST_F(AppRequestTest, AHostAppIsNotForLockstepToChange) {
  target_.apps[0].is_host = true;
  EXPECT_THAT(After(AppRequestKind::kStop), IsError(ErrorCode::kUnsupported));
}

TEST_F(AppRequestTest, AnAppAsItRunsIsATargetWithNothingToDo) {
  TargetApp app = Shop();
  app.release->id = 7;
  app.release->networks["front"] = EmptyMap();
  for (TargetService& service : app.release->services) service.image_id = 5;
  const ObservedState observed = Running(app);
  const auto running = AppAsItRuns(observed, kApp);
  ASSERT_THAT(running, IsOk());
  Target target = MakeTarget({running.assume_value()});
  target.whole_device = false;
  const Plan plan = MakePlan(observed, target);
  EXPECT_THAT(Words(plan), IsEmpty());
  EXPECT_EQ(running.assume_value().release->services.size(), 3U);
}

TEST_F(AppRequestTest, AnAppBetweenTwoReleasesIsNotTaken) {
  EXPECT_THAT(AppAsItRuns(observed_, "nobody"), IsError(ErrorCode::kNotFound));
  observed_.AppFor(kApp).committed = "c1";
  observed_.AppFor(kApp).cutover = "c2";
  EXPECT_THAT(AppAsItRuns(observed_, kApp), IsError(ErrorCode::kConflict));
  observed_.apps.clear();
  ContainerOf(observed_, "web-c1-1").config_hash = "another";
  EXPECT_THAT(AppAsItRuns(observed_, kApp), IsError(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace lockstep::test
