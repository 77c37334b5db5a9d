#include "ambient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/feature_labels.h"
#include "lockstep/identity.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::map<std::string, std::string> Variables(const DeviceInfo& device,
                                             const std::vector<std::string_view>& features = {}) {
  TargetService service;
  service.name = "web";
  for (const std::string_view feature : features) service.spec.labels.emplace(feature, "1");
  TargetApp app = MakeApp("c1", {});
  return AmbientVariables(app, service, device);
}

DeviceInfo KnownDevice() {
  DeviceInfo device;
  device.uuid = "d1";
  device.name = "kitchen";
  device.type = "raspberrypi4-64";
  device.arch = "aarch64";
  device.os_version = "6.5.24+rev1";
  device.os_name = "balenaOS 6.5.24+rev1";
  device.os_board_rev = "abc";
  device.supervisor_host = "10.0.0.1";
  device.supervisor_port = "48484";
  device.supervisor_api_key = "k1";
  device.api_url = "https://api.example";
  device.api_key = "k2";
  return device;
}

TEST(AmbientVariablesTest, TellsOfAppServiceAndDeviceUnderBothNames) {
  EXPECT_THAT(
      Variables(KnownDevice()),
      UnorderedElementsAre(
          Pair("BALENA", "1"), Pair("RESIN", "1"), Pair("USER", "root"), Pair("BALENA_APP_ID", "1"),
          Pair("RESIN_APP_ID", "1"), Pair("BALENA_APP_UUID", kApp), Pair("RESIN_APP_UUID", kApp),
          Pair("BALENA_APP_NAME", "shop"), Pair("RESIN_APP_NAME", "shop"),
          Pair("BALENA_SERVICE_NAME", "web"), Pair("RESIN_SERVICE_NAME", "web"),
          Pair("BALENA_DEVICE_UUID", "d1"), Pair("RESIN_DEVICE_UUID", "d1"),
          Pair("BALENA_DEVICE_NAME_AT_INIT", "kitchen"),
          Pair("RESIN_DEVICE_NAME_AT_INIT", "kitchen"),
          Pair("BALENA_DEVICE_TYPE", "raspberrypi4-64"),
          Pair("RESIN_DEVICE_TYPE", "raspberrypi4-64"), Pair("BALENA_DEVICE_ARCH", "aarch64"),
          Pair("RESIN_DEVICE_ARCH", "aarch64"),
          Pair("BALENA_HOST_OS_VERSION", "balenaOS 6.5.24+rev1"),
          Pair("RESIN_HOST_OS_VERSION", "balenaOS 6.5.24+rev1"),
          Pair("BALENA_APP_LOCK_PATH", "/tmp/balena/updates.lock"),
          Pair("RESIN_APP_LOCK_PATH", "/tmp/balena/updates.lock"),
          Pair("BALENA_SERVICE_HANDOVER_COMPLETE_PATH", "/tmp/balena/handover-complete"),
          Pair("RESIN_SERVICE_HANDOVER_COMPLETE_PATH", "/tmp/balena/handover-complete"),
          Pair("BALENA_SERVICE_KILL_ME_PATH", "/tmp/balena/handover-complete"),
          Pair("RESIN_SERVICE_KILL_ME_PATH", "/tmp/balena/handover-complete")));
}

TEST(AmbientVariablesTest, LeavesOutWhatIsNotKnown) {
  const auto variables = Variables(DeviceInfo());
  EXPECT_THAT(variables, Contains(Pair("BALENA", "1")));
  for (const char* name : {"BALENA_DEVICE_UUID", "BALENA_DEVICE_TYPE", "BALENA_HOST_OS_VERSION"}) {
    EXPECT_THAT(variables, Not(Contains(Key(name))));
  }
  DeviceInfo device;
  device.os_version = "12";
  EXPECT_THAT(Variables(device), Contains(Pair("BALENA_HOST_OS_VERSION", "12")));
}

TEST(AmbientVariablesTest, GivesKeysAndAddressesToThoseWhoAsk) {
  EXPECT_THAT(Variables(KnownDevice(), {kFeatureSupervisorApi}),
              IsSupersetOf({Pair("BALENA_SUPERVISOR_HOST", "10.0.0.1"),
                            Pair("BALENA_SUPERVISOR_PORT", "48484"),
                            Pair("BALENA_SUPERVISOR_ADDRESS", "http://10.0.0.1:48484"),
                            Pair("RESIN_SUPERVISOR_ADDRESS", "http://10.0.0.1:48484"),
                            Pair("BALENA_SUPERVISOR_API_KEY", "k1")}));
  EXPECT_THAT(Variables(KnownDevice(), {kFeatureSupervisorApi}),
              Not(Contains(Key("BALENA_API_KEY"))));
  EXPECT_THAT(Variables(KnownDevice(), {kFeatureBalenaApi}),
              IsSupersetOf({Pair("BALENA_API_URL", "https://api.example"),
                            Pair("BALENA_API_KEY", "k2"), Pair("RESIN_API_KEY", "k2")}));
  EXPECT_THAT(Variables(KnownDevice(), {kFeatureHostOsBoardRev}),
              Contains(Pair("BALENA_HOST_OS_BOARD_REV", "abc")));
}

TEST(IsAmbientVariableTest, KnowsWhateverContainersAreTold) {
  for (const auto& [name, value] : Variables(
           KnownDevice(), {kFeatureSupervisorApi, kFeatureBalenaApi, kFeatureHostOsBoardRev})) {
    EXPECT_TRUE(IsAmbientVariable(name, value)) << name;
  }
  EXPECT_TRUE(IsAmbientVariable("BALENA_DEVICE_NAME_AT_INIT", "old name"));
  EXPECT_TRUE(IsAmbientVariable("RESIN_SUPERVISOR_VERSION", "9.0.0")) << "of older supervisors";
  for (const char* own : {"BALENA_MINE", "RESIN_", "APP_ID", "PATH", "DOCKER_HOST"}) {
    EXPECT_FALSE(IsAmbientVariable(own, "1")) << own;
  }
}

TEST(IsAmbientVariableTest, LeavesUserToTheServiceThatSetsIt) {
  EXPECT_TRUE(IsAmbientVariable("USER", "root"));
  EXPECT_FALSE(IsAmbientVariable("USER", "pi"));
  EXPECT_FALSE(IsAmbientVariable("BALENA", "0"));
}

}  // namespace
}  // namespace lockstep::test
