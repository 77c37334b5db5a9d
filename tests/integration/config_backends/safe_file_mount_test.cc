// Read-only file systems, in a mount namespace of the test's own.
#include "config_backends/safe_file_mount.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "config_backends/safe_file.h"
#include "crash_replay.h"

namespace lockstep::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(FindMountTest, ReadsWhatMountinfoSays) {
  constexpr char kText[] =
      "36 35 98:0 /mnt1 /mnt/a\\040b\\134c ro,nosuid,noatime master:1 shared:2 - ext3 /dev/root "
      "rw,errors=continue,dirsync\n"
      "136 35 98:0 / /boot rw,nodev,noexec,relatime - vfat /dev/sda1 ro,fmask=0022\n"
      "37 35 0:22 / /run rw - tmpfs none rw\n"
      "38 35\n";
  const auto first = FindMount(kText, 36);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, "/mnt/a b\\c");
  EXPECT_EQ(first->flags, 0UL + MS_NOSUID + MS_NOATIME + MS_DIRSYNC);
  EXPECT_TRUE(first->place_read_only);
  EXPECT_FALSE(first->whole_read_only);
  const auto second = FindMount(kText, 136);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->flags, 0UL + MS_NODEV + MS_NOEXEC + MS_RELATIME);
  EXPECT_FALSE(second->place_read_only);
  EXPECT_TRUE(second->whole_read_only);
  ASSERT_TRUE(FindMount(kText, 37));
  EXPECT_EQ(FindMount(kText, 37)->flags, 0UL + MS_STRICTATIME);
  EXPECT_FALSE(FindMount(kText, 38));
  EXPECT_FALSE(FindMount(kText, 6));
  EXPECT_FALSE(FindMount("", 36));
}

class ReadOnlyMountTest : public ::testing::Test {
 protected:
  // What mountinfo says of `path`: options here and those of the file system.
  static std::string Options(const std::string& path) {
    std::ifstream file("/proc/self/mountinfo");
    std::string found = "not mounted";
    for (std::string line; std::getline(file, line);) {
      if (line.find(' ' + path + ' ') == std::string::npos) continue;
      const std::size_t at = line.find(' ' + path + ' ') + path.size() + 2;
      found =
          line.substr(at, line.find(' ', at) - at) + " / " + line.substr(line.rfind(' ') + 1, 2);
    }
    return found;
  }

  // In a process with mounts of its own. What fails there is told here.
  void InNamespace(const std::function<void()>& act) {
    std::array<int, 2> pipe = {-1, -1};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("none", dir_.path().c_str(), "tmpfs", MS_NOSUID | MS_NOATIME, "size=1m") != 0) {
        ::_exit(kCannot);
      }
      act();
      const auto* result = ::testing::UnitTest::GetInstance()->current_test_info()->result();
      std::string text;
      for (int i = 0; i < result->total_part_count(); ++i) {
        const auto& part = result->GetTestPartResult(i);
        if (part.failed())
          text += std::to_string(part.line_number()) + ": " + part.message() + "\n";
      }
      (void)!::write(pipe[1], text.data(), text.size());
      ::_exit(result->Failed() ? 1 : 0);
    }
    ::close(pipe[1]);
    std::string said;
    std::array<char, 4096> buffer;
    for (ssize_t count; (count = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
      said.append(buffer.data(), static_cast<std::size_t>(count));
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kCannot) {
      GTEST_SKIP() << "no mount namespace here: this needs CAP_SYS_ADMIN";
    }
    EXPECT_EQ(status, 0) << said;
  }

  void Remount(unsigned long flags) const {
    ASSERT_EQ(::mount(nullptr, dir_.path().c_str(), nullptr, MS_REMOUNT | flags, nullptr), 0)
        << std::strerror(errno);
  }

  SafeFile File() const { return SafeFile(dir_.path() + "/config.txt"); }

  static constexpr int kCannot = 77;
  ScratchTree dir_;
};

TEST_F(ReadOnlyMountTest, IsWritableForTheWriteAlone) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    const std::string options = Options(dir_.path());
    ASSERT_EQ(options, "ro,nosuid,noatime / ro");
    for (const bool fat : {false, true}) {
      const AsFat as_fat(fat);
      std::string within;
      bool changed = false;
      {
        const FsTap tap(dir_.path(), [&](const FsOp&) -> FsVerdict {
          within = Options(dir_.path());
          return {};
        });
        const auto written = File().Write(fat ? "b" : "c");
        changed = written.has_value();
        EXPECT_TRUE(written) << Describe(written.assume_error());
      }
      EXPECT_EQ(within, "rw,nosuid,noatime / rw");
      EXPECT_EQ(Options(dir_.path()), options);
      EXPECT_TRUE(changed);
      EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", fat ? "b" : "c"}}));
    }
    EXPECT_TRUE(File().Remove());
    EXPECT_EQ(Options(dir_.path()), options);
    EXPECT_TRUE(dir_.Read().empty());
  });
}

TEST_F(ReadOnlyMountTest, IsReadOnlyAgainAfterAFailedWrite) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    const auto written = File().Write(std::string(3U << 20, 'b'));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.assume_error().code, ErrorCode::kNoSpace) << Describe(written.assume_error());
    EXPECT_EQ(Options(dir_.path()), "ro,nosuid,noatime / ro");
    EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
  });
}

TEST_F(ReadOnlyMountTest, StaysAsItIsWhereNothingChanges) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    const std::string open = dir_.path() + "/config.txt";
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    EXPECT_TRUE(File().Write("a"));
    EXPECT_TRUE(File().Recover());
    EXPECT_EQ(Options(dir_.path()), "ro,nosuid,noatime / ro");
  });
}

TEST_F(ReadOnlyMountTest, RecoversThere) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    ASSERT_TRUE(SafeFile(dir_.path() + "/config.txt.lockstep-new").Write("litter"));
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    EXPECT_TRUE(File().Recover());
    EXPECT_EQ(Options(dir_.path()), "ro,nosuid,noatime / ro");
    EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
  });
}

// The file system is mounted twice, and only the place of the file is read-only.
TEST_F(ReadOnlyMountTest, OtherMountsOfTheFileSystemStayAsTheyAre) {
  InNamespace([&] {
    const std::string place = dir_.path() + "/a place\\";
    ASSERT_TRUE(fs::create_directories(place) && fs::create_directories(dir_.path() + "/real"));
    ASSERT_EQ(::mount((dir_.path() + "/real").c_str(), place.c_str(), nullptr, MS_BIND, nullptr),
              0);
    ASSERT_EQ(::mount(nullptr, place.c_str(), nullptr,
                      MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC | MS_RELATIME, nullptr),
              0);
    const std::string escaped = dir_.path() + "/a\\040place\\134";
    ASSERT_EQ(Options(escaped), "ro,noexec,relatime / rw");
    ASSERT_TRUE(SafeFile(place + "/config.txt").Write("a"));
    EXPECT_EQ(Options(escaped), "ro,noexec,relatime / rw");
    EXPECT_EQ(Options(dir_.path()), "rw,nosuid,noatime / rw");
    EXPECT_TRUE(fs::exists(dir_.path() + "/real/config.txt"));
  });
}

// So does the kernel after an error; what it protects is not written.
TEST_F(ReadOnlyMountTest, AFileSystemThatBecameReadOnlyByItselfIsNotWritten) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    Remount(MS_BIND | MS_NOSUID | MS_NOATIME);
    ASSERT_EQ(Options(dir_.path()), "rw,nosuid,noatime / ro");
    const auto written = File().Write("b");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.assume_error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(written.assume_error().hint, HasSubstr("fsck"));
    EXPECT_EQ(Options(dir_.path()), "rw,nosuid,noatime / ro");
  });
}

TEST_F(ReadOnlyMountTest, WithoutTheRightToRemountSaysSo) {
  InNamespace([&] {
    ASSERT_TRUE(File().Write("a"));
    Remount(MS_RDONLY | MS_NOSUID | MS_NOATIME);
    ASSERT_EQ(::setresuid(65534, 65534, 65534), 0);
    const auto written = File().Write("b");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.assume_error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(Describe(written.assume_error()), HasSubstr("cannot be made writable"));
    EXPECT_THAT(written.assume_error().hint, HasSubstr("CAP_SYS_ADMIN"));
    EXPECT_THAT(written.assume_error().hint, HasSubstr(dir_.path()));
  });
}

TEST_F(ReadOnlyMountTest, AFullPartitionIsToldAndNothingIsLeft) {
  InNamespace([&] {
    for (const bool fat : {false, true}) {
      const AsFat as_fat(fat);
      ASSERT_TRUE(File().Write("a"));
      const auto written = File().Write(std::string(3U << 20, 'b'));
      ASSERT_FALSE(written);
      EXPECT_EQ(written.assume_error().code, ErrorCode::kNoSpace);
      EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
    }
  });
}

}  // namespace
}  // namespace lockstep::test
