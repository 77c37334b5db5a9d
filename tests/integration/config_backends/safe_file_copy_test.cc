#include "config_backends/safe_file_copy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep::test {
namespace {

TEST(SafeFileCopyTest, SaysWhatWentIn) {
  const std::string binary("\0\n\xff", 3);
  for (const FileChange& change : std::vector<FileChange>{{"old", "new"},
                                                          {"", "new"},
                                                          {"old", ""},
                                                          {std::nullopt, "new"},
                                                          {"old", std::nullopt},
                                                          {binary, "\n"}}) {
    const auto parsed = ParseCopy(CopyOf(change));
    ASSERT_TRUE(parsed) << CopyOf(change);
    EXPECT_EQ(parsed->old, change.old);
    EXPECT_EQ(parsed->next, change.next);
  }
}

TEST(SafeFileCopyTest, IsNoneWhenAnyByteIsAnotherOrMissing) {
  const std::string copy = CopyOf({"gpu_mem=16\n", "gpu_mem=32\n"});
  for (std::size_t i = 0; i < copy.size(); ++i) {
    EXPECT_FALSE(ParseCopy(copy.substr(0, i))) << i;
    for (const int change : {1, 0x20, 0x80}) {
      std::string other = copy;
      other[i] = static_cast<char>(other[i] ^ change);
      EXPECT_FALSE(ParseCopy(other)) << i << ' ' << change;
    }
  }
  EXPECT_FALSE(ParseCopy(copy + "\n"));
  EXPECT_FALSE(ParseCopy("lockstep-old 1 99999999999999999999:0 -\n"));
  EXPECT_FALSE(ParseCopy("lockstep-old 1 18446744073709551615:0000000000000000 -\n"));
}

std::string Lines(const std::string& word) {
  std::string text;
  for (int i = 100; i < 300; ++i) text += word + std::to_string(i) + "\n";
  return text;
}
const std::string kOldText = Lines("o=");  // 6 bytes to a line.
const std::string kNewText = Lines("n=");

struct JudgeCase {
  std::string name;  // Letters and digits: part of the test's name.
  std::optional<std::string> found;
  FoundFile expected;
  FileChange change = {kOldText, kNewText};
};

const std::vector<JudgeCase> kJudgeCases = {
    {"Old", kOldText, FoundFile::kWhole},
    {"New", kNewText, FoundFile::kWhole},
    {"NewThatIsNone", std::nullopt, FoundFile::kWhole, {kOldText, std::nullopt}},
    {"OldThatIsABeginningOfTheNew", "a\n", FoundFile::kWhole, {"a\n", "a\nb\n"}},
    {"Missing", std::nullopt, FoundFile::kDamaged},
    {"Empty", "", FoundFile::kDamaged},
    {"WithinALineOfTheOld", kOldText.substr(0, 602), FoundFile::kDamaged},
    {"WithinALineOfTheNew", kNewText.substr(0, 602), FoundFile::kDamaged},
    {"OneByte", "n", FoundFile::kDamaged},
    {"OneSector", kNewText.substr(0, 512), FoundFile::kDamaged},
    {"SectorsThatEndWithALine",
     (kNewText + kNewText).substr(0, 1536),
     FoundFile::kDamaged,
     {kOldText, kNewText + kNewText}},
    {"Blank", std::string(kNewText.size(), '\0'), FoundFile::kDamaged},
    {"BlankAsErasedFlash", std::string(kNewText.size(), '\xff'), FoundFile::kDamaged},
    {"BlankSectorWithin", kNewText.substr(0, 512) + std::string(512, '\0') + "n=1\n",
     FoundFile::kDamaged},
    {"BlankAfterWholeLines", kNewText.substr(0, 600) + std::string(9, '\0'), FoundFile::kDamaged},
    {"WithoutTheLastLines", kNewText.substr(0, 600), FoundFile::kForeign},
    {"WithoutTheLastLinesAndTheNewline", kOldText.substr(0, 599), FoundFile::kForeign},
    {"WithoutTheLastNewline", kOldText.substr(0, kOldText.size() - 1), FoundFile::kForeign},
    {"WithALineMore", kNewText + "mine=1\n", FoundFile::kForeign},
    {"WithALineOfEach", kOldText.substr(0, 600) + kNewText.substr(600), FoundFile::kForeign},
    {"AnotherText", "mine=1\n", FoundFile::kForeign},
    {"Utf16", std::string("\xff\xfem\0i\0n\0e\0", 10), FoundFile::kForeign},
    {"DamagedWithNoneBefore", "", FoundFile::kDamaged, {std::nullopt, kNewText}},
    {"DamagedWithNoneAfter",
     kOldText.substr(0, 512),
     FoundFile::kDamaged,
     {kOldText, std::nullopt}},
    {"BlankWhereItMayBe",
     std::string(600, '\0') + "mine",
     FoundFile::kForeign,
     {std::string(600, '\0') + "old", "new"}},
    {"WindowsLines", "a\r\nb", FoundFile::kForeign, {"a\r\nb\r\nc\r\n", "new"}},
};

class JudgeTest : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTest, TellsDamageFromWhatAPersonDid) {
  EXPECT_EQ(Judge(GetParam().change, GetParam().found), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, JudgeTest, ::testing::ValuesIn(kJudgeCases),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
