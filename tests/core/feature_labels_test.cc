#include "lockstep/feature_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/device_info.h"

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ServiceSpec Asking(const Labels& labels) {
  ServiceSpec spec;
  spec.labels = labels;
  return spec;
}

// "/source:/target[:ro][!]" of each mount of a path of the host ("!": it must exist),
// "name:/target" of a volume.
std::vector<std::string> Mounts(const ServiceSpec& spec) {
  std::vector<std::string> mounts;
  const Value* volumes = spec.Find(Field::kVolumes);
  if (volumes == nullptr) return mounts;
  for (const Value& volume : *volumes->AsList()) {
    EXPECT_EQ(*volume.Find("type"),
              Value(volume.Find("source")->AsString()->starts_with('/') ? "bind" : "volume"));
    mounts.push_back(*volume.Find("source")->AsString() + ":" + *volume.Find("target")->AsString() +
                     (volume.Find("read_only") != nullptr ? ":ro" : "") +
                     (volume.Find("must_exist") != nullptr ? "!" : ""));
  }
  return mounts;
}

struct FeatureCase {
  const char* label;
  std::vector<std::string> mounts;
  std::map<std::string, std::string> environment = {};
};

const FeatureCase kFeatures[] = {
    {"io.balena.features.dbus", {"/run/dbus:/host/run/dbus"}},
    {"io.balena.features.sysfs", {"/sys:/sys"}},
    {"io.balena.features.procfs", {"/proc:/proc"}},
    {"io.balena.features.kernel-modules", {"/lib/modules:/lib/modules"}},
    {"io.balena.features.firmware", {"/lib/firmware:/lib/firmware"}},
    {"io.balena.features.journal-logs",
     {"/etc/machine-id:/etc/machine-id:ro", "/run/log/journal:/run/log/journal:ro",
      "/var/log/journal:/var/log/journal:ro"}},
    {"io.balena.features.balena-socket",
     {"/var/run/balena-engine.sock:/host/run/balena-engine.sock!",
      "/var/run/balena-engine.sock:/var/run/balena-engine.sock!",
      "/var/run/balena-engine.sock:/var/run/balena.sock!"},
     {{"DOCKER_HOST", "unix:///host/run/balena-engine.sock"}}},
    // Variables that are told when a container is made: nothing of the specification.
    {"io.balena.features.supervisor-api", {}},
    {"io.balena.features.balena-api", {}},
    {"io.balena.features.host-os.board-rev", {}},
    {"io.balena.features.optional", {}},
    {"io.balena.features.requires.sw.supervisor", {}},
    {"com.example.features.dbus", {}},
};

TEST(AddFeaturesTest, AddsWhatTheLabelAsksFor) {
  for (const FeatureCase& row : kFeatures) {
    ServiceSpec spec = Asking({{row.label, "1"}});
    EXPECT_THAT(AddFeatures(spec), IsEmpty()) << row.label;
    EXPECT_EQ(Mounts(spec), row.mounts) << row.label;
    EXPECT_EQ(spec.environment, row.environment) << row.label;
    const ServiceSpec once = spec;
    EXPECT_THAT(AddFeatures(spec), IsEmpty()) << row.label;
    EXPECT_EQ(spec, once) << row.label << " was added twice";
  }
}

TEST(AddFeaturesTest, TakesYesAndNoAsBalenaSupervisorDoes) {
  for (const char* yes : {"1", "true", "on", "True", "ON"}) {
    ServiceSpec spec = Asking({{"io.balena.features.sysfs", yes}});
    EXPECT_THAT(AddFeatures(spec), IsEmpty()) << yes;
    EXPECT_THAT(Mounts(spec), ElementsAre("/sys:/sys")) << yes;
  }
  for (const char* no : {"0", "false", "off", "OFF"}) {
    ServiceSpec spec = Asking({{"io.balena.features.sysfs", no}});
    EXPECT_THAT(AddFeatures(spec), IsEmpty()) << no;
    EXPECT_THAT(Mounts(spec), IsEmpty()) << no;
  }
  for (const char* neither : {"", "yes", "2", " 1"}) {
    ServiceSpec spec = Asking({{"io.balena.features.sysfs", neither}});
    const std::vector<Gap> gaps = AddFeatures(spec);
    ASSERT_EQ(gaps.size(), 1U) << neither;
    EXPECT_EQ(gaps[0].code, "unknown-feature");
    EXPECT_FALSE(gaps[0].blocks);
    EXPECT_THAT(Mounts(spec), IsEmpty()) << neither;
  }
}

TEST(AddFeaturesTest, KnowsTheOldNames) {
  ServiceSpec spec = Asking({{"io.resin.features.dbus", "1"},
                             {"io.resin.features.resin-socket", "0"},
                             {"io.balena.features.procfs", "0"},
                             {"io.resin.features.procfs", "1"}});
  EXPECT_THAT(AddFeatures(spec), IsEmpty());
  EXPECT_THAT(Mounts(spec), ElementsAre("/run/dbus:/host/run/dbus")) << "the new name wins";
  EXPECT_THAT(spec.labels, ElementsAre(Pair("io.balena.features.balena-socket", "0"),
                                       Pair("io.balena.features.dbus", "1"),
                                       Pair("io.balena.features.procfs", "0")));
}

TEST(AddFeaturesTest, LeavesTheServicesOwnVariableAlone) {
  ServiceSpec spec = Asking({{"io.balena.features.balena-socket", "1"}});
  spec.environment["DOCKER_HOST"] = "tcp://other:2375";
  AddFeatures(spec);
  EXPECT_THAT(spec.environment, ElementsAre(Pair("DOCKER_HOST", "tcp://other:2375")));
}

TEST(AddFeaturesTest, KeepsTheServicesOwnVolumes) {
  ServiceSpec spec = Asking({{"io.balena.features.sysfs", "1"}});
  spec.Set(
      Field::kVolumes,
      Value(Value::List{Value::Map{{"source", "data"}, {"target", "/data"}, {"type", "volume"}}}));
  EXPECT_THAT(AddFeatures(spec), IsEmpty());
  EXPECT_THAT(Mounts(spec), ::testing::UnorderedElementsAre("data:/data", "/sys:/sys"));
}

TEST(AddFeaturesTest, RefusesTwoMountsInOnePlace) {
  ServiceSpec spec = Asking({{"io.balena.features.dbus", "1"}});
  spec.Set(Field::kVolumes,
           Value(Value::List{
               Value::Map{{"source", "bus"}, {"target", "/host/run/dbus"}, {"type", "volume"}}}));
  const std::vector<Gap> gaps = AddFeatures(spec);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].code, "invalid-value");
  EXPECT_TRUE(gaps[0].blocks);
  EXPECT_THAT(gaps[0].message, HasSubstr("/host/run/dbus"));
  EXPECT_THAT(Mounts(spec), ElementsAre("bus:/host/run/dbus"));
}

TEST(AddFeaturesTest, RefusesWhatItCannotGive) {
  constexpr const char* kLabel = "io.balena.features.extra-firmware";
  ServiceSpec spec = Asking({{kLabel, "1"}});
  const std::vector<Gap> gaps = AddFeatures(spec);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].code, "unsupported-feature");
  EXPECT_TRUE(gaps[0].blocks);
  EXPECT_THAT(gaps[0].message, HasSubstr(kLabel));
  ServiceSpec off = Asking({{kLabel, "0"}});
  EXPECT_THAT(AddFeatures(off), IsEmpty());
}

TEST(AddFeaturesTest, AddsOneGpu) {
  const Value one = Value::Map{{"capabilities", Value::List{"gpu"}}, {"count", 1}};
  const Value own =
      Value::Map{{"capabilities", Value::List{"gpu"}}, {"device_ids", Value::List{"0"}}};
  ServiceSpec spec = Asking({{"io.balena.features.gpu", "1"}});
  for (int times = 0; times < 2; ++times) {
    EXPECT_THAT(AddFeatures(spec), IsEmpty());
    ASSERT_NE(spec.Find(Field::kGpus), nullptr);
    EXPECT_EQ(*spec.Find(Field::kGpus), Value(Value::List{one}));
  }
  ServiceSpec with_its_own = Asking({{"io.balena.features.gpu", "1"}});
  with_its_own.Set(Field::kGpus, Value::List{own});
  EXPECT_THAT(AddFeatures(with_its_own), IsEmpty());
  EXPECT_EQ(*with_its_own.Find(Field::kGpus), Value(Value::List{one, own}));
  ServiceSpec off = Asking({{"io.balena.features.gpu", "0"}});
  EXPECT_THAT(AddFeatures(off), IsEmpty());
  EXPECT_EQ(off.Find(Field::kGpus), nullptr);
}

TEST(AddFeaturesTest, SaysWhatItDoesNotKnow) {
  ServiceSpec spec = Asking({{"io.balena.features.teleport", "1"}});
  const std::vector<Gap> gaps = AddFeatures(spec);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].code, "unknown-feature");
  EXPECT_FALSE(gaps[0].blocks);
  EXPECT_THAT(gaps[0].message, HasSubstr("io.balena.features.teleport"));
}

TEST(RequirementsOfTest, MakesAContractOfLabels) {
  EXPECT_THAT(RequirementsOf({{"io.balena.features.dbus", "1"},
                              {"io.balena.features.requires.arch.sw", "aarch64"},
                              {"io.balena.features.requires.hw.device-type", "jetson-nano"},
                              {"io.balena.features.requires.sw.balena-os", ">=6.1"},
                              {"io.balena.features.requires.sw.l4t", ">=32"},
                              {"io.balena.features.requires.sw.linux", "5.15.x"},
                              {"io.balena.features.requires.sw.supervisor", ">=14"},
                              {"io.balena.features.requires.sw.teleport", "1"},
                              {"io.balena.update.strategy", "hand-over"}}),
              ElementsAre(ElementsAre(Requirement{"arch.sw", "aarch64", ""}),
                          ElementsAre(Requirement{"hw.device-type", "jetson-nano", ""}),
                          ElementsAre(Requirement{"sw.os", "balena-os", ">=6.1"}),
                          ElementsAre(Requirement{"sw.l4t", "", ">=32"}),
                          ElementsAre(Requirement{"sw.kernel", "linux", "5.15.x"}),
                          ElementsAre(Requirement{"sw.supervisor", "", ">=14"})));
  ServiceSpec unknown = Asking({{"io.balena.features.requires.sw.teleport", "1"}});
  EXPECT_EQ(AddFeatures(unknown).size(), 1U);
}

TEST(AddFeaturesTest, IsCoveredByTheConfigHash) {
  const ServiceSpec plain = Asking({});
  ServiceSpec asking = Asking({{"io.balena.features.sysfs", "1"}});
  AddFeatures(asking);
  ServiceSpec label_alone = Asking({{"io.balena.features.sysfs", "1"}});
  EXPECT_NE(ConfigHash(asking), ConfigHash(plain));
  EXPECT_NE(ConfigHash(asking), ConfigHash(label_alone));
}

TEST(PlaceEngineSocketTest, MovesTheSocketAndNothingElse) {
  ServiceSpec spec =
      Asking({{"io.balena.features.balena-socket", "1"}, {"io.balena.features.sysfs", "1"}});
  AddFeatures(spec);
  PlaceEngineSocket("/var/run/docker.sock", spec);
  EXPECT_THAT(Mounts(spec), ::testing::UnorderedElementsAre(
                                "/var/run/docker.sock:/host/run/balena-engine.sock!",
                                "/var/run/docker.sock:/var/run/docker.sock!",
                                "/var/run/docker.sock:/var/run/balena.sock!", "/sys:/sys"));
  const Value::List& list = *spec.Find(Field::kVolumes)->AsList();
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
}

TEST(PlaceEngineSocketTest, MountsNothingTwiceInOnePlace) {
  ServiceSpec spec = Asking({{"io.balena.features.balena-socket", "1"}});
  AddFeatures(spec);
  PlaceEngineSocket("/var/run/balena.sock", spec);
  EXPECT_THAT(Mounts(spec), ElementsAre("/var/run/balena.sock:/host/run/balena-engine.sock!",
                                        "/var/run/balena.sock:/var/run/balena.sock!"));
}

TEST(PlaceEngineSocketTest, ChangesNothingForOthers) {
  for (const char* path : {"", "/var/run/balena-engine.sock"}) {
    ServiceSpec spec = Asking({{"io.balena.features.balena-socket", "1"}});
    AddFeatures(spec);
    const ServiceSpec before = spec;
    PlaceEngineSocket(path, spec);
    EXPECT_EQ(spec, before) << path;
  }
  ServiceSpec plain = Asking({{"io.balena.features.dbus", "1"}});
  AddFeatures(plain);
  const ServiceSpec before = plain;
  PlaceEngineSocket("/var/run/docker.sock", plain);
  EXPECT_EQ(plain, before);
}

}  // namespace
}  // namespace lockstep
