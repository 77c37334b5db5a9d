// What is left of a write that is cut off anywhere.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

#include "config_backends/safe_file.h"
#include "crash_replay.h"
#include "fat_image.h"

namespace lockstep::test {
namespace {

// Some sectors long, and no two lines alike.
std::string Lines(const std::string& word, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += word + '_' + std::to_string(i) + "=on\n";
  return text;
}

struct FileCase {
  std::string name;  // Letters and digits: part of the test's name.
  std::optional<std::string> old;
  std::optional<std::string> next;
};

void PrintTo(const FileCase& file, std::ostream* out) { *out << file.name; }

CrashCase CaseOf(const FileCase& file) {
  CrashCase crash;
  crash.before = {{"extlinux/other.txt", "other\n"}, {"cmdline.txt", "console=tty1\n"}};
  if (file.old) crash.before["config.txt"] = *file.old;
  crash.change = [next = file.next](const std::string& dir) {
    const SafeFile safe(dir + "/config.txt");
    return next ? safe.Write(*next) : safe.Remove();
  };
  crash.recover = [](const std::string& dir) { return SafeFile(dir + "/config.txt").Recover(); };
  return crash;
}

class SafeFileCrashTest : public ::testing::TestWithParam<FileCase> {};

TEST_P(SafeFileCrashTest, LeavesTheOldOrTheNewOneWhole) {
  ExpectSurvivesCrashes(CaseOf(GetParam()));
}

// A real FAT, where names have more than one entry and a directory more than one sector.
TEST_P(SafeFileCrashTest, LeavesTheOldOrTheNewOneWholeOnTornSectorsOfFat) {
  if (const std::string missing = FatImage::MissingTools(); !missing.empty()) {
    GTEST_SKIP() << "not here, install mtools and dosfstools: " << missing;
  }
  CrashCase crash = CaseOf(GetParam());
  crash.before.erase("extlinux/other.txt");
  // So that what lies beside the file is in other sectors than the file itself.
  for (int i = 10; i < 25; ++i) crash.before["overlay" + std::to_string(i) + ".dtbo"] = "x";
  ExpectSurvivesTornSectors(crash);
}

INSTANTIATE_TEST_SUITE_P(
    Changes, SafeFileCrashTest,
    ::testing::Values(FileCase{"ShortByShort", "gpu_mem=16\n", "gpu_mem=128\n"},
                      FileCase{"LongByLonger", Lines("dtparam", 80), Lines("overlay", 130)},
                      FileCase{"LongByItsBeginning", Lines("dtparam", 120), Lines("dtparam", 60)},
                      FileCase{"LongByLongerWithTheSameBeginning", Lines("dtparam", 60),
                               Lines("dtparam", 120)},
                      FileCase{"ShortByLong", "{\"a\":1}", Lines("dtparam", 100)},
                      FileCase{"EmptyByText", "", "gpu_mem=16\n"},
                      FileCase{"TextByEmpty", "gpu_mem=16\n", ""},
                      FileCase{"NoneByText", std::nullopt, Lines("dtparam", 80)},
                      FileCase{"TextByNone", Lines("dtparam", 80), std::nullopt}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
