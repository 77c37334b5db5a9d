#include "lockstep/service_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using List = Value::List;
using Map = Value::Map;

constexpr std::int64_t kSecond = 1'000'000'000;

ServiceSpec SpecWith(std::vector<FieldValue> fields) {
  ServiceSpec spec;
  for (FieldValue& field : fields) spec.Set(field.field, std::move(field.value));
  return spec;
}

TEST(ServiceSpecTest, FindsWhatWasSet) {
  const ServiceSpec spec = SpecWith({{Field::kUser, "b"}, {Field::kCapAdd, List{"A"}}});
  ASSERT_NE(spec.Find(Field::kUser), nullptr);
  EXPECT_EQ(*spec.Find(Field::kUser), Value("b"));
  EXPECT_EQ(spec.Find(Field::kTty), nullptr);
}

TEST(ServiceSpecTest, KeepsFieldsSortedAndEachOnce) {
  ServiceSpec spec = SpecWith({{Field::kUser, "b"}, {Field::kCapAdd, List{"A"}}});
  spec.Set(Field::kTty, true);
  spec.Set(Field::kUser, "c");
  EXPECT_THAT(spec.fields,
              ElementsAre(FieldValue{Field::kCapAdd, List{"A"}}, FieldValue{Field::kTty, true},
                          FieldValue{Field::kUser, "c"}));
}

TEST(ServiceSpecTest, LeavesOutNeutralAndNullValues) {
  ServiceSpec spec;
  for (const FieldRow& row : ServiceFields()) spec.Set(row.field, row.neutral);
  EXPECT_THAT(spec.fields, IsEmpty());
  spec.Set(Field::kUser, "a");
  spec.Set(Field::kUser, "");
  spec.Set(Field::kTty, true);
  spec.Set(Field::kTty, Value());
  EXPECT_THAT(spec.fields, IsEmpty());
}

TEST(ServiceSpecTest, KeepsWhatIsNoPropertyOfAContainerApart) {
  ServiceSpec spec = SpecWith({{Field::kPullPolicy, "always"}});
  EXPECT_THAT(spec.fields, IsEmpty());
  ASSERT_NE(spec.Find(Field::kPullPolicy), nullptr);
  EXPECT_EQ(*spec.Find(Field::kPullPolicy), Value("always"));
  EXPECT_EQ(ConfigHash(spec), ConfigHash({}));
  EXPECT_FALSE(spec == ServiceSpec{});
  spec.Set(Field::kPullPolicy, "missing");
  EXPECT_EQ(spec, ServiceSpec{});
}

TEST(PullPolicyOfTest, IsMissingWhereNothingIsSaid) {
  EXPECT_EQ(PullPolicyOf({}), PullPolicy::kMissing);
  EXPECT_EQ(PullPolicyOf(SpecWith({{Field::kPullPolicy, "always"}})), PullPolicy::kAlways);
  EXPECT_EQ(PullPolicyOf(SpecWith({{Field::kPullPolicy, "never"}})), PullPolicy::kNever);
}

TEST(SharedServicesOfTest, NamesEachServiceWhoseNamespaceIsShared) {
  EXPECT_THAT(SharedServicesOf({}), IsEmpty());
  EXPECT_THAT(SharedServicesOf(SpecWith({{Field::kNetworkMode, "service:web"},
                                         {Field::kPid, "service:db"},
                                         {Field::kIpc, "service:web"}})),
              ElementsAre("db", "web"));
  EXPECT_THAT(
      SharedServicesOf(SpecWith({{Field::kNetworkMode, "container:web"}, {Field::kPid, "host"}})),
      IsEmpty());
}

TEST(RestartPolicyOfTest, IsNoWhereNothingIsSaid) {
  EXPECT_EQ(RestartPolicyOf({}), "no");
  EXPECT_EQ(RestartPolicyOf(SpecWith({{Field::kRestart, "on-failure:3"}})), "on-failure:3");
}

TEST(NetworksOfTest, NamesThoseOfTheApp) {
  EXPECT_THAT(NetworksOf({}), IsEmpty());
  const FieldValue networks{Field::kNetworks, Map{{"b", Map{}}, {"a", Map{}}}};
  EXPECT_THAT(NetworksOf(SpecWith({networks})), ElementsAre("a", "b"));
  EXPECT_THAT(NetworksOf(SpecWith({networks, {Field::kNetworkMode, "b"}})), ElementsAre("a", "b"));
  EXPECT_THAT(NetworksOf(SpecWith({networks, {Field::kNetworkMode, "c"}})),
              ElementsAre("a", "b", "c"));
}

TEST(NetworksOfTest, IsEmptyWhereTheModeReplacesNetworks) {
  for (const char* mode : {"host", "none", "bridge", "service:db", "container:0a1b"}) {
    EXPECT_THAT(
        NetworksOf(SpecWith({{Field::kNetworks, Map{{"a", Map{}}}}, {Field::kNetworkMode, mode}})),
        IsEmpty())
        << mode;
  }
}

TEST(VolumesOfTest, NamesEachNamedVolumeOnce) {
  EXPECT_THAT(VolumesOf({}), IsEmpty());
  const auto volumes = NormalizeField(
      RowOf(Field::kVolumes),
      List{"b:/b", "a:/a", "b:/c", "/anonymous", Map{{"type", "tmpfs"}, {"target", "/t"}}});
  ASSERT_TRUE(volumes);
  EXPECT_THAT(VolumesOf(SpecWith({{Field::kVolumes, volumes.assume_value()}})),
              ElementsAre("a", "b"));
}

TEST(StopGraceOfTest, IsTenSecondsWhereNothingIsSaid) {
  EXPECT_EQ(StopGraceOf({}), milliseconds(10'000));
  EXPECT_EQ(StopGraceOf(SpecWith({{Field::kStopGracePeriod, 0}})), milliseconds(0));
  EXPECT_EQ(StopGraceOf(SpecWith({{Field::kStopGracePeriod, 1'500'000'000}})), milliseconds(1500));
}

TEST(StopGraceOfTest, IsRoundedUp) {
  EXPECT_EQ(StopGraceOf(SpecWith({{Field::kStopGracePeriod, 1}})), milliseconds(1));
}

TEST(HealthCheckTest, IsNoneWhereItIsAbsentOrDisabled) {
  EXPECT_FALSE(HasHealthCheck({}));
  const ServiceSpec disabled = SpecWith({{Field::kHealthcheck, Map{{"test", List{"NONE"}}}}});
  EXPECT_FALSE(HasHealthCheck(disabled));
  EXPECT_EQ(HealthBudgetOf(disabled), milliseconds(0));
  EXPECT_TRUE(HasHealthCheck(SpecWith({{Field::kHealthcheck, Map{{"interval", kSecond}}}})));
}

TEST(HealthCheckTest, HasABudgetOfStartPeriodAndAllRetries) {
  EXPECT_EQ(HealthBudgetOf({}), std::chrono::seconds(180));
  EXPECT_EQ(HealthBudgetOf(SpecWith({{Field::kHealthcheck, Map{{"interval", 5 * kSecond},
                                                               {"retries", 2},
                                                               {"start_period", 60 * kSecond},
                                                               {"timeout", kSecond}}}})),
            std::chrono::seconds(60 + (5 + 1) * 2));
}

TEST(HealthCheckTest, HasABoundedBudget) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const ServiceSpec spec = SpecWith({{Field::kHealthcheck, Map{{"interval", kMost},
                                                               {"retries", kMost},
                                                               {"start_period", kMost},
                                                               {"timeout", kMost}}}});
  EXPECT_GT(HealthBudgetOf(spec), milliseconds(0));
}

ServiceSpec FullSpec() {
  ServiceSpec spec = SpecWith({{Field::kCommand, List{"web", "--port", "80"}},
                               {Field::kNetworks, Map{{"default", Map{}}}},
                               {Field::kRestart, "always"},
                               {Field::kTty, true},
                               {Field::kMemLimit, 1024}});
  spec.image = "registry/web:1";
  spec.environment = {{"A", "1"}, {"B", ""}};
  spec.labels = {{"io.balena.features.dbus", "1"}};
  return spec;
}

// The text is part of a container's identity on devices in the field: a change of it makes every
// container anew. Whoever means that changes "c1" too.
TEST(ConfigHashTest, NeverChanges) {
  EXPECT_EQ(ConfigHash({}), "c1:9b2b60a087e52d56");
  EXPECT_EQ(ConfigHash(FullSpec()), "c1:ed949ae2417ec9d0");
}

TEST(ConfigHashTest, LeavesOutWhatIsComparedByItself) {
  ServiceSpec spec = FullSpec();
  spec.image = "registry/web:2";
  spec.running = false;
  spec.depends_on.push_back({"db"});
  EXPECT_EQ(ConfigHash(spec), ConfigHash(FullSpec()));
}

TEST(ConfigHashTest, TellsSpecificationsApart) {
  std::vector<ServiceSpec> specs(2, FullSpec());
  const auto vary = [&specs](auto change) {
    specs.push_back(FullSpec());
    change(specs.back());
  };
  specs.front() = ServiceSpec();
  vary([](ServiceSpec& spec) { spec.environment = {{"A", "1B"}, {"B", ""}}; });
  vary([](ServiceSpec& spec) { spec.environment = {{"A1", ""}, {"B", ""}}; });
  vary([](ServiceSpec& spec) { spec.environment.swap(spec.labels); });
  vary([](ServiceSpec& spec) { spec.labels.clear(); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kTty, Value()); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kMemLimit, "1024"); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kCommand, List{"web", "--port80"}); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kCommand, List{"web", List{"--port", "80"}}); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kCommand, List{"web", "--port", "8", "0"}); });
  vary([](ServiceSpec& spec) { spec.Set(Field::kNetworks, Map{{"default", Value()}}); });
  vary([](ServiceSpec& spec) {
    spec.Set(Field::kEntrypoint, *spec.Find(Field::kCommand));
    spec.Set(Field::kCommand, Value());
  });
  std::set<std::string> hashes;
  for (const ServiceSpec& spec : specs) hashes.insert(ConfigHash(spec));
  EXPECT_EQ(hashes.size(), specs.size());
}

}  // namespace
}  // namespace lockstep
