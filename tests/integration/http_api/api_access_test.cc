#include "http_api/api_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

using Verdict = ApiAccess::Verdict;
using std::chrono::seconds;

constexpr char kDeviceKey[] = "device-0123456789";
constexpr char kAppKey[] = "app-0123456789abc";

KeyScope Device() {
  KeyScope scope;
  scope.device = true;
  return scope;
}
KeyScope Shop() {
  KeyScope scope;
  scope.app_uuid = "5h0p";
  scope.app_id = 12;
  return scope;
}

TEST(KeyScopeTest, CoversItsAppByEitherName) {
  EXPECT_TRUE(Shop().Covers("5h0p"));
  EXPECT_TRUE(Shop().Covers("12"));
  for (const char* other : {"", "1", "123", "5h0", "5h0p1", "0", "012", " 12"}) {
    EXPECT_FALSE(Shop().Covers(other)) << other;
  }
  EXPECT_TRUE(Device().Covers("anything"));
  EXPECT_FALSE(KeyScope().Covers(""));
  EXPECT_FALSE(KeyScope().Covers("0"));
}

struct KeyCase {
  std::string name;
  std::string field;
  std::string parameter;
  std::string key;
};
class KeyOfTest : public ::testing::TestWithParam<KeyCase> {};

TEST_P(KeyOfTest, IsFound) {
  ApiRequest request;
  if (!GetParam().field.empty()) request.headers["authorization"] = GetParam().field;
  if (!GetParam().parameter.empty()) request.query["apikey"] = GetParam().parameter;
  EXPECT_EQ(KeyOf(request), GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(Cases, KeyOfTest,
                         ::testing::ValuesIn(std::vector<KeyCase>{
                             {"None", "", "", ""},
                             {"Bearer", "Bearer abc", "", "abc"},
                             {"CaseOfTheScheme", "bEARER  abc", "", "abc"},
                             {"ApiKey", "ApiKey abc", "", "abc"},
                             {"Parameter", "", "abc", "abc"},
                             {"TheFieldWins", "Bearer abc", "def", "abc"},
                             {"AnotherScheme", "Basic abc", "", ""},
                             {"AnotherSchemeAndParameter", "Basic abc", "def", "def"},
                             {"NothingBehindTheScheme", "Bearer ", "", ""}}),
                         [](const auto& param_info) { return param_info.param.name; });

class ApiAccessTest : public ::testing::Test {
 protected:
  ApiAccessTest() { access.SetKeys({{kDeviceKey, Device()}, {kAppKey, Shop()}}); }

  MonoTime now;
  ApiAccess access{[this] { return now; }};
};

TEST_F(ApiAccessTest, KnowsEachKeyByItsScope) {
  EXPECT_TRUE(access.Check(kDeviceKey, "a").scope.device);
  const auto answer = access.Check(kAppKey, "a");
  EXPECT_EQ(answer.verdict, Verdict::kRight);
  EXPECT_FALSE(answer.scope.device);
  EXPECT_EQ(answer.scope.app_uuid, "5h0p");
}

TEST_F(ApiAccessTest, TakesNothingElse) {
  const std::string key = kDeviceKey;
  for (const std::string& other :
       {std::string(), key + "x", key.substr(1), key.substr(0, key.size() - 1), key + '\0'}) {
    EXPECT_EQ(access.Check(other, "a").verdict, Verdict::kWrong) << other;
  }
}

TEST_F(ApiAccessTest, KeysAreReplacedWhole) {
  const std::string next = "another-0123456789";
  EXPECT_EQ(access.SetKeys({{next, Device()}}), 0U);
  EXPECT_EQ(access.Check(kDeviceKey, "a").verdict, Verdict::kWrong);
  EXPECT_EQ(access.Check(next, "a").verdict, Verdict::kRight);
}

TEST_F(ApiAccessTest, WhileOthersAreToComeAKeyMayBeOneOfThem) {
  const std::string later = "later-0123456789ab";
  access.SetKeys({{kDeviceKey, Device()}}, ApiAccess::KeysAre::kSome);
  EXPECT_EQ(access.Check(later, "a").verdict, Verdict::kNotYetKnown);
  EXPECT_EQ(access.Check(kDeviceKey, "a").verdict, Verdict::kRight);
  for (int i = 0; i < 9; ++i) (void)access.Check("guess", "a");
  EXPECT_EQ(access.Check("guess", "a").verdict, Verdict::kTooManyWrong);
  access.SetKeys({{kDeviceKey, Device()}});
  EXPECT_EQ(access.Check(later, "b").verdict, Verdict::kWrong);
}

TEST_F(ApiAccessTest, LeavesOutKeysThatCouldBeGuessed) {
  EXPECT_EQ(access.SetKeys({{"", Device()}, {"short", Device()}, {kAppKey, Shop()}}), 2U);
  EXPECT_EQ(access.Check("", "a").verdict, Verdict::kWrong);
  EXPECT_EQ(access.Check("short", "a").verdict, Verdict::kWrong);
  EXPECT_EQ(access.Check(kAppKey, "a").verdict, Verdict::kRight);
}

TEST_F(ApiAccessTest, LimitsGuessesOfAnAddressForAMinute) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(access.Check("guess", "a").verdict, Verdict::kWrong);
  now += seconds(20);
  const auto answer = access.Check("guess", "a");
  EXPECT_EQ(answer.verdict, Verdict::kTooManyWrong);
  EXPECT_EQ(answer.retry_after, seconds(40));
  EXPECT_EQ(access.Check("guess", "b").verdict, Verdict::kWrong);  // Another's are its own.
  EXPECT_EQ(access.Check(kDeviceKey, "a").verdict, Verdict::kRight);
  now += std::chrono::milliseconds(39'999);
  EXPECT_EQ(access.Check("guess", "a").retry_after, seconds(1));
  now += std::chrono::milliseconds(1);
  EXPECT_EQ(access.Check("guess", "a").verdict, Verdict::kWrong);
}

TEST(WrongKeysTest, ForgetsTheOldestOfTooManyAddresses) {
  WrongKeys wrong;
  MonoTime now;
  const auto guess_out = [&](const std::string& address) {
    for (int i = 0; i < WrongKeys::kAllowed; ++i) wrong.Count(address, now);
  };
  guess_out("first");
  now += seconds(1);
  guess_out("second");
  for (std::size_t i = 2; i < WrongKeys::kMaxAddresses + 1; ++i) {
    wrong.Count("address " + std::to_string(i), now);
  }
  EXPECT_EQ(wrong.size(), WrongKeys::kMaxAddresses);
  EXPECT_GT(wrong.Count("second", now), seconds(0));
  EXPECT_EQ(wrong.Count("first", now), seconds(0));
  now += WrongKeys::kWindow;  // All are over: room without forgetting anybody who counts.
  wrong.Count("new", now);
  EXPECT_EQ(wrong.size(), 1U);
}

}  // namespace
}  // namespace lockstep
