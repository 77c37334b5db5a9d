// Containers that balena-supervisor made are the same as the services of a target that asks for
// the same: they are adopted without a restart.
#include <gmock/gmock.h>

#include <string>

#include "create_request.h"
#include "engine_names.h"
#include "inspect_reading.h"
#include "lockstep/feature_labels.h"

namespace lockstep::test {
namespace {

using docker::Json;
using ::testing::IsEmpty;

constexpr std::string_view kAllFeatures[] = {
    "io.balena.features.balena-api",   "io.balena.features.balena-socket",
    "io.balena.features.dbus",         "io.balena.features.firmware",
    "io.balena.features.journal-logs", "io.balena.features.kernel-modules",
    "io.balena.features.procfs",       "io.balena.features.supervisor-api",
    "io.balena.features.sysfs",        "io.balena.features.host-os.board-rev",
};

Labels AskingForAll() {
  Labels labels;
  for (const std::string_view feature : kAllFeatures) labels.emplace(feature, "1");
  return labels;
}

// As an inspect shows a container that balena-supervisor made for app 12 ("shop"), service web.
Json MadeByBalenaSupervisor() {
  Json labels = AskingForAll();
  labels["io.balena.app-id"] = "12";
  labels["io.balena.app-uuid"] = "shop";
  labels["io.balena.service-id"] = "6";
  labels["io.balena.service-name"] = "web";
  labels["io.balena.supervised"] = "true";
  const Json environment = {"A=1",
                            "PATH=/bin",
                            "USER=root",
                            "BALENA=1",
                            "RESIN=1",
                            "BALENA_APP_ID=12",
                            "RESIN_APP_ID=12",
                            "BALENA_APP_UUID=shop",
                            "RESIN_APP_UUID=shop",
                            "BALENA_APP_NAME=Shop",
                            "RESIN_APP_NAME=Shop",
                            "BALENA_SERVICE_NAME=web",
                            "RESIN_SERVICE_NAME=web",
                            "BALENA_DEVICE_UUID=d1",
                            "RESIN_DEVICE_UUID=d1",
                            "BALENA_DEVICE_TYPE=intel-nuc",
                            "RESIN_DEVICE_TYPE=intel-nuc",
                            "BALENA_DEVICE_ARCH=amd64",
                            "RESIN_DEVICE_ARCH=amd64",
                            "BALENA_HOST_OS_VERSION=balenaOS 6.5.24",
                            "RESIN_HOST_OS_VERSION=balenaOS 6.5.24",
                            "BALENA_APP_LOCK_PATH=/tmp/balena/updates.lock",
                            "RESIN_APP_LOCK_PATH=/tmp/balena/updates.lock",
                            "BALENA_SERVICE_HANDOVER_COMPLETE_PATH=/tmp/balena/handover-complete",
                            "RESIN_SERVICE_KILL_ME_PATH=/tmp/balena/handover-complete",
                            "BALENA_DEVICE_NAME_AT_INIT=old name",
                            "RESIN_DEVICE_NAME_AT_INIT=old name",
                            "DOCKER_HOST=unix:///host/run/balena-engine.sock",
                            "BALENA_API_KEY=k",
                            "RESIN_API_KEY=k",
                            "BALENA_API_URL=https://api",
                            "RESIN_API_URL=https://api",
                            "BALENA_SUPERVISOR_API_KEY=s",
                            "RESIN_SUPERVISOR_API_KEY=s",
                            "BALENA_SUPERVISOR_PORT=48484",
                            "RESIN_SUPERVISOR_PORT=48484",
                            "BALENA_SUPERVISOR_HOST=10.114.104.1",
                            "RESIN_SUPERVISOR_HOST=10.114.104.1",
                            "BALENA_SUPERVISOR_ADDRESS=http://10.114.104.1:48484",
                            "RESIN_SUPERVISOR_ADDRESS=http://10.114.104.1:48484",
                            "BALENA_HOST_OS_BOARD_REV=abc",
                            "RESIN_HOST_OS_BOARD_REV=abc"};
  const auto socket_at = [](const char* target) {
    return Json{{"Type", "bind"}, {"Source", "/var/run/balena-engine.sock"}, {"Target", target}};
  };
  return {
      {"Id", "0123456789abcdef"},
      {"Config",
       {{"Image", "registry.example/web:1"},
        {"Hostname", "0123456789ab"},
        {"Env", environment},
        {"Labels", labels}}},
      {"HostConfig",
       {{"NetworkMode", "shop_default"},
        {"Binds",
         {"/tmp/balena-supervisor/services/12/web:/tmp/resin",
          "/tmp/balena-supervisor/services/12/web:/tmp/balena", "12_data:/data",
          "/var/log/journal:/var/log/journal:ro", "/run/log/journal:/run/log/journal:ro",
          "/etc/machine-id:/etc/machine-id:ro", "/run/dbus:/host/run/dbus",
          "/lib/modules:/lib/modules", "/lib/firmware:/lib/firmware", "/sys:/sys", "/proc:/proc"}},
        {"Mounts",
         {socket_at("/host/run/balena-engine.sock"), socket_at("/var/run/balena-engine.sock"),
          socket_at("/var/run/balena.sock")}}}},
      {"NetworkSettings",
       {{"Networks", {{"shop_default", {{"Aliases", {"web"}}}}, {"supervisor0", Json::object()}}}}},
  };
}

ServiceSpec Wanted() {
  ServiceSpec spec;
  spec.image = "registry.example/web:1";
  spec.environment = {{"A", "1"}};
  spec.labels = AskingForAll();
  spec.Set(Field::kNetworks, Value(Value::Map{{"default", Value::Map{}}}));
  spec.Set(
      Field::kVolumes,
      Value(Value::List{Value::Map{{"source", "data"}, {"target", "/data"}, {"type", "volume"}}}));
  EXPECT_THAT(AddFeatures(spec), IsEmpty());
  return spec;
}

TEST(AdoptionTest, FeaturesLookTheSameOnAContainerOfBalenaSupervisor) {
  const Json image = {{"Config", {{"Env", {"PATH=/bin"}}}}};
  docker::Surroundings around;
  around.names = {"shop", "12"};
  around.service = "web";
  const ServiceSpec seen = docker::ReadContainer(MadeByBalenaSupervisor(), image, around).spec;
  const ServiceSpec wanted = Wanted();
  EXPECT_EQ(seen.environment, wanted.environment);
  EXPECT_EQ(seen.labels, wanted.labels);
  EXPECT_EQ(seen.fields, wanted.fields);
}

TEST(AdoptionTest, FeaturesAreMountedAsBalenaSupervisorDoes) {
  ContainerSpec spec;
  spec.app = "shop";
  spec.app_id = "12";
  spec.service = "web";
  spec.spec = Wanted();
  const Json host = docker::MakeCreateRequest(spec, {}).body["HostConfig"];
  // The engine makes the source of a bind where it is missing, but not that of a mount: a socket
  // that is not there yet must not become a directory.
  EXPECT_THAT(
      host["Binds"],
      ::testing::UnorderedElementsAre(
          "/var/log/journal:/var/log/journal:ro", "/run/log/journal:/run/log/journal:ro",
          "/etc/machine-id:/etc/machine-id:ro", "/run/dbus:/host/run/dbus",
          "/lib/modules:/lib/modules", "/lib/firmware:/lib/firmware", "/sys:/sys", "/proc:/proc"));
  for (const Json& mount : host["Mounts"]) {
    EXPECT_EQ(mount["Source"], mount["Type"] == "bind" ? "/var/run/balena-engine.sock" : "12_data");
  }
  EXPECT_EQ(host["Mounts"].size(), 4U);
}

TEST(AdoptionTest, AVariableThatTheServiceSetsItselfIsSeen) {
  Json container = MadeByBalenaSupervisor();
  for (Json& entry : container["Config"]["Env"]) {
    if (entry == "USER=root") entry = "USER=pi";
  }
  ServiceSpec wanted = Wanted();
  wanted.environment["USER"] = "pi";
  const Json image = {{"Config", {{"Env", {"PATH=/bin"}}}}};
  docker::Surroundings around;
  around.names = {"shop", "12"};
  around.service = "web";
  EXPECT_EQ(docker::ReadContainer(container, image, around).spec.environment, wanted.environment);
}

}  // namespace
}  // namespace lockstep::test
