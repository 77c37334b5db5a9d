#include "config_backends/kernel_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace lockstep::test {
namespace {

struct WordCase {
  std::string name;
  std::string words;
  std::optional<std::string> value;
  std::string with_7;
  std::string without;
};
class KernelWordsTest : public ::testing::TestWithParam<WordCase> {};
TEST_P(KernelWordsTest, ChangesOneWordOnly) {
  const WordCase& row = GetParam();
  EXPECT_EQ(FindKernelWord(row.words, "w"), row.value);
  EXPECT_EQ(WithKernelWord(row.words, "w", "7"), row.with_7);
  EXPECT_EQ(FindKernelWord(row.with_7, "w"), "7");
  EXPECT_EQ(WithoutKernelWord(row.words, "w"), row.without);
  EXPECT_EQ(WithoutKernelWord(row.with_7, "w"), row.without);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, KernelWordsTest,
    ::testing::Values(
        WordCase{"Only", "w=1", "1", "w=7", ""}, WordCase{"None", "", std::nullopt, "w=7", ""},
        WordCase{"First", "w=1  a", "1", "w=7  a", "a"},
        WordCase{"Middle", "a\t w=1  b", "1", "a\t w=7  b", "a  b"},
        WordCase{"Last", "a  w=1 ", "1", "a  w=7 ", "a "},
        WordCase{"New", "a  b", std::nullopt, "a  b w=7", "a  b"},
        WordCase{"Bare", "a w b", "", "a w=7 b", "a b"},
        WordCase{"Twice", "w=1 a w=2 b", "2", "a w=7 b", "a b"},
        WordCase{"LongerName", "ww=1 w.x=2 aw=3", std::nullopt, "ww=1 w.x=2 aw=3 w=7",
                 "ww=1 w.x=2 aw=3"},
        WordCase{"WithinQuotes", "a=\"b w=1 c\" w=2", "2", "a=\"b w=1 c\" w=7", "a=\"b w=1 c\""},
        WordCase{"QuoteNotClosed", "x a=\"b w=1", std::nullopt, "x w=7 a=\"b w=1", "x a=\"b w=1"},
        WordCase{"OnlyAQuoteNotClosed", "a=\"b", std::nullopt, "w=7 a=\"b", "a=\"b"},
        WordCase{"OfInit", "a -- w=1", std::nullopt, "a w=7 -- w=1", "a -- w=1"},
        WordCase{"OfInitOnly", "-- w=1", std::nullopt, "w=7 -- w=1", "-- w=1"},
        WordCase{"EqualsInTheValue", "w=1=2", "1=2", "w=7", ""}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
