#include "lockstep/service_field.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

std::string Messages(const Result<Value>& result) {
  return result ? "accepted: " + ToText(result.assume_value()) : result.assume_error().message;
}

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
const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostInt = std::numeric_limits<std::int64_t>::max();

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
    {"MacAddress", Field::kMacAddress, "02:42:ac:11:65:43", "02:42:ac:11:65:43"},
    {"NetworkMode", Field::kNetworkMode, "service:db", "service:db"},
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
    {"DurationWithFraction", Field::kStopGracePeriod, "1.5s", 1'500'000'000},
    {"DurationOfAllUnits", Field::kStopGracePeriod, "1h1m1s1ms1us1ns", 3'661'001'001'001},
    {"DurationInMicroSign", Field::kStopGracePeriod, "5\u00b5s", 5'000},
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
    {"DnsOpt", Field::kDnsOpt, List{"use-vc", "no-tld-query"}, List{"no-tld-query", "use-vc"}},
    {"GroupsAreText", Field::kGroupAdd, List{"mail", 999}, List{"999", "mail"}},
    {"SecurityOpt", Field::kSecurityOpt, List{"seccomp=unconfined"}, List{"seccomp=unconfined"}},
    {"OneTmpfs", Field::kTmpfs, "/run:size=64m", List{"/run:size=64m"}},
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
    {"LongPort", Field::kPorts,
     List{Map{{"target", 80},
              {"published", "8080"},
              {"host_ip", "::1"},
              {"protocol", "udp"},
              {"mode", "ingress"},
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

struct Refused {
  std::string name;
  Field field;
  Value raw;
  std::string message;  // A part of it.
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << ToText(refused.raw); }

class RefusedFieldTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedFieldTest, SaysWhatIsWrong) {
  const auto result = NormalizeField(RowOf(GetParam().field), GetParam().raw);
  EXPECT_THAT(Messages(result), HasSubstr(GetParam().message));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.assume_error().code, ErrorCode::kInvalidInput);
}

constexpr const char* kNoPort =
    "is no port; write [[ip:]host:]container[/tcp|udp|sctp], ports 1 to 65535, ranges of one "
    "length";
constexpr const char* kNoBind =
    "mounts a path of the host; bind mounts are not allowed: use a named volume";

const std::vector<Refused> kRefused = {
    {"BoolAsText", Field::kUser, true, "true is no text; write it in quotes"},
    {"ListAsText", Field::kUser, List{"a"}, "[\"a\"] is no text"},
    {"NanAsText", Field::kUser, kNan, "nan is no text"},
    {"NulByte", Field::kUser, std::string("a\0b", 3), "has a NUL byte in it"},
    {"NulByteInAKey", Field::kSysctls, Map{{std::string("\0", 1), "1"}}, "has a NUL byte in it"},
    {"OverLongText", Field::kUser, std::string(200'000, 'a'),
     "is 200000 bytes long; at most 128 KiB are allowed"},
    {"WordAsBool", Field::kPrivileged, "yes", "\"yes\" is no truth value; write true or false"},
    {"NumberAsBool", Field::kTty, 1, "1 is no truth value"},
    {"TextAsInteger", Field::kCpuShares, "many", "\"many\" is no whole number"},
    {"FractionAsInteger", Field::kCpuShares, 1.5, "1.5 is no whole number"},
    {"HugeInteger", Field::kCpuShares, "99999999999999999999", "is no whole number"},
    {"HugeDouble", Field::kCpuShares, 1e300, "is no whole number"},
    {"IntegerTooLarge", Field::kCpuShares, 262145, "262145 is no number from 0 to 262144"},
    {"IntegerTooSmall", Field::kOomScoreAdj, -1001, "-1001 is no number from -1000 to 1000"},
    {"NegativeLimit", Field::kPidsLimit, -2, "-2 is no limit; write a positive number, or -1"},
    {"UnknownByteUnit", Field::kMemLimit, "64x",
     "\"64x\" is no size; write a number of bytes, or such as 512k, 64m, 1.5g"},
    {"NegativeBytes", Field::kMemLimit, -1, "-1 is no size"},
    {"NegativeBytesAsText", Field::kMemLimit, "-1m", "is no size"},
    {"TooManyBytes", Field::kMemLimit, "9999999999999t", "is no size"},
    {"EmptyBytes", Field::kMemLimit, "", "is no size"},
    {"UnitAlone", Field::kMemLimit, "m", "is no size"},
    {"TwoPoints", Field::kMemLimit, "1.2.3m", "is no size"},
    {"ListAsBytes", Field::kMemLimit, List{}, "is no size"},
    {"DurationWithoutUnit", Field::kStopGracePeriod, "10",
     "\"10\" is no duration; write it with units (h, m, s, ms, us), such as 1m30s"},
    {"DurationAsNumber", Field::kStopGracePeriod, 10, "10 is no duration"},
    {"NegativeDuration", Field::kStopGracePeriod, "-1s", "is no duration"},
    {"DurationTooLong", Field::kStopGracePeriod, "9999999999h", "is no duration"},
    {"DurationSumTooLong", Field::kStopGracePeriod, "2000000h2000000h", "is no duration"},
    {"DurationWithUnknownUnit", Field::kStopGracePeriod, "1y", "is no duration"},
    {"EmptyDuration", Field::kStopGracePeriod, "", "is no duration"},
    {"NanCpus", Field::kCpus, kNan, "nan is no number of processors; write such as 0.5 or 2"},
    {"InfiniteCpus", Field::kCpus, kInfinity, "inf is no number of processors"},
    {"NegativeCpus", Field::kCpus, -0.5, "is no number of processors"},
    {"TooManyCpus", Field::kCpus, kMostInt, "is no number of processors"},
    {"UnknownRestart", Field::kRestart, "sometimes",
     "\"sometimes\" is no restart policy; write no, always, unless-stopped or "
     "on-failure[:<times>]"},
    {"RestartTrue", Field::kRestart, true, "true is no restart policy"},
    {"RestartTimes", Field::kRestart, "on-failure:x", "is no restart policy"},
    {"NegativeRestartTimes", Field::kRestart, "on-failure:-1", "is no restart policy"},
    {"CommandAsMap", Field::kCommand, Map{}, "{} is no command; write text or a list of texts"},
    {"CommandAsNumber", Field::kCommand, 5, "5 is no command"},
    {"OpenQuote", Field::kCommand, "sh -c 'x", "has a quote (') that is not closed"},
    {"NestedList", Field::kDns, List{List{"a"}}, "[\"a\"] is no text"},
    {"NullInList", Field::kDns, List{Value()}, "null is no text"},
    {"MapAsSet", Field::kCapAdd, Map{{"a", 1}}, "is no list of texts"},
    {"EmptyEntry", Field::kCapAdd, List{""}, "an entry is empty; leave it out"},
    {"TextAsMapping", Field::kSysctls, "a=1", "is no mapping; write a map, or a list of"},
    {"EmptyKey", Field::kSysctls, List{"=1"}, "a key is empty; write key=value"},
    {"ListInMapping", Field::kSysctls, Map{{"a", List{}}}, "[] is no text"},
    {"ExposedName", Field::kExpose, List{"http"}, "\"http\" is no port; write port[/tcp|udp|sctp]"},
    {"TooManyExposed", Field::kExpose, List{"1-65535", "1-65535/udp"},
     "more than 65536 ports; write shorter ranges"},
    {"HostWithoutIp", Field::kExtraHosts, List{"a"}, "\"a\" is no host entry; write host:ip"},
    {"HostWithBadIp", Field::kExtraHosts, List{"a:300.0.0.1"}, "is no host entry"},
    {"HostWithShortIp", Field::kExtraHosts, List{"a:10.0.0"}, "is no host entry"},
    {"HostWithColon", Field::kExtraHosts, Map{{"a:b", "10.0.0.1"}}, "is no host entry"},
    {"IpWithoutHost", Field::kExtraHosts, List{":10.0.0.1"}, "is no host entry"},
    {"RelativeDevice", Field::kDevices, List{"ttyUSB0"},
     "\"ttyUSB0\" is no device; write /host/path[:/container/path[:rwm]]"},
    {"DevicePermissions", Field::kDevices, List{"/dev/a:/dev/a:rx"}, "is no device"},
    {"DoubledPermissions", Field::kDevices, List{"/dev/a:/dev/a:rr"}, "is no device"},
    {"UnknownDeviceMember", Field::kDevices, List{Map{{"path", "/dev/a"}}},
     "\"path\" is not known here; allowed are source, target, permissions"},
    {"UlimitsAsList", Field::kUlimits, List{}, "[] is no map of limits"},
    {"UlimitName", Field::kUlimits, Map{{"no file", 1}}, "\"no file\" is no name of a limit"},
    {"SoftAboveHard", Field::kUlimits, Map{{"core", Map{{"soft", 2}, {"hard", 1}}}},
     "with soft not above hard"},
    {"HalfAUlimit", Field::kUlimits, Map{{"core", Map{{"soft", 2}}}}, "is no limit; write"},
    {"UlimitBelowUnlimited", Field::kUlimits, Map{{"core", -2}}, "-2 is no limit; write"},
    {"HealthTestWithoutKind", Field::kHealthcheck, Map{{"test", List{"curl"}}},
     "test: [\"curl\"] is no health test; a list is [\"NONE\"]"},
    {"HealthTestAsNumber", Field::kHealthcheck, Map{{"test", 5}}, "test: 5 is no health test"},
    {"HealthInterval", Field::kHealthcheck, Map{{"interval", "soon"}},
     "interval: \"soon\" is no duration"},
    {"HealthIntervalTooShort", Field::kHealthcheck, Map{{"interval", "10us"}},
     "at least 1ms is needed"},
    {"HealthRetries", Field::kHealthcheck, Map{{"retries", -1}}, "retries: -1 is no number from 0"},
    {"HealthMember", Field::kHealthcheck, Map{{"intervall", "1s"}},
     "\"intervall\" is not known here; allowed are test, interval"},
    {"HealthAsText", Field::kHealthcheck, "curl", "\"curl\" is no map of test, interval"},
    {"PortName", Field::kPorts, List{"80:x"}, std::string("\"80:x\" ") + kNoPort},
    {"PortZero", Field::kPorts, List{0}, kNoPort},
    {"PortTooLarge", Field::kPorts, List{"65536"}, kNoPort},
    {"NegativePort", Field::kPorts, List{-80}, kNoPort},
    {"HugePort", Field::kPorts, List{kMostInt}, kNoPort},
    {"PortProtocol", Field::kPorts, List{"80/icmp"}, kNoPort},
    {"UnequalRanges", Field::kPorts, List{"80-82:80-81"}, kNoPort},
    {"BackwardRange", Field::kPorts, List{"81-80"}, kNoPort},
    {"HostName", Field::kPorts, List{"localhost:80:80"}, kNoPort},
    {"NakedIpv6", Field::kPorts, List{"fe80::1:80:80"}, kNoPort},
    {"OpenBracket", Field::kPorts, List{"[::1:80:80"}, kNoPort},
    {"EmptyPort", Field::kPorts, List{""}, kNoPort},
    {"ColonsAlone", Field::kPorts, List{":::::"}, kNoPort},
    {"LongPortWithoutTarget", Field::kPorts, List{Map{{"published", 80}}}, kNoPort},
    {"LongPortMember", Field::kPorts, List{Map{{"targt", 80}}}, "\"targt\" is not known here"},
    {"PortsAsText", Field::kPorts, "80:80", "\"80:80\" is no list of ports"},
    {"TooManyPorts", Field::kPorts, List{"1-65535", "1-65535/udp"}, "more than 65536 ports"},
    {"BindOfAbsolutePath", Field::kVolumes, List{"/etc:/etc"},
     std::string("\"/etc:/etc\" ") + kNoBind},
    {"BindOfRelativePath", Field::kVolumes, List{"./a:/a:ro"}, kNoBind},
    {"BindOfHome", Field::kVolumes, List{"~/a:/a"}, kNoBind},
    {"BindOfFolder", Field::kVolumes, List{"a/b:/a"}, kNoBind},
    {"BindOfDrive", Field::kVolumes, List{"C:\\data:/a"}, kNoBind},
    {"LongBind", Field::kVolumes, List{Map{{"type", "bind"}, {"source", "/a"}, {"target", "/a"}}},
     kNoBind},
    {"BindDisguisedAsVolume", Field::kVolumes,
     List{Map{{"type", "volume"}, {"source", "/a"}, {"target", "/a"}}}, kNoBind},
    {"VolumeType", Field::kVolumes, List{Map{{"type", "npipe"}, {"target", "/a"}}},
     "\"npipe\" is no type of a volume; write volume or tmpfs"},
    {"VolumeWithoutTarget", Field::kVolumes, List{Map{{"type", "volume"}, {"source", "a"}}},
     "has no target; write target: /path/in/container"},
    {"TmpfsWithSource", Field::kVolumes,
     List{Map{{"type", "tmpfs"}, {"source", "a"}, {"target", "/a"}}},
     "\"source\" does not go with type tmpfs"},
    {"VolumeWithTmpfsOptions", Field::kVolumes,
     List{Map{{"type", "volume"}, {"target", "/a"}, {"tmpfs", Map{{"size", 5}}}}},
     "\"tmpfs\" does not go with type volume"},
    {"ModeAsText", Field::kVolumes,
     List{Map{{"type", "tmpfs"}, {"target", "/a"}, {"tmpfs", Map{{"mode", "1777"}}}}},
     "tmpfs: mode: \"1777\" is no mode"},
    {"RelativeTarget", Field::kVolumes, List{"v:data"},
     "\"v:data\" is no volume; write name:/path[:ro]"},
    {"RootTarget", Field::kVolumes, List{"v:/a/.."}, "is no volume"},
    {"VolumeNameAlone", Field::kVolumes, List{"v"}, "is no volume"},
    {"VolumeWithoutName", Field::kVolumes, List{":/a"}, "is no volume"},
    {"VolumeName", Field::kVolumes, List{"a b:/a"}, "\"a b\" is no name of a volume"},
    {"VolumeOption", Field::kVolumes, List{"v:/a:fast"},
     "\"fast\" is no option of a volume; allowed are ro, rw and nocopy"},
    {"TwoVolumesOnOneTarget", Field::kVolumes, List{"a:/d", "b:/d/"},
     "two volumes are mounted at \"/d\""},
    {"VolumesAsText", Field::kVolumes, "a:/a", "is no list of volumes"},
    {"NetworksAsText", Field::kNetworks, "default", "is no list or map of networks"},
    {"NetworkName", Field::kNetworks, List{"../x"}, "\"../x\" is no name of a network"},
    {"NetworkMember", Field::kNetworks, Map{{"a", Map{{"alias", "x"}}}},
     "\"alias\" is not known here; allowed are aliases"},
    {"NetworkAddress", Field::kNetworks, Map{{"a", Map{{"ipv4_address", "10.0.0.x"}}}},
     "ipv4_address: \"10.0.0.x\" is no IPv4 address"},
    {"NetworkAttachmentAsText", Field::kNetworks, Map{{"a", "x"}}, "\"x\" is no map of aliases"},
};

INSTANTIATE_TEST_SUITE_P(Cases, RefusedFieldTest, ::testing::ValuesIn(kRefused), kNameOf);

TEST(NormalizeFieldMessagesTest, AreCutWhereTheInputIsLong) {
  std::string long_text;
  for (int i = 0; i < 1000; ++i) long_text += "\u00e9";
  const auto result = NormalizeField(RowOf(Field::kMemLimit), long_text);
  ASSERT_FALSE(result);
  EXPECT_LT(result.assume_error().message.size(), 200U);
  EXPECT_THAT(result.assume_error().message, HasSubstr("\u00e9...\""));
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
  EXPECT_EQ(text(Field::kStopGracePeriod, 1'500'000'000), "\"1500ms\"");
  EXPECT_EQ(text(Field::kStopGracePeriod, 1'001), "\"1001ns\"");
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
