// What an app, or another user of the host, can put in the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "host_fixture.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

mode_t ModeOf(const fs::path& path) {
  struct stat seen {};
  EXPECT_EQ(::lstat(path.c_str(), &seen), 0) << path;
  return seen.st_mode & 07777;
}

class HostileTest : public HostLockFsTest {
 protected:
  void Make(const std::vector<ServiceRef>& services) { ASSERT_TRUE(Open()->Prepare(services)); }

  // Every way to ask says that the place is unsafe, and none that it is free.
  void ExpectUnsafe() {
    auto opened = OpenHostLockFs(options_);
    if (!opened) {
      ExpectUnsafeError(opened.assume_error());
      return;
    }
    HostLockFs& locks = *opened.assume_value();
    ExpectUnsafeError(ErrorOf(locks.Holders(kShop)));
    ExpectUnsafeError(ErrorOf(locks.TakeAll(kShop, LockMode::kRespect)));
    ExpectUnsafeError(ErrorOf(locks.TakeAll(kShop, LockMode::kForce)));
    ExpectUnsafeError(ErrorOf(locks.Prepare(kShop)));
  }

 private:
  template <typename T>
  static Error ErrorOf(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? Error{} : result.assume_error();
  }
  static void ExpectUnsafeError(const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kUnsafeLockRoot) << Describe(error);
  }
};

TEST_F(HostileTest, MissingDirectoriesAreMadeSafeWhateverTheUmask) {
  const mode_t old = ::umask(0);
  Make(kShop);
  ::umask(old);
  EXPECT_EQ(ModeOf(Root()), 0755U);
  EXPECT_EQ(ModeOf(Root() / "12"), 0755U);
  EXPECT_EQ(ModeOf(Dir(kWeb)), 01777U);
}

TEST_F(HostileTest, PrepareMendsTheModeInPlace) {
  Make(kShop);
  fs::permissions(Dir(kWeb), fs::perms(0755));
  struct stat before {};
  ASSERT_EQ(::stat(Dir(kWeb).c_str(), &before), 0);
  Make(kShop);
  struct stat after {};
  ASSERT_EQ(::stat(Dir(kWeb).c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(ModeOf(Dir(kWeb)), 01777U);
}

TEST_F(HostileTest, LookingMakesNothing) {
  const auto locks = Open();
  ASSERT_TRUE(locks->Holders(kShop));
  ASSERT_TRUE(locks->List());
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
}

TEST_F(HostileTest, ARootThatIsALinkIsUnsafe) {
  fs::create_directory(scratch_.path() / "elsewhere");
  fs::create_directory_symlink(scratch_.path() / "elsewhere", Root());
  ExpectUnsafe();
}

TEST_F(HostileTest, ARootThatIsAFileIsUnsafe) {
  std::ofstream(Root()) << "file";
  ExpectUnsafe();
}

TEST_F(HostileTest, ARootThatOthersMayWriteIsUnsafe) {
  fs::create_directory(Root());
  ASSERT_EQ(::chmod(Root().c_str(), 01777), 0);
  ExpectUnsafe();
}

TEST_F(HostileTest, AnAppDirectoryThatOthersMayWriteIsUnsafe) {
  Make(kShop);
  ASSERT_EQ(::chmod((Root() / "12").c_str(), 0777), 0);
  ExpectUnsafe();
}

TEST_F(HostileTest, AnotherUsersDirectoryIsUnsafe) {
  if (!IsRoot()) GTEST_SKIP() << "needs root: gives a directory to another user";
  Make(kShop);
  ASSERT_EQ(::chown((Root() / "12").c_str(), 1000, 1000), 0);
  ExpectUnsafe();
  ASSERT_EQ(::chown((Root() / "12").c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(Root().c_str(), 1000, 1000), 0);
  ExpectUnsafe();
}

TEST_F(HostileTest, ALinkInPlaceOfAServiceOrAnAppIsUnsafe) {
  Make({kDb});
  fs::create_directory_symlink(Dir(kDb), Dir(kWeb));
  ExpectUnsafe();
  fs::remove_all(Root() / "12");
  fs::create_directories(scratch_.path() / "elsewhere/web");
  fs::create_directory_symlink(scratch_.path() / "elsewhere", Root() / "12");
  ExpectUnsafe();
}

TEST_F(HostileTest, AFileOrFifoInPlaceOfAServiceIsUnsafe) {
  Make({kDb});
  std::ofstream(Dir(kWeb)) << "file";
  ExpectUnsafe();
  fs::remove(Dir(kWeb));
  ASSERT_EQ(::mkfifo(Dir(kWeb).c_str(), 0666), 0);
  ExpectUnsafe();
}

TEST_F(HostileTest, AnAsideDirectoryThatIsALinkIsUnsafe) {
  Make(kShop);
  fs::create_directory(scratch_.path() / "elsewhere");
  fs::create_directory_symlink(scratch_.path() / "elsewhere", Root() / ".lockstep");
  const auto outcome = Open()->TakeAll(kShop, LockMode::kRespect);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.assume_error().code, ErrorCode::kUnsafeLockRoot);
}

struct Shape {
  std::string name;
  LockKind kind;
  std::function<bool(const fs::path& lock)> make;
  bool needs_root = false;
};

bool MakeSocket(const fs::path& lock) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (lock.string().size() >= sizeof(address.sun_path)) return false;
  lock.string().copy(address.sun_path, lock.string().size());
  const lockfs::UniqueFd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool MakeTree(const fs::path& lock) {
  fs::path deep = lock;
  for (int depth = 0; depth < 20; ++depth) deep /= "a";
  fs::create_directories(deep);
  fs::create_directory_symlink("/", lock / "root");
  std::ofstream(lock / "a/file") << "x";
  return true;
}

const std::vector<Shape> kShapes = {
    {"File", LockKind::kExclusiveFile,
     [](const fs::path& lock) { return std::ofstream(lock).good(); }},
    {"EmptyDirectory", LockKind::kDirectory,
     [](const fs::path& lock) { return fs::create_directory(lock); }},
    {"Tree", LockKind::kDirectory, MakeTree},
    {"DanglingLink", LockKind::kSymlink,
     [](const fs::path& lock) { return ::symlink("nowhere", lock.c_str()) == 0; }},
    {"LoopingLink", LockKind::kSymlink,
     [](const fs::path& lock) { return ::symlink("updates.lock", lock.c_str()) == 0; }},
    {"LinkToADirectory", LockKind::kSymlink,
     [](const fs::path& lock) { return ::symlink("/", lock.c_str()) == 0; }},
    {"Fifo", LockKind::kOther,
     [](const fs::path& lock) { return ::mkfifo(lock.c_str(), 0666) == 0; }},
    {"Socket", LockKind::kOther, MakeSocket},
    {"LinkToAHostFile", LockKind::kSymlink,
     [](const fs::path& lock) { return ::symlink("/etc/passwd", lock.c_str()) == 0; }},
    {"FileOfAnotherUserThatNobodyMayRead", LockKind::kExclusiveFile,
     [](const fs::path& lock) {
       return std::ofstream(lock).good() && ::chown(lock.c_str(), 1000, 1000) == 0 &&
              ::chmod(lock.c_str(), 0) == 0;
     },
     true},
    {"FileThatAnybodyMayRun", LockKind::kExclusiveFile,
     [](const fs::path& lock) {
       return (std::ofstream(lock) << "#!/bin/sh\n").good() && ::chmod(lock.c_str(), 07777) == 0;
     }},
    {"BlockDevice", LockKind::kOther,
     [](const fs::path& lock) { return ::mknod(lock.c_str(), S_IFBLK | 0666, makedev(7, 0)) == 0; },
     true},
    {"Device", LockKind::kOther,
     [](const fs::path& lock) { return ::mknod(lock.c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0; },
     true},
};

class ShapeTest : public HostileTest, public ::testing::WithParamInterface<Shape> {};

TEST_P(ShapeTest, HoldsAndStaysAsItIs) {
  if (GetParam().needs_root && !IsRoot()) GTEST_SKIP() << "needs root: makes a device";
  Make(kShop);
  ASSERT_TRUE(GetParam().make(Lock(kWeb)));
  const auto holders = Holders(Open()->TakeAll(kShop, LockMode::kRespect));
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders.front().kind, GetParam().kind);
  EXPECT_EQ(holders.front().path, Lock(kWeb).string());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb)));
}

TEST_P(ShapeTest, GoesByForceAlone) {
  if (GetParam().needs_root && !IsRoot()) GTEST_SKIP() << "needs root: makes a device";
  Make(kShop);
  ASSERT_TRUE(GetParam().make(Lock(kWeb)));
  std::ofstream(scratch_.path() / "canary") << "host";
  auto outcome = Open()->TakeAll(kShop, LockMode::kForce);
  ASSERT_TRUE(outcome) << Describe(outcome.assume_error());
  auto& taken = std::get<LockTaken>(outcome.assume_value());
  ASSERT_THAT(taken.overridden, SizeIs(1));
  EXPECT_EQ(taken.overridden.front().kind, GetParam().kind);
  EXPECT_TRUE(taken.locks.Release());
  EXPECT_FALSE(Exists(Lock(kWeb)));
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
  EXPECT_TRUE(Exists(scratch_.path() / "canary"));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ShapeTest, ::testing::ValuesIn(kShapes),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(HostileTest, AHardLinkToAHostFileIsRemovedAndTheFileUntouched) {
  Make(kShop);
  const fs::path host_file = scratch_.path() / "shadow";
  std::ofstream(host_file) << "secret";
  fs::permissions(host_file, fs::perms(0600));
  fs::create_hard_link(host_file, Lock(kWeb));
  auto outcome = Open()->TakeAll(kShop, LockMode::kForce);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(std::get<LockTaken>(outcome.assume_value()).locks.Release());
  EXPECT_EQ(fs::file_size(host_file), 6U);
  EXPECT_EQ(ModeOf(host_file), 0600U);
}

TEST_F(HostileTest, OneFileUnderBothNamesGoesByForce) {
  Make(kShop);
  std::ofstream(Lock(kWeb)).close();
  fs::create_hard_link(Lock(kWeb), Legacy(kWeb));
  auto outcome = Open()->TakeAll(kShop, LockMode::kForce);
  ASSERT_TRUE(outcome) << Describe(outcome.assume_error());
  auto& taken = std::get<LockTaken>(outcome.assume_value());
  EXPECT_THAT(taken.overridden, SizeIs(2));
  EXPECT_TRUE(taken.locks.Release());
  EXPECT_FALSE(Exists(Lock(kWeb)) || Exists(Legacy(kWeb)));
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
}

TEST_F(HostileTest, AnOddAppDirectoryIsListedBesideTheLocksOfOthers) {
  const ServiceRef other{"20", "20", "api"};
  Make({kWeb, other});
  ASSERT_EQ(::chmod((Root() / "12").c_str(), 0775), 0);
  std::ofstream(Lock(other)).close();
  const auto all = Open()->List();
  ASSERT_TRUE(all) << Describe(all.assume_error());
  ASSERT_THAT(all.assume_value(), SizeIs(2));
  const LockHolder& odd = all.assume_value()[0];
  EXPECT_EQ(odd.path, (Root() / "12").string());
  EXPECT_EQ(odd.kind, LockKind::kOther);
  EXPECT_TRUE(odd.held);
  EXPECT_THAT(odd.notes, Contains(HasSubstr("root, mode 0755")));
  EXPECT_THAT(odd.notes, Each(Not(HasSubstr("remove"))));
  EXPECT_EQ(all.assume_value()[1].path, Lock(other).string());
}

TEST_F(HostileTest, PrepareGoesOnPastABadService) {
  Make({kDb});
  fs::create_directory_symlink(Dir(kDb), Dir(kWeb));
  const std::vector<ServiceRef> services = {kWeb, {"a", "a/b", "web"}, {"20", "20", "api"}};
  const auto prepared = Open()->Prepare(services);
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.assume_error().message, HasSubstr(Dir(kWeb).string()));
  EXPECT_EQ(ModeOf(Dir(services.back())), 01777U);
}

TEST_F(HostileTest, ForgetFollowsNoLinkOutOfTheDirectory) {
  Make(kShop);
  const fs::path outside = scratch_.path() / "outside";
  fs::create_directories(outside / "kept");
  fs::create_directory_symlink(outside, Dir(kWeb) / "link");
  ASSERT_TRUE(MakeTree(Dir(kWeb) / "tree"));
  ASSERT_TRUE(Open()->Forget(kWeb));
  EXPECT_FALSE(Exists(Dir(kWeb)));
  EXPECT_TRUE(Exists(Root() / "12"));
  ASSERT_TRUE(Open()->Forget(kDb));
  EXPECT_FALSE(Exists(Root() / "12"));
  EXPECT_TRUE(Exists(outside / "kept"));
}

TEST_F(HostileTest, LocksOfOursShowNoOwnerButTheirsAndHoldNoData) {
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  struct stat seen {};
  ASSERT_EQ(::lstat(Lock(kWeb).c_str(), &seen), 0);
  EXPECT_EQ(seen.st_uid, options_.owner_uid);
  EXPECT_EQ(seen.st_gid, options_.owner_gid);
  EXPECT_EQ(seen.st_size, 0);
  EXPECT_EQ(seen.st_mode & 07777, 0444U);
}

TEST_F(HostileTest, ALockOfTheSameOwnerIsNotOurs) {
  Make(kShop);
  std::ofstream(Lock(kWeb)).close();
  ASSERT_EQ(::chown(Lock(kWeb).c_str(), options_.owner_uid, options_.owner_gid), 0);
  const auto locks = Open();
  const auto holders = Holders(locks->TakeAll(kShop, LockMode::kRespect));
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_FALSE(holders.front().ours);
  ASSERT_TRUE(locks->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
}

TEST_F(HostileTest, NearMissesAreListedAndHoldNothing) {
  Make(kShop);
  for (const char* name : {"updates.lock.lock", "updates.lock.STALE", "Updates.lock"}) {
    std::ofstream(Dir(kWeb) / name).close();
  }
  const auto locks = Open();
  const auto all = locks->List();
  ASSERT_TRUE(all);
  ASSERT_THAT(all.assume_value(), SizeIs(3));
  for (const LockHolder& holder : all.assume_value()) {
    EXPECT_FALSE(holder.held);
    EXPECT_THAT(holder.notes, Contains(HasSubstr("updates.lock")));
  }
  EXPECT_FALSE(Taken(locks->TakeAll(kShop, LockMode::kRespect)).empty());
}

TEST_F(HostileTest, ADirectoryRemovedUnderOursIsMadeAndTakenAgain) {
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  fs::remove_all(Root() / "12");
  const auto holders = set.Reassert();
  ASSERT_TRUE(holders) << Describe(holders.assume_error());
  EXPECT_THAT(holders.assume_value(), IsEmpty());
  EXPECT_TRUE(Exists(Lock(kWeb)) && Exists(Legacy(kDb)));
  EXPECT_TRUE(set.Release());
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

TEST_F(HostileTest, ATreeTooLargeForOneRemovalGoesInParts) {
  constexpr int kFiles = 12'000;
  Make(kShop);
  ASSERT_TRUE(fs::create_directory(Lock(kWeb)));
  for (int file = 0; file < kFiles; ++file) {
    ASSERT_EQ(::mknod((Lock(kWeb) / std::to_string(file)).c_str(), S_IFREG | 0644, 0), 0);
  }
  LockSet set = Taken(Open()->TakeAll(kShop, LockMode::kForce));
  EXPECT_FALSE(fs::is_empty(Root() / ".lockstep"));
  EXPECT_TRUE(set.Release());
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
}

// A working directory stays where it is, whatever it is renamed to: a process that goes on making a
// directory and entering it makes a tree as deep as it likes.
TEST_F(HostileTest, ATreeThatGrowsWhileItIsRemovedKeepsNobodyWaiting) {
  constexpr int kDepth = 30'000;
  Make(kShop);
  ASSERT_TRUE(fs::create_directory(Lock(kWeb)));
  const pid_t grower = ::fork();
  if (grower == 0) {
    if (::chdir(Lock(kWeb).c_str()) != 0) ::_exit(1);
    for (int depth = 0; depth < kDepth; ++depth) {
      (void)::mkdir("x", 0777);
      (void)!::chdir("x");
    }
    for (;;) ::pause();
  }
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kForce));
  EXPECT_TRUE(set.Release());
  EXPECT_TRUE(Open()->ReleaseLeftovers());
  ::kill(grower, SIGKILL);
  ::waitpid(grower, nullptr, 0);
  EXPECT_FALSE(Exists(Lock(kWeb)));
  // What is left of it goes later.
  for (int i = 0; i < 100 && !fs::is_empty(Root() / ".lockstep"); ++i) {
    ASSERT_TRUE(Open()->ReleaseLeftovers());
  }
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
}

// As cleaners of /tmp do with what is empty and old.
TEST_F(HostileTest, AnAsideDirectoryThatWasRemovedMeanwhileStrandsNoLock) {
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  ASSERT_TRUE(fs::remove(Root() / ".lockstep"));
  const auto released = set.Release();
  EXPECT_TRUE(released) << Describe(released.assume_error());
  EXPECT_FALSE(Exists(Lock(kWeb)) || Exists(Legacy(kDb)));
}

// An app that takes and drops its lock as fast as it can must find its own lock still there
// whenever it has taken it, whatever we take, reassert and release beside it.
TEST_F(HostileTest, AnAppsFreshLockIsNeverDestroyed) {
  constexpr int kRounds = 2000;
  const auto locks = Open();
  ASSERT_TRUE(locks->Prepare(kShop));
  std::atomic<bool> done{false};
  int destroyed = 0;
  std::jthread app([&] {
    const std::string path = Lock(kWeb).string();
    while (!done) {
      const lockfs::UniqueFd mine(
          ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
      if (!mine) {
        ::unlink(path.c_str());  // As apps do at their start: `rm -f`.
        continue;
      }
      struct stat seen {};
      // Aside for an instant it may be, but not gone.
      if (::fstat(mine.get(), &seen) != 0 || seen.st_nlink == 0) ++destroyed;
      ::unlink(path.c_str());
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    auto outcome = locks->TakeAll(kShop, LockMode::kRespect);
    if (!outcome) continue;
    if (auto* taken = std::get_if<LockTaken>(&outcome.assume_value())) {
      EXPECT_TRUE(taken->locks.Release());
    }
  }
  done = true;
  app.join();
  EXPECT_EQ(destroyed, 0);
  ASSERT_TRUE(locks->ReleaseLeftovers());
}

}  // namespace
}  // namespace lockstep::test
