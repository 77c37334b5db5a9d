#include "config_backends/base64.h"

#include <gmock/gmock.h>

#include <random>
#include <string>

namespace lockstep::test {
namespace {

using ::testing::Optional;

TEST(Base64Test, SaysTheExamplesOfTheStandard) {
  const std::string text = "foobar";
  const std::string encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t size = 0; size <= text.size(); ++size) {
    EXPECT_EQ(EncodeBase64(text.substr(0, size)), encoded[size]);
    EXPECT_THAT(DecodeBase64(encoded[size]), Optional(text.substr(0, size)));
  }
}

TEST(Base64Test, GivesBackEveryByte) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 600; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xff);
    const std::string text = EncodeBase64(bytes);
    EXPECT_THAT(DecodeBase64(text), Optional(bytes));
    EXPECT_THAT(DecodeBase64(text.substr(0, text.find('='))), Optional(bytes));
  }
}

TEST(Base64Test, TakesNothingElse) {
  for (const std::string text :
       {"Z", "Z===", "====", "=", "Zg==Zg==", "Zm9v=", "Zm=v", "Zh==", "Zm9=", "Zm9v\n", " Zm9v",
        "Zm 9v", "Zm9-", "Zm9_", "Zm9\xff", "{}", "data:,"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64(std::string("Zm9\0", 4)), std::nullopt);
}

}  // namespace
}  // namespace lockstep::test
