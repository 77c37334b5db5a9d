#include "lockstep/device_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/feature_labels.h"
#include "planning.h"

namespace lockstep::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DeviceInfo Kitchen() {
  DeviceInfo device;
  device.type = "jetson-nano";
  device.arch = "aarch64";
  device.os_id = "balena-os";
  device.os_version = "6.5.24+rev1";
  device.kernel_version = "5.15.150";
  device.l4t_version = "32.7.1";
  return device;
}

Target Needing(std::vector<Alternatives> requirements, bool optional = false) {
  Target target = MakeTarget({MakeApp("c1", {{.name = "web"}})});
  TargetService& web = target.apps[0].release->services[0];
  web.requirements = std::move(requirements);
  if (optional) web.spec.labels.emplace(kFeatureOptional, "1");
  return target;
}

std::vector<std::string> ServicesOf(const Target& target) {
  std::vector<std::string> names;
  for (const TargetService& service : target.apps[0].release->services) {
    names.push_back(service.name);
  }
  return names;
}

TargetService& ServiceOf(Target& target, const std::string& name) {
  auto& services = target.apps[0].release->services;
  return *std::find_if(services.begin(), services.end(),
                       [&](const TargetService& service) { return service.name == name; });
}

struct RequirementCase {
  Alternatives needs;
  bool met;
};

TEST(FitToDeviceTest, ComparesRequirementsWithWhatIsKnown) {
  const RequirementCase cases[] = {
      {{{"sw.supervisor", "", ">=10.16.17"}}, true},
      {{{"sw.supervisor", "", "19.0.5"}}, true},
      {{{"sw.supervisor", "", ">=20"}}, false},
      {{{"sw.supervisor", "", ""}}, true},
      {{{"sw.supervisor", "balena-supervisor", ""}}, false},
      {{{"sw.os", "balena-os", ">6.3.0+rev4"}}, true},
      {{{"sw.os", "", ">=2.0"}}, true},
      {{{"sw.os", "balena-os", ">=7"}}, false},
      {{{"sw.os", "ubuntu", ""}}, false},
      {{{"sw.kernel", "linux", ">=5.15"}}, true},
      {{{"sw.kernel", "linux", ">5.15.*"}}, false},
      {{{"sw.kernel", "darwin", ""}}, false},
      {{{"sw.l4t", "", ">=32.2.0"}}, true},
      {{{"sw.l4t", "", "<32"}}, false},
      {{{"hw.device-type", "jetson-nano", ""}}, true},
      {{{"hw.device-type", "raspberrypi3", ""}}, false},
      {{{"hw.device-type", "jetson-nano", "1"}}, false},
      {{{"arch.sw", "aarch64", ""}}, true},
      {{{"arch.sw", "amd64", ""}}, false},
      {{{"sw.teleport", "", ""}}, false},
      {{{"", "", ""}}, false},
      {{{"arch.sw", "amd64", ""}, {"arch.sw", "aarch64", ""}}, true},
      {{{"arch.sw", "amd64", ""}, {"sw.os", "ubuntu", "20.04"}}, false},
  };
  for (const RequirementCase& row : cases) {
    const Requirement& first = row.needs.front();
    const Target fitted = FitToDevice(Needing({row.needs}), Kitchen());
    EXPECT_EQ(fitted.apps[0].gaps.empty(), row.met)
        << first.type << ' ' << first.slug << ' ' << first.version;
    EXPECT_THAT(ServicesOf(fitted), ElementsAre("web"));
  }
}

TEST(FitToDeviceTest, MeetsNothingOfWhatIsNotKnown) {
  for (const char* type : {"sw.os", "sw.kernel", "sw.l4t", "hw.device-type", "arch.sw"}) {
    const Target fitted = FitToDevice(Needing({{{type, "", ""}}}), DeviceInfo());
    ASSERT_EQ(fitted.apps[0].gaps.size(), 1U) << type;
    EXPECT_THAT(
        fitted.apps[0].gaps[0].message,
        AllOf(HasSubstr(std::string(type) + " is not known"), HasSubstr("(say it with --")));
  }
  DeviceInfo older;
  older.supervisor_version = "10.0.0";
  EXPECT_THAT(FitToDevice(Needing({{{"sw.supervisor", "", ">=19"}}}), DeviceInfo()).apps[0].gaps,
              IsEmpty());
  EXPECT_EQ(FitToDevice(Needing({{{"sw.supervisor", "", ">=19"}}}), older).apps[0].gaps.size(), 1U);
}

TEST(FitToDeviceTest, BlocksTheAppAndSaysWhatIsMissing) {
  const Target fitted =
      FitToDevice(Needing({{{"sw.supervisor", "", ">=20"}},
                           {{"sw.supervisor", "", ">=10"}},
                           {{"arch.sw", "amd64", ""}, {"sw.os", "ubuntu", "22"}}}),
                  Kitchen());
  EXPECT_THAT(
      fitted.apps[0].gaps,
      ElementsAre(
          Gap{"requirements-not-met",
              "`web` needs sw.supervisor >=20, but here sw.supervisor is 19.0.5", true},
          Gap{"requirements-not-met",
              "`web` needs arch.sw amd64 or sw.os ubuntu 22, but here arch.sw is aarch64, sw.os is "
              "balena-os 6.5.24+rev1",
              true}));
}

TEST(FitToDeviceTest, SaysNoMoreThanAPersonReads) {
  Alternatives many(100'000, {"arch.sw", "amd64", "1"});
  many[0].version = std::string(100'000, 'x');
  for (std::size_t i = 0; i < many.size(); ++i) many[i].type += std::to_string(i);
  const Target fitted = FitToDevice(Needing({many}), Kitchen());
  ASSERT_EQ(fitted.apps[0].gaps.size(), 1U);
  EXPECT_LT(fitted.apps[0].gaps[0].message.size(), 2000U);
  EXPECT_THAT(fitted.apps[0].gaps[0].message, HasSubstr(" or another, but here arch.sw0 is "));
}

TEST(FitToDeviceTest, LeavesAnOptionalServiceOut) {
  const Target fitted =
      FitToDevice(Needing({{{"arch.sw", "amd64", ""}}}, /*optional=*/true), Kitchen());
  EXPECT_THAT(ServicesOf(fitted), IsEmpty());
  EXPECT_THAT(fitted.apps[0].gaps,
              ElementsAre(Gap{"optional-left-out",
                              "`web` is optional, and left out: it needs arch.sw amd64, but here "
                              "arch.sw is aarch64",
                              false}));
}

TEST(FitToDeviceTest, KeepsAnOptionalServiceWhoseRequirementsAreMet) {
  const Target fitted =
      FitToDevice(Needing({{{"arch.sw", "aarch64", ""}}}, /*optional=*/true), Kitchen());
  EXPECT_THAT(ServicesOf(fitted), ElementsAre("web"));
  EXPECT_THAT(fitted.apps[0].gaps, IsEmpty());
}

TEST(FitToDeviceTest, CountsADependencyThatIsLeftOutAsMet) {
  Target target = MakeTarget({MakeApp(
      "c1", {{.name = "db"}, {.name = "gpu"}, {.name = "web", .depends_on = {"db", "gpu"}}})});
  ServiceOf(target, "gpu").spec.labels.emplace(kFeatureOptional, "true");
  ServiceOf(target, "gpu").requirements = {{{"arch.sw", "amd64", ""}}};
  ServiceOf(target, "web").spec.depends_on[1].condition = DependencyCondition::kHealthy;
  Target fitted = FitToDevice(target, Kitchen());
  EXPECT_THAT(ServicesOf(fitted), ElementsAre("db", "web"));
  EXPECT_THAT(ServiceOf(fitted, "web").spec.depends_on, ElementsAre(Dependency{.service = "db"}));
}

Target Sharing(bool sharer_is_optional) {
  Target target = MakeTarget(
      {MakeApp("c1", {{.name = "gpu"}, {.name = "side"}, {.name = "third"}, {.name = "web"}})});
  ServiceOf(target, "gpu").spec.labels.emplace(kFeatureOptional, "1");
  ServiceOf(target, "gpu").requirements = {{{"arch.sw", "amd64", ""}}};
  ServiceOf(target, "side").spec.Set(Field::kNetworkMode, "service:gpu");
  ServiceOf(target, "third").spec.Set(Field::kIpc, "service:side");
  for (const char* name : {"side", "third"}) {
    if (sharer_is_optional) ServiceOf(target, name).spec.labels.emplace(kFeatureOptional, "1");
  }
  return target;
}

TEST(FitToDeviceTest, LeavesOptionalSharersOutToo) {
  const Target fitted = FitToDevice(Sharing(true), Kitchen());
  EXPECT_THAT(ServicesOf(fitted), ElementsAre("web"));
  for (const Gap& gap : fitted.apps[0].gaps) EXPECT_FALSE(gap.blocks) << gap.message;
}

TEST(FitToDeviceTest, BlocksForASharerThatIsNotOptional) {
  const Target fitted = FitToDevice(Sharing(false), Kitchen());
  const auto& gaps = fitted.apps[0].gaps;
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[1], (Gap{"requirements-not-met",
                          "`side` shares a namespace of `gpu`, which is left out", true}));
}

TEST(FitToDeviceTest, FollowsALongChainOfSharers) {
  constexpr int kLength = 20'000;
  std::vector<ServiceDraft> drafts;
  for (int i = 0; i < kLength; ++i) drafts.push_back({.name = "s" + std::to_string(100'000 + i)});
  Target target = MakeTarget({MakeApp("c1", drafts)});
  auto& services = target.apps[0].release->services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    services[i].spec.labels.emplace(kFeatureOptional, "1");
    // Each shares with the one behind it; the last one lacks what it needs.
    if (i + 1 < services.size()) {
      services[i].spec.Set(Field::kNetworkMode, "service:" + services[i + 1].name);
    }
  }
  services.back().requirements = {{{"arch.sw", "amd64", ""}}};
  EXPECT_THAT(ServicesOf(FitToDevice(std::move(target), Kitchen())), IsEmpty());
}

TEST(FitToDeviceTest, ConcernsOneAppAlone) {
  Target target = Needing({{{"arch.sw", "amd64", ""}}});
  target.apps.push_back(MakeApp("c1", {{.name = "web"}}, "b0000000000000000000000000000001", "2"));
  const Target fitted = FitToDevice(target, Kitchen());
  EXPECT_THAT(fitted.apps[1].gaps, IsEmpty());
  EXPECT_EQ(fitted.apps[1], target.apps[1]);
}

TEST(FitToDeviceTest, ChangesNothingWhereNothingIsAskedFor) {
  Target target = MakeTarget({MakeApp("c1", {{.name = "db"}, {.name = "web"}})});
  target.apps.push_back(MakeApp("c2", {}, "b0000000000000000000000000000001", "2"));
  target.apps[1].release.reset();
  EXPECT_EQ(FitToDevice(target, Kitchen()), target);
  EXPECT_EQ(FitToDevice(target, DeviceInfo()), target);
}

TEST(FitToDeviceTest, SaysWhatAServiceAsksForAndIsNotKnown) {
  for (const std::string_view feature :
       {kFeatureSupervisorApi, kFeatureBalenaApi, kFeatureHostOsBoardRev}) {
    Target target = Needing({});
    ServiceOf(target, "web").spec.labels.emplace(feature, "1");
    const auto gaps = FitToDevice(target, Kitchen()).apps[0].gaps;
    ASSERT_EQ(gaps.size(), 1U) << feature;
    EXPECT_EQ(gaps[0].code, "feature-not-known");
    EXPECT_FALSE(gaps[0].blocks);
    EXPECT_THAT(gaps[0].message, AllOf(HasSubstr("`web`"), HasSubstr(std::string(feature))));
    DeviceInfo device = Kitchen();
    device.supervisor_host = device.api_url = device.os_board_rev = "known";
    EXPECT_THAT(FitToDevice(target, device).apps[0].gaps, IsEmpty()) << feature;
  }
}

TEST(FitToDeviceTest, MountsTheEnginesSocketFromWhereItIs) {
  Target target = Needing({});
  ServiceSpec& spec = ServiceOf(target, "web").spec;
  spec.labels.emplace(kFeatureBalenaSocket, "1");
  AddFeatures(spec);
  DeviceInfo device;
  EXPECT_EQ(FitToDevice(target, device), target);
  device.engine_socket = "/var/run/docker.sock";
  Target fitted = FitToDevice(target, device);
  PlaceEngineSocket(device.engine_socket, spec);
  EXPECT_EQ(fitted, target);
}

}  // namespace
}  // namespace lockstep::test
