// Systems that refuse: full or read-only file systems, no descriptors left, files that cannot
// change.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "host_fixture.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class LimitsTest : public HostLockFsTest {
 protected:
  ~LimitsTest() override {
    for (const fs::path& path : mounted_) ::umount2(path.c_str(), MNT_DETACH);
  }

  // False where this machine mounts nothing for us: the test is skipped, then.
  bool Mount(const fs::path& path, const std::string& how, unsigned long flags = 0) {
    fs::create_directories(path);
    if (::mount("lockfs-test", path.c_str(), "tmpfs", flags, how.c_str()) != 0) return false;
    mounted_.push_back(path);
    return true;
  }
  static bool Remount(const fs::path& path, unsigned long flags) {
    return ::mount("none", path.c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0;
  }
  template <typename T>
  static Error ErrorOf(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? Error{} : result.assume_error();
  }
  void ExpectNothingTaken() const {
    for (const ServiceRef& service : kShop) {
      EXPECT_FALSE(Exists(Lock(service)) || Exists(Legacy(service))) << service.service;
    }
  }

  std::vector<fs::path> mounted_;
};

constexpr const char* kNoMount = "needs root that may mount a tmpfs";

TEST_F(LimitsTest, AFullDiskUnderTheLocksKeepsNobodyFromTakingThem) {
  if (!Mount(Root(), "size=16k,mode=755")) GTEST_SKIP() << kNoMount;
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::ofstream(Dir(kWeb) / "flood") << std::string(1 << 20, 'x') << std::flush;
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_TRUE(set.Release());
  ExpectNothingTaken();
}

TEST_F(LimitsTest, WithoutInodesNothingIsTakenAndItSaysWhy) {
  if (!Mount(Root(), "nr_inodes=8,mode=755")) GTEST_SKIP() << kNoMount;
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  const Error error = ErrorOf(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_EQ(error.code, ErrorCode::kNoSpace) << Describe(error);
  ExpectNothingTaken();
  EXPECT_TRUE(locks->Holders(kShop));
}

TEST_F(LimitsTest, AFullDiskUnderTheJournalTakesNothing) {
  const fs::path state = options_.journal_dir;
  if (!Mount(state, "size=4k,mode=700")) GTEST_SKIP() << kNoMount;
  std::ofstream(state / "flood") << std::string(1 << 16, 'x') << std::flush;
  const auto locks = Open();
  const Error error = ErrorOf(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_EQ(error.code, ErrorCode::kNoSpace) << Describe(error);
  ExpectNothingTaken();
  fs::remove(state / "flood");
  EXPECT_TRUE(Taken(locks->TakeAll(kShop, LockMode::kRespect)).Release());
}

// Else a lock of ours could not be given back without the risk of taking an app's with it.
TEST_F(LimitsTest, AFileSystemWithoutTheNeededCallsIsSaidBeforeAnythingIsTaken) {
  lockfs::Seams seams;
  seams.no_rename_flags = true;
  const auto locks = Open(seams);
  std::ofstream((fs::create_directories(Dir(kWeb)), Lock(kWeb))).close();
  for (const LockMode mode : {LockMode::kRespect, LockMode::kForce}) {
    const Error error = ErrorOf(locks->TakeAll(kShop, mode));
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_THAT(Describe(error), HasSubstr("tmpfs, ext4"));
  }
  const auto holders = locks->Holders(kShop);
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), SizeIs(1)) << "what apps hold is seen all the same";
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
}

TEST_F(LimitsTest, AReadOnlyRootIsSaidAndLocksAreSeenAllTheSame) {
  if (!Mount(Root(), "mode=755")) GTEST_SKIP() << kNoMount;
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::ofstream(Lock(kWeb)).close();
  ASSERT_TRUE(Remount(Root(), MS_RDONLY));
  const auto holders = locks->Holders(kShop);
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), SizeIs(1));
  const Error error = ErrorOf(locks->TakeAll(kShop, LockMode::kForce));
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(Describe(error), HasSubstr("Read-only file system"));
  EXPECT_THAT(Describe(error), HasSubstr("mount it writable"));
  EXPECT_TRUE(Exists(Lock(kWeb)));
}

TEST_F(LimitsTest, AnotherFileSystemInPlaceOfAServiceIsUnsafe) {
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  if (!Mount(Dir(kWeb), "mode=1777")) GTEST_SKIP() << kNoMount;
  for (const LockMode mode : {LockMode::kRespect, LockMode::kForce}) {
    EXPECT_EQ(ErrorOf(locks->TakeAll(kShop, mode)).code, ErrorCode::kUnsafeLockRoot);
  }
  EXPECT_EQ(ErrorOf(locks->Holders(kShop)).code, ErrorCode::kUnsafeLockRoot);
  EXPECT_TRUE(fs::is_empty(Dir(kWeb)) && fs::is_empty(Dir(kDb)));
}

// No more descriptors than are open now.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const lockfs::UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(LimitsTest, WithoutDescriptorsNothingIsFreeAndWhatIsHeldIsGivenBack) {
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll({{kDb}}, LockMode::kRespect));
  ASSERT_TRUE(locks->Prepare(kShop));
  {
    const NoMoreDescriptors none;
    const Error error = ErrorOf(locks->TakeAll({{kWeb}}, LockMode::kRespect));
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(Describe(error), HasSubstr("raise the limit of open files"));
    EXPECT_FALSE(locks->Holders(kShop));
    EXPECT_FALSE(locks->List());
    EXPECT_TRUE(set.Release());
  }
  ExpectNothingTaken();
}

bool SetImmutable(const fs::path& path, bool immutable) {
  const lockfs::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int flags = 0;
  if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) return false;
  flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  return ::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

TEST_F(LimitsTest, ALockThatCannotBeRemovedIsSaidAndStays) {
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::ofstream(Lock(kWeb)).close();
  if (!SetImmutable(Lock(kWeb), true)) GTEST_SKIP() << "needs a file system with chattr +i";
  const Error error = ErrorOf(locks->TakeAll(kShop, LockMode::kForce));
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied) << Describe(error);
  EXPECT_THAT(Describe(error), HasSubstr("remove lock"));
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb)));
  ASSERT_TRUE(SetImmutable(Lock(kWeb), false));
  EXPECT_TRUE(Taken(locks->TakeAll(kShop, LockMode::kForce)).Release());
}

TEST_F(LimitsTest, ADirectoryThatCannotChangeTakesNothing) {
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  if (!SetImmutable(Dir(kWeb), true)) GTEST_SKIP() << "needs a file system with chattr +i";
  const Error error = ErrorOf(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied) << Describe(error);
  ASSERT_TRUE(SetImmutable(Dir(kWeb), false));
  ExpectNothingTaken();
}

TEST_F(LimitsTest, ALockThatCannotBeGivenBackIsNotForgotten) {
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  if (!SetImmutable(Dir(kWeb), true)) GTEST_SKIP() << "needs a file system with chattr +i";
  EXPECT_FALSE(set.Release());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb))) << "the others are given back";
  EXPECT_FALSE(locks->ReleaseLeftovers());
  ASSERT_TRUE(SetImmutable(Dir(kWeb), false));
  const auto released = locks->ReleaseLeftovers();
  ASSERT_TRUE(released) << Describe(released.assume_error());
  EXPECT_EQ(released.assume_value(), 2);
  ExpectNothingTaken();
}

// The app chooses how many there are; no answer takes longer for it.
TEST_F(LimitsTest, AHundredThousandOtherFilesHideNoLockAndHoldNothing) {
  (void)Mount(Root(), "mode=755");  // For speed alone.
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  const lockfs::UniqueFd dir(::open(Dir(kWeb).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(::mknodat(dir.get(), std::to_string(i).c_str(), S_IFREG | 0644, 0), 0);
  }
  EXPECT_TRUE(Taken(locks->TakeAll(kShop, LockMode::kRespect)).Release());
  std::ofstream(Lock(kWeb)).close();
  EXPECT_THAT(Holders(locks->TakeAll(kShop, LockMode::kRespect)), SizeIs(1));
  const auto all = locks->List();
  ASSERT_TRUE(all);
  EXPECT_THAT(all.assume_value(), SizeIs(1));
}

}  // namespace
}  // namespace lockstep::test
