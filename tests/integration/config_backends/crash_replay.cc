#include "crash_replay.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <utility>

namespace lockstep::test {
namespace {

namespace fs = std::filesystem;

// The first few tell what is wrong; thousands hide it.
constexpr int kMostFailures = 3;

// A case, and what comes of it when nothing goes wrong.
class CrashJudge {
 public:
  explicit CrashJudge(const CrashCase& crash) : crash_(crash) {
    const ScratchTree dir(crash.before);
    ops_ = Record(dir.path(), [&](const std::string& path) {
      auto changed = crash.change(path);
      EXPECT_TRUE(changed) << Describe(changed.assume_error());
      return changed;
    });
    after_ = dir.Read();
    EXPECT_NE(Show(after_), Show(crash.before)) << "the change changes nothing";
    EXPECT_EQ(Show(TreeAfter(crash.before, ops_)), Show(after_))
        << "a way to change files is used that is not seen here";
  }

  const std::vector<FsOp>& ops() const { return ops_; }
  const Tree& after() const { return after_; }
  bool failed_enough() const { return failures_ >= kMostFailures; }

  // Whole files, and whatever else beside them.
  bool IsWhole(const Tree& tree) const {
    const auto same = [&](const Tree& want) {
      return std::all_of(want.begin(), want.end(), [&](const auto& file) {
        const auto found = tree.find(file.first);
        return found != tree.end() && found->second == file.second;
      });
    };
    const auto has_none_but = [&](const Tree& want, const Tree& other) {
      return std::all_of(other.begin(), other.end(), [&](const auto& file) {
        return want.contains(file.first) || !tree.contains(file.first);
      });
    };
    return crash_.acceptable != nullptr ||
           (same(crash_.before) && has_none_but(crash_.before, after_)) ||
           (same(after_) && has_none_but(after_, crash_.before));
  }
  bool IsAcceptable(const Tree& tree) const {
    return crash_.acceptable ? crash_.acceptable(tree) : tree == crash_.before || tree == after_;
  }

  void Expect(bool good, const std::string& where, const Tree& found, const Tree& left = {}) {
    if (good) return;
    ++failures_;
    ADD_FAILURE() << where << (left.empty() ? "" : "\n  left: " + Show(left))
                  << "\n  found: " << Show(found) << "\n  before: " << Show(crash_.before)
                  << "\n  after: " << Show(after_);
  }

  void ExpectRecovers(const ScratchTree& dir, const std::string& where, const Tree& left) {
    const auto recovered = crash_.recover(dir.path());
    Expect(recovered.has_value(),
           where + (recovered ? "" : ": " + Describe(recovered.assume_error())), dir.Read(), left);
    const Tree found = dir.Read();
    Expect(IsAcceptable(found), where + ", recovered", found, left);
  }

 private:
  const CrashCase& crash_;
  std::vector<FsOp> ops_;
  Tree after_;
  int failures_ = 0;
};

enum class Kill { kBefore, kMidway };

// False: it came to its end before.
bool RunAndKillAt(const CrashCase& crash, const std::string& dir, std::size_t nth, Kill kill) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::size_t left = nth;
    const FsTap tap(dir, [&](const FsOp& op) -> FsVerdict {
      if (left-- > 0) return {};
      if (kill == Kill::kBefore) ::kill(::getpid(), SIGKILL);
      return {.most_bytes = op.data.size() / 2, .kill_after = true};
    });
    (void)crash.change(dir);
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status);
}

}  // namespace

std::vector<FsOp> Record(const std::string& dir,
                         const std::function<Result<void>(const std::string&)>& act) {
  std::vector<FsOp> ops;
  const FsTap tap(dir, [&](const FsOp& op) {
    ops.push_back(op);
    return FsVerdict();
  });
  (void)act(dir);
  return ops;
}

ScratchTree::ScratchTree(const Tree& tree) {
  // In memory where that can be: thousands of them are made. On a device they can be had on its
  // own boot partition.
  const char* const wanted = std::getenv("LOCKSTEP_TEST_DIR");
  const bool shared_memory = ::access("/dev/shm", W_OK) == 0;
  const fs::path base = wanted != nullptr ? fs::path(wanted)
                        : shared_memory   ? fs::path("/dev/shm")
                                          : fs::temp_directory_path();
  path_ = (base / "crash-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << path_;
  for (const auto& [name, content] : tree) {
    const fs::path path = fs::path(path_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
}

ScratchTree::~ScratchTree() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Tree ScratchTree::Read() const {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    std::ifstream file(entry.path());
    tree[fs::relative(entry.path(), path_)] =
        std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return tree;
}

std::string Show(const Tree& tree) {
  std::ostringstream text;
  for (const auto& [name, content] : tree) {
    text << '[' << name << ": " << content.size() << " bytes, " << std::hex
         << std::hash<std::string>()(content) << std::dec << ' '
         << ::testing::PrintToString(content.substr(0, 40)) << "] ";
  }
  return text.str();
}

void ExpectSurvivesKills(const CrashCase& crash) {
  CrashJudge judge(crash);
  for (std::size_t nth = 0; nth < judge.ops().size() && !judge.failed_enough(); ++nth) {
    for (const Kill kill : {Kill::kBefore, Kill::kMidway}) {
      const std::string where = std::string("killed ") +
                                (kill == Kill::kBefore ? "before: " : "after half of: ") +
                                Describe(judge.ops()[nth]);
      const ScratchTree dir(crash.before);
      EXPECT_TRUE(RunAndKillAt(crash, dir.path(), nth, kill)) << where;
      const Tree left = dir.Read();
      judge.Expect(judge.IsWhole(left), where, left);
      judge.ExpectRecovers(dir, where, left);
    }
  }
}

void ExpectSurvivesPowerCuts(const CrashCase& crash, Storage storage) {
  CrashJudge judge(crash);
  std::set<Tree> seen;
  const auto cut = [&](const Tree& before, const std::vector<FsOp>& ops, const std::string& when,
                       const auto& then) {
    for (std::size_t done = 0; done <= ops.size(); ++done) {
      const std::string where =
          "power cut " + when + (done == 0 ? "at once" : "after: " + Describe(ops[done - 1]));
      for (const Tree& left : TreesAfterPowerCut(before, std::span(ops).first(done), storage)) {
        if (judge.failed_enough()) return;
        if (done == ops.size()) {
          const bool durable =
              &ops == &judge.ops() ? left == judge.after() : judge.IsAcceptable(left);
          judge.Expect(durable, where + ", which was told to be durable", left);
        }
        if (!seen.insert(left).second) continue;
        if (storage == Storage::kPosix) judge.Expect(judge.IsWhole(left), where, left);
        const ScratchTree dir(left);
        const auto recovery = Record(dir.path(), [&](const std::string&) -> Result<void> {
          judge.ExpectRecovers(dir, where, left);
          return Ok();
        });
        then(left, recovery, where);
      }
    }
  };
  const auto stop = [](const auto&...) {};
  cut(crash.before, judge.ops(), "",
      [&](const Tree& left, const std::vector<FsOp>& recovery, const std::string& where) {
        cut(left, recovery, "in the recovery from (" + where + ") ", stop);
      });
  ::testing::Test::RecordProperty(storage == Storage::kFat ? "fat_states" : "posix_states",
                                  static_cast<int>(seen.size()));
}

void ExpectUndoesFailures(const CrashCase& crash) {
  CrashJudge judge(crash);
  for (std::size_t nth = 0; nth < judge.ops().size() && !judge.failed_enough(); ++nth) {
    for (const int error : {ENOSPC, EIO, EROFS, EPERM}) {
      for (const bool for_ever : {false, true}) {
        const std::string where = std::string(::strerrorname_np(error)) + " at" +
                                  (for_ever ? " and after: " : ": ") + Describe(judge.ops()[nth]);
        const ScratchTree dir(crash.before);
        std::size_t left = nth;
        bool failing = false;
        bool changed = false;
        {
          const FsTap tap(dir.path(), [&](const FsOp&) -> FsVerdict {
            failing = left == 0 || (for_ever && failing);
            --left;
            return {.error = failing ? error : 0};
          });
          changed = crash.change(dir.path()).has_value();
        }
        const Tree found = dir.Read();
        judge.Expect(judge.IsWhole(found), where, found);
        if (!changed && !for_ever && !crash.acceptable) {
          judge.Expect(found == crash.before, where + ", which was told", found);
        }
        judge.ExpectRecovers(dir, where, found);
        if (changed && !crash.acceptable) {
          judge.Expect(dir.Read() == judge.after(), where + ", which was no failure", found);
        }
      }
    }
  }
}

void ExpectSurvivesCrashes(const CrashCase& crash) {
  for (const bool fat : {false, true}) {
    SCOPED_TRACE(fat ? "on FAT" : "not on FAT");
    const AsFat as_fat(fat);
    ExpectSurvivesKills(crash);
    ExpectSurvivesPowerCuts(crash, fat ? Storage::kFat : Storage::kPosix);
    ExpectUndoesFailures(crash);
  }
}

}  // namespace lockstep::test
