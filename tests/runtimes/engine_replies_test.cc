// What the engine says, as it was recorded and as it should never be.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <string>
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
#include "pull_stream.h"

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

TEST(ResourcesTest, OldWordsForTheAppAreUnderstood) {
  const docker::AppNames names = docker::AppOfResource(
      {{"io.resin.supervised", "true"}, {"io.resin.app-id", "12"}, {"io.balena.app-uuid", "shop"}});
  EXPECT_EQ(names.app, "shop");
  EXPECT_EQ(names.app_id, "12");
  EXPECT_EQ(docker::AppOfResource({{"io.resin.app-id", "12"}}).app, "") << "nobody supervises it";
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
                           "2026-11-22T22:59:42.x37Z"}) {
    EXPECT_FALSE(docker::ParseTime(text)) << text;
  }
}

}  // namespace
}  // namespace lockstep::test
