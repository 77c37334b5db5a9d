#include "balena_target.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using nlohmann::json;
using test::IsError;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::string_view kTarget = R"({"dev1": {
  "name": "kitchen",
  "config": {"BALENA_HOST_CONFIG_gpu_mem": "64"},
  "apps": {"shop": {"id": 12, "name": "Shop", "class": "fleet", "is_host": false,
    "releases": {"c2": {"id": 345,
      "services": {
        "db": {"id": 5, "image_id": 77, "image": "registry.example/db:1", "environment": {},
               "labels": {}, "contract": {}, "composition": {"volumes": ["data:/var/data"]}},
        "web": {"id": "6", "image_id": 78, "image": "registry.example/web:2", "running": true,
                "environment": {"A": "1"}, "labels": {"tier": "front"},
                "composition": {"depends_on": ["db"], "networks": ["front"], "x-note": 1}}},
      "networks": {"front": {}}, "volumes": {"data": {}}}}}}}})";

const std::string kRelease = "/dev1/apps/shop/releases/c2";
const std::string kWeb = kRelease + "/services/web";

json Document() { return json::parse(kTarget, nullptr, false); }

// The target with the value at `pointer` replaced by `value`, or without it where `value` is empty.
std::string Changed(const std::string& pointer, const std::string& value) {
  json document = Document();
  const json::json_pointer place(pointer);
  if (value.empty()) {
    document[place.parent_pointer()].erase(place.back());
  } else {
    document[place] = json::parse(value, nullptr, false);
  }
  return document.dump();
}

Target Read(const std::string& text, const ReadTargetOptions& options = {}) {
  auto target = ReadBalenaTarget(text, options);
  EXPECT_THAT(target, IsOk()) << text;
  return target ? std::move(target).assume_value() : Target();
}

const TargetService& Web(const Target& target) {
  return target.apps.at(0).release.value().services.back();
}

TEST(BalenaTargetTest, ReadsWhatATargetSays) {
  const Target target = Read(std::string(kTarget));
  EXPECT_EQ(target.device_uuid, "dev1");
  EXPECT_EQ(target.device_name, "kitchen");
  EXPECT_TRUE(target.whole_device);
  EXPECT_THAT(target.config, ElementsAre(Pair("BALENA_HOST_CONFIG_gpu_mem", "64")));
  ASSERT_THAT(target.apps, SizeIs(1));
  const TargetApp& app = target.apps[0];
  EXPECT_EQ(app.uuid, "shop");
  EXPECT_EQ(app.lock_dir(), "12");
  EXPECT_EQ(app.name, "Shop");
  EXPECT_THAT(app.gaps, IsEmpty());
  ASSERT_TRUE(app.release);
  EXPECT_EQ(app.release->commit, "c2");
  EXPECT_EQ(app.release->id, 345);
  ASSERT_THAT(app.release->services, SizeIs(2));
  EXPECT_EQ(app.release->services[0].name, "db");
  const TargetService& web = Web(target);
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.id, 6);
  EXPECT_EQ(web.image_id, 78);
  EXPECT_EQ(web.spec.image, "registry.example/web:2");
  EXPECT_TRUE(web.spec.running);
  EXPECT_THAT(web.spec.environment, ElementsAre(Pair("A", "1")));
  EXPECT_THAT(web.spec.labels, ElementsAre(Pair("tier", "front")));
  EXPECT_THAT(web.spec.depends_on, ElementsAre(Dependency{.service = "db"}));
}

TEST(BalenaTargetTest, MeansByDefaultWhatBalenaMeans) {
  const Target target = Read(std::string(kTarget));
  const ServiceSpec& db = target.apps[0].release->services[0].spec;
  EXPECT_EQ(RestartPolicyOf(db), "always");
  ASSERT_NE(db.Find(Field::kTty), nullptr);
  EXPECT_EQ(*db.Find(Field::kTty), Value(true));
  EXPECT_THAT(NetworksOf(db), ElementsAre("default"));
  EXPECT_THAT(NetworksOf(Web(target).spec), ElementsAre("front"));
}

TEST(BalenaTargetTest, HasTheDefaultNetworkOnlyWhereItIsUsedOrDeclared) {
  const auto networks = [](const std::string& text) {
    std::vector<std::string> names;
    const Target target = Read(text);
    for (const auto& [name, config] : target.apps[0].release->networks) names.push_back(name);
    return names;
  };
  EXPECT_THAT(networks(std::string(kTarget)), ElementsAre("default", "front"));
  const std::string no_db =
      Changed(kRelease + "/services/db/composition", R"({"networks": ["front"]})");
  EXPECT_THAT(networks(no_db), ElementsAre("front"));
  json declared = json::parse(no_db, nullptr, false);
  declared[json::json_pointer(kRelease + "/networks/default")] = json::object();
  EXPECT_THAT(networks(declared.dump()), ElementsAre("default", "front"));
}

TEST(BalenaTargetTest, TakesTheWordsBesideTheCompositionFirst) {
  const Target target = Read(Changed(
      kWeb + "/composition",
      R"({"image": "other", "environment": {"A": "0", "B": 2, "C": null}, "labels": ["x=y"]})"));
  EXPECT_EQ(Web(target).spec.image, "registry.example/web:2");
  EXPECT_THAT(Web(target).spec.environment, ElementsAre(Pair("A", "1"), Pair("B", "2")));
  EXPECT_THAT(Web(target).spec.labels, ElementsAre(Pair("tier", "front"), Pair("x", "y")));
}

TEST(BalenaTargetTest, UnderstandsBothFormsOfDependsOn) {
  const Target target = Read(Changed(
      kWeb + "/composition/depends_on",
      R"({"db": {"condition": "service_healthy", "restart": true}, "gone": {"required": false}})"));
  EXPECT_THAT(Web(target).spec.depends_on,
              ElementsAre(Dependency{"db", DependencyCondition::kHealthy, true, true},
                          Dependency{"gone", DependencyCondition::kStarted, false, false}));
  EXPECT_THAT(target.apps[0].gaps, IsEmpty());
}

TEST(BalenaTargetTest, ANetworkModeTakesThePlaceOfTheDefaultNetwork) {
  const Target host = Read(Changed(kWeb + "/composition", R"({"network_mode": "host"})"));
  EXPECT_THAT(NetworksOf(Web(host).spec), IsEmpty());
  EXPECT_EQ(Web(host).spec.Find(Field::kNetworks), nullptr);

  const Target named = Read(Changed(kWeb + "/composition", R"({"network_mode": "front"})"));
  EXPECT_THAT(NetworksOf(Web(named).spec), ElementsAre("front"));
  EXPECT_EQ(Web(named).spec.Find(Field::kNetworkMode), nullptr);

  const Target shared = Read(Changed(kWeb + "/composition", R"({"network_mode": "service:db"})"));
  EXPECT_THAT(Web(shared).spec.depends_on, ElementsAre(Dependency{.service = "db"}));
}

TEST(BalenaTargetTest, ReadsTheStrategyUnderItsOldNameToo) {
  const auto strategy = [](const std::string& labels) {
    return Web(Read(Changed(kWeb + "/labels", labels))).strategy;
  };
  EXPECT_EQ(strategy("{}"), Strategy::kDownloadThenKill);
  EXPECT_EQ(strategy(R"({"io.balena.update.strategy": "hand-over"})"), Strategy::kHandOver);
  EXPECT_EQ(strategy(R"({"io.resin.update.strategy": "kill-then-download"})"),
            Strategy::kKillThenDownload);
  EXPECT_EQ(strategy(R"({"io.resin.update.strategy": "kill-then-download",
                         "io.balena.update.strategy": "delete-then-download"})"),
            Strategy::kDeleteThenDownload);
}

TEST(BalenaTargetTest, NamesEachConfigurationKeyOnce) {
  const Target target = Read(Changed(
      "/dev1/config", R"({"RESIN_A": "old", "BALENA_A": "new", "RESIN_B": true, "BALENA_C": 5})"));
  EXPECT_THAT(target.config, ElementsAre(Pair("BALENA_A", "new"), Pair("BALENA_B", "true"),
                                         Pair("BALENA_C", "5")));
}

TEST(BalenaTargetTest, KeysOfTheDeviceAreOneWhateverTheyAreCalled) {
  const Target target = Read(Changed("/dev1/config", R"({
      "HOST_CONFIG_a": "bare", "RESIN_HOST_CONFIG_a": "resin", "HOST_CONFIG_b": "bare",
      "RESIN_HOST_SPLASH_IMAGE": "png", "RESIN_OVERRIDE_LOCK": "1", "MINE": "x"})"));
  EXPECT_THAT(
      target.config,
      ElementsAre(Pair("BALENA_HOST_CONFIG_a", "resin"), Pair("BALENA_HOST_CONFIG_b", "bare"),
                  Pair("BALENA_HOST_SPLASH_image", "png"),
                  Pair("BALENA_SUPERVISOR_OVERRIDE_LOCK", "1"), Pair("MINE", "x")));
}

TEST(BalenaTargetTest, AnAppWithoutReleasesRunsNothing) {
  for (const char* value : {"", "{}"}) {
    const Target target = Read(Changed("/dev1/apps/shop/releases", value));
    ASSERT_THAT(target.apps, SizeIs(1));
    EXPECT_FALSE(target.apps[0].release);
    EXPECT_THAT(target.apps[0].gaps, IsEmpty());
  }
}

TEST(BalenaTargetTest, ADeviceWithoutAppsIsATarget) {
  EXPECT_THAT(Read(Changed("/dev1/apps", "{}")).apps, IsEmpty());
}

TEST(BalenaTargetTest, DoesNotLookIntoAHostApp) {
  json document = Document();
  document["/dev1/apps/shop/is_host"_json_pointer] = true;
  document[json::json_pointer(kWeb + "/composition/hostOS")] = "anything";
  const Target target = Read(document.dump());
  EXPECT_TRUE(target.apps[0].is_host);
  EXPECT_THAT(target.apps[0].gaps, IsEmpty());
}

TEST(BalenaTargetTest, SelectsTheDeviceThatIsAskedFor) {
  json document = Document();
  document["dev2"] = json{{"name", "n"}, {"config", json::object()}, {"apps", json::object()}};
  EXPECT_EQ(Read(document.dump(), {.device_uuid = "dev2"}).device_uuid, "dev2");
  const auto both = ReadBalenaTarget(document.dump());
  ASSERT_THAT(both, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(both.assume_error().hint, HasSubstr("--device"));
  EXPECT_THAT(ReadBalenaTarget(document.dump(), {.device_uuid = "dev3"}),
              IsError(ErrorCode::kInvalidTarget));
}

TEST(BalenaTargetTest, IgnoresAboveServicesWhatALaterApiAdded) {
  for (const std::string place : {"/dev1", "/dev1/apps/shop", kRelease.c_str()}) {
    for (const std::string field : {"update_status", "x-name", "x-services"}) {
      const Target target = Read(Changed(place + "/" + field, "{}"));
      EXPECT_EQ(target, Read(std::string(kTarget))) << place << "/" << field;
    }
  }
}

struct RefusedCase {
  std::string name;
  std::string pointer;  // Empty: `value` is the whole text.
  std::string value;    // Empty: taken out.
  std::string where;
  std::string message;
};
void PrintTo(const RefusedCase& refused, std::ostream* out) { *out << refused.name; }

class RefusedTargetTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedTargetTest, SaysWhereAndWhatIsWrong) {
  const RefusedCase& refused = GetParam();
  const auto target = ReadBalenaTarget(
      refused.pointer.empty() ? refused.value : Changed(refused.pointer, refused.value));
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(target.assume_error().where, refused.where);
  EXPECT_THAT(target.assume_error().message, HasSubstr(refused.message));
  EXPECT_NE(target.assume_error().hint, "");
}

const std::string kWebPlace = "apps.shop.releases.c2.services.web";
INSTANTIATE_TEST_SUITE_P(
    Cases, RefusedTargetTest,
    ::testing::ValuesIn(std::vector<RefusedCase>{
        {"Nothing", "", " \n", "", "it is empty"},
        {"EndsBeforeItsEnd", "", std::string("{}\0{", 4), "", "it has a NUL byte"},
        {"NoJson", "", "services:\n  web: {}\n", "", "line 1, column 1"},
        {"CutOff", "", R"({"dev1": {"apps": )", "", "ends in the middle"},
        {"ErrorInThirdLine", "", "{\n\"a\": 1,\n\"b\" 2}", "", "line 3, column 5"},
        {"BadUtf8", "", "{\"\xff\": 1}", "", "line 1"},
        {"NulCharacter", "", R"({"a": "x\u0000y"})", "", "NUL"},
        {"KeyTwice", "", R"({"a": {"x": 1, "x": 2}})", "", "twice"},
        {"List", "", "[]", "", "must be an object, not a list"},
        {"Null", "", "null", "", "not null"},
        {"EmptyObject", "", "{}", "", "names no device"},
        {"DeviceIsText", "", R"({"dev1": "x"})", "dev1", "must be an object"},
        {"NoDeviceName", "/dev1/name", "", "name", "is missing"},
        {"NoConfig", "/dev1/config", "", "config", "is missing"},
        {"ConfigIsList", "/dev1/config", "[]", "config", "must be an object"},
        {"ConfigValueIsObject", "/dev1/config/A", "{}", "config.A", "must be a text"},
        {"NoApps", "/dev1/apps", "", "apps", "is missing"},
        {"AppsIsNull", "/dev1/apps", "null", "apps", "is missing"},
        {"AppsIsList", "/dev1/apps", "[]", "apps", "must be an object"},
        {"AppIsNumber", "/dev1/apps/shop", "3", "apps.shop", "not a number"},
        {"NoAppId", "/dev1/apps/shop/id", "", "apps.shop.id", "is missing"},
        {"NoAppName", "/dev1/apps/shop/name", "", "apps.shop.name", "is missing"},
        {"ReleasesIsNull", "/dev1/apps/shop/releases", "null", "apps.shop.releases", "not null"},
        {"NoReleaseId", kRelease + "/id", "", "apps.shop.releases.c2.id", "is missing"},
        {"ServicesIsList", kRelease + "/services", "[]", "apps.shop.releases.c2.services",
         "must be an object"},
        {"ServiceIsText", kWeb, "\"x\"", kWebPlace, "must be an object"},
        {"NoServiceId", kWeb + "/id", "", kWebPlace + ".id", "is missing"},
        {"NoImageId", kWeb + "/image_id", "", kWebPlace + ".image_id", "is missing"},
        {"NoImage", kWeb + "/image", "", kWebPlace + ".image", "is missing"},
        {"NoEnvironment", kWeb + "/environment", "", kWebPlace + ".environment", "is missing"},
        {"NoLabels", kWeb + "/labels", "", kWebPlace + ".labels", "is missing"},
        {"CompositionIsList", kWeb + "/composition", "[]", kWebPlace + ".composition",
         "must be a map"},
        {"MisspeltField", kWeb + "/composition/prots", "[]", kWebPlace + ".composition.prots",
         "did you mean `ports`?"},
        {"MisspeltNullField", kWeb + "/composition/enviroment", "null",
         kWebPlace + ".composition.enviroment", "did you mean `environment`?"},
        {"FieldLikeNoOther", kWeb + "/composition/qqqqqqqq", "1",
         kWebPlace + ".composition.qqqqqqqq", "is not a field that Lockstep knows"},
        {"MisspeltApps", "/dev1/aps", "{}", "aps", "did you mean `apps`?"},
        {"MisspeltReleases", "/dev1/apps/shop/releses", "{}", "apps.shop.releses",
         "did you mean `releases`?"},
        {"MisspeltServices", kRelease + "/servces", "{}", "apps.shop.releases.c2.servces",
         "did you mean `services`?"},
        {"MisspeltVolumes", kRelease + "/volums", "{}", "apps.shop.releases.c2.volums",
         "did you mean `volumes`?"},
        {"MisspeltServiceKey", kWeb + "/imgae", "\"x\"", kWebPlace + ".imgae",
         "did you mean `image`?"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

struct GapCase {
  std::string name;
  std::string pointer;
  std::string value;
  std::string code;
  std::string message;
};
void PrintTo(const GapCase& gap, std::ostream* out) { *out << gap.name; }

class TargetGapTest : public ::testing::TestWithParam<GapCase> {};

TEST_P(TargetGapTest, BlocksItsAppAlone) {
  json document = json::parse(Changed(GetParam().pointer, GetParam().value), nullptr, false);
  document["/dev1/apps/other"_json_pointer] = json{{"id", 2}, {"name", "other"}};
  const Target target = Read(document.dump());
  ASSERT_THAT(target.apps, SizeIs(2));
  for (const TargetApp& app : target.apps) {
    if (app.uuid == "other") {
      EXPECT_THAT(app.gaps, IsEmpty());
      continue;
    }
    ASSERT_THAT(app.gaps, SizeIs(1));
    EXPECT_EQ(app.gaps[0].code, GetParam().code);
    EXPECT_THAT(app.gaps[0].message, HasSubstr(GetParam().message));
    EXPECT_TRUE(app.gaps[0].blocks);
  }
}

const std::string kComposition = kWeb + "/composition";
INSTANTIATE_TEST_SUITE_P(
    Cases, TargetGapTest,
    ::testing::ValuesIn(std::vector<GapCase>{
        {"Port", kComposition + "/ports", R"(["80:abc"])", "invalid-value",
         "services.web.composition.ports: "},
        {"Restart", kComposition + "/restart", R"("sometimes")", "invalid-value",
         "services.web.composition.restart: "},
        {"HostPath", kComposition + "/volumes", R"(["/etc:/etc"])", "invalid-value",
         "services.web.composition.volumes: "},
        {"DependsOnType", kComposition + "/depends_on", "7", "invalid-value", "depends_on: "},
        {"DependsOnCondition", kComposition + "/depends_on", R"({"db": {"condition": "up"}})",
         "invalid-value", "depends_on.db.condition: "},
        {"EnvironmentValue", kWeb + "/environment", R"({"A": []})", "invalid-value",
         "services.web.environment.A: "},
        {"AppId", "/dev1/apps/shop/id", R"("twelve")", "invalid-value", "id: "},
        {"NegativeId", kWeb + "/id", "-1", "invalid-value", "services.web.id: "},
        {"FractionalId", kRelease + "/id", "1.5", "invalid-value", "id: "},
        {"EmptyImage", kWeb + "/image", R"("")", "invalid-value", "services.web.image: "},
        {"ImageOfTwoLines", kWeb + "/image", R"("r.example/web:1\n--privileged")", "invalid-value",
         "services.web.image: "},
        {"ImageIsNumber", kWeb + "/image", "1", "invalid-value", "services.web.image: "},
        {"Running", kWeb + "/running", R"("yes")", "invalid-value", "services.web.running: "},
        {"OwnershipLabel", kWeb + "/labels", R"({"io.balena.supervised": "1"})", "invalid-value",
         "io.balena.supervised: "},
        {"OldOwnershipLabel", kWeb + "/labels", R"({"io.resin.app-id": "1"})", "invalid-value",
         "io.balena.app-id: "},
        {"LabelOfLockstep", kWeb + "/labels", R"({"io.lockstep.config-hash": "c1:0"})",
         "invalid-value", "io.lockstep.config-hash: "},
        {"Strategy", kWeb + "/labels", R"({"io.balena.update.strategy": "handover"})",
         "unknown-strategy", "`handover` is none of"},
        {"Rollback", kWeb + "/labels", R"({"io.balena.update.rollback": "maybe"})", "invalid-value",
         "`maybe` is neither yes (1, true) nor no (0, false)"},
        {"Network", kComposition + "/networks", R"(["back"])", "undefined-network", "`back`"},
        {"NetworkMode", kComposition, R"({"network_mode": "back"})", "undefined-network", "`back`"},
        {"NetworkModeAndNetworks", kComposition + "/network_mode", R"("host")", "invalid-value",
         "services.web.composition.network_mode: "},
        {"Volume", kComposition + "/volumes", R"(["cache:/c"])", "undefined-volume", "`cache`"},
        {"Dependency", kComposition + "/depends_on", R"(["cache"])", "unknown-dependency",
         "`cache`"},
        {"ServiceName", kRelease + "/services/..",
         R"({"id": 1, "image_id": 1, "image": "i", "environment": {}, "labels": {}})",
         "invalid-name", "services...: "},
        {"NetworkName", kRelease + "/networks/a b", "{}", "invalid-name", "networks.a b: "},
        {"VolumeName", kRelease + "/volumes/-a", "{}", "invalid-name", "volumes.-a: "},
        {"NetworkDefinition", kRelease + "/networks/front", R"({"driver": []})", "invalid-value",
         "networks.front: "},
        {"SeveralReleases", "/dev1/apps/shop/releases/c3", R"({"id": 346})", "several-releases",
         "releases: "},
    }),
    [](const auto& param_info) { return param_info.param.name; });

TEST(BalenaTargetTest, RefusesDeepNestingWithoutBuildingIt) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "{\"a\":";
  const auto target = ReadBalenaTarget(deep);
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(target.assume_error().message, HasSubstr("levels deep"));
  EXPECT_THAT(ReadBalenaTarget(std::string(1'000'000, '[')), IsError(ErrorCode::kInvalidTarget));
}

TEST(BalenaTargetTest, NoPrefixOfATargetIsATarget) {
  const std::string whole = Document().dump();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_THAT(ReadBalenaTarget(whole.substr(0, length)), IsError(ErrorCode::kInvalidTarget))
        << whole.substr(0, length);
  }
}

// Whatever the bytes, the answer is a target or an error that can be shown on one line.
TEST(BalenaTargetTest, SurvivesAnyChangeOfItsBytes) {
  constexpr std::string_view kInteresting = "{}[]\",:\\0-9eE.tfn\x01\x7f\xff";
  std::mt19937 random(20260101);
  const std::string whole = Document().dump();
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 5000; ++round) {
    std::string text = whole;
    for (std::size_t change = 0; change <= below(4); ++change) {
      const std::size_t place = below(text.size());
      switch (below(3)) {
        case 0:
          text[place] = kInteresting[below(kInteresting.size())];
          break;
        case 1:
          text.erase(place, 1 + below(8));
          break;
        default:
          text.insert(place, text.substr(below(text.size()), below(40)));
          break;
      }
    }
    const auto target = ReadBalenaTarget(text);
    if (!target) {
      ASSERT_EQ(target.assume_error().code, ErrorCode::kInvalidTarget) << text;
      ASSERT_EQ(Describe(target.assume_error()).find('\n'), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace lockstep
