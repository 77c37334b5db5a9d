#include "config_backends/config_json_backend.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "board_directory.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// As a device has it. What no error may say begins with "5ec".
constexpr char kConfig[] = R"({
  "apiEndpoint": "https://api.balena-cloud.com",
  "apiKey": "5ec0a1",
  "appUpdatePollInterval": 900000,
  "applicationId": 1234567,
  "deviceApiKey": "5ec0b2",
  "deviceApiKeys": {"api.balena-cloud.com": "5ec0c3"},
  "deviceType": "jetson-agx-orin-devkit",
  "hostname": "pump-7",
  "listenPort": 48484,
  "ntpServers": "0.pool.ntp.org  1.pool.ntp.org",
  "os": {
    "sshKeys": ["5ec0d4"],
    "network": {"connectivity": {"interval": 300}, "wifi": {"randomMacAddressScan": false}},
    "power": {"mode": "low"}
  },
  "persistentLogging": false,
  "registered_at": 1.6e9,
  "uuid": "5ec0e5",
  "wifiKey": "5ec0f6"
}
)";

class ConfigJsonBackendTest : public BoardDirectory {
 protected:
  ConfigJsonBackendTest() { Put("config.json", kConfig); }
  ConfigJsonBackend backend_{At("config.json")};
  PowerFanBackend power_fan_{At("config.json")};
};

std::string With(const std::string& old_part, const std::string& new_part) {
  std::string text = kConfig;
  return text.replace(text.find(old_part), old_part.size(), new_part);
}

TEST_F(ConfigJsonBackendTest, ReadsItsFieldsAndNoOther) {
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{
                                   {"BALENA_HOST_CONNECTIVITY_INTERVAL", "300"},
                                   {"BALENA_HOST_HOSTNAME", "pump-7"},
                                   {"BALENA_HOST_NTP_SERVERS", "0.pool.ntp.org 1.pool.ntp.org"},
                                   {"BALENA_SUPERVISOR_PERSISTENT_LOGGING", "false"}}));
  EXPECT_THAT(power_fan_.Read(),
              IsOkAndHolds(ConfigValues{{"BALENA_HOST_CONFIG_power_mode", "low"}}));
  EXPECT_EQ(Get("config.json"), kConfig);
}

TEST_F(ConfigJsonBackendTest, WhatIsEmptyOrNullIsNotSet) {
  Put("config.json",
      R"({"hostname":"","ntpServers":" ","dnsServers":null,"persistentLogging":null})");
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
}

struct WriteCase {
  std::string name;
  std::string key;
  std::optional<std::string> value;
  std::string old_part;
  std::string new_part;
};
class ConfigJsonWriteTest : public ConfigJsonBackendTest,
                            public ::testing::WithParamInterface<WriteCase> {};

TEST_P(ConfigJsonWriteTest, ChangesThatFieldAlone) {
  const WriteCase& write = GetParam();
  ConfigBackend& backend = write.key.find("HOST_CONFIG_") != std::string::npos
                               ? static_cast<ConfigBackend&>(power_fan_)
                               : backend_;
  ASSERT_THAT(backend.Write({{write.key, write.value}}), IsOk());
  EXPECT_EQ(Get("config.json"), With(write.old_part, write.new_part));
}
const std::vector<WriteCase> kWrites = {
    {"Logging", "BALENA_SUPERVISOR_PERSISTENT_LOGGING", "true", R"("persistentLogging": false)",
     R"("persistentLogging": true)"},
    {"LoggingInOtherWords", "BALENA_SUPERVISOR_PERSISTENT_LOGGING", "1",
     R"("persistentLogging": false)", R"("persistentLogging": true)"},
    {"NoLogging", "BALENA_SUPERVISOR_PERSISTENT_LOGGING", std::nullopt,
     "  \"persistentLogging\": false,\n", ""},
    {"HostName", "BALENA_HOST_HOSTNAME", "pump-8.local", R"("pump-7")", R"("pump-8.local")"},
    {"NameServers", "BALENA_HOST_DNS_SERVERS", " 1.1.1.1  2606:4700::1111 ", "{\n",
     "{\n  \"dnsServers\": \"1.1.1.1 2606:4700::1111\",\n"},
    {"NoUsualNameServers", "BALENA_HOST_DNS_SERVERS", "null", "{\n",
     "{\n  \"dnsServers\": \"null\",\n"},
    {"TimeServers", "BALENA_HOST_NTP_SERVERS", "10.0.0.1", R"("0.pool.ntp.org  1.pool.ntp.org")",
     R"("10.0.0.1")"},
    {"Uri", "BALENA_HOST_CONNECTIVITY_URI", "http://a.b:8/c?d=e&f%20", R"({"interval")",
     R"({"uri": "http://a.b:8/c?d=e&f%20","interval")"},
    {"Interval", "BALENA_HOST_CONNECTIVITY_INTERVAL", "60", R"("interval": 300)",
     R"("interval": "60")"},
    {"NoInterval", "BALENA_HOST_CONNECTIVITY_INTERVAL", std::nullopt,
     R"({"connectivity": {"interval": 300}, )", "{"},
    {"PowerMode", "BALENA_HOST_CONFIG_power_mode", "MODE_30W", R"({"mode": "low"})",
     R"({"mode": "MODE_30W"})"},
    {"FanProfile", "BALENA_HOST_CONFIG_fan_profile", "quiet", "\"os\": {\n",
     "\"os\": {\n    \"fan\": {\"profile\": \"quiet\"},\n"},
    {"NoPowerMode", "BALENA_HOST_CONFIG_power_mode", std::nullopt,
     ",\n    \"power\": {\"mode\": \"low\"}", ""},
};
INSTANTIATE_TEST_SUITE_P(Cases, ConfigJsonWriteTest, ::testing::ValuesIn(kWrites),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(ConfigJsonBackendTest, WhatIsSetAlreadyIsNotWritten) {
  const std::string before = Mark("config.json");
  EXPECT_THAT(backend_.Write({{"BALENA_SUPERVISOR_PERSISTENT_LOGGING", "off"},
                              {"BALENA_HOST_NTP_SERVERS", "0.pool.ntp.org 1.pool.ntp.org"},
                              {"BALENA_HOST_CONNECTIVITY_INTERVAL", "300"},
                              {"BALENA_HOST_DNS_SERVERS", std::nullopt}}),
              IsOk());
  EXPECT_THAT(backend_.Write({}), IsOk());
  EXPECT_EQ(Mark("config.json"), before);
}

TEST_F(ConfigJsonBackendTest, AllChangesOfOneWriteAreMadeOrNone) {
  const std::string before = Mark("config.json");
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_HOSTNAME", "a"}, {"BALENA_HOST_NTP_SERVERS", "a b$c"}}),
              IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_HOSTNAME", "a"}, {"apiKey", "x"}}),
              IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(Mark("config.json"), before);
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_HOSTNAME", "a"}, {"BALENA_HOST_NTP_SERVERS", "b"}}),
              IsOk());
  EXPECT_THAT(Get("config.json"), HasSubstr(R"("hostname": "a")"));
  EXPECT_THAT(Get("config.json"), HasSubstr(R"("ntpServers": "b")"));
}

TEST_F(ConfigJsonBackendTest, BothBackendsOfTheFileLeaveEachOthersFields) {
  ASSERT_THAT(power_fan_.Write({{"BALENA_HOST_CONFIG_fan_profile", "cool"}}), IsOk());
  ASSERT_THAT(backend_.Write({{"BALENA_HOST_CONNECTIVITY_INTERVAL", std::nullopt}}), IsOk());
  EXPECT_THAT(power_fan_.Read(),
              IsOkAndHolds(ConfigValues{{"BALENA_HOST_CONFIG_fan_profile", "cool"},
                                        {"BALENA_HOST_CONFIG_power_mode", "low"}}));
  EXPECT_THAT(power_fan_.Write({{"BALENA_HOST_HOSTNAME", "x"}}), IsError(ErrorCode::kInvalidInput));
}

TEST_F(ConfigJsonBackendTest, AMissingFileIsNotMade) {
  Remove("config.json");
  EXPECT_THAT(backend_.Read(), IsError(ErrorCode::kNotFound));
  const auto written = backend_.Write({{"BALENA_HOST_HOSTNAME", "x"}});
  ASSERT_THAT(written, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Describe(written.assume_error()), HasSubstr("boot partition"));
  EXPECT_FALSE(Exists("config.json"));
}

struct ForeignCase {
  std::string name;
  std::string old_part;
  std::string new_part;
  std::string key;
  std::string value;
};
class ForeignConfigJsonTest : public ConfigJsonBackendTest,
                              public ::testing::WithParamInterface<ForeignCase> {};

TEST_P(ForeignConfigJsonTest, IsNotWrittenAndItsKeysAreNotTold) {
  Put("config.json", With(GetParam().old_part, GetParam().new_part));
  const std::string before = Mark("config.json");
  const auto read = backend_.Read();
  ASSERT_THAT(read, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Describe(read.assume_error()), Not(HasSubstr("5ec")));
  const auto written = backend_.Write({{GetParam().key, GetParam().value}});
  ASSERT_THAT(written, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Describe(written.assume_error()), Not(HasSubstr("5ec")));
  EXPECT_EQ(Mark("config.json"), before);
}
const std::vector<ForeignCase> kForeign = {
    {"LoggingIsAText", R"("persistentLogging": false)", R"("persistentLogging": "5ec")",
     "BALENA_SUPERVISOR_PERSISTENT_LOGGING", "true"},
    {"LoggingIsANumber", R"("persistentLogging": false)", R"("persistentLogging": 7)",
     "BALENA_SUPERVISOR_PERSISTENT_LOGGING", "true"},
    {"HostNameIsAnObject", R"("hostname": "pump-7")", R"("hostname": {"a": "5ec"})",
     "BALENA_HOST_HOSTNAME", "x"},
    {"HostNameIsTrue", R"("hostname": "pump-7")", R"("hostname": true)", "BALENA_HOST_HOSTNAME",
     "x"},
    {"IntervalIsAFraction", R"("interval": 300)", R"("interval": 0.5)",
     "BALENA_HOST_CONNECTIVITY_INTERVAL", "1"},
    {"OsIsAText", R"("os": {)", R"("os": "5ec", "o": {)", "BALENA_HOST_CONNECTIVITY_INTERVAL", "1"},
    {"ConnectivityIsAList", R"({"interval": 300})", R"(["5ec"])", "BALENA_HOST_CONNECTIVITY_URI",
     "http://a"},
    {"AKeyOfTheDeviceIsThereTwice", R"("apiKey": "5ec0a1")",
     R"("apiKey": "5ec1", "apiKey": "5ec2")", "BALENA_HOST_HOSTNAME", "x"},
};
INSTANTIATE_TEST_SUITE_P(Cases, ForeignConfigJsonTest, ::testing::ValuesIn(kForeign),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(ConfigJsonBackendTest, AFileThatIsCutOffAnywhereIsNotWrittenAndItsKeysAreNotTold) {
  const std::string whole = kConfig;
  for (std::size_t size = 0; size + 2 < whole.size(); size += 3) {
    for (const std::string& text :
         {whole.substr(0, size), whole.substr(0, size) + std::string(16, '\0'),
          whole.substr(0, size) + "\xff" + whole.substr(size)}) {
      Put("config.json", text);
      const auto read = backend_.Read();
      ASSERT_THAT(read, IsError(ErrorCode::kInvalidInput)) << text;
      ASSERT_THAT(Describe(read.assume_error()), Not(HasSubstr("5ec"))) << text;
      const auto written = backend_.Write({{"BALENA_HOST_HOSTNAME", "x"}});
      ASSERT_THAT(written, IsError(ErrorCode::kInvalidInput));
      ASSERT_THAT(Describe(written.assume_error()), Not(HasSubstr("5ec"))) << text;
      ASSERT_EQ(Get("config.json"), text);
    }
  }
}

struct ValueCase {
  std::string key;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};
const std::vector<std::string> kNeverGood = {"",     " ",         "a\nb",     "a\"b",
                                             "a'b",  "$(reboot)", "`reboot`", "a;b",
                                             "a|b",  "a\\nb",     "a,b",      std::string("1\0", 2),
                                             "\xff", "\u00e9",    "<a>",      "${A}"};
const std::vector<ValueCase> kValues = {
    {"BALENA_SUPERVISOR_PERSISTENT_LOGGING",
     {"true", "false", "1", "0", "on", "off", "True", "FALSE"},
     {"yes", "2", "truee"}},
    {"BALENA_HOST_HOSTNAME",
     {"a", "pump-7", "7", "a.b.c", std::string(63, 'a')},
     {"-a", "a-", "a.-b", "a-.b", "a..b", ".a", "a.", "a_b", "a b", std::string(64, 'a')}},
    {"BALENA_HOST_NTP_SERVERS",
     {"a", "a.b c.d", "10.0.0.1 fe80::1", "null", " a ", "a\tb", "a\nb"},
     {"null a-", "-a", "a/b",
      [] {
        std::string many;
        for (int i = 0; i < 33; ++i) many += "a ";
        return many;
      }()}},
    {"BALENA_HOST_DNS_SERVERS",
     {"8.8.8.8", "8.8.8.8 ::1", "null"},
     {std::string("8.8.8.8\0x", 9), "dns.google", "8.8.8", "8.8.8.8 null", "8.8.8.8#53",
      "fe80::1%eth0"}},
    {"BALENA_HOST_CONNECTIVITY_URI",
     {"http://a", "https://a.b:80/c?d=%20&e=f,g;h#i", "http://[::1]/"},
     {"http://", "https://", "ftp://a", "a", "http://a b", "http://a\\n[x]", "http://a\"",
      "HTTP://a", "http://" + std::string(2000, 'a')}},
    {"BALENA_HOST_CONNECTIVITY_INTERVAL",
     {"0", "1", "300", "999999999"},
     {"-1", "01", "1.5", "1e3", "1000000000", "3 00", "a"}},
    {"BALENA_HOST_CONFIG_power_mode",
     {"low", "mid", "high", "default", "3", "MODE_30W_4CORE"},
     {"a b", "a/b", std::string(65, 'a')}},
    {"BALENA_HOST_CONFIG_fan_profile", {"quiet", "cool", "default", "0"}, {"a b", "a:b"}},
};

TEST_F(ConfigJsonBackendTest, RulesSayWhichValuesAreRefused) {
  std::size_t rules = 0;
  for (ConfigBackend* backend : std::vector<ConfigBackend*>{&backend_, &power_fan_}) {
    rules += backend->rules().size();
    for (const ConfigRule& rule : backend->rules()) {
      const ValueCase* values = nullptr;
      for (const ValueCase& one : kValues) {
        if (one.key == rule.key) values = &one;
      }
      ASSERT_NE(values, nullptr) << rule.key;
      EXPECT_EQ(rule.backend, backend->name());
      EXPECT_EQ(rule.forbidden, "");
      for (const std::string& value : values->good) {
        EXPECT_EQ(rule.refusal(rule.key, value), "") << rule.key << ' ' << value;
      }
      std::vector<std::string> bad = values->bad;
      for (const std::string& value : kNeverGood) {
        const bool is_a_list = rule.key.ends_with("SERVERS") && value == "a\nb";
        if (!is_a_list) bad.push_back(value);
      }
      for (const std::string& value : bad) {
        EXPECT_THAT(rule.refusal(rule.key, value), ::testing::StartsWith("is n"))
            << rule.key << ' ' << value;
        EXPECT_THAT(backend->Write({{rule.key, value}}), IsError(ErrorCode::kInvalidInput));
      }
    }
  }
  EXPECT_EQ(rules, kValues.size());
  EXPECT_EQ(Get("config.json"), kConfig);
}

TEST_F(ConfigJsonBackendTest, WhatIsWrittenIsReadInCanonicalWords) {
  for (ConfigBackend* backend : std::vector<ConfigBackend*>{&backend_, &power_fan_}) {
    for (const ConfigRule& rule : backend->rules()) {
      for (const ValueCase& values : kValues) {
        if (values.key != rule.key) continue;
        for (const std::string& value : values.good) {
          ASSERT_THAT(backend->Write({{rule.key, value}}), IsOk());
          const auto read = backend->Read();
          ASSERT_THAT(read, IsOk());
          const std::string canonical = rule.canonical ? rule.canonical(value) : value;
          ASSERT_EQ(read.assume_value().at(rule.key), canonical);
          ASSERT_EQ(rule.canonical ? rule.canonical(canonical) : value, canonical);
        }
        ASSERT_THAT(backend->Write({{rule.key, std::nullopt}}), IsOk());
        const auto read = backend->Read();
        ASSERT_THAT(read, IsOk());
        ASSERT_EQ(read.assume_value().count(rule.key), 0U);
      }
    }
  }
}

TEST_F(ConfigJsonBackendTest, OnlyWhatStopsTheAppsOrIsReadAtStartNeedsAReboot) {
  std::vector<std::string> rebooting;
  for (ConfigBackend* backend : std::vector<ConfigBackend*>{&backend_, &power_fan_}) {
    for (const ConfigRule& rule : backend->rules()) {
      if (rule.needs_reboot) rebooting.push_back(rule.key);
    }
  }
  EXPECT_THAT(rebooting,
              ::testing::ElementsAre("BALENA_SUPERVISOR_PERSISTENT_LOGGING", "BALENA_HOST_HOSTNAME",
                                     "BALENA_HOST_CONFIG_power_mode"));
}

}  // namespace
}  // namespace lockstep::test
