// Service fields on a real engine: what is asked for is read back, and nothing else. See
// docker_engine_live_test.cc for what is to be started first.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "engine_api.h"
#include "field_samples.h"
#include "live_subject.h"
#include "lockstep/identity.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using List = Value::List;
using Map = Value::Map;

class LiveFields : public RuntimeConformance {
 protected:
  // Without the hash: as a container that somebody else made.
  ContainerSpec Adopted(std::string service) {
    for (char& c : service) {
      if (c == '_') c = '-';
    }
    ContainerSpec wanted = Wanted(service);
    wanted.labels.erase(std::string(kLabelConfigHash));
    return wanted;
  }

  void MakeSurroundings() {
    const Value subnet = Map{{"ipam", Map{{"config", List{Map{{"subnet", "172.29.77.0/24"}}}}}}};
    ASSERT_THAT(backend().CreateNetwork(Network("front", subnet), never()), IsOk());
    ASSERT_THAT(backend().CreateNetwork(Network("back"), never()), IsOk());
    ASSERT_THAT(backend().CreateVolume(Volume("data"), never()), IsOk());
  }

  int Minor() {
    const auto info = backend().Describe(never());
    return info ? docker::MinorOf(info.assume_value().api_version) : 0;
  }

  // As text: it says which field differs.
  static std::string TextOf(const ServiceSpec& spec) {
    Map fields;
    for (const FieldValue& field : spec.fields) {
      fields.push_back({std::string(RowOf(field.field).name), field.value});
    }
    return ToText(fields);
  }
};
INSTANTIATE_TEST_SUITE_P(Docker, LiveFields,
                         ::testing::Values(RuntimeConformanceFactory(LiveSubject)));

TEST(LiveFieldSamples, ThereIsOneForEveryField) {
  std::vector<Field> sampled;
  for (const FieldSample& sample : FieldSamples()) sampled.push_back(sample.field);
  for (const FieldRow& row : ServiceFields()) {
    EXPECT_THAT(sampled, ::testing::Contains(row.field)) << row.name;
  }
}

TEST_P(LiveFields, EachReadsAsItWasAskedFor) {
  MakeSurroundings();
  const int minor = Minor();
  int number = 0;
  for (const FieldSample& sample : FieldSamples()) {
    const std::string name(RowOf(sample.field).name);
    SCOPED_TRACE(name + " " + ToText(sample.raw));
    if (sample.offline != nullptr) continue;
    ContainerSpec wanted = Adopted(name + std::to_string(number++));
    ASSERT_EQ(SetSample(sample, wanted.spec), "");
    if (minor < sample.minor) {
      EXPECT_THAT(backend().CreateContainer(wanted, never()), IsError(ErrorCode::kUnsupported));
      continue;
    }
    const auto seen = Find(Create(wanted));
    ASSERT_TRUE(seen && seen->spec);
    EXPECT_EQ(TextOf(*seen->spec), TextOf(wanted.spec));
    EXPECT_EQ(seen->spec->Find(sample.field) != nullptr, RowOf(sample.field).of_container);
  }
}

TEST_P(LiveFields, NothingSaidReadsAsNothingSaid) {
  const ContainerSpec wanted = Adopted("plain");
  const std::string id = Create(wanted);
  for (const char* when : {"created", "started"}) {
    const auto seen = Find(id);
    ASSERT_TRUE(seen && seen->spec);
    EXPECT_EQ(TextOf(*seen->spec), "{}") << when;
    EXPECT_THAT(seen->spec->environment, ::testing::IsEmpty()) << when;
    EXPECT_THAT(seen->spec->labels, ::testing::IsEmpty()) << when;
    ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  }
}

// An engine fills in more when a container starts.
TEST_P(LiveFields, StartedContainerReadsTheSame) {
  MakeSurroundings();
  ContainerSpec wanted = Adopted("most");
  for (const FieldSample& sample : FieldSamples()) {
    if (sample.alone) continue;
    ASSERT_EQ(SetSample(sample, wanted.spec), "");
  }
  const std::string id = Create(wanted);
  ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen && seen->spec);
  EXPECT_EQ(TextOf(*seen->spec), TextOf(wanted.spec));
}

// What is said although image or engine say it too cannot be told from what they say.
TEST_P(LiveFields, WhatIsImpliedAnywayMakesNoDifference) {
  const auto plain = Find(Create(Adopted("plain")));
  ASSERT_TRUE(plain && plain->implied);
  ContainerSpec wanted = Adopted("repeats");
  wanted.spec = *plain->implied;
  wanted.spec.image = subject().image;
  wanted.spec.Set(Field::kMemLimit, std::int64_t{64} << 20);
  wanted.spec.Set(Field::kMemswapLimit, std::int64_t{128} << 20);
  wanted.spec.Set(Field::kPorts, List{":18099:80/tcp"});
  wanted.spec.Set(Field::kExpose, List{"80/tcp"});
  wanted.spec.Set(Field::kHostname, Value());
  const auto seen = Find(Create(wanted));
  ASSERT_TRUE(seen && seen->spec && seen->implied);
  const ServiceSpec asked = WithoutImplied(wanted.spec, *seen->implied);
  EXPECT_EQ(TextOf(*seen->spec), TextOf(asked));
  EXPECT_EQ(TextOf(asked), R"({"mem_limit":67108864,"ports":[":18099:80/tcp"]})");
  EXPECT_EQ(seen->spec->environment, asked.environment);
}

TEST_P(LiveFields, NamespaceOfAServiceIsThatOfItsNewestContainer) {
  ContainerSpec main = Adopted("main");
  main.spec.Set(Field::kIpc, "shareable");
  const std::string id = Started(main);
  for (const Field field : {Field::kNetworkMode, Field::kPid, Field::kIpc}) {
    SCOPED_TRACE(RowOf(field).name);
    ContainerSpec sharer = Adopted("sharer-" + std::to_string(static_cast<int>(field)));
    sharer.spec.Set(field, "service:main");
    const auto seen = Find(Started(sharer));
    ASSERT_TRUE(seen && seen->spec);
    EXPECT_EQ(TextOf(*seen->spec), TextOf(sharer.spec));
    sharer.name += "-by-id";
    sharer.spec.Set(field, "container:" + id);
    const auto by_id = Find(Create(sharer));
    ASSERT_TRUE(by_id && by_id->spec);
    EXPECT_EQ(*by_id->spec->Find(field), Value("service:main")) << "which it is";
  }
  ASSERT_THAT(backend().StopContainer(id, std::chrono::seconds(1), never()), IsOk());
  ASSERT_THAT(backend().RemoveContainer(id, never()), IsOk());
  for (const ObservedContainer& container : Look().containers) {
    if (!container.service.starts_with("sharer-")) continue;
    ASSERT_EQ(container.spec->fields.size(), 1U);
    EXPECT_EQ(container.spec->fields.front().value, Value("container:" + id));
  }
}

TEST_P(LiveFields, NamespaceOfAServiceWithoutAContainerIsNotFound) {
  ContainerSpec sharer = Adopted("sharer");
  sharer.spec.Set(Field::kPid, "service:nobody");
  EXPECT_THAT(backend().CreateContainer(sharer, never()), IsError(ErrorCode::kNotFound));
}

TEST_P(LiveFields, WhatAnEngineCannotDoIsInvalidInput) {
  const std::vector<std::pair<Field, Value>> kCannot = {
      {Field::kStorageOpt, Map{{"size", "1G"}}},  // Not on this file system.
      {Field::kRuntime, "none-such"},
      {Field::kLogging, Map{{"driver", "json-file"}, {"options", Map{{"none-such", "1"}}}}},
      {Field::kSecurityOpt, List{"none-such=1"}},
      {Field::kMemswapLimit, std::int64_t{64} << 20},  // Without a limit of memory.
  };
  for (const auto& [field, value] : kCannot) {
    ContainerSpec wanted = Adopted("cannot");
    wanted.spec.Set(field, value);
    EXPECT_THAT(backend().CreateContainer(wanted, never()), IsError(ErrorCode::kInvalidInput))
        << RowOf(field).name;
  }
}

// What balena-supervisor asks for where a service says nothing: it writes out what the image has,
// and defaults of its own.
docker::Json AsSupervisorDoes(const docker::Json& image, const std::string& app) {
  const docker::Json& config = docker::At(image, "Config");
  docker::Json environment = docker::At(config, "Env");
  for (const char* name : {"BALENA_APP_ID=12", "RESIN=1", "BALENA_SERVICE_NAME=web", "USER=root"}) {
    environment.push_back(name);
  }
  docker::Json host = {
      {"CapAdd", docker::Json::array()},
      {"CapDrop", docker::Json::array()},
      {"Binds",
       {"/tmp/lockstep-conformance/web:/tmp/resin", "/tmp/lockstep-conformance/web:/tmp/balena"}},
      {"CgroupParent", ""},
      {"Devices", docker::Json::array()},
      {"Dns", docker::Json::array()},
      {"PortBindings", docker::Json::object()},
      {"ExtraHosts", docker::Json::array()},
      {"NetworkMode", app + "_default"},
      {"PidMode", ""},
      {"PidsLimit", 0},
      {"SecurityOpt", docker::Json::array()},
      {"Sysctls", docker::Json::object()},
      {"Ulimits", docker::Json::array()},
      {"RestartPolicy", {{"Name", "always"}, {"MaximumRetryCount", 0}}},
      {"CpuShares", 0},
      {"CpuQuota", 0},
      {"CpusetCpus", ""},
      {"Memory", 0},
      {"MemoryReservation", 0},
      {"OomKillDisable", false},
      {"OomScoreAdj", 0},
      {"Privileged", false},
      {"ReadonlyRootfs", false},
      {"ShmSize", 64 << 20},
      {"Tmpfs", docker::Json::object()},
      {"UsernsMode", ""},
      {"NanoCpus", 0},
      {"IpcMode", "shareable"}};
  return {{"Tty", true},
          {"Cmd", docker::At(config, "Cmd")},
          {"Entrypoint", docker::Json::array()},
          {"Env", environment},
          {"ExposedPorts", docker::Json::object()},
          {"Labels",
           {{"io.balena.supervised", "true"},
            {"io.balena.app-uuid", app},
            {"io.balena.app-id", "12"},
            {"io.balena.service-id", "34"},
            {"io.balena.service-name", "web"}}},
          {"NetworkingConfig", {{"EndpointsConfig", {{app + "_default", {{"Aliases", {"web"}}}}}}}},
          {"StopSignal", "SIGTERM"},
          {"Domainname", ""},
          {"Hostname", ""},
          {"MacAddress", ""},
          {"User", ""},
          {"WorkingDir", ""},
          {"HostConfig", host},
          {"Healthcheck", {{"Test", {"NONE"}}}},
          {"StopTimeout", 10}};
}

TEST_P(LiveFields, ContainerOfTheSupervisorReadsAsItsTarget) {
  const ContainerSpec wanted = Wanted("web");  // Pulls the image.
  ASSERT_THAT(backend().CreateNetwork(Network("default"), never()), IsOk());
  docker::EngineApi api(docker::ParseEngineUrl(LiveEngineUrl()).value(), {});
  const auto image = api.Get("/images/" + subject().image + "/json", "look at the image", never());
  ASSERT_THAT(image, IsOk());
  docker::Json body = AsSupervisorDoes(image.assume_value(), wanted.app);
  body["Image"] = subject().image;
  docker::HttpRequest request;
  request.method = "POST";
  request.path = "/containers/create?name=web_78_345_abc";
  request.body = docker::DumpJson(body);
  const auto reply = api.Send(request, "create as the supervisor does", never());
  ASSERT_THAT(reply, IsOk());
  ASSERT_EQ(reply.assume_value().status, 201) << reply.assume_value().body;
  const std::string id = docker::Text(docker::ParseJson(reply.assume_value().body).value(), "Id");

  ServiceSpec nothing_said;
  for (const FieldRow& row : ServiceFields()) nothing_said.Set(row.field, row.balena_default);
  for (const char* when : {"created", "started"}) {
    const auto seen = Find(id);
    ASSERT_TRUE(seen && seen->spec && seen->implied);
    const ServiceSpec asked = WithoutImplied(nothing_said, *seen->implied);
    EXPECT_EQ(TextOf(*seen->spec), TextOf(asked)) << when;
    EXPECT_THAT(seen->spec->environment, ::testing::IsEmpty()) << when;
    EXPECT_THAT(seen->spec->labels, ::testing::IsEmpty()) << when;
    ASSERT_THAT(backend().StartContainer(id, never()), IsOk());
  }
}

}  // namespace
}  // namespace lockstep::test
