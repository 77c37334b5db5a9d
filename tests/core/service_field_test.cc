#include "lockstep/service_field.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

struct Accepted {
  std::string name;  // Letters and digits: part of the test's name.
  Field field;
  Value raw;
  Value canonical;
};

void PrintTo(const Accepted& accepted, std::ostream* out) { *out << ToText(accepted.raw); }

class NormalizeFieldTest : public ::testing::TestWithParam<Accepted> {};

TEST_P(NormalizeFieldTest, GivesTheCanonicalForm) {
  const FieldRow& row = RowOf(GetParam().field);
  const auto result = NormalizeField(row, GetParam().raw);
  ASSERT_TRUE(result) << result.assume_error().message;
  EXPECT_EQ(ToText(result.assume_value()), ToText(GetParam().canonical));
  EXPECT_TRUE(result.assume_value() == GetParam().canonical) << "of another type";
}

TEST_P(NormalizeFieldTest, ReadsItsOwnOutputAgain) {
  const FieldRow& row = RowOf(GetParam().field);
  const Value raw = DenormalizeField(row, GetParam().canonical);
  const auto result = NormalizeField(row, raw);
  ASSERT_TRUE(result) << ToText(raw) << ": " << result.assume_error().message;
  EXPECT_EQ(ToText(result.assume_value()), ToText(GetParam().canonical));
}

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kSecond = 1'000'000'000;

const std::vector<Accepted> kScalars = {
    {"Text", Field::kUser, "nobody", "nobody"},
    {"NumberAsText", Field::kUser, 1000, "1000"},
    {"FractionAsText", Field::kHostname, 1.5, "1.5"},
    {"EmptyText", Field::kHostname, "", ""},
    {"Domainname", Field::kDomainname, "example.org", "example.org"},
    {"WorkingDir", Field::kWorkingDir, "/srv", "/srv"},
    {"StopSignal", Field::kStopSignal, "SIGINT", "SIGINT"},
    {"Cpuset", Field::kCpuset, 0, "0"},
    {"Ipc", Field::kIpc, "host", "host"},
    {"Pid", Field::kPid, "host", "host"},
    {"UsernsMode", Field::kUsernsMode, "host", "host"},
    {"WorkingDirIsCleaned", Field::kWorkingDir, "/srv//a/../b/", "/srv/b"},
    {"WorkingDirOfRoot", Field::kWorkingDir, "/", "/"},
    {"NoWorkingDir", Field::kWorkingDir, "", ""},
    {"SignalWithoutPrefix", Field::kStopSignal, "int", "SIGINT"},
    {"SignalAsNumber", Field::kStopSignal, 2, "2"},
    {"RealTimeSignal", Field::kStopSignal, "SIGRTMIN+3", "SIGRTMIN+3"},
    {"MacAddress", Field::kMacAddress, "02:42:ac:11:65:43", "02:42:ac:11:65:43"},
    {"MacAddressInOtherWords", Field::kMacAddress, "02-42-AC-11-65-43", "02:42:ac:11:65:43"},
    {"NetworkMode", Field::kNetworkMode, "service:db", "service:db"},
    {"NetworkModeOfAContainer", Field::kNetworkMode, "container:0a1b", "container:0a1b"},
    {"NetworkModeOfANetwork", Field::kNetworkMode, "front", "front"},
    {"PidOfAService", Field::kPid, "service:db", "service:db"},
    {"IpcOfAService", Field::kIpc, "service:db", "service:db"},
    {"IpcNone", Field::kIpc, "none", "none"},
    {"IpcSaysNothing", Field::kIpc, "", "private"},
    {"Uts", Field::kUts, "host", "host"},
    {"CgroupParent", Field::kCgroupParent, "m-executor-abcd", "m-executor-abcd"},
    {"Runtime", Field::kRuntime, "runc", "runc"},
    {"StdinOpen", Field::kStdinOpen, "true", true},
    {"CpuPeriod", Field::kCpuPeriod, "50000", 50000},
    {"Swappiness", Field::kMemSwappiness, 60, 60},
    {"NoSwappinessIsNoDefault", Field::kMemSwappiness, 0, 0},
    {"SwapLimit", Field::kMemswapLimit, "1g", 1024 * kMiB},
    {"SwapWithoutLimit", Field::kMemswapLimit, -1, -1},
    {"SwapWithoutLimitAsText", Field::kMemswapLimit, "-1", -1},
    {"SwapLimitSaysNothing", Field::kMemswapLimit, 0, 0},
    {"ShmSizeSaysNothing", Field::kShmSize, 0, 64 * kMiB},
    {"PullAlways", Field::kPullPolicy, "always", "always"},
    {"PullNever", Field::kPullPolicy, "never", "never"},
    {"PullMissing", Field::kPullPolicy, "missing", "missing"},
    {"PullIfNotPresent", Field::kPullPolicy, "if_not_present", "missing"},
    {"True", Field::kPrivileged, true, true},
    {"FalseAsText", Field::kTty, "false", false},
    {"TrueAsText", Field::kInit, "true", true},
    {"ReadOnly", Field::kReadOnly, false, false},
    {"OomKillDisable", Field::kOomKillDisable, true, true},
    {"Integer", Field::kCpuShares, 512, 512},
    {"IntegerAsText", Field::kCpuShares, "512", 512},
    {"WholeFraction", Field::kCpuShares, 512.0, 512},
    {"NegativeWhereAllowed", Field::kOomScoreAdj, -1000, -1000},
    {"Limit", Field::kPidsLimit, 100, 100},
    {"NoLimit", Field::kPidsLimit, -1, 0},
    {"NoQuota", Field::kCpuQuota, "-1", 0},
    {"BytesAsNumber", Field::kMemLimit, 1024, 1024},
    {"BytesAsDigits", Field::kMemLimit, "1024", 1024},
    {"BytesWithUnit", Field::kMemLimit, "64m", 64 * kMiB},
    {"BytesWithLongUnit", Field::kShmSize, "1GB", 1024 * kMiB},
    {"BytesWithBinaryUnit", Field::kMemReservation, "2 KiB", 2048},
    {"BytesWithFraction", Field::kMemLimit, "1.5g", 1536 * kMiB},
    {"BytesWithB", Field::kMemLimit, "10b", 10},
    {"Duration", Field::kStopGracePeriod, "1m30s", 90 * kSecond},
    {"PartsOfASecondAreRoundedUp", Field::kStopGracePeriod, "1.5s", 2 * kSecond},
    {"DurationOfAllUnits", Field::kStopGracePeriod, "1h1m1s1ms1us1ns", 3662 * kSecond},
    {"DurationInMicroSign", Field::kStopGracePeriod, "5\u00b5s", kSecond},
    {"DurationOfNothing", Field::kStopGracePeriod, 0, 0},
    {"Cpus", Field::kCpus, 0.5, kSecond / 2},
    {"CpusAsText", Field::kCpus, "1.25", kSecond * 5 / 4},
    {"WholeCpus", Field::kCpus, 2, 2 * kSecond},
    {"Restart", Field::kRestart, "always", "always"},
    {"RestartUnlessStopped", Field::kRestart, "unless-stopped", "unless-stopped"},
    {"RestartNoAsYamlReadsIt", Field::kRestart, false, "no"},
    {"RestartWithTimes", Field::kRestart, "on-failure:03", "on-failure:3"},
    {"RestartWithoutLimit", Field::kRestart, "on-failure:0", "on-failure"},
};

const std::vector<Accepted> kLists = {
    {"CommandAsList", Field::kCommand, List{"sh", "-c", ""}, List{"sh", "-c", ""}},
    {"CommandAsText", Field::kCommand, "sh -c 'a  b' $HOME", List{"sh", "-c", "a  b", "$HOME"}},
    {"CommandWithNumber", Field::kEntrypoint, List{"sleep", 5}, List{"sleep", "5"}},
    {"EmptyCommand", Field::kCommand, "", List{}},
    {"OneDnsServer", Field::kDns, "8.8.8.8", List{"8.8.8.8"}},
    {"DnsKeepsItsOrder", Field::kDns, List{"9.9.9.9", "8.8.8.8"}, List{"9.9.9.9", "8.8.8.8"}},
    {"DnsSearch", Field::kDnsSearch, List{"b", "a"}, List{"b", "a"}},
    {"SetIsSortedAndUnique", Field::kCapAdd, List{"SYS_TIME", "NET_ADMIN", "SYS_TIME"},
     List{"NET_ADMIN", "SYS_TIME"}},
    {"CapDrop", Field::kCapDrop, List{"ALL"}, List{"ALL"}},
    {"CapabilityInOtherWords", Field::kCapAdd, List{"CAP_NET_ADMIN", "sys_time", "net_admin"},
     List{"NET_ADMIN", "SYS_TIME"}},
    {"EmptyEntrypoint", Field::kEntrypoint, List{}, List{}},
    {"DnsOpt", Field::kDnsOpt, List{"use-vc", "no-tld-query"}, List{"no-tld-query", "use-vc"}},
    {"GroupsAreText", Field::kGroupAdd, List{"mail", 999}, List{"999", "mail"}},
    {"SecurityOpt", Field::kSecurityOpt, List{"seccomp=unconfined"}, List{"seccomp=unconfined"}},
    {"SecurityOptWithColon", Field::kSecurityOpt,
     List{"label:type:t", "seccomp=a:b", "no-new-privileges:true"},
     List{"label=type:t", "no-new-privileges", "seccomp=a:b"}},
    {"SecurityOptRefusedByName", Field::kSecurityOpt, List{"no-new-privileges:false"},
     List{"no-new-privileges=false"}},
    {"OneTmpfs", Field::kTmpfs, "/run:size=64m", List{"/run:size=64m"}},
    {"TmpfsIsCleaned", Field::kTmpfs, List{"/tmp/:", "/run//x:mode=755,uid=1", "/tmp"},
     List{"/run/x:mode=755,uid=1", "/tmp"}},
    {"DeviceRules", Field::kDeviceCgroupRules, List{"c 1:3 mr", "a 7:* rmw", "c 1:3 rm"},
     List{"a 7:* rwm", "c 1:3 rm"}},
    {"Annotations", Field::kAnnotations, List{"com.example.a=b"}, Map{{"com.example.a", "b"}}},
    {"StorageOpt", Field::kStorageOpt, Map{{"size", "1G"}}, Map{{"size", "1G"}}},
    {"Logging", Field::kLogging,
     Map{{"driver", "syslog"}, {"options", Map{{"max-file", 3}, {"tag", "a"}}}},
     Map{{"driver", "syslog"}, {"options", Map{{"max-file", "3"}, {"tag", "a"}}}}},
    {"LoggingSaysNothing", Field::kLogging, Map{{"driver", ""}, {"options", Map{}}}, Map{}},
    {"MappingAsList", Field::kSysctls, List{"b=2", "a=1=1", "c"},
     Map{{"a", "1=1"}, {"b", "2"}, {"c", ""}}},
    {"MappingAsMap", Field::kSysctls, Map{{"a", 1}, {"b", true}, {"c", Value()}, {"d", 0.5}},
     Map{{"a", "1"}, {"b", "true"}, {"c", ""}, {"d", "0.5"}}},
    {"Expose", Field::kExpose, List{"80", 53, "53/UDP", "90-91"},
     List{"53/tcp", "53/udp", "80/tcp", "90/tcp", "91/tcp"}},
    {"ExtraHosts", Field::kExtraHosts, List{"b=10.0.0.2", "a:10.0.0.1", "a:10.0.0.1"},
     List{"a:10.0.0.1", "b:10.0.0.2"}},
    {"ExtraHostsAsMap", Field::kExtraHosts, Map{{"a", List{"10.0.0.2", "::1"}}, {"b", "[FE80::1]"}},
     List{"a:10.0.0.2", "a:::1", "b:fe80::1"}},
    {"HostGateway", Field::kExtraHosts, "host:host-gateway", List{"host:host-gateway"}},
    {"ShortDevice", Field::kDevices, List{"/dev/b:/dev/c", "/dev/a", "/dev/d:/dev/d:mr"},
     List{"/dev/a:/dev/a:rwm", "/dev/b:/dev/c:rwm", "/dev/d:/dev/d:rm"}},
    {"DeviceWithPermissionsOnly", Field::kDevices, List{"/dev/a:r"}, List{"/dev/a:/dev/a:r"}},
    {"LongDevice", Field::kDevices,
     List{Map{{"source", "/dev/a"}, {"target", "/dev/b"}, {"permissions", "rw"}},
          Map{{"source", "/dev/c"}}},
     List{"/dev/a:/dev/b:rw", "/dev/c:/dev/c:rwm"}},
    {"AllGpus", Field::kGpus, "all", List{Map{{"capabilities", List{"gpu"}}, {"count", -1}}}},
    {"GpusByNumber", Field::kGpus,
     List{Map{{"driver", "nvidia"}, {"count", "2"}, {"options", List{"a=b"}}}},
     List{Map{{"capabilities", List{"gpu"}},
              {"count", 2},
              {"driver", "nvidia"},
              {"options", Map{{"a", "b"}}}}}},
    {"GpusByName", Field::kGpus,
     List{Map{{"device_ids", List{1, "0"}}, {"capabilities", List{"utility"}}}, Map{}},
     List{Map{{"capabilities", List{"gpu"}}, {"count", -1}},
          Map{{"capabilities", List{"gpu", "utility"}}, {"device_ids", List{"0", "1"}}}}},
    {"Ulimits", Field::kUlimits,
     Map{{"nproc", 100}, {"nofile", Map{{"soft", 0}, {"hard", "20"}}}, {"core", -1}},
     Map{{"core", Map{{"hard", -1}, {"soft", -1}}},
         {"nofile", Map{{"hard", 20}, {"soft", 0}}},
         {"nproc", Map{{"hard", 100}, {"soft", 100}}}}},
    {"UnlimitedHardLimit", Field::kUlimits, Map{{"core", Map{{"soft", 5}, {"hard", -1}}}},
     Map{{"core", Map{{"hard", -1}, {"soft", 5}}}}},
    {"HealthTestAsText", Field::kHealthcheck,
     Map{{"test", "curl -f x"}, {"interval", "5s"}, {"timeout", "1500ms"}, {"retries", 2}},
     Map{{"test", List{"CMD-SHELL", "curl -f x"}},
         {"interval", 5 * kSecond},
         {"timeout", kSecond * 3 / 2},
         {"retries", 2}}},
    {"HealthTestAsList", Field::kHealthcheck,
     Map{{"test", List{"CMD", "true"}}, {"start_period", "0s"}, {"retries", 0}, {"x-a", 1}},
     Map{{"test", List{"CMD", "true"}}}},
    {"HealthStartInterval", Field::kHealthcheck, Map{{"start_interval", "500ms"}},
     Map{{"start_interval", kSecond / 2}}},
    {"HealthTestOfTheImage", Field::kHealthcheck, Map{{"test", List{}}, {"start_period", "1m"}},
     Map{{"start_period", 60 * kSecond}}},
    {"HealthDisabled", Field::kHealthcheck, Map{{"disable", true}, {"interval", "5s"}},
     Map{{"test", List{"NONE"}}}},
    {"HealthTestNone", Field::kHealthcheck, Map{{"test", List{"NONE"}}, {"disable", false}},
     Map{{"test", List{"NONE"}}}},
};

const std::vector<Accepted> kAttachments = {
    {"ContainerPort", Field::kPorts, List{"80"}, List{"::80/tcp"}},
    {"ContainerPortAsNumber", Field::kPorts, List{80}, List{"::80/tcp"}},
    {"HostPort", Field::kPorts, List{"8080:80"}, List{":8080:80/tcp"}},
    {"HostAddress", Field::kPorts, List{"127.0.0.1:8080:80/udp"}, List{"127.0.0.1:8080:80/udp"}},
    {"HostAddressAlone", Field::kPorts, List{"127.0.0.1::80"}, List{"127.0.0.1::80/tcp"}},
    {"WrittenZeroAddressStays", Field::kPorts, List{"0.0.0.0:1:1"}, List{"0.0.0.0:1:1/tcp"}},
    {"Ipv6", Field::kPorts, List{"[::1]:8080:80/SCTP", "[FE80::1]::1"},
     List{"[::1]:8080:80/sctp", "[fe80::1]::1/tcp"}},
    {"Ranges", Field::kPorts, List{"9090-9091:8080-8081", "5-6"},
     List{":9090:8080/tcp", ":9091:8081/tcp", "::5/tcp", "::6/tcp"}},
    {"PortsAreASet", Field::kPorts, List{"2:2", "1:1", "1-2:1-2"}, List{":1:1/tcp", ":2:2/tcp"}},
    {"HostPortZeroIsTheEnginesChoice", Field::kPorts, List{"0:80"}, List{"::80/tcp"}},
    {"Ipv6WithoutBrackets", Field::kPorts, List{"::1:6000:6000", "FE80::1:1-2:3-4"},
     List{"[::1]:6000:6000/tcp", "[fe80::1]:1:3/tcp", "[fe80::1]:2:4/tcp"}},
    {"RangeOfTheHostForOnePort", Field::kPorts, List{"127.0.0.1:8000-9000:80"},
     List{"127.0.0.1:8000-9000:80/tcp"}},
    {"LongRangeOfTheHost", Field::kPorts,
     List{Map{{"target", 443}, {"published", "8083-9000"}, {"app_protocol", "https"}}},
     List{":8083-9000:443/tcp"}},
    {"LongPort", Field::kPorts,
     List{Map{{"target", 80},
              {"published", "8080"},
              {"host_ip", "::1"},
              {"protocol", "udp"},
              {"mode", "host"},
              {"name", "web"}}},
     List{"[::1]:8080:80/udp"}},
    {"LongPortOfTargetAlone", Field::kPorts, List{Map{{"target", 80}}}, List{"::80/tcp"}},
    {"NamedVolume", Field::kVolumes, List{"data:/var/data"},
     List{Map{{"source", "data"}, {"target", "/var/data"}, {"type", "volume"}}}},
    {"ReadOnlyVolume", Field::kVolumes, List{"v:/data:ro"},
     List{Map{{"read_only", true}, {"source", "v"}, {"target", "/data"}, {"type", "volume"}}}},
    {"WritableVolume", Field::kVolumes, List{"v:/data:rw"},
     List{Map{{"source", "v"}, {"target", "/data"}, {"type", "volume"}}}},
    {"VolumeOptions", Field::kVolumes, List{"v:/data:ro,nocopy"},
     List{Map{{"nocopy", true},
              {"read_only", true},
              {"source", "v"},
              {"target", "/data"},
              {"type", "volume"}}}},
    {"AnonymousVolume", Field::kVolumes, List{"/data"},
     List{Map{{"target", "/data"}, {"type", "volume"}}}},
    {"TargetIsCleaned", Field::kVolumes, List{"v:/a//./b/../c/"},
     List{Map{{"source", "v"}, {"target", "/a/c"}, {"type", "volume"}}}},
    {"LongVolumeAsTheShortOne", Field::kVolumes,
     List{Map{{"type", "volume"}, {"source", "v"}, {"target", "/d/"}, {"read_only", false}}},
     List{Map{{"source", "v"}, {"target", "/d"}, {"type", "volume"}}}},
    {"LongVolumeOptions", Field::kVolumes,
     List{Map{{"type", "volume"}, {"target", "/d"}, {"volume", Map{{"nocopy", true}}}}},
     List{Map{{"nocopy", true}, {"target", "/d"}, {"type", "volume"}}}},
    {"ColonInTarget", Field::kVolumes,
     List{Map{{"type", "volume"}, {"source", "v"}, {"target", "/a:b"}}},
     List{Map{{"source", "v"}, {"target", "/a:b"}, {"type", "volume"}}}},
    {"TmpfsVolume", Field::kVolumes,
     List{
         Map{{"type", "tmpfs"}, {"target", "/t"}, {"tmpfs", Map{{"size", "1m"}, {"mode", 01777}}}}},
     List{Map{{"mode", 01777}, {"size", kMiB}, {"target", "/t"}, {"type", "tmpfs"}}}},
    {"VolumesAreASet", Field::kVolumes, List{"b:/b", "a:/a", "b:/b/"},
     List{Map{{"source", "a"}, {"target", "/a"}, {"type", "volume"}},
          Map{{"source", "b"}, {"target", "/b"}, {"type", "volume"}}}},
    {"NetworksAsList", Field::kNetworks, List{"b", "a"}, Map{{"a", Map{}}, {"b", Map{}}}},
    {"NetworkDriverOptions", Field::kNetworks,
     Map{{"a", Map{{"driver_opts", List{"foo=bar", "baz=1"}}}}},
     Map{{"a", Map{{"driver_opts", Map{{"baz", "1"}, {"foo", "bar"}}}}}}},
    {"NetworksAsMap", Field::kNetworks,
     Map{{"a", Value()},
         {"b", Map{{"aliases", List{"y", "x", "y"}},
                   {"ipv4_address", "10.0.0.9"},
                   {"ipv6_address", "FE80::9"},
                   {"link_local_ips", List{"169.254.1.2", "169.254.1.1"}},
                   {"priority", 7}}},
         {"c", Map{{"aliases", List{}}, {"priority", 0}}}},
     Map{{"a", Map{}},
         {"b", Map{{"aliases", List{"x", "y"}},
                   {"ipv4_address", "10.0.0.9"},
                   {"ipv6_address", "fe80::9"},
                   {"link_local_ips", List{"169.254.1.1", "169.254.1.2"}},
                   {"priority", 7}}},
         {"c", Map{}}}},
};

constexpr auto kNameOf = [](const auto& param_info) { return param_info.param.name; };
INSTANTIATE_TEST_SUITE_P(Scalars, NormalizeFieldTest, ::testing::ValuesIn(kScalars), kNameOf);
INSTANTIATE_TEST_SUITE_P(Lists, NormalizeFieldTest, ::testing::ValuesIn(kLists), kNameOf);
INSTANTIATE_TEST_SUITE_P(Attachments, NormalizeFieldTest, ::testing::ValuesIn(kAttachments),
                         kNameOf);

TEST(NormalizeFieldCasesTest, CoverEveryField) {
  std::vector<Field> covered;
  for (const auto* cases : {&kScalars, &kLists, &kAttachments}) {
    for (const Accepted& accepted : *cases) covered.push_back(accepted.field);
  }
  for (const FieldRow& row : ServiceFields()) {
    EXPECT_THAT(covered, ::testing::Contains(row.field)) << row.name;
  }
}

TEST(ServiceFieldsTest, AreIndexedByFieldAndSortedByName) {
  const auto rows = ServiceFields();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(rows[i].field), i) << rows[i].name;
    EXPECT_EQ(FindServiceField(rows[i].name), &rows[i]);
    if (i > 0) {
      EXPECT_LT(rows[i - 1].name, rows[i].name);
    }
  }
  EXPECT_EQ(FindServiceField("prots"), nullptr);
  EXPECT_EQ(FindServiceField(""), nullptr);
  EXPECT_EQ(FindServiceField("zzz"), nullptr);
}

TEST(ServiceFieldsTest, HaveCanonicalDefaults) {
  for (const FieldRow& row : ServiceFields()) {
    for (const Value& value : {row.neutral, row.balena_default}) {
      const auto result = NormalizeField(row, DenormalizeField(row, value));
      ASSERT_TRUE(result) << row.name << ": " << result.assume_error().message;
      EXPECT_EQ(result.assume_value(), value) << row.name;
    }
  }
}

TEST(ServiceFieldsTest, AreOfTheContainerButForHowATagIsLookedUp) {
  for (const FieldRow& row : ServiceFields()) {
    EXPECT_EQ(row.of_container, row.field != Field::kPullPolicy) << row.name;
  }
}

TEST(ServiceFieldsTest, KeepNullAbsent) {
  for (const FieldRow& row : ServiceFields()) {
    const auto result = NormalizeField(row, Value());
    ASSERT_TRUE(result) << row.name;
    EXPECT_TRUE(result.assume_value().is_null()) << row.name;
    EXPECT_TRUE(DenormalizeField(row, Value()).is_null()) << row.name;
  }
}

TEST(DenormalizeFieldTest, UsesTheWordsOfCompose) {
  const auto text = [](Field field, const Value& canonical) {
    return ToText(DenormalizeField(RowOf(field), canonical));
  };
  EXPECT_EQ(text(Field::kStopGracePeriod, 10 * kSecond), "\"10s\"");
  EXPECT_EQ(text(Field::kHealthcheck, Map{{"interval", std::int64_t{1'500'000'000}}}),
            R"({"interval":"1500ms"})");
  EXPECT_EQ(text(Field::kCpus, kSecond / 2), "0.5");
  EXPECT_EQ(text(Field::kCpus, 2 * kSecond), "2");
  EXPECT_EQ(text(Field::kMemLimit, 64 * kMiB), "67108864");
  EXPECT_EQ(text(Field::kPorts, List{"::80/tcp", ":8080:80/tcp", "127.0.0.1::80/tcp"}),
            R"(["80/tcp","8080:80/tcp","127.0.0.1::80/tcp"])");
  EXPECT_EQ(
      text(Field::kVolumes,
           List{Map{{"source", "v"}, {"target", "/d"}, {"type", "volume"}},
                Map{{"read_only", true}, {"source", "w"}, {"target", "/e"}, {"type", "volume"}}}),
      R"(["v:/d","w:/e:ro"])");
  EXPECT_EQ(text(Field::kVolumes, List{Map{{"source", "/a"}, {"target", "/b"}, {"type", "bind"}}}),
            R"([{"source":"/a","target":"/b","type":"bind"}])");
  EXPECT_EQ(text(Field::kHealthcheck, Map{{"interval", 5 * kSecond}, {"retries", 2}}),
            R"({"interval":"5s","retries":2})");
}

struct SplitCase {
  std::string name;
  std::string text;
  std::vector<std::string> words;
};

class SplitCommandTest : public ::testing::TestWithParam<SplitCase> {};

TEST_P(SplitCommandTest, SplitsLikeAShell) {
  const auto words = SplitCommand(GetParam().text);
  ASSERT_TRUE(words) << words.assume_error().message;
  EXPECT_EQ(words.assume_value(), GetParam().words);
}

const std::vector<SplitCase> kSplits = {
    {"Nothing", "", {}},
    {"Blanks", " \t\n ", {}},
    {"Words", "  a b\tc\nd ", {"a", "b", "c", "d"}},
    {"SingleQuotes", R"('a "b" \ $c' d)", {R"(a "b" \ $c)", "d"}},
    {"DoubleQuotes", R"("a 'b' \"c\" \\ \$d \e")", {R"(a 'b' "c" \ $d \e)"}},
    {"QuotesWithinAWord", R"(a'b c'"d e"f)", {"ab cd ef"}},
    {"EmptyWords", R"('' a "")", {"", "a", ""}},
    {"Backslash", R"(a\ b \'c \\)", {"a b", "'c", "\\"}},
    {"ContinuedLine", "a \\\nb c\\\nd \"e\\\nf\"", {"a", "b", "cd", "ef"}},
    {"LastBackslashStays", "a\\", {"a\\"}},
    {"ShellWordsStay", "$A *.c | b > c; d # e", {"$A", "*.c", "|", "b", ">", "c;", "d", "#", "e"}},
};

INSTANTIATE_TEST_SUITE_P(Cases, SplitCommandTest, ::testing::ValuesIn(kSplits), kNameOf);

TEST(SplitCommandErrorsTest, NameTheOpenQuote) {
  for (const char* text : {"'a", "\"a", "a \"b\\\"", "'"}) {
    const auto words = SplitCommand(text);
    ASSERT_FALSE(words) << text;
    EXPECT_EQ(words.assume_error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(words.assume_error().message, HasSubstr("is not closed"));
  }
}

}  // namespace
}  // namespace lockstep
