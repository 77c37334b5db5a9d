// What no field takes, and what it says then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/service_field.h"

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostInt = std::numeric_limits<std::int64_t>::max();
constexpr auto kNameOf = [](const auto& param_info) { return param_info.param.name; };

std::string Messages(const Result<Value>& result) {
  return result ? "accepted: " + ToText(result.assume_value()) : result.assume_error().message;
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
    "length (or a range of the host for one port)";
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
    {"CpuPeriod", Field::kCpuPeriod, 1000001, "1000001 is no number from 0 to 1000000"},
    {"Swappiness", Field::kMemSwappiness, 101, "101 is no number from 0 to 100"},
    {"NegativeSwappiness", Field::kMemSwappiness, -1, "-1 is no number from 0 to 100"},
    {"NegativeSwapLimit", Field::kMemswapLimit, -2, "-2 is no size"},
    {"RelativeWorkingDir", Field::kWorkingDir, "srv",
     "\"srv\" is no absolute path; write one such as /srv"},
    {"ShortMacAddress", Field::kMacAddress, "02:42:ac",
     "\"02:42:ac\" is no MAC address; write six"},
    {"MacAddressOfLetters", Field::kMacAddress, "02:42:ac:11:22:gg", "is no MAC address"},
    {"SignalOfBlanks", Field::kStopSignal, "SIG INT", "\"SIG INT\" is no signal; write such as"},
    {"NetworkModeOfNobody", Field::kNetworkMode, "service:",
     "\"service:\" is no network mode; write host, none, bridge, the name of a network"},
    {"NetworkModePath", Field::kNetworkMode, "../x", "is no network mode"},
    {"PidMode", Field::kPid, "private", "\"private\" is no pid mode; write host, service:<name>"},
    {"IpcMode", Field::kIpc, "shared", "\"shared\" is no ipc mode; write private, shareable"},
    {"UtsMode", Field::kUts, "service:web", "\"service:web\" is no uts mode; write host"},
    {"PullPolicy", Field::kPullPolicy, "sometimes",
     "\"sometimes\" is no pull policy; write missing, always or never"},
    {"PullPolicyAsBool", Field::kPullPolicy, true, "true is no pull policy"},
    {"PullPolicyBuild", Field::kPullPolicy, "build", "\"build\" builds an image"},
    {"PullPolicyDaily", Field::kPullPolicy, "daily",
     "\"daily\" needs the time of the last pull, which is not kept; write always, never or "
     "missing"},
    {"PullPolicyEvery", Field::kPullPolicy, "every_12h", "\"every_12h\" needs the time of"},
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
    {"NestedList", Field::kDns, List{Value(List{"a"})}, "[\"a\"] is no text"},
    {"NullInList", Field::kDns, List{Value()}, "null is no text"},
    {"MapAsSet", Field::kCapAdd, Map{{"a", 1}}, "is no list of texts"},
    {"EmptyEntry", Field::kGroupAdd, List{""}, "an entry is empty; leave it out"},
    {"Capability", Field::kCapAdd, List{"NET ADMIN"}, "\"NET ADMIN\" is no capability; write such"},
    {"CapabilityOfPrefixAlone", Field::kCapDrop, List{"CAP_"}, "\"CAP_\" is no capability"},
    {"SecurityOptWithoutName", Field::kSecurityOpt, List{":disable"}, "is no security option"},
    {"DeviceRuleOfBlanks", Field::kDeviceCgroupRules, List{"c  1:3 r"},
     "\"c  1:3 r\" is no device rule; write <a, b or c> <major>:<minor> <rwm>"},
    {"DeviceRuleType", Field::kDeviceCgroupRules, List{"d 1:3 r"}, "is no device rule"},
    {"DeviceRuleNumber", Field::kDeviceCgroupRules, List{"c 1:x r"}, "is no device rule"},
    {"DeviceRulePermissions", Field::kDeviceCgroupRules, List{"c 1:3 rr"}, "is no device rule"},
    {"DeviceRuleCutShort", Field::kDeviceCgroupRules, List{"c 1:3"}, "is no device rule"},
    {"RelativeTmpfs", Field::kTmpfs, List{"run"}, "\"run\" is no path in a container; write one"},
    {"TmpfsOnRoot", Field::kTmpfs, List{"/"}, "is no path in a container"},
    {"TwoTmpfsOnOnePath", Field::kTmpfs, List{"/run:size=1m", "/run-x", "/run/:size=2m"},
     "two volumes are mounted at \"/run\"; leave one out"},
    {"AnnotationsAsText", Field::kAnnotations, "a=b", "is no mapping"},
    {"LoggingAsText", Field::kLogging, "syslog", "\"syslog\" is no map of driver, options"},
    {"LoggingMember", Field::kLogging, Map{{"option", Map{}}},
     "\"option\" is not known here; allowed are driver, options"},
    {"LoggingOptions", Field::kLogging, Map{{"options", "tag"}}, "options: \"tag\" is no mapping"},
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
    {"GpusAsNumber", Field::kGpus, 1, "1 is no list of GPUs; write one, or all"},
    {"NoGpu", Field::kGpus, List{Map{{"count", 0}}}, "0 is no number of GPUs; write 1, 2, ... or"},
    {"GpusInWords", Field::kGpus, List{Map{{"count", "two"}}}, "\"two\" is no number of GPUs"},
    {"GpusByNumberAndName", Field::kGpus, List{Map{{"count", 1}, {"device_ids", List{"0"}}}},
     "by count or by device_ids, not by both"},
    {"GpuMember", Field::kGpus, List{Map{{"vendor", "a"}}}, "\"vendor\" is not known here"},
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
    {"UnequalRanges", Field::kPorts, List{"80:80-81"}, kNoPort},
    {"BackwardRange", Field::kPorts, List{"81-80"}, kNoPort},
    {"HostName", Field::kPorts, List{"localhost:80:80"}, kNoPort},
    {"WildRangeOfTheHost", Field::kPorts, List{"80-82:80-81"}, kNoPort},
    {"PortMode", Field::kPorts, List{Map{{"target", 80}, {"mode", "swarm"}}},
     "mode: \"swarm\" is no mode of a port; write host or ingress"},
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
    {"VolumeSubpath", Field::kVolumes,
     List{Map{{"type", "volume"}, {"target", "/a"}, {"volume", Map{{"subpath", "b"}}}}},
     "volume: subpath: \"b\" is not supported; leave it out"},
    {"VolumeConsistency", Field::kVolumes,
     List{Map{{"type", "volume"}, {"target", "/a"}, {"consistency", "cached"}}},
     "consistency: \"cached\" is not supported; leave it out"},
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
    {"NetworkMac", Field::kNetworks, Map{{"a", Map{{"mac_address", "02:42:ac:11:65:43"}}}},
     "mac_address: \"02:42:ac:11:65:43\" is not supported for one network; write mac_address of"},
    {"NetworkGateway", Field::kNetworks, Map{{"a", Map{{"gw_priority", 1}}}},
     "gw_priority: 1 is not supported; leave it out"},
    {"NetworkInterface", Field::kNetworks, Map{{"a", Map{{"interface_name", "eth0"}}}},
     "interface_name: \"eth0\" is not supported; leave it out"},
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

Value Nested(int depth) {
  Value value = "a";
  for (int i = 0; i < depth; ++i)
    value = i % 2 == 0 ? Value(List{value}) : Value(Map{{"a", value}});
  return value;
}

// What somebody may mean ill with.
std::vector<Value> HostileValues() {
  constexpr std::size_t kMegabyte = 1 << 20;
  return {
      std::string("a\0b", 3),
      std::string("/a\0:/b", 6),
      std::string(kMegabyte, 'a'),
      std::string(kMegabyte, '9'),
      std::string(kMegabyte, '/'),
      std::string(kMegabyte, ':'),
      std::string(kMegabyte, ','),
      std::string(kMegabyte, '"'),
      std::string(kMegabyte, '\xff'),
      "-1",
      "-9223372036854775808",
      "9223372036854775808",
      "1e400",
      "0x10",
      "\xff\xfe",
      "../../../etc",
      "$(reboot)",
      "a\nb",
      std::numeric_limits<std::int64_t>::min(),
      kMostInt,
      -1,
      kNan,
      kInfinity,
      -kInfinity,
      1e300,
      -0.5,
      true,
      Value(),
      Nested(500),
      List(10'000, Value("a")),
      List(10'000, Value()),
  };
}

// Alone, and wherever a list, a map or a long form has room for it.
std::vector<Value> Disguises(const Value& value) {
  std::vector<Value> all = {value, List{value}};
  for (const char* key : {"a", "target", "source", "test", "driver", "options", "soft"}) {
    all.push_back(Map{{key, value}});
    all.push_back(List{Map{{"type", "bind"}, {"target", "/a"}, {key, value}}});
    all.push_back(Map{{"a", Map{{key, value}}}});
  }
  return all;
}

// Whether it is refused; the test fails where it is neither refused well nor accepted well.
bool IsRefused(const FieldRow& row, const Value& raw) {
  const auto canonical = NormalizeField(row, raw, HostPaths::kAllowed);
  if (!canonical) {
    EXPECT_EQ(canonical.assume_error().code, ErrorCode::kInvalidInput) << row.name;
    EXPECT_FALSE(canonical.assume_error().message.empty()) << row.name;
    EXPECT_LT(canonical.assume_error().message.size(), 400U) << row.name;
    return true;
  }
  const Value words = DenormalizeField(row, canonical.assume_value());
  const auto again = NormalizeField(row, words, HostPaths::kAllowed);
  EXPECT_TRUE(again && again.assume_value() == canonical.assume_value()) << row.name;
  return false;
}

TEST(HostileValuesTest, AreRefusedBrieflyOrHaveACanonicalForm) {
  std::map<std::string_view, int> refused;
  int tried = 0;
  for (const Value& hostile : HostileValues()) {
    for (const Value& raw : Disguises(hostile)) {
      ++tried;
      for (const FieldRow& row : ServiceFields()) refused[row.name] += IsRefused(row, raw) ? 1 : 0;
    }
  }
  for (const FieldRow& row : ServiceFields()) EXPECT_GT(refused[row.name], tried / 2) << row.name;
}

TEST(HostileValuesTest, NulNeverGetsIntoACanonicalForm) {
  const std::string nul("x\0y", 3);
  for (const FieldRow& row : ServiceFields()) {
    for (const Value& raw :
         {Value(nul), Value(List{nul}), Value(Map{{nul, "1"}}), Value(Map{{"a", nul}}),
          Value(Map{{"test", nul}}), Value(Map{{"driver", nul}}), Value("/a/" + nul),
          Value(List{"/a/" + nul}), Value(List{"/b:/a/" + nul})}) {
      const auto canonical = NormalizeField(row, raw, HostPaths::kAllowed);
      EXPECT_FALSE(canonical) << row.name << ": " << ToText(raw);
    }
  }
}

}  // namespace
}  // namespace lockstep
