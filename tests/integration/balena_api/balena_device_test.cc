#include "balena_api/balena_device.h"

#include <gmock/gmock.h>

#include "../target_sources/scratch_directory.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using test::IsError;
using test::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class BalenaDeviceTest : public ::testing::Test {
 protected:
  Result<BalenaDevice> Read(const std::string& text, BalenaDevice given = {}) {
    dir_.Write("config.json", text);
    return ReadBalenaDevice(dir_.At("config.json"), std::move(given));
  }
  test::ScratchDirectory dir_;
};

TEST_F(BalenaDeviceTest, IsInConfigJson) {
  const auto device = Read(R"({"apiEndpoint": "https://api.example/", "uuid": "dev1",
                               "deviceApiKey": "key", "appUpdatePollInterval": "600000"})");
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device.assume_value().api_endpoint, "https://api.example");
  EXPECT_EQ(device.assume_value().uuid, "dev1");
  EXPECT_EQ(device.assume_value().api_key, "key");
  EXPECT_EQ(device.assume_value().poll_interval, std::chrono::minutes(10));
}

TEST_F(BalenaDeviceTest, OptionsGoFirst) {
  BalenaDevice given{"https://other.example", "dev2", "other", std::chrono::minutes(1)};
  const auto device = Read(R"({"apiEndpoint": "https://api.example", "uuid": "dev1",
                               "deviceApiKey": "key", "appUpdatePollInterval": 600000})",
                           given);
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device.assume_value().api_endpoint, "https://other.example");
  EXPECT_EQ(device.assume_value().uuid, "dev2");
  EXPECT_EQ(device.assume_value().api_key, "other");
  EXPECT_EQ(device.assume_value().poll_interval, std::chrono::minutes(1));
}

TEST_F(BalenaDeviceTest, WithAllOptionsNoFileIsNeeded) {
  EXPECT_THAT(ReadBalenaDevice(dir_.At("none"), {"https://api.example", "dev1", "key"}), IsOk());
  EXPECT_THAT(ReadBalenaDevice(dir_.At("none"), {"https://api.example", "dev1", ""}),
              IsError(ErrorCode::kNotFound));
}

TEST_F(BalenaDeviceTest, WhatIsMissingOrWrongIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "apiEndpoint"},
      {R"({"apiEndpoint": "https://a", "deviceApiKey": "k"})", "uuid"},
      {R"({"apiEndpoint": "https://a", "uuid": "u"})", "deviceApiKey"},
      {R"({"apiEndpoint": "http://a", "uuid": "u", "deviceApiKey": "secret"})", "in the clear"},
      {R"({"apiEndpoint": "https://x:y@a", "uuid": "u", "deviceApiKey": "secret"})", "user name"},
      {R"({"apiEndpoint": "https://a?b", "uuid": "u", "deviceApiKey": "secret"})", "query"},
      {R"({"apiEndpoint": "nothing", "uuid": "u", "deviceApiKey": "secret"})", "URL"},
      {R"({"apiEndpoint": "https://a", "uuid": "../u", "deviceApiKey": "secret"})", "uuid"},
      {R"({"apiEndpoint": "https://a", "uuid": "u", "deviceApiKey": "secret\r\nX: y"})", "key"},
      {"[", "config.json"},
  };
  for (const auto& [text, said] : cases) {
    const auto device = Read(text);
    ASSERT_FALSE(device.has_value()) << text;
    EXPECT_THAT(Describe(device.assume_error()), HasSubstr(said));
    EXPECT_THAT(Describe(device.assume_error()), Not(HasSubstr("secret")));
  }
}

TEST_F(BalenaDeviceTest, ThisMachineMayBeAskedWithoutTls) {
  for (const char* url : {"http://localhost:1", "http://127.0.0.1:8080", "http://[::1]:9"}) {
    EXPECT_EQ(WrongEndpoint(url), "") << url;
  }
  for (const char* url : {"http://localhost.example", "http://128.0.0.1"}) {
    EXPECT_NE(WrongEndpoint(url), "") << url;
  }
}

TEST_F(BalenaDeviceTest, IntervalsAreNeitherTooShortNorTooLong) {
  EXPECT_EQ(PollIntervalOf("900000"), milliseconds(900'000));
  EXPECT_EQ(PollIntervalOf("1"), std::chrono::seconds(10));
  EXPECT_EQ(PollIntervalOf("999999999999999"), std::chrono::hours(24));
  for (const char* text : {"", "0", "-1", "x", "1x", "99999999999999999999"}) {
    EXPECT_EQ(PollIntervalOf(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace lockstep
