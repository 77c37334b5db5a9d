#include "text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace lockstep {
namespace {

using std::chrono::milliseconds;

struct DurationCase {
  std::string name;
  std::string text;
  std::optional<std::int64_t> ms;
};
class ParseDurationTest : public ::testing::TestWithParam<DurationCase> {};
TEST_P(ParseDurationTest, ReadsNumbersWithUnitsOnly) {
  const auto parsed = ParseDuration(GetParam().text);
  ASSERT_EQ(parsed.has_value(), GetParam().ms.has_value());
  if (parsed) {
    EXPECT_EQ(parsed->count(), *GetParam().ms);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ParseDurationTest,
    ::testing::Values(
        DurationCase{"Seconds", "90s", 90'000}, DurationCase{"Minutes", "10m", 600'000},
        DurationCase{"Milliseconds", "250ms", 250}, DurationCase{"Several", "1h30m", 5'400'000},
        DurationCase{"Days", "2d", 172'800'000}, DurationCase{"Zero", "0s", 0},
        DurationCase{"Empty", "", std::nullopt}, DurationCase{"NoUnit", "90", std::nullopt},
        DurationCase{"UnknownUnit", "3w", std::nullopt},
        DurationCase{"Negative", "-5s", std::nullopt},
        DurationCase{"WrongOrder", "30m1h", std::nullopt},
        DurationCase{"Twice", "1m1m", std::nullopt}, DurationCase{"Fraction", "1.5h", std::nullopt},
        DurationCase{"Blank", "1 m", std::nullopt},
        DurationCase{"TooLarge", "99999999999999999999s", std::nullopt}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(PrintableTest, LeavesNoControlCharacterAndKeepsText) {
  EXPECT_EQ(Printable("a\x1b[31m\x07z"), "a\\x1b[31m\\x07z");
  EXPECT_EQ(Printable("two\nlines\tand"), "two lines and");
  EXPECT_EQ(Printable("d\xc3\xa9j\xc3\xa0"), "d\xc3\xa9j\xc3\xa0");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");  // One-character CSI.
  EXPECT_EQ(Printable("\x9b\xff"), "\\x9b\\xff");  // No UTF-8.
  EXPECT_EQ(Printable("cut \xe2\x82"), "cut \\xe2\\x82");
  EXPECT_EQ(Printable("\xe0\x82\x9b"), "\\xe0\\x82\\x9b");  // The same CSI, spelt too long.
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // Half of a surrogate pair.
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(PrintableTest, LetsNoTextReadAsAnother) {
  EXPECT_EQ(Printable("\u202egpj.exe"), "\\xe2\\x80\\xaegpj.exe");  // Right to left.
  EXPECT_EQ(Printable("\u2066\u200f"), "\\xe2\\x81\\xa6\\xe2\\x80\\x8f");
  EXPECT_EQ(Printable("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");  // No character, and not for XML.
  EXPECT_EQ(Printable("\U0001F980 \u65e5"), "\U0001F980 \u65e5");
}

TEST(FitTest, NeverExceedsTheWidth) {
  for (const std::string text : {"", "short", "a rather long line", "d\xc3\xa9j\xc3\xa0 vu",
                                 "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xe6\x97\xa5\xe6\x9c\xac"}) {
    for (int width = 0; width < 25; ++width) {
      EXPECT_LE(DisplayWidth(Fit(text, width)), width) << text;
    }
  }
  EXPECT_EQ(Fit("a rather long line", 10), "a rathe...");
  EXPECT_EQ(Fit("exactly ten", 11), "exactly ten");
}

TEST(TableTest, AlignsColumnsAndLeavesNoBlanksAtLineEnds) {
  EXPECT_EQ(Table({{"A", "B"}, {"longer", ""}, {"x", "y"}}, 1),
            " A       B\n longer\n x       y\n");
}

TEST(WrapTest, BreaksAtBlanks) {
  EXPECT_EQ(Wrap("one two three", 2, 10), "one two\n  three");
  EXPECT_EQ(Wrap("unbreakable-and-long x", 0, 5), "unbreakable-and-long\nx");
}

TEST(FormatBytesTest, RoundsToOneDecimal) {
  EXPECT_EQ(FormatBytes(-1), "0 B");
  EXPECT_EQ(FormatBytes(812), "812 B");
  EXPECT_EQ(FormatBytes(4'000), "4.0 kB");
  EXPECT_EQ(FormatBytes(999'999), "1.0 MB");
  EXPECT_EQ(FormatBytes(12'340'000), "12.3 MB");
}

TEST(ShortenHashesTest, CutsLongRunsOfHexDigitsOnly) {
  EXPECT_EQ(ShortenHashes("x/web@sha256:" + std::string(64, 'a') + " of 0123456789"),
            "x/web@sha256:aaaaaaaa of 0123456789");
  EXPECT_EQ(ShortenHashes(std::string(31, 'b')), std::string(31, 'b'));
}

}  // namespace
}  // namespace lockstep
