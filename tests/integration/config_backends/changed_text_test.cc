#include "config_backends/changed_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

// Files of one value and a rest, "value|rest". It does not always do what it is asked for.
class FaultyFormat {
 public:
  static Result<FaultyFormat> Parse(std::string_view text) {
    const std::size_t bar = text.find('|');
    if (bar == std::string_view::npos) return MakeError(ErrorCode::kInvalidInput, "no bar");
    return FaultyFormat{std::string(text.substr(0, bar)), std::string(text.substr(bar + 1))};
  }
  std::string ToText() const { return value == "no bar" ? value : value + '|' + rest; }
  ConfigValues Values() const {
    return value.empty() ? ConfigValues() : ConfigValues{{"key", value}};
  }
  std::string Rest() const { return rest; }
  Result<void> Set(const std::string&, std::string_view wanted) {
    if (wanted == "refused") return MakeError(ErrorCode::kInvalidInput, "refused");
    value = wanted == "as another" ? "another" : wanted;
    if (wanted == "with a change elsewhere") rest += '!';
    return Ok();
  }
  Result<void> Erase(const std::string&) {
    if (rest != "keeps it") value.clear();
    return Ok();
  }
  static std::string Canonical(const std::string&, const std::string& value) {
    return value == "in other words" ? "x" : value;
  }

  std::string value;
  std::string rest;
};

Result<std::string> Set(const std::string& text, const std::string& value) {
  return ChangedText<FaultyFormat>(text, "P_", {{"P_key", value}});
}

TEST(ChangedTextTest, GivesATextThatSaysWhatWasAskedFor) {
  EXPECT_THAT(Set("a|r", "b"), IsOkAndHolds("b|r"));
  EXPECT_THAT(ChangedText<FaultyFormat>("a|r", "P_", {{"P_key", std::nullopt}}),
              IsOkAndHolds("|r"));
  EXPECT_THAT(ReadValues<FaultyFormat>("a|r", "P_"), IsOkAndHolds(ConfigValues{{"P_key", "a"}}));
}

TEST(ChangedTextTest, GivesNoTextThatSaysAnythingElse) {
  EXPECT_THAT(Set("a|r", "as another"), IsError(ErrorCode::kInternal));
  EXPECT_THAT(Set("a|r", "with a change elsewhere"), IsError(ErrorCode::kInternal));
  EXPECT_THAT(Set("a|r", "in other words"), IsError(ErrorCode::kInternal));
  EXPECT_THAT(Set("a|r", "no bar"), IsError(ErrorCode::kInternal));
  EXPECT_THAT(ChangedText<FaultyFormat>("a|keeps it", "P_", {{"P_key", std::nullopt}}),
              IsError(ErrorCode::kInternal));
}

TEST(ChangedTextTest, PassesOnWhatIsRefused) {
  EXPECT_THAT(Set("a|r", "refused"), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Set("no text of that format", "b"), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ChangedText<FaultyFormat>("a|r", "P_", {{"Q_key", "b"}}),
              IsError(ErrorCode::kInternal));
}

}  // namespace
}  // namespace lockstep::test
