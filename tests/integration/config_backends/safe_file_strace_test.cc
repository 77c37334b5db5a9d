// A process of its own is killed at each of its system calls, by strace: those that the other tests
// do not look at, too.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "config_backends/safe_file.h"
#include "crash_replay.h"

namespace lockstep::test {
namespace {

constexpr char kOldText[] = "gpu_mem=16\n";
constexpr char kNewText[] = "gpu_mem=128\n";

struct StraceCase {
  std::string name;  // Letters and digits: part of the test's name.
  bool fat;
  bool remove;
};

class SafeFileStraceTest : public ::testing::TestWithParam<StraceCase> {
 protected:
  static int Run(const ScratchTree& dir, const std::string& strace) {
    const std::string command =
        "ASAN_OPTIONS=detect_leaks=0 strace -qq " + strace + " " LOCKSTEP_SAFE_FILE_PROGRAM " " +
        (GetParam().fat ? "fat " : "other ") + dir.path() + "/config.txt" +
        (GetParam().remove ? "" : std::string(" '") + kNewText + "'") + " 2>/dev/null";
    return std::system(command.c_str());
  }

  // The calls from the beginning of the change on, each as strace is told to meet it: name, and
  // which one of that name it is.
  static std::vector<std::pair<std::string, int>> Calls(const std::string& trace) {
    std::vector<std::pair<std::string, int>> calls;
    std::map<std::string, int> count;
    bool begun = false;
    std::ifstream lines(trace);
    for (std::string line; std::getline(lines, line);) {
      const std::string name = line.substr(0, line.find('('));
      if (name.empty() || std::islower(static_cast<unsigned char>(name[0])) == 0) continue;
      const int nth = ++count[name];
      if (begun) calls.emplace_back(name, nth);
      begun = begun || line.find("/change-begins") != std::string::npos;
    }
    return calls;
  }
};

TEST_P(SafeFileStraceTest, LeavesTheOldOrTheNewOneWholeWhereverItIsKilled) {
  if (std::system("command -v strace >/dev/null") != 0) GTEST_SKIP() << "no strace here";
  const AsFat as_fat(GetParam().fat);
  const Tree before = {{"config.txt", kOldText}};
  const Tree after = GetParam().remove ? Tree{} : Tree{{"config.txt", kNewText}};
  const ScratchTree aside;
  const std::string trace = aside.path() + "/trace";
  {
    const ScratchTree dir(before);
    if (Run(dir, "-o " + trace) != 0) GTEST_SKIP() << "strace may trace nothing here";
    EXPECT_EQ(dir.Read(), after);
  }
  const auto calls = Calls(trace);
  int fsyncs = 0;
  std::map<bool, int> seen;
  for (const auto& [name, nth] : calls) {
    fsyncs += name == "fsync" ? 1 : 0;
    const ScratchTree dir(before);
    const std::string where = name + " no " + std::to_string(nth);
    Run(dir, "-o /dev/null -e inject=" + name + ":signal=KILL:when=" + std::to_string(nth));
    Tree left = dir.Read();
    EXPECT_TRUE(left.contains("config.txt")
                    ? left["config.txt"] == kOldText || left["config.txt"] == kNewText
                    : after.empty())
        << where << ": " << Show(left);
    EXPECT_TRUE(SafeFile(dir.path() + "/config.txt").Recover()) << where;
    EXPECT_TRUE(dir.Read() == before || dir.Read() == after) << where << ": " << Show(dir.Read());
    ++seen[dir.Read() == after];
  }
  // What the trace is read for is in it, and the kills were at different places.
  EXPECT_GE(fsyncs, GetParam().remove && !GetParam().fat ? 1 : 2);
  EXPECT_GT(calls.size(), 8U);
  EXPECT_GT(seen[false], 3);
  EXPECT_GT(seen[true], 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, SafeFileStraceTest,
                         ::testing::Values(StraceCase{"Write", false, false},
                                           StraceCase{"WriteOnFat", true, false},
                                           StraceCase{"Remove", false, true},
                                           StraceCase{"RemoveOnFat", true, true}),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test
