// What the engine says, as it was recorded and as it should never be.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "capture.h"
#include "create_request.h"
#include "engine_api.h"
#include "engine_names.h"
#include "event_stream.h"
#include "field_places.h"
#include "inspect_reading.h"
#include "listing.h"
#include "lockstep/testing/matchers.h"
#include "peer_text.h"
#include "pull_stream.h"
#include "resources.h"

namespace lockstep::test {
namespace {

using docker::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(JsonReadTest, DepthIsBounded) {
  EXPECT_TRUE(docker::ParseJson(Nested(docker::kMaxJsonDepth)));
  EXPECT_FALSE(docker::ParseJson(Nested(docker::kMaxJsonDepth + 1)));
  EXPECT_FALSE(docker::ParseJson(R"({"a":"\\\"","b":)" + Nested(1'000'000) + "}"));
}

// Some megabytes of these would fill the memory of a device.
TEST(JsonReadTest, ManyTinyValuesAreNoReply) {
  const auto list = [](int values) {
    std::string text = "[{}";
    for (int i = 1; i < values; ++i) text += ",{}";
    return text + "]";
  };
  EXPECT_TRUE(docker::ParseJson(list(docker::kMaxJsonValues / 4)));
  EXPECT_FALSE(docker::ParseJson(list(docker::kMaxJsonValues)));
  EXPECT_TRUE(docker::ParseJson('"' + std::string(3'000'000, ',') + '"'));
}

TEST(JsonReadTest, BracketsInTextAreNoDepth) {
  const std::string brackets(1000, '[');
  EXPECT_TRUE(docker::ParseJson(R"({"a\"{":"\\\")" + brackets + R"("})"));
  EXPECT_TRUE(docker::ParseJson("[" + std::string(500, ' ') + "[],[],{}]"));
}

TEST(EngineRepliesTest, LinesThatAreNestedVeryDeepArePassedOver) {
  const std::string deep = R"({"status":)" + Nested(500'000) + "}";
  docker::PullWatch watch;
  docker::PullStream stream({}, docker::Unpacking::kAfterDownload, watch);
  EXPECT_FALSE(stream.OnLine(deep, {}));
  EXPECT_FALSE(stream.error());
  EXPECT_EQ(docker::ReadEventLine(deep).event.kind, EngineEventKind::kOther);
}

TEST(ListingTest, ReadsRecordedLists) {
  EngineState state;
  docker::ReadLists(Capture("container-list"), Capture("image-list"), Capture("network-list"),
                    Capture("volume-list"), {}, state);
  ASSERT_EQ(state.containers.size(), 2U);
  const ObservedContainer& done = state.containers[0];
  EXPECT_EQ(done.name, "done1");
  EXPECT_EQ(done.state, ContainerState::kExited);
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_FALSE(done.owned);
  EXPECT_EQ(state.containers[1].state, ContainerState::kRunning);
  EXPECT_EQ(state.images.size(), 3U);
  EXPECT_EQ(state.volumes.size(), 4U);
  EXPECT_FALSE(state.networks.empty());
}

struct StatusCase {
  const char* status;
  Health health;
  int exit_code;
};

TEST(JsonReadTest, NulCharactersAreReplaced) {
  const auto json = docker::ParseJson(R"({"a\u0000":["x\u0000y", "\\u0000"], "n": 1})");
  ASSERT_TRUE(json);
  EXPECT_EQ(docker::DumpJson(*json),
            "{\"a\xef\xbf\xbd\":[\"x\xef\xbf\xbdy\",\"\\\\u0000\"],\"n\":1}");
}

TEST(JsonReadTest, TextIsCutBetweenCharacters) {
  EXPECT_EQ(docker::CleanText("a\xc3\xa4z", 2), "a");
  EXPECT_EQ(docker::CleanText("a\xc3\xa4z", 3), "a\xc3\xa4");
  EXPECT_EQ(docker::CleanText("a\xe2\x82\xac", 9), "a\xe2\x82\xac");
  EXPECT_EQ(docker::CleanText("a\xff", 9), "a\xef\xbf\xbd");
  EXPECT_EQ(docker::CleanText("\xa4\xa4\xa4\xa4\xa4\xa4", 5).substr(0, 3), "\xef\xbf\xbd");
}

TEST(ListingTest, TimeThatNoCalendarHasIsTheNearest) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const auto& [seconds, expected] : {std::pair{most, 253'402'300'799L}, std::pair{-most, 0L},
                                          std::pair{1'795'388'583L, 1'795'388'583L}}) {
    EngineState state;
    docker::ReadLists({{{"Id", "a"}, {"Created", seconds}}}, Json::array(), Json::array(),
                      Json::object(), {}, state);
    EXPECT_EQ(state.containers.at(0).created_at, WallTime(std::chrono::seconds(expected)));
  }
}

TEST(ListingTest, ManyNetworksOfManyContainersAreFound) {
  constexpr int kEach = 3000;
  const Json labels = {{"io.balena.supervised", "true"},
                       {"io.balena.app-uuid", "shop"},
                       {"io.balena.service-name", "web"}};
  Json containers = Json::array();
  Json networks = Json::array();
  Json endpoints;
  for (int i = 0; i < 100; ++i) {
    endpoints["e" + std::to_string(i)] = {{"NetworkID", "n" + std::to_string(i)}};
  }
  for (int i = 0; i < kEach; ++i) {
    const std::string number = std::to_string(i);
    networks.push_back({{"Id", "n" + number}, {"Name", "shop_n" + number}, {"Labels", labels}});
    containers.push_back({{"Id", "c" + number},
                          {"ImageID", "i"},
                          {"Labels", labels},
                          {"NetworkSettings", {{"Networks", endpoints}}}});
  }
  EngineState state;
  docker::ReadLists(containers, {{{"Id", "i"}}}, networks, Json::object(), {}, state);
  ASSERT_TRUE(state.containers.at(0).networks);
  EXPECT_EQ(state.containers[0].networks->size(), 100U);
}

TEST(FailureTest, MessageIsTextAndShort) {
  std::string umlauts = "x";
  for (int i = 0; i < 700; ++i) umlauts += "\xc3\xa4";
  for (const std::string& body : {umlauts, docker::DumpJson({{"message", umlauts}})}) {
    const std::string message = docker::FailureOf({500, body}, "x").message;
    ASSERT_TRUE(message.ends_with("..."));
    EXPECT_LE(message.size(), docker::kMaxPeerText);
    EXPECT_TRUE(umlauts.starts_with(message.substr(0, message.size() - 3)));
  }
  EXPECT_EQ(docker::FailureOf({500, "a\xff"}, "x").message, "a\xef\xbf\xbd");
}

TEST(ListingTest, HealthAndExitCodeAreInTheStatus) {
  for (const auto& [status, health, exit_code] : {
           StatusCase{"Up 3 minutes (healthy)", Health::kHealthy, 0},
           StatusCase{"Up 3 minutes (unhealthy)", Health::kUnhealthy, 0},
           StatusCase{"Up 1 second (health: starting)", Health::kStarting, 0},
           StatusCase{"Up 3 minutes (Paused)", Health::kNone, 0},
           StatusCase{"Up 3 minutes", Health::kNone, 0},
           StatusCase{"Exited (137) 2 hours ago", Health::kNone, 137},
           StatusCase{"Restarting (1) 1 second ago", Health::kNone, 1},
           StatusCase{"Created", Health::kNone, 0},
           StatusCase{"Exited (", Health::kNone, 0},
           StatusCase{"", Health::kNone, 0},
       }) {
    EXPECT_EQ(docker::HealthInStatus(status), health) << status;
    EXPECT_EQ(docker::ExitCodeInStatus(status), exit_code) << status;
  }
}

TEST(ListingTest, LabelsThatComeFromTheImageProveNothing) {
  const Json labels = {{"io.balena.supervised", "true"},
                       {"io.balena.app-uuid", "shop"},
                       {"io.balena.service-name", "web"}};
  const Json containers = {{{"Id", "c"}, {"ImageID", "i"}, {"Labels", labels}}};
  EngineState plain;
  docker::ReadLists(containers, {{{"Id", "i"}}}, Json::array(), Json::object(), {}, plain);
  EXPECT_TRUE(plain.containers.at(0).owned);
  EngineState inherited;
  docker::ReadLists(containers, {{{"Id", "i"}, {"Labels", labels}}}, Json::array(), Json::object(),
                    {}, inherited);
  EXPECT_FALSE(inherited.containers.at(0).owned);
}

TEST(ListingTest, StateThatIsNotKnownIsLeftAlone) {
  const Json containers = {{{"Id", "a"}, {"State", "hibernating"}}, {{"Id", "b"}}};
  EngineState state;
  docker::ReadLists(containers, Json::array(), Json::array(), Json::object(), {}, state);
  ASSERT_EQ(state.containers.size(), 2U);
  for (const ObservedContainer& container : state.containers) {
    EXPECT_EQ(container.state, ContainerState::kPaused) << container.id;
  }
}

TEST(ListingTest, NetworkOfPodmanIsKnownByItsNameAlone) {
  const Json labels = {{"io.balena.supervised", "true"},
                       {"io.balena.app-uuid", "shop"},
                       {"io.balena.service-name", "web"}};
  const Json endpoints = {{"shop_front", {{"NetworkID", "shop_front"}}},
                          {"podman", {{"NetworkID", "podman"}}}};
  const Json containers = {{{"Id", "a"},
                            {"ImageID", "i"},
                            {"Labels", labels},
                            {"NetworkSettings", {{"Networks", endpoints}}}}};
  const Json networks = {{{"Id", "ded699a01a79"}, {"Name", "shop_front"}, {"Labels", labels}},
                         {{"Id", "2f259bab93aa"}, {"Name", "podman"}}};
  EngineState state;
  docker::ReadLists(containers, {{{"Id", "i"}}}, networks, Json::object(), {}, state);
  ASSERT_TRUE(state.containers.at(0).networks);
  EXPECT_THAT(*state.containers[0].networks, ElementsAre("front"));
}

TEST(ResourcesTest, WhatPodmanAddsToANetworkIsNotItsDefinition) {
  const ObservedNetwork network = docker::ReadNetwork(*docker::ParseJson(
      R"({"Name":"shop_back","Id":"ded699a01a79","Driver":"bridge","IPAM":{"Driver":"default",
          "Options":{"driver":"host-local"},"Config":[{"Subnet":"10.89.1.0/24",
          "Gateway":"10.89.1.1"}]},"Options":{},"Labels":{"io.balena.supervised":"true",
          "io.balena.app-uuid":"shop"}})"));
  EXPECT_EQ(network.name, "back");
  EXPECT_EQ(network.config, Value(Value::Map{}));
}

TEST(ResourcesTest, OldWordsForTheAppAreUnderstood) {
  const Labels labels = {
      {"io.resin.supervised", "true"}, {"io.resin.app-id", "12"}, {"io.balena.app-uuid", "shop"}};
  for (const auto& names :
       {docker::AppOfNetwork(labels, "shop_front"), docker::AppOfVolume(labels, "12_data")}) {
    EXPECT_EQ(names.app, "shop");
    EXPECT_EQ(names.app_id, "12");
  }
  EXPECT_EQ(docker::AppOfNetwork({{"io.resin.app-id", "12"}}, "shop_front").app, "")
      << "nobody supervises it";
}

// What balena-supervisor does not say in labels it says in names.
TEST(ResourcesTest, WhatLabelsLeaveOutIsTakenFromTheName) {
  const std::string uuid = "0123456789abcdef0123456789abcdef";
  const Labels supervised = {{"io.balena.supervised", "true"}};
  Labels by_id = supervised;
  by_id["io.balena.app-id"] = "12";
  Labels by_uuid = supervised;
  by_uuid["io.balena.app-uuid"] = uuid;
  const auto text = [](const docker::AppNames& names) { return names.app + " " + names.app_id; };
  EXPECT_EQ(text(docker::AppOfNetwork(by_id, uuid + "_default")), uuid + " 12");
  EXPECT_EQ(text(docker::AppOfVolume(by_uuid, "12_data")), uuid + " 12");
  EXPECT_EQ(text(docker::AppOfVolume(supervised, "12_data")), "12 12");
  // Made before it named them by the uuid: by that name nothing would find it.
  EXPECT_EQ(text(docker::AppOfNetwork(supervised, "12_default")), " ");
  EXPECT_EQ(text(docker::AppOfNetwork({}, uuid + "_default")), " ");
  EXPECT_EQ(text(docker::AppOfVolume({}, "12_data")), " ");
  EXPECT_EQ(text(docker::AppOfVolume(by_uuid, "data")), uuid + " ");
}

// Puts `with` in the place of each value in `json`, one after another.
template <typename Try>
void Damage(Json& whole, Json& part, const Json& with, const Try& attempt) {
  if (!part.is_structured()) return;
  for (Json& item : part) {
    Json kept = with;
    std::swap(item, kept);
    attempt(whole);
    std::swap(item, kept);
    Damage(whole, item, with, attempt);
  }
}

TEST(EngineRepliesTest, WrongTypesAnywhereAreSurvived) {
  const std::array<Json, 6> kWrong = {Json(),     Json(-1),         Json("x"),
                                      Json(true), Json::array({1}), Json{{"x", 1}}};
  const Json image = Capture("image-inspect");
  int tried = 0;
  for (const Json& with : kWrong) {
    Json container = Capture("container-inspect");
    ASSERT_FALSE(container.is_null());
    Damage(container, container, with, [&](const Json& damaged) {
      (void)docker::ReadContainer(damaged, image, {{"shop", "12"}, "web", {}, {}});
      ++tried;
    });
    Json lists = Json::array({Capture("container-list"), Capture("image-list"),
                              Capture("network-list"), Capture("volume-list")});
    Damage(lists, lists, with, [&](const Json& damaged) {
      EngineState state;
      docker::ReadLists(damaged[0], damaged[1], damaged[2], damaged[3], {}, state);
      ++tried;
    });
  }
  EXPECT_GT(tried, 1000);
}

TEST(InspectReadingTest, ReportsWhatWasAskedForAndNoDefault) {
  const ServiceSpec spec =
      docker::ReadContainer(Capture("container-inspect"), Capture("image-inspect"),
                            {{"shop", ""}, "web", {}, {}})
          .spec;
  ServiceSpec expected;
  expected.image = "127.0.0.1:5055/app:v1";
  expected.environment = {{"A", "1"}, {"B", "two words"}};
  expected.labels = {{"app", "one"}, {"upd.rel", "7"}};  // "app.rev" is the image's.
  expected.Set(
      Field::kCommand,
      Value::List{"sh", "-c",
                  "echo out; echo err >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done"});
  expected.Set(Field::kMemLimit, std::int64_t{64} << 20);
  expected.Set(Field::kRestart, "unless-stopped");
  expected.Set(
      Field::kVolumes,
      Value::List{Value::Map{{"source", "vdata"}, {"target", "/data2"}, {"type", "volume"}}});
  EXPECT_EQ(spec, expected);
}

TEST(InspectReadingTest, WhatIsImpliedIsCanonical) {
  const std::string id = "xxxxxxxxxxx\xc3\xa4";  // Its short form ends within a character.
  const Json container = {{"Id", id},
                          {"Config", {{"Hostname", "b"}}},
                          {"HostConfig", {{"NetworkMode", "default"}}},
                          {"NetworkSettings", {{"Networks", {{"shop_n", Json::object()}}}}}};
  const auto reading = docker::ReadContainer(container, Json(), {{"shop", ""}, "web", {}, {}});
  const Value::Map aliases = {{"aliases", Value::List{"b", "web", "xxxxxxxxxxx"}}};
  const Value* implied = reading.implied.Find(Field::kNetworks);
  ASSERT_NE(implied, nullptr);
  EXPECT_EQ(*implied, Value(Value::Map{{"n", aliases}}));
  EXPECT_EQ(reading.implied.Find(Field::kNetworkMode), nullptr) << "it is on a network of its own";
}

TEST(InspectReadingTest, WhatNoTargetCouldSayIsLeftOut) {
  const Json container = {
      {"Config", {{"Volumes", {{"data", Json::object()}, {"/v", Json::object()}}}}},
      {"HostConfig", {{"NetworkMode", "a:b"}, {"Binds", {"/a:b", "/a:/b"}}}}};
  const docker::EngineDefaults endless{std::string(200'000, 'x'), std::string(200'000, 'x'), true};
  const auto reading =
      docker::ReadContainer(container, container, {{"shop", ""}, "web", {}, endless});
  for (const ServiceSpec* spec : {&reading.spec, &reading.implied}) {
    for (const FieldValue& field : spec->fields) {
      const FieldRow& row = RowOf(field.field);
      EXPECT_THAT(NormalizeField(row, DenormalizeField(row, field.value), HostPaths::kAllowed),
                  IsOkAndHolds(field.value))
          << row.name;
    }
  }
  EXPECT_NE(reading.implied.Find(Field::kVolumes), nullptr) << "that of the image is there";
  EXPECT_NE(reading.spec.Find(Field::kVolumes), nullptr) << "that of the host is there";
}

TEST(InspectReadingTest, PortsAreReadAsATargetSaysThem) {
  const Json bindings = {
      {"80/tcp", {{{"HostIp", ""}, {"HostPort", "0"}}, {{"HostIp", ""}, {"HostPort", ""}}}},
      {"53/udp", {{{"HostIp", "FE80::A"}, {"HostPort", "53"}}}},
      {"8080", {{{"HostIp", "127.0.0.1"}, {"HostPort", "8080"}}}}};
  const Json container = {{"HostConfig", {{"PortBindings", bindings}}}};
  const ServiceSpec spec =
      docker::ReadContainer(container, Json::object(), {{"shop", ""}, "web", {}, {}}).spec;
  const Value* ports = spec.Find(Field::kPorts);
  ASSERT_NE(ports, nullptr);
  EXPECT_EQ(*ports,
            Value(Value::List{"127.0.0.1:8080:8080/tcp", "::80/tcp", "[fe80::a]:53:53/udp"}));
}

TEST(CreateRequestTest, ServiceWinsOverWhatIsAddedToIt) {
  ContainerSpec spec;
  spec.spec.environment = {{"A", "own"}};
  spec.environment = {{"A", "added"}, {"B", "added"}};
  const Json body = docker::MakeCreateRequest(spec, {}).body;
  EXPECT_EQ(body["Env"], Json::array({"A=own", "B=added"}));
}

TEST(CreateRequestTest, OneNetworkIsGivenAndTheOthersAreConnected) {
  ContainerSpec spec;
  spec.app = "shop";
  spec.service = "web";
  spec.spec.Set(Field::kNetworks,
                Value::Map{{"a", Value::Map{}}, {"b", Value::Map{{"priority", 5}}}});
  const docker::CreateRequest request = docker::MakeCreateRequest(spec, {});
  EXPECT_EQ(request.body["HostConfig"]["NetworkMode"], "shop_b") << "the one of highest priority";
  EXPECT_EQ(request.body["NetworkingConfig"]["EndpointsConfig"]["shop_b"]["Aliases"],
            Json::array({"web"}));
  ASSERT_EQ(request.further_networks.size(), 1U);
  EXPECT_EQ(request.further_networks[0].first, "shop_a");
}

TEST(FieldPlacesTest, EveryFieldIsTranslated) {
  std::vector<Field> covered(docker::kFieldsWithCode.begin(), docker::kFieldsWithCode.end());
  for (const docker::FieldPlace& place : docker::kFieldPlaces) covered.push_back(place.field);
  std::vector<Field> all;
  for (const FieldRow& row : ServiceFields()) {
    if (row.of_container) all.push_back(row.field);
  }
  EXPECT_THAT(covered, ::testing::UnorderedElementsAreArray(all));
}

TEST(NegotiationTest, OldEngineIsUnsupported) {
  EXPECT_THAT(docker::Negotiate({{"ApiVersion", "1.39"}}), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(docker::Negotiate({{"ApiVersion", "1.50"}, {"MinAPIVersion", "1.45"}}),
              IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(docker::Negotiate({{"ApiVersion", "one"}}), IsError(ErrorCode::kBadReply));
  EXPECT_THAT(docker::Negotiate(Json::array()), IsError(ErrorCode::kBadReply));
}

TEST(NegotiationTest, NewestCommonVersionIsSpoken) {
  EXPECT_EQ(docker::Negotiate(Capture("version")).value().prefix, "/v1.41");
  EXPECT_EQ(docker::Negotiate(Capture("version")).value().info.arch, "amd64");
  EXPECT_EQ(docker::Negotiate({{"ApiVersion", "1.52"}, {"MinAPIVersion", "1.24"}}).value().prefix,
            "/v1.44");
}

struct FailureCase {
  long status;
  const char* message;
  ErrorCode code;
};

TEST(FailureTest, CodeSaysWhatCanBeDone) {
  for (const auto& [status, message, code] : {
           FailureCase{500, "Bind for 0.0.0.0:80 failed: port is already allocated",
                       ErrorCode::kConflict},
           FailureCase{500, "write /var/x: no space left on device", ErrorCode::kNoSpace},
           FailureCase{500, "manifest unknown: manifest unknown", ErrorCode::kNotFound},
           FailureCase{500, "unauthorized: authentication required", ErrorCode::kPermissionDenied},
           FailureCase{500, "dial tcp 127.0.0.1:5999: connect: connection refused",
                       ErrorCode::kUnavailable},
           FailureCase{400, "invalid restart policy", ErrorCode::kInvalidInput},
           FailureCase{404, "No such container: x", ErrorCode::kNotFound},
           FailureCase{409, "Conflict.", ErrorCode::kConflict},
           FailureCase{403, "network has active endpoints", ErrorCode::kConflict},
           FailureCase{302, "moved", ErrorCode::kBadReply},
           // Podman's words, which has one status for nearly all.
           FailureCase{
               500,
               "container create: creating container storage: the container name \"zz1\" is "
               "already in use by 790ec29fa9ae. You have to remove that container to be "
               "able to reuse that name: that name is already in use",
               ErrorCode::kConflict},
           FailureCase{500, "network name zn already used: network already exists",
                       ErrorCode::kConflict},
           FailureCase{500,
                       "cannot remove container 790e as it is running - running or paused "
                       "containers cannot be removed without force: container state improper",
                       ErrorCode::kConflict},
           FailureCase{500,
                       "container 790e has dependent containers which must be removed before it: "
                       "790f: container already exists",
                       ErrorCode::kConflict},
       }) {
    const Error error =
        docker::FailureOf({status, docker::DumpJson({{"message", message}})}, "create container x");
    EXPECT_EQ(error.code, code) << message;
    EXPECT_EQ(error.message, message);
    EXPECT_EQ(error.context, "create container x");
  }
}

TEST(FailureTest, WebPageInPlaceOfARegistryIsNamedAsOne) {
  for (const std::string capture : {"pull-registry-html", "balena-pull-registry-html"}) {
    const Json lines = Capture(capture);
    ASSERT_EQ(lines.size(), 1U) << capture;
    const Error error = docker::FailureOf({500, docker::DumpJson(lines[0]["line"])}, "pull image");
    EXPECT_EQ(error.code, ErrorCode::kUnavailable) << "a hotel's page goes away again";
    EXPECT_THAT(error.message, HasSubstr("web page")) << capture;
    EXPECT_THAT(error.message, HasSubstr("invalid character '<'")) << "the engine's words";
    EXPECT_THAT(error.hint, HasSubstr("address of a registry")) << capture;
  }
}

struct WebPageCase {
  long status;
  const char* message;
  ErrorCode code;
};

TEST(FailureTest, WebPageIsKnownByWhateverTheEngineSaysOfIt) {
  for (const auto& [status, message, code] : {
           WebPageCase{500,
                       "error parsing HTTP 403 response body: invalid character '<' looking for "
                       "beginning of value: \"<html>\\r\\n<head>\"",
                       ErrorCode::kUnavailable},
           WebPageCase{404,
                       "error parsing HTTP 404 response body: invalid character '<' looking for "
                       "beginning of value: \"<!DOCTYPE html>\"",
                       ErrorCode::kNotFound},
           WebPageCase{500, "unsupported manifest media type and no default available: text/html",
                       ErrorCode::kUnavailable},
       }) {
    const Error error = docker::FailureOf({status, docker::DumpJson({{"message", message}})}, "x");
    EXPECT_EQ(error.code, code) << message;
    EXPECT_THAT(error.hint, HasSubstr("address of a registry")) << message;
  }
}

TEST(EventTest, ReadsWhatHappenedToAContainer) {
  const auto died = docker::ReadEventLine(
      R"({"Type":"container","Action":"die","Actor":{"ID":"c","Attributes":{"exitCode":"137"}}})");
  EXPECT_EQ(died.event.kind, EngineEventKind::kDied);
  EXPECT_EQ(died.event.container, "c");
  EXPECT_EQ(died.event.exit_code, 137);
  const auto healthy = docker::ReadEventLine(
      R"({"Type":"container","Action":"health_status: healthy","Actor":{"ID":"c"}})");
  EXPECT_EQ(healthy.event.kind, EngineEventKind::kHealth);
  EXPECT_EQ(healthy.event.health, Health::kHealthy);
  EXPECT_EQ(docker::ReadEventLine("nonsense").event.kind, EngineEventKind::kOther);
}

TEST(TimeTest, ReadsWhatTheEngineWrites) {
  const auto time = docker::ParseTime("1970-01-02T00:00:01.250364106Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->time_since_epoch(), std::chrono::milliseconds(86'401'250));
  for (const char* text : {"0001-01-01T00:00:00Z", "", "yesterday", "2026-13-01T00:00:00Z",
                           "2026-11-22T22:59:42.x37Z", "2026-11-22T24:00:00Z"}) {
    EXPECT_FALSE(docker::ParseTime(text)) << text;
  }
}

// Newer engines pass over the one of the container where they make an endpoint.
TEST(CreateRequestTest, AMacAddressIsTheEndpointsForNewerEngines) {
  ContainerSpec spec;
  spec.app = "shop";
  spec.spec.Set(Field::kMacAddress, Value(std::string("02:42:ac:11:65:43")));
  spec.spec.Set(Field::kNetworks, Value::Map{{"a", Value::Map{}}});
  docker::CreateRequest request = docker::MakeCreateRequest(spec, {});
  EXPECT_EQ(docker::Text(request.body, "MacAddress"), "02:42:ac:11:65:43");
  docker::MoveMacAddress(request);
  EXPECT_FALSE(request.body.contains("MacAddress"));
  EXPECT_EQ(request.body["NetworkingConfig"]["EndpointsConfig"]["shop_a"]["MacAddress"],
            "02:42:ac:11:65:43");
}

TEST(CreateRequestTest, AMacAddressWithoutANetworkStaysTheContainers) {
  ContainerSpec spec;
  spec.app = "shop";
  spec.spec.Set(Field::kMacAddress, Value(std::string("02:42:ac:11:65:43")));
  spec.spec.Set(Field::kNetworkMode, Value(std::string("bridge")));
  docker::CreateRequest request = docker::MakeCreateRequest(spec, {});
  docker::MoveMacAddress(request);
  EXPECT_EQ(docker::Text(request.body, "MacAddress"), "02:42:ac:11:65:43");
}

}  // namespace
}  // namespace lockstep::test
