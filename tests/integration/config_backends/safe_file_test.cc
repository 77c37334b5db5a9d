#include "config_backends/safe_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "config_backends/safe_file_copy.h"
#include "config_backends/safe_file_folder.h"
#include "crash_replay.h"
#include "fs_tap.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;

class SafeFileTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return dir_.path() + "/" + name; }
  SafeFile File() const { return SafeFile(Path("config.txt")); }

  std::string Beside(const std::string& kind) const {
    const auto folder = SafeFolder::Open(Path("config.txt"));
    return folder ? folder.assume_value().Beside(kind) : "";
  }
  std::string New() const { return Beside("new"); }
  std::string Old() const { return Beside("old"); }

  void Make(const std::string& name, const std::string& text) {
    ASSERT_TRUE(SafeFile(Path(name)).Write(text));
  }

  // What `act` says when each call for which `hits` is true fails with `error`.
  Result<void> Failing(int error, const std::function<bool(const FsOp&)>& hits,
                       const std::function<Result<void>()>& act) const {
    const FsTap tap(dir_.path(),
                    [&](const FsOp& op) { return FsVerdict{.error = hits(op) ? error : 0}; });
    return act();
  }

  ScratchTree dir_;
};

void ExpectError(const Result<void>& result, ErrorCode code, const std::string& says) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.assume_error().code, code) << Describe(result.assume_error());
  EXPECT_THAT(Describe(result.assume_error()), HasSubstr(says));
  EXPECT_THAT(Describe(result.assume_error()), HasSubstr("config.txt"));
  EXPECT_NE(result.assume_error().hint, "");
}

TEST_F(SafeFileTest, WhatWasWrittenIsRead) {
  Make("config.txt", "gpu_mem=16\n");
  const auto text = File().Read();
  ASSERT_TRUE(text);
  EXPECT_EQ(text.assume_value(), "gpu_mem=16\n");
}

TEST_F(SafeFileTest, WhatWasMadeOutOfAnOlderTextIsNotWritten) {
  Make("config.txt", "by hand\n");
  EXPECT_THAT(File().Replace("as it was read\n", "changed\n"), IsError(ErrorCode::kConflict));
  EXPECT_THAT(dir_.Read(), ElementsAre(Pair("config.txt", "by hand\n")));
  EXPECT_THAT(File().Replace("by hand\n", "changed\n"), IsOk());
  EXPECT_THAT(dir_.Read(), ElementsAre(Pair("config.txt", "changed\n")));
}

// To write takes long on a slow card.
TEST_F(SafeFileTest, AnEditWhileItIsWrittenIsNotLost) {
  for (const bool fat : {false, true}) {
    const AsFat as_fat(fat);
    Make("config.txt", "old\n");
    const FsTap tap(dir_.path(), [&](const FsOp& op) {
      if (op.kind == FsOp::Kind::kWrite && op.name == New()) {
        std::ofstream(Path("config.txt")) << "by hand\n";
      }
      return FsVerdict();
    });
    EXPECT_THAT(File().Replace("old\n", "changed\n"), IsError(ErrorCode::kConflict));
    EXPECT_THAT(dir_.Read(), ElementsAre(Pair("config.txt", "by hand\n")));
  }
}

TEST_F(SafeFileTest, NoFileIsNone) {
  for (const char* const path : {"config.txt", "missing/config.txt"}) {
    const auto text = SafeFile(Path(path)).Read();
    ASSERT_TRUE(text);
    EXPECT_EQ(text.assume_value(), std::nullopt);
    EXPECT_TRUE(SafeFile(Path(path)).Remove());
    EXPECT_TRUE(SafeFile(Path(path)).Recover());
  }
  EXPECT_TRUE(dir_.Read().empty());
}

TEST_F(SafeFileTest, APathWithoutDirectoryIsOfTheCurrentOne) {
  const fs::path former = fs::current_path();
  fs::current_path(dir_.path());
  EXPECT_TRUE(SafeFile("config.txt").Write("a"));
  fs::current_path(former);
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
}

TEST_F(SafeFileTest, OwnerAndModeStay) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
  Make("config.txt", "a");
  ASSERT_EQ(::chown(Path("config.txt").c_str(), 12, 34), 0);
  ASSERT_EQ(::chmod(Path("config.txt").c_str(), 04751), 0);
  for (const bool fat : {false, true}) {
    const AsFat as_fat(fat);
    ASSERT_TRUE(File().Write(fat ? "b" : "c"));
    struct stat status = {};
    ASSERT_EQ(::stat(Path("config.txt").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 12U);
    EXPECT_EQ(status.st_gid, 34U);
    EXPECT_EQ(status.st_mode & 07777, 04751U);
  }
}

TEST_F(SafeFileTest, ANewFileCanBeReadByAllWhateverTheUmask) {
  const mode_t former = ::umask(077);
  Make("config.txt", "a");
  ::umask(former);
  EXPECT_EQ(fs::status(Path("config.txt")).permissions(), fs::perms(0644));
}

// Every file there has the owner that the mount says.
TEST_F(SafeFileTest, OwnersThatFatCannotKeepAreNoError) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
  Make("config.txt", "a");
  ASSERT_EQ(::chown(Path("config.txt").c_str(), 12, 34), 0);
  const auto write = [&](bool fat) {
    const AsFat as_fat(fat);
    return Failing(
        EPERM, [](const FsOp& op) { return op.kind == FsOp::Kind::kMode; },
        [&] { return File().Write("b"); });
  };
  ExpectError(write(false), ErrorCode::kPermissionDenied, "keep the owner");
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
  EXPECT_TRUE(write(true));
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "b"}}));
}

TEST_F(SafeFileTest, NothingIsDoneWhereNothingChanges) {
  Make("config.txt", "a");
  for (const bool fat : {false, true}) {
    const AsFat as_fat(fat);
    const auto ops = Record(dir_.path(), [&](const std::string&) -> Result<void> {
      LOCKSTEP_TRYV(File().Write("a"));
      LOCKSTEP_TRYV(File().Recover());
      LOCKSTEP_TRYV(SafeFile(Path("none")).Remove());
      return SafeFile(Path("none")).Recover();
    });
    EXPECT_TRUE(ops.empty()) << Describe(ops.front());
  }
}

TEST_F(SafeFileTest, WhatIsNoRegularFileIsRefusedAndStays) {
  Make("elsewhere", "not ours");
  const std::vector<std::function<void()>> obstacles = {
      [&] { fs::create_symlink(Path("elsewhere"), Path("config.txt")); },
      [&] { fs::create_symlink(Path("nowhere"), Path("config.txt")); },
      [&] { fs::create_directory(Path("config.txt")); },
      [&] { ASSERT_EQ(::mkfifo(Path("config.txt").c_str(), 0666), 0); },
  };
  for (const auto& make : obstacles) {
    make();
    const auto kind = fs::symlink_status(Path("config.txt")).type();
    ExpectError(File().Write("b"), ErrorCode::kInvalidInput, "no regular file");
    ExpectError(File().Remove(), ErrorCode::kInvalidInput, "no regular file");
    EXPECT_FALSE(File().Read());
    EXPECT_TRUE(File().Recover());
    EXPECT_EQ(fs::symlink_status(Path("config.txt")).type(), kind);
    EXPECT_FALSE(fs::exists(Path("nowhere")));
    fs::remove(Path("config.txt"));
  }
  EXPECT_EQ(dir_.Read(), (Tree{{"elsewhere", "not ours"}}));
}

TEST_F(SafeFileTest, WhatHasTheNamesBesideItIsNotFollowed) {
  Make("elsewhere", "not ours");
  for (const bool fat : {false, true}) {
    const AsFat as_fat(fat);
    for (const std::string& name : {New(), Old()}) {
      fs::create_symlink(Path("elsewhere"), Path(name));
      EXPECT_TRUE(File().Write(std::string(fat ? "a" : "b") + name));
      EXPECT_EQ(dir_.Read().size(), 2U) << Show(dir_.Read());
      EXPECT_EQ(dir_.Read()["elsewhere"], "not ours");
    }
  }
  fs::create_directory(Path(New()));
  const auto before = dir_.Read();
  ExpectError(File().Write("c"), ErrorCode::kInvalidInput, New());
  EXPECT_EQ(dir_.Read(), before);
}

TEST_F(SafeFileTest, APathThatNamesNoFileIsRefused) {
  for (const char* const path : {"", "/", ".", "..", "/tmp/", "/tmp/.."}) {
    const auto written = SafeFile(path).Write("a");
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.assume_error().code, ErrorCode::kInvalidInput) << path;
  }
}

TEST_F(SafeFileTest, ErrorsSayWhatIsWrong) {
  ExpectError(SafeFile(Path("missing/config.txt")).Write("a"), ErrorCode::kNotFound, "directory");
  ExpectError(File().Write(std::string(SafeFile::kMostBytes + 1, 'a')), ErrorCode::kInvalidInput,
              "4 MiB");
  Make("config.txt", "a");
  const auto when = [&](FsOp::Kind kind, int error) {
    return Failing(
        error, [kind](const FsOp& op) { return op.kind == kind; },
        [&] { return File().Write("b"); });
  };
  for (const bool fat : {false, true}) {
    const AsFat as_fat(fat);
    ExpectError(when(FsOp::Kind::kWrite, ENOSPC), ErrorCode::kNoSpace, "full");
    ExpectError(when(FsOp::Kind::kSync, EDQUOT), ErrorCode::kNoSpace, "full");
    ExpectError(when(FsOp::Kind::kCreate, EROFS), ErrorCode::kPermissionDenied, "read-only");
    ExpectError(when(FsOp::Kind::kCreate, EACCES), ErrorCode::kPermissionDenied, "Permission");
    ExpectError(when(FsOp::Kind::kWrite, EFBIG), ErrorCode::kInvalidInput, "too large");
    ExpectError(when(FsOp::Kind::kSync, EIO), ErrorCode::kUnavailable, "storage");
    ExpectError(when(FsOp::Kind::kRename, EBUSY), ErrorCode::kUnavailable, "mounted over");
  }
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
}

TEST_F(SafeFileTest, AFileThatIsTooLargeIsNotReplaced) {
  Make("config.txt", "a");
  fs::resize_file(Path("config.txt"), SafeFile::kMostBytes + 1);
  ExpectError(File().Write("b"), ErrorCode::kInvalidInput, "4 MiB");
  EXPECT_EQ(fs::file_size(Path("config.txt")), SafeFile::kMostBytes + 1);
}

TEST_F(SafeFileTest, TheLargestFileIsReplacedOnFat) {
  const AsFat as_fat;
  const std::string large(SafeFile::kMostBytes, 'a');
  Make("config.txt", large);
  Make("config.txt", std::string(SafeFile::kMostBytes, 'b'));
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", std::string(SafeFile::kMostBytes, 'b')}}));
}

TEST_F(SafeFileTest, WithoutTheRightToWriteNothingChanges) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  Make("config.txt", "a");
  fs::permissions(dir_.path(), fs::perms(0755));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto written = File().Write("b");
    const bool denied =
        !written && written.assume_error().code == ErrorCode::kPermissionDenied && File().Read();
    ::_exit(denied ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
}

// One entry in one sector, for each file of a directory another.
TEST_F(SafeFileTest, OnFatWhatLiesBesideItHasAShortNameOfItsOwn) {
  const AsFat as_fat;
  std::set<std::string> names;
  for (const std::string name : {"config.txt", "cmdline.txt", "extlinux.conf"}) {
    const auto folder = SafeFolder::Open(Path(name));
    ASSERT_TRUE(folder);
    for (const std::string kind : {"new", "old"}) {
      names.insert(folder.assume_value().Beside(kind));
      EXPECT_THAT(folder.assume_value().Beside(kind), MatchesRegex("[A-Z0-9]{8}\\.(NEW|OLD)"));
    }
  }
  EXPECT_EQ(names.size(), 6U);
}

TEST_F(SafeFileTest, ANameThatHasNoRoomForWhatLiesBesideItIsRefused) {
  const std::string name(250, 'n');
  const auto written = SafeFile(Path(name)).Write("a");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.assume_error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(dir_.Read().empty());
}

// What a device returns that does not keep what it is given.
TEST_F(SafeFileTest, OnFatWhatDoesNotComeBackIsAnErrorAndTheOldOneStays) {
  const AsFat as_fat;
  for (const std::string& name : {Old(), New(), std::string("config.txt")}) {
    Make("config.txt", "old\n");
    bool spoilt = false;
    const auto written = [&] {
      const FsTap tap(dir_.path(), [&](const FsOp& op) -> FsVerdict {
        // The last thing before it is read back.
        const bool last =
            op.kind == FsOp::Kind::kSync && (op.name == name || (name == Old() && op.name.empty()));
        if (last && !spoilt) {
          spoilt = true;
          const std::string path = Path(name);
          EXPECT_EQ(::truncate(path.c_str(), 2), 0) << path;
        }
        EXPECT_TRUE(op.kind != FsOp::Kind::kRename || name == "config.txt") << name;
        return {};
      });
      return File().Write("new\n");
    }();
    EXPECT_TRUE(spoilt) << name;
    ExpectError(written, ErrorCode::kUnavailable, "come back");
    EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "old\n"}})) << name;
  }
}

// A file that is gone has its clusters freed when the last one closes it, and not before the entry
// that leads to them is written.
TEST_F(SafeFileTest, TheReplacedFileIsKeptOpenUntilTheNewOneIsDurable) {
  const AsFat as_fat;
  Make("config.txt", "old\n");
  struct stat old = {};
  ASSERT_EQ(::stat(Path("config.txt").c_str(), &old), 0);
  const auto is_open = [&] {
    for (const auto& fd : fs::directory_iterator("/proc/self/fd")) {
      struct stat status = {};
      if (::stat(fd.path().c_str(), &status) == 0 && status.st_ino == old.st_ino &&
          status.st_dev == old.st_dev) {
        return true;
      }
    }
    return false;
  };
  int synced = 0;
  {
    const FsTap tap(dir_.path(), [&](const FsOp& op) -> FsVerdict {
      if (op.kind == FsOp::Kind::kSync && op.name == "config.txt") {
        ++synced;
        EXPECT_TRUE(is_open());
      }
      return {};
    });
    ASSERT_TRUE(File().Write("new\n"));
  }
  EXPECT_EQ(synced, 1);
  EXPECT_FALSE(is_open());
}

// Two names must not lead to the same clusters, so the old one goes before the new entry is
// written.
TEST_F(SafeFileTest, OnFatTheDirectoryIsSyncedBeforeTheFileAfterTheRename) {
  const AsFat as_fat;
  Make("config.txt", "old\n");
  std::vector<std::string> done;
  for (const FsOp& op : Record(dir_.path(), [&](const auto&) { return File().Write("new\n"); })) {
    if (op.kind == FsOp::Kind::kRename) done.clear();
    done.push_back(Describe(op));
  }
  EXPECT_THAT(done, ElementsAre("rename " + New() + " to config.txt", "sync the directory",
                                "sync config.txt", "unlink " + Old(), "sync the directory"));
}

class RecoverTest : public SafeFileTest {
 protected:
  void MakeCopy(const std::string& found) {
    Make("config.txt", found);
    Make(Old(), CopyOf({"old_1=on\nold_2=on\n", "new_1=on\nnew_2=on\n"}));
  }
};

TEST_F(RecoverTest, WhatAPersonWroteIsNeverReverted) {
  for (const std::string edited : {"mine=1\n", "old_1=on\n", "new_1=on", "old_1=on\nnew_2=on\n",
                                   "new_1=on\nnew_2=on\nmine=1\n"}) {
    for (const bool fat : {false, true}) {
      const AsFat as_fat(fat);
      MakeCopy(edited);
      EXPECT_TRUE(File().Recover());
      EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", edited}}));
    }
  }
}

TEST_F(RecoverTest, ACopyThatIsNotWholeRestoresNothing) {
  const std::string whole = CopyOf({"old\n", "new\n"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(::unlink(Path("config.txt").c_str()) == 0 || errno == ENOENT, true);
    Make(Old(), whole.substr(0, size));
    EXPECT_TRUE(File().Recover());
    EXPECT_TRUE(dir_.Read().empty()) << size;
  }
}

TEST_F(RecoverTest, AFileThatCannotBeReadIsPutBack) {
  const AsFat as_fat;
  MakeCopy("old_1=on\nmine=1\n");
  {
    const FailingReads failing(Path("config.txt"));
    EXPECT_TRUE(File().Recover());
  }
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "old_1=on\nold_2=on\n"}}));
}

TEST_F(RecoverTest, ModeAndOwnerOfAMissingFileComeFromItsCopy) {
  const AsFat as_fat;
  Make("config.txt", "a");
  fs::permissions(Path("config.txt"), fs::perms(0640));
  {
    const FsTap tap(dir_.path(), [&](const FsOp& op) -> FsVerdict {
      return {.error = op.kind == FsOp::Kind::kUnlink || op.name == New() ? EIO : 0};
    });
    EXPECT_FALSE(File().Write("b"));
  }
  ASSERT_TRUE(fs::remove(Path("config.txt")));
  EXPECT_TRUE(File().Recover());
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "a"}}));
  EXPECT_EQ(fs::status(Path("config.txt")).permissions(), fs::perms(0640));
}

// Two names that lead to the same clusters: removing one frees those of the other.
TEST_F(RecoverTest, ANameThatSharesItsDataIsLeftToACheckOfTheFileSystem) {
  const AsFat as_fat;
  MakeCopy("new_1=on\nnew_2=on\n");
  Make(New(), "new_1=on\nnew_2=on\n");
  const SharedBlocks shared;
  EXPECT_TRUE(File().Recover());
  EXPECT_EQ(dir_.Read().size(), 3U);
  ExpectError(File().Write("next"), ErrorCode::kUnavailable, "fsck");
  EXPECT_EQ(dir_.Read()["config.txt"], "new_1=on\nnew_2=on\n");
}

// A Write() that comes before any Recover() does not take the damage for what is there.
TEST_F(RecoverTest, AWriteRecoversFirst) {
  const AsFat as_fat;
  MakeCopy("");
  EXPECT_FALSE(Failing(
      ENOSPC, [](const FsOp& op) { return op.data == "next\n"; },
      [&] { return File().Write("next\n"); }));
  EXPECT_EQ(dir_.Read(), (Tree{{"config.txt", "old_1=on\nold_2=on\n"}}));
}

}  // namespace
}  // namespace lockstep::test
