#include "lockstep/output_tail.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "lockstep/utf8.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> LinesOf(std::string_view text) {
  OutputTail tail;
  tail.Add(text);
  return tail.Lines();
}

struct TailCase {
  std::string name;
  std::string printed;
  std::vector<std::string> expected;
};
class OutputTailTest : public ::testing::TestWithParam<TailCase> {};

TEST_P(OutputTailTest, MakesLinesFitToBeShown) {
  EXPECT_EQ(LinesOf(GetParam().printed), GetParam().expected);
  OutputTail by_bytes;
  for (const char c : GetParam().printed) by_bytes.Add({&c, 1});
  EXPECT_EQ(by_bytes.Lines(), GetParam().expected) << "byte by byte";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OutputTailTest,
    ::testing::Values(TailCase{"Nothing", "", {}}, TailCase{"NewlinesAlone", "\n\n\n", {}},
                      TailCase{"WithoutANewlineAtTheEnd", "a\nb", {"a", "b"}},
                      TailCase{"EmptyLineBetween", "a\n\nb\n\n", {"a", "", "b"}},
                      TailCase{"OfATerminal", "a\r\nb\r\n", {"a", "b"}},
                      TailCase{"WhatIsOverwrittenIsGone", "10 %\r50 %\r100 %\n", {"100 %"}},
                      TailCase{"Colours", "\x1b[1;31mred\x1b[0m text\n", {"red text"}},
                      TailCase{"TitleOfATerminal", "\x1b]0;evil\aa\x1b]2;evil\x1b\\b\n", {"ab"}},
                      TailCase{"OtherOrders",
                               "\x1b(Ba\x1b"
                               "cb\x1bP1$q\x1b\\c\n",
                               {"abc"}},
                      TailCase{"OrderWithoutAnEnd", "a\x1b[12", {"a"}},
                      TailCase{"EscapeAtTheEnd", "a\x1b", {"a"}},
                      TailCase{"ControlCharacters",
                               std::string("a\0b\x07\b\x7f\n", 7),
                               {"a\\x00b\\x07\\x08\\x7f"}},
                      TailCase{"OrdersInOneCharacter",
                               "a\xc2\x9b"
                               "31mb\n",
                               {"a\\x9b31mb"}},
                      TailCase{"Tab", "a\tb\n", {"a b"}},
                      TailCase{"NoUtf8",
                               "a\xff\xc3(\xed\xa0\x80\n",
                               {"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}},
                      TailCase{"Utf8",
                               "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n",
                               {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"}}),
    [](const auto& param_info) { return param_info.param.name; });

std::size_t SizeOf(const std::vector<std::string>& lines) {
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size();
  return size;
}

TEST(OutputTailLimitTest, KeepsTheLastLines) {
  std::string text;
  for (int i = 1; i <= 30; ++i) text += std::to_string(i) + "\n";
  const auto lines = LinesOf(text);
  ASSERT_THAT(lines, SizeIs(OutputTail::kMostLines));
  EXPECT_EQ(lines.front(), "11");
  EXPECT_EQ(lines.back(), "30");
}

TEST(OutputTailLimitTest, BeginsAtTheStartOfALine) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::string(600, 'x') + "\n";
  const auto lines = LinesOf(text);
  ASSERT_THAT(lines, SizeIs(6));
  for (const std::string& line : lines) EXPECT_EQ(line, "line " + std::string(600, 'x'));
}

TEST(OutputTailLimitTest, ALineWhoseBeginningIsLostIsLeftOutHoweverShortItsRest) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "\x1b[0m";
  EXPECT_THAT(LinesOf(text + "rest\nlast\n"), ElementsAre("last"));
}

TEST(OutputTailLimitTest, OfOneLongLineTheEndIsKept) {
  // Characters of three bytes, so that a cut falls into one.
  for (const std::size_t shift : {0U, 1U, 2U}) {
    std::string text(shift, 'a');
    for (int i = 0; i < 100'000; ++i) text += "\xe2\x82\xac";
    const auto lines = LinesOf(text + "end");
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_LE(lines[0].size(), OutputTail::kMostBytes);
    EXPECT_GT(lines[0].size(), OutputTail::kMostBytes - 10);
    EXPECT_TRUE(lines[0].starts_with("...\xe2\x82\xac"));
    EXPECT_TRUE(
        lines[0].ends_with("\xe2\x82\xac"
                           "end"));
    EXPECT_TRUE(IsUtf8(lines[0]));
  }
}

TEST(OutputTailLimitTest, WhatIsMadeVisibleCountsAsItIsShown) {
  const auto lines = LinesOf(std::string(4000, '\x01') + "\n" + std::string(500, '\x01') + "\n");
  EXPECT_THAT(lines, SizeIs(1));
  EXPECT_LE(SizeOf(lines), OutputTail::kMostBytes);
}

TEST(OutputTailLimitTest, ManyMegabytesLeaveTheirEndAlone) {
  OutputTail tail;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) tail.Add(piece);
  tail.Add("\nlast words\n");
  EXPECT_THAT(tail.Lines(), ElementsAre("last words"));
  for (int i = 0; i < 100'000; ++i) tail.Add("\n");
  EXPECT_THAT(tail.Lines(), IsEmpty());
}

}  // namespace
}  // namespace lockstep::test
