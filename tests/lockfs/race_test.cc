// A neighbour that swaps what is at every place between any two of our calls. What we did is
// checked from outside: by what is left of the files around, and by a trace of our system calls.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "host_fixture.h"

namespace lockstep::test {
namespace {

using ::testing::IsEmpty;

// Swaps `a` and `b` as fast as it can.
void SwapUntil(const std::atomic<bool>& done, const fs::path& a, const fs::path& b) {
  while (!done) (void)::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
}

// Puts `make`'s entry at `lock` again and again, as an app may.
template <typename Make>
void MakeUntil(const std::atomic<bool>& done, const fs::path& lock, Make make) {
  for (int i = 0; !done; ++i) {
    make(i);
    // Plain calls: std::filesystem is not made for what is swapped under its hands.
    ::unlink((lock / "out").c_str());
    ::rmdir(lock.c_str());
    ::unlink(lock.c_str());
  }
}

class RaceTest : public HostLockFsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  RaceTest() : canary_(scratch_.path() / "canary") {
    fs::create_directories(canary_ / "web");
    for (const char* name : {"passwd", "web/updates.lock", "web/resin-updates.lock"}) {
      std::ofstream(canary_ / name) << "the host's";
    }
    for (const char* dir : {"12/web", "12/db", "13/web", ".spare"}) {
      fs::create_directories(Root() / dir);
    }
    fs::permissions(Root() / "12/web", fs::perms(01777));
  }

  struct Seen {
    mode_t mode;
    uid_t uid;
    off_t size;
    std::int64_t modified;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  std::map<std::string, Seen> Canary() const {
    std::map<std::string, Seen> seen;
    for (const auto& entry : fs::recursive_directory_iterator(canary_)) {
      struct stat info {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &info), 0);
      seen[entry.path()] = {info.st_mode, info.st_uid, info.st_size,
                            info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
    }
    return seen;
  }

  // How often the exerciser went round while all of it was swapped.
  int ExerciseAmidSwaps(const std::string& tracer, int seconds) {
    const fs::path spare = Root() / ".spare";
    const fs::path lock = Lock(kWeb);
    fs::create_directory_symlink(canary_ / "web", spare / "service");
    fs::create_directory_symlink(canary_, spare / "app");
    std::atomic<bool> done{false};
    std::vector<std::jthread> neighbours;
    neighbours.emplace_back([&] { SwapUntil(done, Root() / "12/db", spare / "service"); });
    neighbours.emplace_back([&] { SwapUntil(done, Root() / "13", spare / "app"); });
    neighbours.emplace_back([&] {
      MakeUntil(done, lock, [&](int i) {
        if (i % 4 == 0) (void)::symlink((canary_ / "passwd").c_str(), lock.c_str());
        if (i % 4 == 1) (void)::link((canary_ / "passwd").c_str(), lock.c_str());
        if (i % 4 == 2) (void)::mkfifo(lock.c_str(), 0666);
        if (i % 4 == 3 && ::mkdir(lock.c_str(), 0777) == 0) {
          (void)::symlink(canary_.c_str(), (lock / "out").c_str());
        }
      });
    });
    const std::string command = tracer + " '" LOCKSTEP_EXERCISER "' '" + Root().string() + "' '" +
                                options_.journal_dir + "' " + GetParam() + " " +
                                std::to_string(seconds);
    std::FILE* output = ::popen(command.c_str(), "re");
    int rounds = 0;
    EXPECT_EQ(std::fscanf(output, "%d", &rounds), 1);
    EXPECT_EQ(::pclose(output), 0);
    done = true;
    return rounds;
  }

  bool IsOurs(const std::string& path) const {
    return path.starts_with(Root().string() + "/") || path == Root().string() ||
           path.starts_with(options_.journal_dir);
  }

  fs::path canary_;
};

TEST_P(RaceTest, NothingOutsideTheRootChangesInTenSeconds) {
  const auto before = Canary();
  EXPECT_GT(ExerciseAmidSwaps("exec", 10), 100);
  EXPECT_EQ(Canary(), before);
}

// The paths that strace shows for descriptors: "openat(3</tmp>, ...) = 4</tmp/x>" has two.
std::vector<std::string> DescriptorsIn(const std::string& line) {
  std::vector<std::string> paths;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (quoted || line[i] != '<' || i + 1 == line.size() || line[i + 1] != '/') continue;
    const std::size_t end = line.find('>', i);
    if (end == std::string::npos) break;
    paths.push_back(line.substr(i + 1, end - i - 1));
  }
  return paths;
}

TEST_P(RaceTest, NoSystemCallReachesOutOfTheRoot) {
  if (std::system("command -v strace >/dev/null") != 0) GTEST_SKIP() << "no strace here";
  const std::string trace = (scratch_.path() / "trace").string();
  ASSERT_GT(ExerciseAmidSwaps(
                "ASAN_OPTIONS=detect_leaks=0 exec strace -f -y -qq -e trace=%file,%desc -o '" +
                    trace + "'",
                4),
            0);
  std::vector<std::string> wrong;
  int changes = 0;
  std::ifstream lines(trace);
  bool begun = false;
  for (std::string line; std::getline(lines, line) && wrong.size() < 5;) {
    begun = begun || line.find("/exercise-begins") != std::string::npos;
    if (!begun) continue;
    if (line.find(" = -1 E") != std::string::npos) continue;
    const auto paths = DescriptorsIn(line);
    const auto has = [&line](const char* word) { return line.find(word) != std::string::npos; };
    const bool changing = has("O_WRONLY") || has("O_RDWR") || has("O_CREAT") || has("mkdir") ||
                          has("unlink") || has("rename") || has("link") || has("chmod") ||
                          has("chown") || has("truncate") || has("mknod");
    const bool is_link_read = has("readlink") || has("proc/self/fd");
    const bool opens_lock = has("open") && has("updates.lock\"") && !has("O_PATH");
    if (opens_lock) wrong.push_back(line);  // What an app made is looked at, and never opened.
    for (const std::string& path : paths) {
      if (path.starts_with(canary_.string())) wrong.push_back(line);
      if (!changing || is_link_read) continue;
      ++changes;
      // Walking down to the root makes what is missing on the way; here nothing is.
      if (!IsOurs(path) && path != scratch_.path().string()) wrong.push_back(line);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(changes, 100) << "the trace has what it is read for";
}

INSTANTIATE_TEST_SUITE_P(Ways, RaceTest, ::testing::Values("openat2", "steps"),
                         [](const auto& param_info) { return std::string(param_info.param); });

}  // namespace
}  // namespace lockstep::test
