#include "config_backends/splash_backend.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "board_directory.h"
#include "config_backends/base64.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kKey[] = "BALENA_HOST_SPLASH_image";

std::string Png(const std::string& rest) { return "\x89PNG\r\n\x1a\n" + rest; }
const std::string kOs = Png("of the OS");
const std::string kOwn = Png(std::string("own\0\n", 5));
ConfigChanges Set(const std::string& value) { return {{kKey, value}}; }
const ConfigChanges kErase = {{kKey, std::nullopt}};

class SplashBackendTest : public BoardDirectory {
 protected:
  SplashBackendTest() { Put("splash/balena-logo.png", kOs); }
  SplashBackend backend_{At("splash")};
};

TEST_F(SplashBackendTest, ThePictureOfTheOsIsNoValue) {
  EXPECT_THAT(backend_.Recover(), IsOk());
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
  EXPECT_FALSE(Exists("splash/balena-logo-default.png"));
}

TEST_F(SplashBackendTest, AnotherPictureIsShownAndTheOldOneKept) {
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  EXPECT_EQ(Get("splash/balena-logo.png"), kOwn);
  EXPECT_EQ(Get("splash/balena-logo-default.png"), kOs);
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, EncodeBase64(kOwn)}}));
}

TEST_F(SplashBackendTest, ThePictureThatIsKeptIsThatOfTheOsHoweverOftenItIsReplaced) {
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(Png("third")))), IsOk());
  EXPECT_EQ(Get("splash/balena-logo-default.png"), kOs);
  ASSERT_THAT(backend_.Write(kErase), IsOk());
  EXPECT_EQ(Get("splash/balena-logo.png"), kOs);
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
}

TEST_F(SplashBackendTest, NothingIsWrittenWhereNothingChanges) {
  const std::string os = Mark("splash/balena-logo.png");
  ASSERT_THAT(backend_.Write(kErase), IsOk());
  EXPECT_EQ(Mark("splash/balena-logo.png"), os);
  EXPECT_FALSE(Exists("splash/balena-logo-default.png"));
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  const std::string own = Mark("splash/balena-logo.png");
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  ASSERT_THAT(backend_.Write({}), IsOk());
  EXPECT_EQ(Mark("splash/balena-logo.png"), own);
}

TEST_F(SplashBackendTest, AnOlderOsShowsItUnderItsOlderName) {
  Remove("splash/balena-logo.png");
  Put("splash/resin-logo.png", kOs);
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  EXPECT_EQ(Get("splash/resin-logo.png"), kOwn);
  EXPECT_FALSE(Exists("splash/balena-logo.png"));
}

TEST_F(SplashBackendTest, ThePictureOfTheOsItselfIsNoChoice) {
  EXPECT_THAT(backend_.Write(Set(EncodeBase64(kOs))), IsError(ErrorCode::kInvalidInput));
  EXPECT_FALSE(Exists("splash/balena-logo-default.png"));
  ASSERT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  EXPECT_THAT(backend_.Write(Set(EncodeBase64(kOs))), IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(Get("splash/balena-logo.png"), kOwn);
}

TEST_F(SplashBackendTest, WhereThereIsNoPictureNoneIsMade) {
  Remove("splash/balena-logo.png");
  const auto read = backend_.Read();
  ASSERT_THAT(read, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Describe(read.assume_error()), HasSubstr("boot partition"));
  EXPECT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(backend_.Write(kErase), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(Exists("splash/balena-logo.png"));
  Remove("splash");
  EXPECT_THAT(backend_.Read(), IsError(ErrorCode::kNotFound));
}

TEST_F(SplashBackendTest, APictureThatIsCutShortCanBeReplacedButNotKept) {
  Put("splash/balena-logo.png", "");
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsError(ErrorCode::kInvalidInput));
  EXPECT_FALSE(Exists("splash/balena-logo-default.png"));
  Put("splash/balena-logo-default.png", kOs);
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(backend_.Write(Set(EncodeBase64(kOwn))), IsOk());
  EXPECT_EQ(Get("splash/balena-logo.png"), kOwn);
}

TEST_F(SplashBackendTest, WhatWasKeptIsNotPutBackUnlessItIsAPicture) {
  Put("splash/balena-logo.png", kOwn);
  Put("splash/balena-logo-default.png", "");
  EXPECT_THAT(backend_.Write(kErase), IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(Get("splash/balena-logo.png"), kOwn);
}

TEST_F(SplashBackendTest, WhenThePictureCannotBeWrittenNothingIsKept) {
  const std::string big = Png(std::string(60000, 'x'));
  Put("splash/balena-logo.png", Png("s"));
  const SmallFiles limit(30000);
  EXPECT_FALSE(backend_.Write(Set(EncodeBase64(big))));
  EXPECT_EQ(Get("splash/balena-logo.png"), Png("s"));
  EXPECT_FALSE(Exists("splash/balena-logo-default.png"));
}

TEST_F(SplashBackendTest, RuleSaysWhichValuesAreRefused) {
  ASSERT_EQ(backend_.rules().size(), 1U);
  const ConfigRule& rule = backend_.rules().front();
  EXPECT_EQ(rule.backend, backend_.name());
  EXPECT_EQ(rule.key, kKey);
  EXPECT_TRUE(rule.needs_reboot);
  EXPECT_EQ(rule.forbidden, "");
  const std::string base64 = EncodeBase64(kOwn);
  const std::string wrapped = base64.substr(0, 8) + "\r\n " + base64.substr(8) + "\n";
  for (const std::string& good :
       {base64, wrapped, "data:image/png;base64," + base64, "data:image/png;a=b;base64," + wrapped,
        base64.substr(0, base64.find('='))}) {
    EXPECT_EQ(rule.refusal(kKey, good), "") << good;
    EXPECT_EQ(rule.canonical(good), base64) << good;
  }
  const std::string mib(1U << 20, 'x');
  const struct {
    std::string value;
    std::string why;
  } bad[] = {
      {"", "is empty"},
      {" \n", "is empty"},
      {"data:image/png;base64,", "is empty"},
      {"data:image/png," + base64, "is no base64"},
      {"data:" + base64, "is no base64"},
      {base64 + "!", "is no base64"},
      {base64 + "A", "is no base64"},
      {"$(reboot)", "is no base64"},
      {"/mnt/boot/x.png", "is no base64"},
      {std::string("\0", 1), "is no base64"},
      {EncodeBase64("GIF89a"), "is no PNG"},
      {EncodeBase64(kOwn.substr(0, 7)), "is no PNG"},
      {EncodeBase64(kOwn.substr(1)), "is no PNG"},
      {EncodeBase64(Png(mib)), "is larger than 1 MiB"},
      {mib + mib + mib, "is larger than 1 MiB"},
  };
  for (const auto& [value, why] : bad) {
    EXPECT_THAT(rule.refusal(kKey, value), StartsWith(why)) << value.substr(0, 40);
    EXPECT_THAT(backend_.Write(Set(value)), IsError(ErrorCode::kInvalidInput));
  }
  EXPECT_EQ(rule.refusal(kKey, EncodeBase64(Png(mib.substr(8)))), "");
  EXPECT_EQ(rule.canonical("no base64!"), "no base64!");
  EXPECT_EQ(Get("splash/balena-logo.png"), kOs);
}

TEST_F(SplashBackendTest, AKeyThatIsNotItsOwnIsRefused) {
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_SPLASH_other", "x"}}),
              IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep::test
