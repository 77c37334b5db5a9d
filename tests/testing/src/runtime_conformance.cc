#include "lockstep/testing/runtime_conformance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/image_reference.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RuntimeConformance);

int LinkRuntimeConformance() { return 1; }

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kGrace = std::chrono::seconds(10);
constexpr const char* kApp = "lockstep-conformance";

class LastProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress& progress) override { last = progress; }
  PullProgress last;
};

// Keeps what it is told, and waits for it: the limit only ends a test that has failed.
class Recorder final : public EventSink {
 public:
  void OnEvent(const EngineEvent& event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  void OnGap() override {
    const std::lock_guard lock(mutex_);
    ++gaps_;
    changed_.notify_all();
  }
  bool AwaitGap() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return gaps_ > 0; });
  }
  bool Await(EngineEventKind kind, const std::string& container) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return std::any_of(events_.begin(), events_.end(), [&](const EngineEvent& event) {
        return event.kind == kind && event.container == container;
      });
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<EngineEvent> events_;
  int gaps_ = 0;
};

}  // namespace

RuntimeConformance::RuntimeConformance() : subject_(GetParam()()) { Clear(); }

RuntimeConformance::~RuntimeConformance() { Clear(); }

void RuntimeConformance::Clear() {
  const auto state = backend().Observe({}, never());
  if (!state) return;
  for (const ObservedContainer& container : state.assume_value().containers) {
    if (container.app != kApp) continue;
    (void)backend().StopContainer(container.id, std::chrono::seconds(1), never());
    (void)backend().RemoveContainer(container.id, never());
  }
  for (const ObservedNetwork& network : state.assume_value().networks) {
    if (network.app == kApp) (void)backend().RemoveNetwork(Network(network.name), never());
  }
  for (const ObservedVolume& volume : state.assume_value().volumes) {
    if (volume.app == kApp) (void)backend().RemoveVolume(Volume(volume.name), never());
  }
}

ContainerSpec RuntimeConformance::Wanted(const std::string& service, const std::string& hash) {
  Pull(subject_.image);
  ContainerSpec wanted;
  wanted.name = service + "_1_1_conformance";
  wanted.app = kApp;
  wanted.service = service;
  wanted.spec.image = subject_.image;
  wanted.labels = {{std::string(kLabelSupervised), "true"},
                   {std::string(kLabelAppUuid), kApp},
                   {std::string(kLabelServiceName), service},
                   {std::string(kLabelConfigHash), hash}};
  return wanted;
}

NetworkSpec RuntimeConformance::Network(const std::string& name, Value config) const {
  return {kApp, "", name, std::move(config)};
}

VolumeSpec RuntimeConformance::Volume(const std::string& name) const {
  return {kApp, "", name, Value::Map{}};
}

std::string RuntimeConformance::Pull(const std::string& reference) {
  LastProgress progress;
  const auto id = backend().PullImage({reference}, progress, never());
  EXPECT_THAT(id, IsOk());
  return id ? id.assume_value() : std::string();
}

std::string RuntimeConformance::Create(const ContainerSpec& spec) {
  const auto id = backend().CreateContainer(spec, never());
  EXPECT_THAT(id, IsOk());
  return id ? id.assume_value() : std::string();
}

std::string RuntimeConformance::Started(const ContainerSpec& spec) {
  const std::string id = Create(spec);
  EXPECT_THAT(backend().StartContainer(id, never()), IsOk());
  return id;
}

EngineState RuntimeConformance::Look(ObserveRequest request) {
  auto state = backend().Observe(request, never());
  EXPECT_THAT(state, IsOk());
  return state ? std::move(state).assume_value() : EngineState{};
}

std::optional<ObservedContainer> RuntimeConformance::Find(const std::string& id,
                                                          ObserveRequest request) {
  for (ObservedContainer& container : Look(std::move(request)).containers) {
    if (container.id == id) return std::move(container);
  }
  return std::nullopt;
}

TEST_P(RuntimeConformance, SaysWhatItIs) {
  const auto info = backend().Describe(never());
  ASSERT_THAT(info, IsOk());
  EXPECT_NE(info.assume_value().kind, "");
  EXPECT_NE(info.assume_value().version, "");
}

TEST_P(RuntimeConformance, PulledImageIsObservedUnderItsReference) {
  const std::string id = Pull(subject().image);
  EXPECT_EQ(Pull(subject().image), id) << "a second pull gives the same image";
  EXPECT_NE(Pull(subject().other_image), id);
  bool found = false;
  for (const ObservedImage& image : Look().images) {
    if (image.id != id) continue;
    found = true;
    std::vector<std::string> names;
    for (const std::string& name : image.references) names.push_back(NormalizedReference(name));
    EXPECT_THAT(names, Contains(NormalizedReference(subject().image)));
  }
  EXPECT_TRUE(found);
}

TEST_P(RuntimeConformance, ARegistryAnswersForAnImageWithoutADownload) {
  EXPECT_THAT(backend().CheckImage(subject().image, never()), IsOk());
  EXPECT_THAT(backend().CheckImage(subject().absent_image, never()), IsError(ErrorCode::kNotFound));
}

TEST_P(RuntimeConformance, AbsentImageIsNotFound) {
  LastProgress progress;
  EXPECT_THAT(backend().PullImage({subject().absent_image}, progress, never()),
              IsError(ErrorCode::kNotFound));
  ContainerSpec wanted = Wanted("web");
  wanted.spec.image = subject().absent_image;
  EXPECT_THAT(backend().CreateContainer(wanted, never()), IsError(ErrorCode::kNotFound));
}

TEST_P(RuntimeConformance, CreatedContainerIsObservedAsItWasAskedFor) {
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  ASSERT_THAT(backend().CreateNetwork(Network("back"), never()), IsOk());
  ASSERT_THAT(backend().CreateVolume(Volume("data"), never()), IsOk());
  ContainerSpec wanted = Wanted("web");
  wanted.spec.environment = {{"A", "1"}, {"B", "two words = \"x\""}};
  wanted.spec.labels = {{"own", "label"}};
  wanted.spec.Set(Field::kRestart, "unless-stopped");
  wanted.spec.Set(Field::kUser, "nobody");
  wanted.spec.Set(
      Field::kNetworks,
      Value::Map{{"front", Value::Map{{"aliases", Value::List{"www"}}}}, {"back", Value::Map{}}});
  wanted.spec.Set(
      Field::kVolumes,
      Value::List{Value::Map{{"source", "data"}, {"target", "/var/data"}, {"type", "volume"}}});
  wanted.environment = {{"BALENA_APP_LOCK_PATH", "/tmp/balena/updates.lock"}};
  wanted.binds = {{"/tmp/lockstep-conformance/web", "/tmp/balena"}};

  const auto seen = Find(Create(wanted));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->state, ContainerState::kCreated);
  EXPECT_EQ(seen->name, wanted.name);
  EXPECT_TRUE(seen->owned);
  EXPECT_EQ(seen->app, kApp);
  EXPECT_EQ(seen->service, "web");
  EXPECT_EQ(seen->commit, "conformance");
  EXPECT_EQ(seen->config_hash, "c1:1");
  EXPECT_EQ(seen->restart_policy, "unless-stopped");
  EXPECT_EQ(seen->lock_dir, "/tmp/lockstep-conformance/web");
  ASSERT_TRUE(seen->networks);
  EXPECT_THAT(*seen->networks, ElementsAre("back", "front"));
  ASSERT_TRUE(seen->spec);
  EXPECT_EQ(seen->spec->environment, wanted.spec.environment);
  EXPECT_EQ(seen->spec->labels, wanted.spec.labels);
  EXPECT_EQ(seen->spec->fields, wanted.spec.fields);
}

TEST_P(RuntimeConformance, WhatIsNoPropertyOfAContainerIsNotReported) {
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(Field::kPullPolicy, "always");
  wanted.spec.Set(Field::kUser, "nobody");
  const auto seen = Find(Create(wanted));
  ASSERT_TRUE(seen && seen->spec);
  EXPECT_EQ(seen->spec->fields, wanted.spec.fields);
  EXPECT_THAT(seen->spec->other_fields, IsEmpty());
}

TEST_P(RuntimeConformance, NamespacesAreSharedByService) {
  ContainerSpec main = Wanted("main");
  main.spec.Set(Field::kIpc, "shareable");
  Started(main);
  ContainerSpec sharer = Wanted("sharer");
  for (const Field field : {Field::kNetworkMode, Field::kPid, Field::kIpc}) {
    sharer.spec.Set(field, "service:main");
  }
  const auto seen = Find(Started(sharer));
  ASSERT_TRUE(seen && seen->spec);
  EXPECT_EQ(seen->spec->fields, sharer.spec.fields);
}

TEST_P(RuntimeConformance, KnownHashIsReportedWithoutDetails) {
  const std::string id = Create(Wanted("web", "c1:known"));
  const auto brief = Find(id, {{"c1:known"}, false});
  ASSERT_TRUE(brief);
  EXPECT_EQ(brief->config_hash, "c1:known");
  EXPECT_FALSE(brief->spec);
  EXPECT_FALSE(brief->restart_policy);
  const auto detailed = Find(id, {{"c1:known"}, true});
  ASSERT_TRUE(detailed);
  EXPECT_TRUE(detailed->spec);
}

TEST_P(RuntimeConformance, StartedContainerRunsAndHasANewerStartTime) {
  const std::string id = Started(Wanted("web"));
  const auto first = Find(id);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, ContainerState::kRunning);
  ASSERT_TRUE(first->started_at);
  EXPECT_THAT(backend().StartContainer(id, never()), IsOk()) << "it runs already";
  ASSERT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  const auto second = Find(id);
  ASSERT_TRUE(second && second->started_at);
  EXPECT_GT(*second->started_at, *first->started_at);
}

// A backend need not tell; what it tells is so.
TEST_P(RuntimeConformance, TellsHowAContainerEndedAndWhatItPrinted) {
  if (subject().failing_image.empty()) GTEST_SKIP() << "no image whose containers fail";
  ContainerSpec wanted = Wanted("web");
  Pull(subject().failing_image);
  wanted.spec.image = subject().failing_image;
  const std::string id = Started(wanted);
  for (auto seen = Find(id); seen && seen->IsUp(); seen = Find(id)) std::this_thread::yield();
  const auto found = backend().Examine(id, never());
  ASSERT_THAT(found, IsOk());
  const Findings& findings = found.assume_value();
  if (findings.empty()) GTEST_SKIP() << "the backend does not tell";
  EXPECT_EQ(findings.exit_code, 1);
  EXPECT_FALSE(findings.out_of_memory);
  EXPECT_EQ(findings.restarts, 0);
  EXPECT_EQ(findings.engine_error, "");
  EXPECT_THAT(findings.last_lines, ElementsAre("cannot start"));
  EXPECT_EQ(findings.lines_missing, "");
}

TEST_P(RuntimeConformance, AContainerThatNeverRanHasNoExitCodeAndARunningOneNeither) {
  const std::string id = Create(Wanted("web"));
  const auto created = backend().Examine(id, never());
  ASSERT_THAT(created, IsOk());
  EXPECT_EQ(created.assume_value().exit_code, std::nullopt);
  ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  const auto running = backend().Examine(id, never());
  ASSERT_THAT(running, IsOk());
  EXPECT_EQ(running.assume_value().exit_code, std::nullopt);
}

TEST_P(RuntimeConformance, StoppedContainerIsExited) {
  const std::string id = Started(Wanted("web"));
  ASSERT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->state, ContainerState::kExited);
  EXPECT_THAT(backend().StopContainer(id, kGrace, never()), IsOk()) << "it is stopped already";
}

TEST_P(RuntimeConformance, MissingContainerIsGoneOrNotFound) {
  const std::string id(64, 'd');
  EXPECT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  EXPECT_THAT(backend().RemoveContainer(id, never()), IsOk());
  EXPECT_THAT(backend().StartContainer(id, never()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(backend().UpdateContainer(id, "no", never()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(backend().RenameContainer(id, "other", never()), IsError(ErrorCode::kNotFound));
}

TEST_P(RuntimeConformance, SameContainerCreatedTwiceIsOne) {
  const std::string id = Create(Wanted("web"));
  EXPECT_EQ(Create(Wanted("web")), id);
}

TEST_P(RuntimeConformance, NameOfAnotherContainerIsAConflict) {
  const std::string id = Create(Wanted("web", "c1:1"));
  EXPECT_THAT(backend().CreateContainer(Wanted("web", "c1:2"), never()),
              IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  EXPECT_THAT(backend().CreateContainer(Wanted("web", "c1:1"), never()),
              IsError(ErrorCode::kConflict))
      << "one that has run is not the one to be made";
}

TEST_P(RuntimeConformance, RemovedOnlyWhenItDoesNotRun) {
  const std::string id = Started(Wanted("web"));
  EXPECT_THAT(backend().RemoveContainer(id, never()), IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  EXPECT_THAT(backend().RemoveContainer(id, never()), IsOk());
  EXPECT_FALSE(Find(id));
  EXPECT_THAT(backend().RemoveContainer(id, never()), IsOk()) << "it is gone already";
}

TEST_P(RuntimeConformance, RenamedContainerHasTheReleaseOfItsName) {
  const std::string id = Create(Wanted("web"));
  const std::string name = "web_2_2_next";
  ASSERT_THAT(backend().RenameContainer(id, name, never()), IsOk());
  EXPECT_THAT(backend().RenameContainer(id, name, never()), IsOk()) << "it has that name already";
  const auto seen = Find(id);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->name, name);
  EXPECT_EQ(seen->commit, "next");
  const std::string other = Create(Wanted("web"));
  EXPECT_THAT(backend().RenameContainer(other, name, never()), IsError(ErrorCode::kConflict));
}

TEST_P(RuntimeConformance, UpdateChangesThePolicyButNotTheSpecification) {
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(Field::kRestart, "always");
  wanted.labels[std::string(kLabelRestart)] = "always";
  const std::string id = Started(wanted);
  ASSERT_THAT(backend().UpdateContainer(id, "no", never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen && seen->spec);
  EXPECT_EQ(seen->restart_policy, "no");
  EXPECT_EQ(seen->spec->fields, wanted.spec.fields);
  EXPECT_THAT(backend().UpdateContainer(id, "on-failure:3", never()), IsOk());
  EXPECT_EQ(Find(id)->restart_policy, "on-failure:3");
}

TEST_P(RuntimeConformance, NetworkIsKeptApartByItsDefinition) {
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  EXPECT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk()) << "it is there already";
  const Value internal = Value::Map{{"internal", true}};
  EXPECT_THAT(backend().CreateNetwork(Network("front", internal), never()),
              IsError(ErrorCode::kConflict));
  EXPECT_THAT(backend().CreateNetwork(Network("inner", internal), never()), IsOk());
  int seen = 0;
  for (const ObservedNetwork& network : Look().networks) {
    if (network.app != kApp) continue;
    ++seen;
    EXPECT_TRUE(network.owned);
    EXPECT_NE(network.id, "");
    EXPECT_EQ(network.config, network.name == "inner" ? internal : Value(Value::Map{}))
        << network.name;
  }
  EXPECT_EQ(seen, 2);
}

TEST_P(RuntimeConformance, NetworkInUseIsNotRemoved) {
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(Field::kNetworks, Value::Map{{"front", Value::Map{}}});
  const std::string id = Started(wanted);
  EXPECT_THAT(backend().RemoveNetwork(Network("front"), never()), IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  EXPECT_THAT(backend().RemoveNetwork(Network("front"), never()), IsOk());
  EXPECT_THAT(backend().RemoveNetwork(Network("front"), never()), IsOk()) << "it is gone already";
}

TEST_P(RuntimeConformance, NetworkMadeAnewIsAnotherOneUntilConnected) {
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(Field::kNetworks, Value::Map{{"front", Value::Map{}}});
  const std::string id = Started(wanted);
  ASSERT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  ASSERT_THAT(backend().RemoveNetwork(Network("front"), never()), IsOk());
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  const auto stale = Find(id);
  ASSERT_TRUE(stale && stale->networks);
  EXPECT_THAT(*stale->networks, IsEmpty());
  EXPECT_THAT(backend().StartContainer(id, never()), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(backend().ConnectNetwork(id, Network("front"), Value::Map{}, never()), IsOk());
  EXPECT_THAT(backend().StartContainer(id, never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen && seen->networks);
  EXPECT_THAT(*seen->networks, ElementsAre("front"));
}

TEST_P(RuntimeConformance, RunningContainerCanBeConnectedTwice) {
  ASSERT_THAT(backend().CreateNetwork(Network("front"), never()), IsOk());
  ASSERT_THAT(backend().CreateNetwork(Network("back"), never()), IsOk());
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(Field::kNetworks, Value::Map{{"front", Value::Map{}}});
  const std::string id = Started(wanted);
  ASSERT_THAT(backend().ConnectNetwork(id, Network("back"), Value::Map{}, never()), IsOk());
  EXPECT_THAT(backend().ConnectNetwork(id, Network("back"), Value::Map{}, never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen && seen->networks);
  EXPECT_THAT(*seen->networks, ElementsAre("back", "front"));
  EXPECT_EQ(seen->state, ContainerState::kRunning);
  EXPECT_THAT(backend().ConnectNetwork(id, Network("none-such"), Value::Map{}, never()),
              IsError(ErrorCode::kNotFound));
}

TEST_P(RuntimeConformance, VolumeInUseIsNotRemoved) {
  ASSERT_THAT(backend().CreateVolume(Volume("data"), never()), IsOk());
  EXPECT_THAT(backend().CreateVolume(Volume("data"), never()), IsOk()) << "it is there already";
  ContainerSpec wanted = Wanted("web");
  wanted.spec.Set(
      Field::kVolumes,
      Value::List{Value::Map{{"source", "data"}, {"target", "/data"}, {"type", "volume"}}});
  const std::string id = Create(wanted);
  EXPECT_THAT(backend().RemoveVolume(Volume("data"), never()), IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().RemoveContainer(id, never()), IsOk());
  bool kept = false;
  for (const ObservedVolume& volume : Look().volumes) {
    kept = kept || (volume.app == kApp && volume.name == "data" && volume.owned);
  }
  EXPECT_TRUE(kept) << "a named volume does not go with its container";
  EXPECT_THAT(backend().RemoveVolume(Volume("data"), never()), IsOk());
  EXPECT_THAT(backend().RemoveVolume(Volume("data"), never()), IsOk()) << "it is gone already";
}

TEST_P(RuntimeConformance, ImageInUseIsNotRemoved) {
  const std::string image = Pull(subject().other_image);
  ContainerSpec wanted = Wanted("web");
  wanted.spec.image = subject().other_image;
  const std::string id = Create(wanted);
  EXPECT_THAT(backend().RemoveImage(image, never()), IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().RemoveContainer(id, never()), IsOk());
  EXPECT_THAT(backend().RemoveImage(image, never()), IsOk());
  EXPECT_THAT(backend().RemoveImage(image, never()), IsOk()) << "it is gone already";
  for (const ObservedImage& left : Look().images) EXPECT_NE(left.id, image);
}

TEST_P(RuntimeConformance, PublishedPortIsTakenByOneAtATime) {
  const std::string port = std::to_string(subject().free_port);
  ContainerSpec first = Wanted("first");
  ContainerSpec second = Wanted("second");
  first.spec.Set(Field::kPorts, Value::List{":" + port + ":80/tcp"});
  second.spec.Set(Field::kPorts, Value::List{":" + port + ":81/tcp"});
  const std::string holder = Started(first);
  const std::string waiting = Create(second);
  EXPECT_THAT(backend().StartContainer(waiting, never()), IsError(ErrorCode::kConflict));
  ASSERT_THAT(backend().StopContainer(holder, kGrace, never()), IsOk());
  EXPECT_THAT(backend().StartContainer(waiting, never()), IsOk());
}

TEST_P(RuntimeConformance, WatchReportsAGapFirstAndThenWhatHappens) {
  const ContainerSpec wanted = Wanted("web");
  Recorder recorder;
  std::stop_source stop;
  Result<void> ended = Ok();
  std::thread watching([&] { ended = backend().Watch(recorder, stop.get_token()); });
  EXPECT_TRUE(recorder.AwaitGap());
  const std::string id = Started(wanted);
  EXPECT_TRUE(recorder.Await(EngineEventKind::kStarted, id));
  EXPECT_THAT(backend().StopContainer(id, kGrace, never()), IsOk());
  EXPECT_TRUE(recorder.Await(EngineEventKind::kDied, id));
  EXPECT_THAT(backend().RemoveContainer(id, never()), IsOk());
  EXPECT_TRUE(recorder.Await(EngineEventKind::kRemoved, id));
  stop.request_stop();
  watching.join();
  EXPECT_THAT(ended, IsError(ErrorCode::kCancelled));
}

TEST_P(RuntimeConformance, DetailsAreFreshWhileItIsWatched) {
  const std::string id = Started(Wanted("web"));
  Recorder recorder;
  std::stop_source stop;
  std::thread watching([&] { (void)backend().Watch(recorder, stop.get_token()); });
  EXPECT_TRUE(recorder.AwaitGap());
  EXPECT_EQ(Find(id)->restart_policy, "no");
  EXPECT_THAT(backend().UpdateContainer(id, "always", never()), IsOk());
  EXPECT_EQ(Find(id)->restart_policy, "always");
  stop.request_stop();
  watching.join();
}

TEST_P(RuntimeConformance, StopRequestCancels) {
  std::stop_source stop;
  stop.request_stop();
  LastProgress progress;
  EXPECT_THAT(backend().Observe({}, stop.get_token()), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(backend().PullImage({subject().image}, progress, stop.get_token()),
              IsError(ErrorCode::kCancelled));
}

}  // namespace lockstep::test
