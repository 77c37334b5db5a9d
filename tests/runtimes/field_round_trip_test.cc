// Service fields there and back without an engine: what is asked for, filled in as an engine does,
// and read again.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api_needs.h"
#include "create_request.h"
#include "field_samples.h"
#include "inspect_reading.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using docker::Json;
using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

constexpr const char* kId = "0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123";

std::string TextOf(const ServiceSpec& spec) {
  Map fields;
  for (const FieldValue& field : spec.fields) {
    fields.push_back({std::string(RowOf(field.field).name), field.value});
  }
  return ToText(fields);
}

// An engine, and the image of the container.
struct Setting {
  std::string log_driver = "json-file";
  std::string runtime = "runc";
  bool limits_swap = true;
  Json image = {{"Cmd", {"serve"}}, {"Env", {"PATH=/bin"}}, {"WorkingDir", "/app"}};
};

// `config` with what it leaves out as the image has it.
void Inherit(Json& config, const Json& image) {
  const bool own_entrypoint = config.contains("Entrypoint");
  for (const char* key : {"Cmd", "Entrypoint", "User", "WorkingDir", "StopSignal"}) {
    if (key == std::string("Cmd") && own_entrypoint && !config["Entrypoint"].empty()) continue;
    if (!config.contains(key) && image.contains(key)) config[key] = image[key];
  }
  for (const std::string& variable : docker::TextList(docker::At(image, "Env"))) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    const auto own = docker::TextList(config["Env"]);
    const bool given = std::any_of(own.begin(), own.end(),
                                   [&](const std::string& text) { return text.starts_with(name); });
    if (!given) config["Env"].push_back(variable);
  }
  for (const char* key : {"ExposedPorts", "Volumes", "Labels"}) {
    for (const auto& [name, value] : docker::Map(image, key).items()) {
      if (!config[key].contains(name)) config[key][name] = value;
    }
  }
  for (const auto& [key, value] : docker::Map(image, "Healthcheck").items()) {
    if (!config["Healthcheck"].contains(key)) config["Healthcheck"][key] = value;
  }
}

// What such an engine reports of a container that was asked for by `request`.
Json Inspected(const docker::CreateRequest& request, const Setting& setting) {
  Json config = request.body;
  Json host = config["HostConfig"];
  Json networks = docker::At(config, "NetworkingConfig", "EndpointsConfig");
  for (const auto& [name, endpoint] : request.further_networks) networks[name] = endpoint;
  for (auto& [name, endpoint] : networks.items()) {
    endpoint["Aliases"].push_back(std::string(kId).substr(0, 12));
  }
  config.erase("HostConfig");
  config.erase("NetworkingConfig");
  Inherit(config, setting.image);
  const Json defaults = {{"IpcMode", "private"},       {"ShmSize", 64 << 20},
                         {"NetworkMode", "default"},   {"CgroupnsMode", "private"},
                         {"Runtime", setting.runtime}, {"OomKillDisable", false}};
  for (const auto& [key, value] : defaults.items()) {
    if (!host.contains(key)) host[key] = value;
  }
  if (docker::Text(docker::At(host, "LogConfig"), "Type").empty()) {
    host["LogConfig"]["Type"] = setting.log_driver;
  }
  const std::int64_t memory = docker::Number(host, "Memory");
  if (memory > 0 && !host.contains("MemorySwap")) host["MemorySwap"] = memory * 2;
  if (memory > 0 && !setting.limits_swap) host["MemorySwap"] = -1;
  if (docker::Flag(host, "Privileged")) host["SecurityOpt"].push_back("label=disable");
  if (!config.contains("Hostname")) config["Hostname"] = std::string(kId).substr(0, 12);
  return {{"Id", kId},
          {"Config", config},
          {"HostConfig", host},
          {"NetworkSettings", {{"Networks", networks}}}};
}

docker::Reading ThereAndBack(const ServiceSpec& asked, const Setting& setting = {}) {
  ContainerSpec spec;
  spec.app = "shop";
  spec.service = "web";
  spec.spec = asked;
  const docker::EngineDefaults defaults =
      docker::ReadDefaults({{"LoggingDriver", setting.log_driver},
                            {"DefaultRuntime", setting.runtime},
                            {"SwapLimit", setting.limits_swap}});
  const Json container = Inspected(docker::MakeCreateRequest(spec, {{"main", "c-main"}}), setting);
  return docker::ReadContainer(container, {{"Config", setting.image}},
                               {{"shop", ""}, "web", {{"c-main", "main"}}, defaults});
}

TEST(FieldRoundTripTest, EachReadsAsItWasAskedFor) {
  for (const FieldSample& sample : FieldSamples()) {
    SCOPED_TRACE(std::string(RowOf(sample.field).name) + " " + ToText(sample.raw));
    ServiceSpec asked;
    ASSERT_EQ(SetSample(sample, asked), "");
    const docker::Reading reading = ThereAndBack(asked);
    EXPECT_EQ(TextOf(reading.spec), TextOf(asked));
    EXPECT_EQ(reading.spec.Find(sample.field) != nullptr, RowOf(sample.field).of_container);
  }
}

TEST(FieldRoundTripTest, NothingSaidReadsAsNothingSaidOnAnyEngine) {
  Setting other;
  other.log_driver = "journald";
  other.runtime = "nvidia";
  other.limits_swap = false;
  other.image = {{"Cmd", {"serve"}},
                 {"Entrypoint", {"/init"}},
                 {"Env", {"A=1"}},
                 {"ExposedPorts", {{"80/tcp", Json::object()}}},
                 {"Healthcheck", {{"Test", {"CMD", "a"}}, {"Interval", 5'000'000'000}}},
                 {"Labels", {{"l", "1"}}},
                 {"StopSignal", "int"},
                 {"User", "node"},
                 {"Volumes", {{"/data/", Json::object()}}},
                 {"WorkingDir", "/app"}};
  for (const Setting& setting : {Setting(), other}) {
    const docker::Reading reading = ThereAndBack({}, setting);
    EXPECT_EQ(TextOf(reading.spec), "{}");
    EXPECT_THAT(reading.spec.environment, ::testing::IsEmpty());
    EXPECT_THAT(reading.spec.labels, ::testing::IsEmpty());

    ServiceSpec limited;
    limited.Set(Field::kMemLimit, 64 << 20);
    EXPECT_EQ(TextOf(ThereAndBack(limited, setting).spec), TextOf(limited));
  }
}

struct ImpliedCase {
  std::string name;  // Letters and digits: part of the test's name.
  Field field;
  Value asked;
  Value read;  // Null: nothing, since it is no more than what is there anyway.
};

class ImpliedFieldTest : public ::testing::TestWithParam<ImpliedCase> {};

TEST_P(ImpliedFieldTest, ReadsAsWhatIsSaidBeyondImageAndEngine) {
  Setting setting;
  setting.image = {{"Cmd", {"serve"}},
                   {"Entrypoint", {"/init"}},
                   {"ExposedPorts", {{"80/tcp", Json::object()}}},
                   {"Healthcheck", {{"Test", {"CMD", "a"}}, {"Interval", 5'000'000'000}}},
                   {"StopSignal", "SIGQUIT"},
                   {"User", "node"},
                   {"WorkingDir", "/app"}};
  ServiceSpec asked;
  const auto canonical = NormalizeField(RowOf(GetParam().field), GetParam().asked);
  ASSERT_TRUE(canonical) << canonical.assume_error().message;
  asked.Set(GetParam().field, canonical.assume_value());
  const docker::Reading reading = ThereAndBack(asked, setting);
  const Value* read = reading.spec.Find(GetParam().field);
  EXPECT_EQ(ToText(read == nullptr ? Value() : *read), ToText(GetParam().read));
  EXPECT_EQ(TextOf(reading.spec), TextOf(WithoutImplied(asked, reading.implied)));
}

const std::vector<ImpliedCase> kImplied = {
    {"CommandOfTheImage", Field::kCommand, List{"serve"}, {}},
    {"OtherCommand", Field::kCommand, List{"serve", "-v"}, List{"serve", "-v"}},
    {"EntrypointOfTheImage", Field::kEntrypoint, "/init", {}},
    {"NoEntrypoint", Field::kEntrypoint, List{}, List{}},
    {"UserOfTheImage", Field::kUser, "node", {}},
    {"OtherUser", Field::kUser, "root", "root"},
    {"WorkingDirOfTheImage", Field::kWorkingDir, "/app/", {}},
    {"SignalOfTheImage", Field::kStopSignal, "quit", {}},
    {"TheUsualSignal", Field::kStopSignal, "SIGTERM", "SIGTERM"},
    {"HealthOfTheImage", Field::kHealthcheck, Map{{"test", List{"CMD", "a"}}}, {}},
    {"HealthDisabled", Field::kHealthcheck, Map{{"disable", true}}, Map{{"test", List{"NONE"}}}},
    {"OtherInterval", Field::kHealthcheck, Map{{"interval", "7s"}},
     Map{{"interval", std::int64_t{7'000'000'000}}}},
    {"PortOfTheImage", Field::kExpose, List{"80", "81"}, List{"81/tcp"}},
    {"LogDriverOfTheEngine", Field::kLogging, Map{{"driver", "json-file"}}, {}},
    {"OptionsOfThatDriver", Field::kLogging,
     Map{{"driver", "json-file"}, {"options", Map{{"max-size", "1m"}}}},
     Map{{"options", Map{{"max-size", "1m"}}}}},
    {"RuntimeOfTheEngine", Field::kRuntime, "runc", {}},
    {"BridgeOfTheEngine", Field::kNetworkMode, "bridge", {}},
    {"AliasThatItHasAnyway", Field::kNetworks, Map{{"n", Map{{"aliases", List{"web", "www"}}}}},
     Map{{"n", Map{{"aliases", List{"www"}}}}}},
    {"PidOfAService", Field::kPid, "service:main", "service:main"},
    {"IpcOfAService", Field::kIpc, "service:main", "service:main"},
    {"NetworkOfAService", Field::kNetworkMode, "service:main", "service:main"},
    {"PidOfSomeContainer", Field::kPid, "container:other", "container:other"},
};

INSTANTIATE_TEST_SUITE_P(Cases, ImpliedFieldTest, ::testing::ValuesIn(kImplied),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(FieldRoundTripTest, ExposedPortThatIsPublishedMakesNoDifference) {
  ServiceSpec asked;
  asked.Set(Field::kPorts, List{":8080:80/tcp"});
  const std::string without = TextOf(ThereAndBack(asked).spec);
  asked.Set(Field::kExpose, List{"80/tcp"});
  EXPECT_EQ(TextOf(ThereAndBack(asked).spec), without);
}

TEST(FieldRoundTripTest, TextsOfTheImageMakeNoDifference) {
  Setting setting;
  setting.image = {{"Env", {"A=1", "B=2"}}, {"Labels", {{"a", "1"}, {"b", "2"}}}};
  ServiceSpec asked;
  asked.environment = {{"A", "1"}, {"B", "other"}, {"C", "3"}};
  asked.labels = {{"a", "1"}, {"b", "other"}};
  const docker::Reading reading = ThereAndBack(asked, setting);
  EXPECT_EQ(reading.spec.environment,
            (std::map<std::string, std::string>{{"B", "other"}, {"C", "3"}}));
  EXPECT_EQ(reading.spec.labels, (std::map<std::string, std::string>{{"b", "other"}}));
}

TEST(FieldRoundTripTest, SwapWithoutALimitIsSaidWhereTheEngineLimitsIt) {
  ServiceSpec asked;
  asked.Set(Field::kMemLimit, 64 << 20);
  asked.Set(Field::kMemswapLimit, -1);
  EXPECT_EQ(TextOf(ThereAndBack(asked).spec), TextOf(asked));
  Setting setting;
  setting.limits_swap = false;
  const docker::Reading reading = ThereAndBack(asked, setting);
  EXPECT_EQ(TextOf(reading.spec), TextOf(WithoutImplied(asked, reading.implied)));
  EXPECT_EQ(reading.spec.Find(Field::kMemswapLimit), nullptr);
}

TEST(CreateRequestTest, PathOfTheHostIsABindUnlessItMustExist) {
  ContainerSpec spec;
  FieldSample sample{Field::kVolumes,
                     List{"/a:/b:ro,Z,rslave", Map{{"type", "bind"},
                                                   {"source", "/c:d"},
                                                   {"target", "/e"},
                                                   {"bind", Map{{"create_host_path", false}}}}}};
  ASSERT_EQ(SetSample(sample, spec.spec), "");
  const Json host = docker::MakeCreateRequest(spec, {}).body["HostConfig"];
  EXPECT_EQ(host["Binds"], Json::array({"/a:/b:ro,Z,rslave"}));
  EXPECT_EQ(host["Mounts"],
            Json::array({{{"Type", "bind"}, {"Source", "/c:d"}, {"Target", "/e"}}}));
}

TEST(CreateRequestTest, NamespaceOfAServiceIsThatOfItsContainer) {
  ContainerSpec spec;
  spec.spec.Set(Field::kNetworkMode, "service:a");
  spec.spec.Set(Field::kPid, "service:b");
  spec.spec.Set(Field::kIpc, "container:c");
  const Json host = docker::MakeCreateRequest(spec, {{"a", "1"}, {"b", "2"}}).body["HostConfig"];
  EXPECT_EQ(host["NetworkMode"], "container:1");
  EXPECT_EQ(host["PidMode"], "container:2");
  EXPECT_EQ(host["IpcMode"], "container:c");
}

struct MountCase {
  const char* name;
  Json host;
  Value read;
};

TEST(InspectReadingTest, MountsOfOtherProgramsAreReadAsATargetSaysThem) {
  const auto mount = [](Json more) {
    more["Target"] = "/t/";
    return Json{{"Mounts", {more}}};
  };
  for (const MountCase& row : {
           MountCase{"volume",
                     {{"Binds", {"12_data:/t/:rw"}}},
                     Map{{"source", "data"}, {"target", "/t"}, {"type", "volume"}}},
           MountCase{"somebody's volume",
                     {{"Binds", {"other:/t"}}},
                     Map{{"source", "other"}, {"target", "/t"}, {"type", "volume"}}},
           MountCase{
               "path",
               {{"Binds", {"/a/../b:/t/:ro"}}},
               Map{{"read_only", true}, {"source", "/b"}, {"target", "/t"}, {"type", "bind"}}},
           MountCase{"path that is made",
                     mount({{"Type", "bind"},
                            {"Source", "/b"},
                            {"BindOptions", {{"CreateMountpoint", true}}}}),
                     Map{{"source", "/b"}, {"target", "/t"}, {"type", "bind"}}},
           MountCase{
               "path that must exist", mount({{"Type", "bind"}, {"Source", "/b"}}),
               Map{{"must_exist", true}, {"source", "/b"}, {"target", "/t"}, {"type", "bind"}}},
           MountCase{"anonymous volume", mount({{"Type", "volume"}}),
                     Map{{"target", "/t"}, {"type", "volume"}}},
           MountCase{"what no target asks for", mount({{"Type", "npipe"}, {"Source", "x"}}),
                     Map{{"source", "x"}, {"target", "/t/"}, {"type", "npipe"}}},
           MountCase{"option that no target asks for",
                     {{"Binds", {"/a:/t:cached"}}},
                     Map{{"options", "/t:cached"}, {"source", "/a"}, {"target", "/t"}}},
           MountCase{
               "lock directory", {{"Binds", {"/locks:/tmp/balena", "/locks:/tmp/resin"}}}, {}},
       }) {
    const ServiceSpec spec =
        docker::ReadContainer({{"HostConfig", row.host}}, {}, {{"shop", "12"}, "web", {}, {}}).spec;
    const Value* volumes = spec.Find(Field::kVolumes);
    EXPECT_EQ(ToText(volumes == nullptr ? Value() : volumes->AsList()->front()), ToText(row.read))
        << row.name;
  }
}

TEST(ApiNeedsTest, OldEngineIsRefusedWhatItWouldPassOver) {
  for (const FieldSample& sample : FieldSamples()) {
    if (sample.minor == 0) continue;
    ServiceSpec spec;
    ASSERT_EQ(SetSample(sample, spec), "");
    const std::string needed = "1." + std::to_string(sample.minor);
    EXPECT_THAT(docker::CheckNeeds(spec, needed), IsOk());
    const std::string older = "1." + std::to_string(sample.minor - 1);
    const auto refused = docker::CheckNeeds(spec, older);
    ASSERT_THAT(refused, IsError(ErrorCode::kUnsupported)) << RowOf(sample.field).name;
    EXPECT_THAT(refused.assume_error().message, HasSubstr(std::string(RowOf(sample.field).name)));
    EXPECT_THAT(refused.assume_error().message,
                HasSubstr("needs API " + needed + ", and the engine speaks " + older));
  }
}

TEST(ApiNeedsTest, NothingElseNeedsMoreThanTheOldestEngine) {
  for (const FieldSample& sample : FieldSamples()) {
    if (sample.minor != 0) continue;
    ServiceSpec spec;
    ASSERT_EQ(SetSample(sample, spec), "");
    EXPECT_THAT(docker::CheckNeeds(spec, "1.40"), IsOk()) << RowOf(sample.field).name;
  }
}

}  // namespace
}  // namespace lockstep::test
