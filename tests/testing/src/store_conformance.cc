#include "lockstep/testing/store_conformance.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

StoreState LoadFrom(Store& store) {
  auto state = store.Load();
  EXPECT_THAT(state, IsOk());
  return state ? std::move(state).assume_value() : StoreState();
}

AppRecord Record(std::string app, std::string committed) {
  AppRecord record;
  record.app = std::move(app);
  record.committed = std::move(committed);
  return record;
}

void BeginsEmpty(StorePlace& place) {
  const StoreState state = LoadFrom(place.Open());
  EXPECT_THAT(state.apps, IsEmpty());
  EXPECT_THAT(state.saved_restart, IsEmpty());
  EXPECT_EQ(state.last_target, "");
}

void KeepsEveryPartOfARecord(StorePlace& place) {
  AppRecord record = Record("shop", "c1");
  record.cutover = "c2";
  record.failed = {"c0", "with \"quotes\", \n and \xc3\xa9"};
  record.stopped = {"web"};
  record.purge = {"data", ""};
  record.retired = {"sha256:0", "sha256:1"};
  record.interrupted = {"c1", "c2"};
  record.retries = {
      {"s1:00000000000000aa", {3, WallTime(std::chrono::milliseconds(1'700'000'000'123))}}};
  record.networks = {{"front", Value(Value::Map{{"internal", Value(true)}})}};
  record.renamed = {{"c3", "db_0_0_c1"}};
  record.unhealthy = {{"c0", {"db", "with \"quotes\""}}};
  record.restart = {"c3", "c4"};
  record.remove = true;
  record.paused = true;
  ASSERT_THAT(place.Open().PutApp(record), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).apps, ElementsAre(record));
}

void KeepsWhatServicesWereMadeFrom(StorePlace& place) {
  ServiceSpec spec;
  spec.image = "registry.example/web:1";
  spec.environment = {{"A", "with \"quotes\" and \xc3\xa9"}, {"B", ""}};
  spec.labels = {{"io.balena.update.strategy", "hand-over"}};
  spec.Set(Field::kUser, Value(std::string("nobody")));
  spec.Set(Field::kCommand, Value::List{"web", "--port", "80"});
  spec.Set(Field::kNetworks, Value::Map{{"default", Value::Map{}}});
  Store& store = place.Open();
  ASSERT_THAT(store.PutApp(Record("shop", "c1")), IsOk());
  ASSERT_THAT(store.PutSpecs("shop", {ServiceSpec(), ServiceSpec()}), IsOk());
  ASSERT_THAT(store.PutSpecs("shop", {spec}), IsOk());
  const auto specs = LoadFrom(place.Open()).specs;
  ASSERT_EQ(specs.count("shop"), 1U);
  ASSERT_EQ(specs.at("shop").size(), 1U);
  EXPECT_EQ(specs.at("shop").front(), spec);
  EXPECT_EQ(ConfigHash(specs.at("shop").front()), ConfigHash(spec));
  ASSERT_THAT(place.Open().EraseApp("shop"), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).specs, IsEmpty());
}

void TellsAnAbsentReleaseFromAnEmptyOne(StorePlace& place) {
  Store& store = place.Open();
  AppRecord absent = Record("a", "");
  absent.committed = std::nullopt;
  ASSERT_THAT(store.PutApp(absent), IsOk());
  ASSERT_THAT(store.PutApp(Record("b", "")), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).apps, ElementsAre(absent, Record("b", "")));
}

void ReplacesTheRecordOfAnApp(StorePlace& place) {
  Store& store = place.Open();
  AppRecord first = Record("shop", "c1");
  first.failed = {"c9"};
  ASSERT_THAT(store.PutApp(first), IsOk());
  ASSERT_THAT(store.PutApp(Record("shop", "c2")), IsOk());
  EXPECT_THAT(LoadFrom(store).apps, ElementsAre(Record("shop", "c2")));
}

void SortsApps(StorePlace& place) {
  Store& store = place.Open();
  for (const char* app : {"c", "a", "b"}) ASSERT_THAT(store.PutApp(Record(app, "1")), IsOk());
  EXPECT_THAT(LoadFrom(store).apps,
              ElementsAre(Record("a", "1"), Record("b", "1"), Record("c", "1")));
}

void ErasesOneAppAlone(StorePlace& place) {
  Store& store = place.Open();
  ASSERT_THAT(store.PutApp(Record("a", "1")), IsOk());
  ASSERT_THAT(store.PutApp(Record("b", "1")), IsOk());
  ASSERT_THAT(store.EraseApp("a"), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).apps, ElementsAre(Record("b", "1")));
}

void ErasingWhatIsNotThereIsNoError(StorePlace& place) {
  Store& store = place.Open();
  EXPECT_THAT(store.EraseApp("nobody"), IsOk());
  EXPECT_THAT(store.EraseSavedRestart("nothing"), IsOk());
}

void KeepsSavedRestartPolicies(StorePlace& place) {
  Store& store = place.Open();
  ASSERT_THAT(store.PutSavedRestart("c1", "always"), IsOk());
  ASSERT_THAT(store.PutSavedRestart("c2", "no"), IsOk());
  ASSERT_THAT(store.PutSavedRestart("c2", "on-failure:3"), IsOk());
  ASSERT_THAT(store.PutSavedRestart("c3", "no"), IsOk());
  ASSERT_THAT(store.EraseSavedRestart("c3"), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).saved_restart,
              ElementsAre(Pair("c1", "always"), Pair("c2", "on-failure:3")));
}

void KeepsSettings(StorePlace& place) {
  Store& store = place.Open();
  ASSERT_THAT(store.PutSetting("a", "1"), IsOk());
  ASSERT_THAT(store.PutSetting("b", ""), IsOk());
  ASSERT_THAT(store.PutSetting("a", "2"), IsOk());
  ASSERT_THAT(store.PutSetting("c", "3"), IsOk());
  ASSERT_THAT(store.PutSetting("c", std::nullopt), IsOk());
  ASSERT_THAT(store.PutSetting("never", std::nullopt), IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).settings, ElementsAre(Pair("a", "2"), Pair("b", "")));
}

void KeepsWhichConfigurationKeysWereSet(StorePlace& place) {
  Store& store = place.Open();
  ASSERT_THAT(store.PutConfigKeys({{"b", "1"}, {"a", ""}, {"c", "3"}}), IsOk());
  ASSERT_THAT(store.PutConfigKeys({{"c", std::nullopt}, {"never", std::nullopt}, {"a", "2"}}),
              IsOk());
  EXPECT_THAT(LoadFrom(place.Open()).config_keys, ElementsAre("a", "b"));
}

void KeepsTheLastReboot(StorePlace& place) {
  Store& store = place.Open();
  EXPECT_EQ(LoadFrom(store).reboot, std::nullopt);
  const RebootRecord first{"boot-1", "c1", 1, {{"a", "1"}}};
  const RebootRecord last{"boot-2", "c2", 2, {{"a", "\"x\" = \n"}, {"gone", std::nullopt}}};
  ASSERT_THAT(store.PutReboot(first), IsOk());
  ASSERT_THAT(store.PutReboot(last), IsOk());
  EXPECT_EQ(LoadFrom(place.Open()).reboot, last);
}

void KeepsTheLastTargetOnly(StorePlace& place) {
  Store& store = place.Open();
  const std::string large(1 << 20, 'x');
  ASSERT_THAT(store.PutLastTarget("{\"old\": 1}"), IsOk());
  ASSERT_THAT(store.PutLastTarget(large), IsOk());
  EXPECT_EQ(LoadFrom(place.Open()).last_target, large);
}

void CanBeUsedFromSeveralThreads(StorePlace& place) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 8;
  Store& store = place.Open();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&store, thread] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string app = std::to_string(thread) + "-" + std::to_string(round);
        EXPECT_THAT(store.PutApp(Record(app, "1")), IsOk());
        EXPECT_THAT(store.Load(), IsOk());
      }
    });
  }
  threads.clear();  // Waits for each.
  EXPECT_THAT(LoadFrom(store).apps, SizeIs(kThreads * kRounds));
}

class Check final : public ::testing::Test {
 public:
  using Body = void (*)(StorePlace&);
  Check(StorePlaceFactory make, Body body) : make_(std::move(make)), body_(body) {}
  void TestBody() override {
    const auto place = make_();
    ASSERT_NE(place, nullptr);
    body_(*place);
  }

 private:
  StorePlaceFactory make_;
  Body body_;
};

struct NamedCheck {
  const char* name;
  Check::Body body;
};
constexpr NamedCheck kChecks[] = {
    {"BeginsEmpty", &BeginsEmpty},
    {"KeepsEveryPartOfARecord", &KeepsEveryPartOfARecord},
    {"KeepsWhatServicesWereMadeFrom", &KeepsWhatServicesWereMadeFrom},
    {"TellsAnAbsentReleaseFromAnEmptyOne", &TellsAnAbsentReleaseFromAnEmptyOne},
    {"ReplacesTheRecordOfAnApp", &ReplacesTheRecordOfAnApp},
    {"SortsApps", &SortsApps},
    {"ErasesOneAppAlone", &ErasesOneAppAlone},
    {"ErasingWhatIsNotThereIsNoError", &ErasingWhatIsNotThereIsNoError},
    {"KeepsSavedRestartPolicies", &KeepsSavedRestartPolicies},
    {"KeepsSettings", &KeepsSettings},
    {"KeepsWhichConfigurationKeysWereSet", &KeepsWhichConfigurationKeysWereSet},
    {"KeepsTheLastReboot", &KeepsTheLastReboot},
    {"KeepsTheLastTargetOnly", &KeepsTheLastTargetOnly},
    {"CanBeUsedFromSeveralThreads", &CanBeUsedFromSeveralThreads},
};

}  // namespace

bool RegisterStoreConformance(const std::string& name, const StorePlaceFactory& make) {
  for (const NamedCheck& check : kChecks) {
    ::testing::RegisterTest(
        (name + "Conformance").c_str(), check.name, nullptr, nullptr, __FILE__, __LINE__,
        [make, body = check.body]() -> ::testing::Test* { return new Check(make, body); });
  }
  return true;
}

}  // namespace lockstep::test
