#include "snapshot.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::IsError;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

WallTime At(std::string_view text) { return ParseTime(text).value_or(WallTime{}); }

ObservedState Read(const std::string& text) {
  auto state = ReadSnapshot(text);
  EXPECT_THAT(state, IsOk()) << text;
  return state ? std::move(state).assume_value() : ObservedState();
}

// A snapshot with one container that has these further members.
ObservedContainer ReadContainer(const std::string& members) {
  const ObservedState state =
      Read(R"({"format": "lockstep.snapshot/1", "containers": [{"id": "c1", )" + members + "}]}");
  return state.engine.containers.empty() ? ObservedContainer() : state.engine.containers.front();
}

TEST(SnapshotTest, EverythingButTheFormatMayBeAbsent) {
  const ObservedState state = Read(R"({"format": "lockstep.snapshot/1"})");
  EXPECT_EQ(state.taken_at, WallTime{});
  EXPECT_THAT(state.engine.containers, IsEmpty());
  EXPECT_THAT(state.locks, IsEmpty());
  EXPECT_FALSE(state.RebootPending());
}

TEST(SnapshotTest, UnknownFieldsAndKindsAreAccepted) {
  const ObservedState state = Read(R"({"format": "lockstep.snapshot/1", "weather": {"a": [1]},
      "locks": [{"app": "a", "service": "s", "kind": "quantum", "x": 1}]})");
  ASSERT_THAT(state.locks, SizeIs(1));
  EXPECT_EQ(state.locks[0].kind, LockKind::kOther);
}

TEST(SnapshotTest, LabelsAndNameSayWhatIsNotWritten) {
  const ObservedContainer container = ReadContainer(R"("name": "web_78_345_abc.0123abcd",
      "labels": {"io.balena.supervised": "true", "io.balena.app-id": "12",
                 "io.balena.app-uuid": "shop", "io.balena.service-name": "web",
                 "io.lockstep.config-hash": "c1:1", "mine": "yes"},
      "environment": {"A": "1"})");
  EXPECT_EQ(container.app, "shop");
  EXPECT_EQ(container.app_id, "12");
  EXPECT_EQ(container.service, "web");
  EXPECT_EQ(container.commit, "abc");
  EXPECT_TRUE(container.owned);
  EXPECT_EQ(container.config_hash, "c1:1");
  ASSERT_TRUE(container.spec);
  EXPECT_THAT(container.spec->labels, ElementsAre(Pair("mine", "yes")));
}

TEST(SnapshotTest, WhatIsWrittenWinsOverTheLabels) {
  const ObservedContainer container = ReadContainer(R"("name": "web_78_345_abc", "commit": "def",
      "app": "other", "service": "db", "owned": false,
      "labels": {"io.balena.supervised": "true", "io.balena.app-uuid": "shop",
                 "io.balena.service-name": "web"})");
  EXPECT_EQ(container.app, "other");
  EXPECT_EQ(container.service, "db");
  EXPECT_EQ(container.commit, "def");
  EXPECT_FALSE(container.owned);
}

TEST(SnapshotTest, LabelsOfTheImageAreNotTheContainersOwn) {
  const ObservedState state = Read(R"({"format": "lockstep.snapshot/1",
      "images": [{"id": "z", "labels": {"b": "2"}}, {"id": "i", "labels": {"a": "1", "b": "1"}}],
      "containers": [{"id": "c", "image_id": "i", "labels": {"a": "1", "b": "2"}}]})");
  EXPECT_THAT(state.engine.containers.at(0).spec.value().labels, ElementsAre(Pair("b", "2")));
}

TEST(SnapshotTest, AConfigHashMayStandForTheSpecification) {
  EXPECT_FALSE(ReadContainer(R"("labels": {"io.lockstep.config-hash": "c1:1"})").spec);
  EXPECT_TRUE(ReadContainer(R"("labels": {})").spec);
}

TEST(SnapshotTest, LiveStateIsThatOfTheSpecificationUnlessItIsSaid) {
  const std::string composition = R"("composition": {"restart": "on-failure:3"})";
  const ObservedContainer same = ReadContainer(composition);
  EXPECT_EQ(same.restart_policy, "on-failure:3");
  EXPECT_THAT(same.networks, ::testing::Optional(ElementsAre("default")));
  const ObservedContainer other = ReadContainer(
      composition + R"(, "restart_policy": "no", "networks_attached": [], "lock_dir": "/l")");
  EXPECT_EQ(other.restart_policy, "no");
  EXPECT_THAT(other.networks, ::testing::Optional(IsEmpty()));
  EXPECT_EQ(other.lock_dir, "/l");
  const ObservedContainer unseen =
      ReadContainer(composition + R"(, "restart_policy": null, "networks_attached": null)");
  EXPECT_EQ(unseen.restart_policy, std::nullopt);
  EXPECT_EQ(unseen.networks, std::nullopt);
}

TEST(SnapshotTest, ALockIsInTheDirectoryOfItsAppsId) {
  const ObservedState state = Read(R"({"format": "lockstep.snapshot/1",
      "containers": [{"id": "c", "app": "shop", "app_id": "12"}],
      "locks": [{"app": "shop", "service": "web"}, {"app": "kiosk", "service": "web"}]})");
  ASSERT_THAT(state.locks, SizeIs(2));
  for (const LockHolder& lock : state.locks) {
    EXPECT_EQ(lock.app_dir, lock.app == "shop" ? "12" : "kiosk");
    EXPECT_TRUE(lock.held);
  }
}

struct BadSnapshot {
  std::string name;
  std::string text;
  std::string where;
};
void PrintTo(const BadSnapshot& bad, std::ostream* out) { *out << bad.name; }

class BadSnapshotTest : public ::testing::TestWithParam<BadSnapshot> {};

TEST_P(BadSnapshotTest, SaysWhereItIsWrong) {
  const auto state = ReadSnapshot(GetParam().text);
  ASSERT_THAT(state, IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(state.assume_error().where, GetParam().where);
  EXPECT_NE(state.assume_error().hint, "");
}

std::string With(const std::string& members) {
  return R"({"format": "lockstep.snapshot/1", )" + members + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadSnapshotTest,
    ::testing::ValuesIn(std::vector<BadSnapshot>{
        {"NoJson", "x", ""},
        {"NoObject", "[]", ""},
        {"NoFormat", "{}", "format"},
        {"OtherFormat", R"({"format": "lockstep.plan/1"})", "format"},
        {"BadTime", With(R"("taken_at": "yesterday")"), "taken_at"},
        {"ContainersIsObject", With(R"("containers": {})"), "containers"},
        {"ContainerIsText", With(R"("containers": ["x"])"), "containers.0"},
        {"NoContainerId", With(R"("containers": [{"id": "a"}, {}])"), "containers.1.id"},
        {"BadState", With(R"("containers": [{"id": "a", "state": "up"}])"), "containers.0.state"},
        {"BadExitCode", With(R"("containers": [{"id": "a", "exit_code": 1e300}])"),
         "containers.0.exit_code"},
        {"BadLabel", With(R"("containers": [{"id": "a", "labels": {"x": 1}}])"),
         "containers.0.labels"},
        {"BadField", With(R"("containers": [{"id": "a", "composition": {"restart": "x"}}])"),
         "containers.0.composition.restart"},
        {"BadComposition", With(R"("containers": [{"id": "a", "composition": []}])"),
         "containers.0.composition"},
        {"BadNetwork", With(R"("networks": [{"config": {"driver": []}}])"), "networks.0.config"},
        {"BadList", With(R"("apps": [{"app": "a", "failed": [1]}])"), "apps.0.failed.0"},
        {"BadConfig", With(R"("config": {"A": {}})"), "config"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

// States as they may be seen, made by chance.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  ObservedState State() {
    ObservedState state;
    state.taken_at = Time();
    state.engine.engine = {.kind = "docker", .version = Word(), .api_version = "1.41"};
    for (int i = Number(4); i > 0; --i) state.engine.containers.push_back(Container(i));
    for (int i = Number(3); i > 0; --i) {
      state.engine.images.push_back({"image" + std::to_string(i), {Word(), Word()}, Texts()});
    }
    for (int i = Number(3); i > 0; --i) {
      const std::string name = "n" + std::to_string(i);
      state.engine.networks.push_back({Word(), name, "app", "1", Flag(), Value(Value::Map())});
      state.engine.volumes.push_back({name, "app", "", Flag(), Value(Value::Map())});
      state.locks.push_back(Lock(name));
      state.apps.push_back(App(name));
    }
    state.spans = {"app"};
    state.config = {{"BALENA_HOST_CONFIG_x", Word()}};
    state.config_set = {"BALENA_HOST_CONFIG_x"};
    state.saved_restart = {{"c1", "always"}};
    state.boot_id = Word();
    if (Flag()) {
      state.reboot = RebootRecord{
          .boot_id = Flag() ? state.boot_id : Word(),
          .configuration = Word(),
          .reboots = Number(4),
          .changes = {{"BALENA_HOST_CONFIG_x", Word()}, {"BALENA_HOST_CONFIG_y", std::nullopt}}};
    }
    if (Flag()) state.config_backends = {"config.txt"};
    if (Flag()) state.config_unreadable["config.txt"] = Word();
    Sort(state);
    return state;
  }

 private:
  int Number(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  bool Flag() { return Number(2) == 0; }
  std::string Word() {
    static const std::vector<std::string> kWords = {
        "web", "a b", "\"quoted\"", "\xc3\xa9t\xc3\xa9", "line\nbreak", "=", "$X", "0"};
    return kWords[random_() % kWords.size()];
  }
  WallTime Time() {
    return At("2026-01-01T00:00:00Z") + std::chrono::milliseconds(random_() % 1'000'000'000);
  }
  std::map<std::string, std::string> Texts() {
    std::map<std::string, std::string> texts;
    for (int i = Number(3); i > 0; --i) texts["k" + std::to_string(Number(4))] = Word();
    return texts;
  }

  ServiceSpec Spec() {
    ServiceSpec spec;
    spec.environment = Texts();
    spec.labels = Texts();
    const auto maybe = [&](Field field, Value value) {
      if (Flag()) spec.Set(field, std::move(value));
    };
    maybe(Field::kRestart, Flag() ? "always" : "on-failure:3");
    maybe(Field::kTty, true);
    maybe(Field::kIpc, "shareable");
    maybe(Field::kCommand, Value::List{Word(), "-c", "a  b"});
    maybe(Field::kUser, "1000:1000");
    maybe(Field::kMemLimit, 64 << 20);
    maybe(Field::kStopGracePeriod, std::int64_t{90'000'000'000});
    maybe(Field::kCpus, 500'000'000);
    maybe(Field::kPorts, Value::List{"127.0.0.1::53/udp", ":8080:80/tcp"});
    maybe(Field::kHealthcheck, Value::Map{{"interval", std::int64_t{5'000'000'000}},
                                          {"test", Value::List{"CMD", "true"}}});
    maybe(Field::kVolumes,
          Value::List{Value::Map{{"source", "/etc"}, {"target", "/e"}, {"type", "bind"}},
                      Value::Map{{"source", "data"}, {"target", "/d"}, {"type", "volume"}}});
    switch (Number(3)) {
      case 0:
        spec.Set(Field::kNetworkMode, "host");
        break;
      case 1:
        spec.Set(Field::kNetworks, Value::Map{{"front", Value::Map{}}, {"back", Value::Map{}}});
        break;
      default:
        break;  // Attached to nothing.
    }
    maybe(Field::kReadOnly, true);
    if (Flag()) spec.depends_on = {{.service = "db"}, {.service = "x", .restart = Flag()}};
    return spec;
  }

  ObservedContainer Container(int index) {
    ObservedContainer container;
    container.id = "c" + std::to_string(index);
    container.name = "web_1_2_abc";
    container.image = Word();
    container.image_id = "image1";
    container.state = static_cast<ContainerState>(Number(7));
    container.health = static_cast<Health>(Number(4));
    container.exit_code = Number(200);
    container.restart_count = Number(5);
    if (Flag()) container.created_at = Time();
    if (Flag()) container.started_at = Time();
    container.app = Word();
    container.app_id = "12";
    container.service = Word();
    container.commit = Flag() ? "abc" : "";
    container.owned = Flag();
    container.labels = Texts();
    if (Flag()) {
      container.config_hash = "c1:0123456789abcdef";
      container.labels["io.lockstep.config-hash"] = container.config_hash;
    }
    if (container.config_hash.empty() || Flag()) {
      container.spec = Spec();
      container.spec->image = container.image;
    }
    if (container.spec && Flag()) {
      container.implied = Spec();
      container.implied->image = container.image;
    }
    if (Flag()) container.restart_policy = "no";
    if (Flag()) container.networks = std::vector<std::string>{"front"};
    if (Flag()) container.lock_dir = Flag() ? "" : "/locks/1/web";
    container.settled = Flag();
    container.lost = Flag();
    return container;
  }

  LockHolder Lock(const std::string& service) {
    LockHolder lock;
    lock.app = "app";
    lock.app_dir = "1";
    lock.service = service;
    lock.path = "/locks/1/" + service;
    lock.kind = static_cast<LockKind>(Number(5));
    if (Flag()) lock.since = Time();
    if (Flag()) lock.owner_uid = 65534;
    lock.ours = Flag();
    lock.held = Flag();
    if (Flag()) lock.notes = {Word()};
    return lock;
  }

  AppRecord App(const std::string& name) {
    AppRecord app;
    app.app = name;
    if (Flag()) app.committed = "c1";
    if (Flag()) app.cutover = "";
    if (Flag()) app.failed = {"c0"};
    if (Flag()) app.stopped = {"web"};
    if (Flag()) app.purge = {"data"};
    if (Flag()) app.renamed = {{"x1", "db_0_0_c1"}};
    if (Flag()) app.unhealthy = {{"c0", {"web", "db"}}};
    if (Flag()) app.restart = {"x1", "x2"};
    app.remove = Flag();
    app.paused = Flag();
    return app;
  }

  std::mt19937 random_;
};

auto Members(const ObservedContainer& c) {
  return std::tie(c.id, c.name, c.image, c.image_id, c.state, c.health, c.exit_code,
                  c.restart_count, c.created_at, c.started_at, c.app, c.app_id, c.service, c.commit,
                  c.owned, c.labels, c.config_hash, c.spec, c.implied, c.restart_policy, c.networks,
                  c.lock_dir, c.settled, c.lost);
}

TEST(SnapshotTest, ReadsBackWhatItWrote) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    const ObservedState state = Generator(seed).State();
    const std::string text = WriteSnapshot(state);
    const ObservedState back = Read(text);
    ASSERT_TRUE(WriteSnapshot(back) == text) << "seed " << seed;
    ASSERT_EQ(back.engine.containers.size(), state.engine.containers.size()) << "seed " << seed;
    for (std::size_t i = 0; i < state.engine.containers.size(); ++i) {
      ASSERT_TRUE(Members(back.engine.containers[i]) == Members(state.engine.containers[i]))
          << "seed " << seed << " container " << i << "\n"
          << text;
    }
    ASSERT_EQ(back.taken_at, state.taken_at);
    ASSERT_EQ(back.locks, state.locks) << "seed " << seed;
    ASSERT_EQ(back.apps, state.apps) << "seed " << seed;
    ASSERT_EQ(back.spans, state.spans);
    ASSERT_EQ(back.config, state.config);
    ASSERT_EQ(back.config_set, state.config_set);
    ASSERT_EQ(back.saved_restart, state.saved_restart);
    ASSERT_EQ(back.reboot, state.reboot);
    ASSERT_EQ(back.config_backends, state.config_backends);
    ASSERT_EQ(back.config_unreadable, state.config_unreadable);
    ASSERT_EQ(back.boot_id, state.boot_id);
    ASSERT_EQ(back.engine.images.size(), state.engine.images.size());
    for (std::size_t i = 0; i < state.engine.images.size(); ++i) {
      ASSERT_EQ(back.engine.images[i].references, state.engine.images[i].references);
      ASSERT_EQ(back.engine.images[i].labels, state.engine.images[i].labels);
    }
  }
}

TEST(SnapshotTest, WritesOutWhatDiffersFromTheDefaultsOfATarget) {
  ObservedState state;
  state.engine.containers.emplace_back().id = "c";
  state.engine.containers[0].spec.emplace();
  const auto json = nlohmann::json::parse(WriteSnapshot(state), nullptr, false);
  const auto& composition = json["containers"][0]["composition"];
  EXPECT_EQ(composition["restart"], "no");
  EXPECT_EQ(composition["tty"], false);
}

TEST(SnapshotTest, SurvivesAnyChangeOfItsBytes) {
  std::mt19937 random(7);
  const std::string whole = WriteSnapshot(Generator(3).State());
  for (int round = 0; round < 2000; ++round) {
    std::string text = whole;
    for (int change = 0; change < 3; ++change) {
      const std::size_t place = random() % text.size();
      if (random() % 2 == 0) {
        text.erase(place, 1 + random() % 6);
      } else {
        text[place] = "{}[]\",:019nt\xff"[random() % 13];
      }
    }
    const auto state = ReadSnapshot(text);
    if (!state) {
      ASSERT_EQ(state.assume_error().code, ErrorCode::kInvalidInput) << text;
    }
  }
}

struct TimeCase {
  std::string name;
  std::string text;
  std::string canonical;  // Empty: not a time.
};
void PrintTo(const TimeCase& time, std::ostream* out) { *out << time.text; }

class TimeTest : public ::testing::TestWithParam<TimeCase> {};

TEST_P(TimeTest, ReadsRfc3339) {
  const auto time = ParseTime(GetParam().text);
  EXPECT_EQ(time ? FormatTime(*time) : "", GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TimeTest,
    ::testing::ValuesIn(std::vector<TimeCase>{
        {"Utc", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
        {"Nanoseconds", "2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123Z"},
        {"Tenths", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100Z"},
        {"EastAcrossMidnight", "2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
        {"West", "2026-01-01T00:30:00-01:30", "2026-01-01T02:00:00Z"},
        {"LeapDay", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
        {"ZeroTimeOfDocker", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"NoLeapDay", "2026-02-29T00:00:00Z", ""},
        {"NoZone", "2026-01-02T03:04:05", ""},
        {"Hour24", "2026-01-02T24:00:00Z", ""},
        {"EmptyFraction", "2026-01-02T03:04:05.Z", ""},
        {"Trailing", "2026-01-02T03:04:05Zx", ""},
        {"Date", "2026-01-02", ""},
        {"Nothing", "", ""},
    }),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep
