// What a kill -9 leaves, at every point, and what the next process makes of it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include "aside.h"
#include "host_fixture.h"
#include "journal.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CrashTest : public HostLockFsTest {
 protected:
  // A process that takes, and gives back, the locks of the shop, and is killed at the n-th time it
  // passes `point`. False: it came to its end before.
  bool RunAndKillAt(std::string_view point, int nth, LockMode mode = LockMode::kRespect,
                    bool no_tmpfile = false) {
    const pid_t child = ::fork();
    if (child == 0) {
      int left = nth;
      lockfs::Seams seams;
      seams.no_tmpfile = no_tmpfile;
      seams.at = [&](std::string_view at) {
        if (at == point && --left == 0) ::kill(::getpid(), SIGKILL);
      };
      auto locks = lockfs::OpenHostLockFsWith(options_, seams);
      if (!locks) ::_exit(1);
      auto outcome = locks.assume_value()->TakeAll(kShop, mode);
      if (!outcome) ::_exit(1);
      if (auto* taken = std::get_if<LockTaken>(&outcome.assume_value())) {
        (void)taken->locks.Release();
      }
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
  }

  void LeaveLocksBehind() {
    ASSERT_TRUE(RunAndKillAt("linked", 4));
    ASSERT_TRUE(Exists(Lock(kWeb)) && Exists(Legacy(kWeb)));
  }

  static void MakeByApp(const fs::path& path) { std::ofstream(path) << "app"; }

  std::vector<std::string> NamesAside() {
    std::vector<std::string> names;
    if (!Exists(Root() / ".lockstep")) return names;
    for (const auto& entry : fs::directory_iterator(Root() / ".lockstep")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  // Nothing of ours is left anywhere, and the journal says so.
  void ExpectNothingOfOurs() {
    EXPECT_THAT(NamesAside(), IsEmpty());
    EXPECT_EQ(fs::file_size(fs::path(options_.journal_dir) / "locks.journal"), 0U);
  }
};

struct KillCase {
  std::string name;
  std::string point;
  int nth;
  bool no_tmpfile = false;
};

class KilledTest : public CrashTest, public ::testing::WithParamInterface<KillCase> {};

TEST_P(KilledTest, TheNextProcessReleasesAllOfItsOwn) {
  ASSERT_TRUE(
      RunAndKillAt(GetParam().point, GetParam().nth, LockMode::kRespect, GetParam().no_tmpfile));
  const auto locks = Open();
  ASSERT_TRUE(locks->ReleaseLeftovers());
  for (const ServiceRef& service : kShop) {
    EXPECT_FALSE(Exists(Lock(service)));
    EXPECT_FALSE(Exists(Legacy(service)));
  }
  ExpectNothingOfOurs();
}

TEST_P(KilledTest, TheNextProcessTakesThemOver) {
  ASSERT_TRUE(
      RunAndKillAt(GetParam().point, GetParam().nth, LockMode::kRespect, GetParam().no_tmpfile));
  const auto locks = Open();
  LockSet set = Taken(locks->TakeAll(kShop, LockMode::kRespect));
  EXPECT_TRUE(set.Release());
  EXPECT_FALSE(Exists(Lock(kWeb)));
  ASSERT_TRUE(locks->ReleaseLeftovers());
  ExpectNothingOfOurs();
}

TEST_P(KilledTest, AnAppsLockIsNeverTakenForIts) {
  ASSERT_TRUE(
      RunAndKillAt(GetParam().point, GetParam().nth, LockMode::kRespect, GetParam().no_tmpfile));
  for (const ServiceRef& service : kShop) {
    ::unlink(Lock(service).c_str());
    MakeByApp(Lock(service));
    ASSERT_EQ(::chown(Lock(service).c_str(), options_.owner_uid, options_.owner_gid), 0);
  }
  const auto locks = Open();
  EXPECT_EQ(Holders(locks->TakeAll(kShop, LockMode::kRespect)).size(), 2U);
  ASSERT_TRUE(locks->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kDb)));
  EXPECT_TRUE(Exists(Lock(kWeb)));
}

INSTANTIATE_TEST_SUITE_P(Points, KilledTest,
                         ::testing::Values(KillCase{"BeforeTheRecord", "made", 1},
                                           KillCase{"BetweenRecordAndFirstName", "recorded", 1},
                                           KillCase{"AfterTheFirstName", "linked", 1},
                                           KillCase{"AfterTheThirdName", "linked", 3},
                                           KillCase{"WithAll", "linked", 4},
                                           KillCase{"InTheFirstRelease", "renamed-aside", 1},
                                           KillCase{"InTheLastRelease", "renamed-aside", 4},
                                           KillCase{"BeforeTheRecordIsGone", "released", 1},
                                           KillCase{"BeforeTheRecordStaged", "made", 1, true},
                                           KillCase{"AfterTheFirstNameStaged", "linked", 1, true}),
                         [](const auto& param_info) { return param_info.param.name; });

// Kills wherever the clock happens to strike; the points above are those that were thought of.
TEST_F(CrashTest, KillsAtAnyInstantStrandNothing) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto locks = OpenHostLockFs(options_);
      while (locks) {
        auto outcome = locks.assume_value()->TakeAll(kShop, LockMode::kRespect);
        if (!outcome) break;
      }
      ::_exit(1);
    }
    ::usleep(static_cast<useconds_t>(500 + round * 17));  // Not a wait: where the kill strikes.
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_TRUE(Open()->ReleaseLeftovers());
    for (const ServiceRef& service : kShop) {
      ASSERT_FALSE(Exists(Lock(service))) << round;
      ASSERT_FALSE(Exists(Legacy(service))) << round;
    }
    ExpectNothingOfOurs();
  }
}

// Where lock directories outlive a reboot.
TEST_F(CrashTest, OurLocksOfAFormerBootHoldNothingAndGo) {
  LeaveLocksBehind();
  options_.boot_id = "next-boot";
  {
    LockSet set = Taken(Open()->TakeAll(kShop, LockMode::kRespect));
    EXPECT_TRUE(Exists(Lock(kWeb)));
    set.Abandon();
  }
  options_.boot_id = "boot-after-that";
  const auto released = Open()->ReleaseLeftovers();
  ASSERT_TRUE(released);
  EXPECT_EQ(released.assume_value(), 4);
  ExpectNothingOfOurs();
}

TEST_F(CrashTest, AnAppsLockInThePlaceOfOursOfAFormerBootHolds) {
  LeaveLocksBehind();
  options_.boot_id = "next-boot";
  fs::remove(Lock(kWeb));
  std::ofstream(Lock(kWeb)).close();
  EXPECT_EQ(Holders(Open()->TakeAll(kShop, LockMode::kRespect)).size(), 1U);
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Lock(kDb)));
}

TEST_F(CrashTest, WhatForceHadSetAsideInAFormerBootIsNotPutBack) {
  LeaveLocksBehind();
  lockfs::Journal journal(options_.journal_dir, options_.boot_id);
  const lockfs::JournalEntry entry{
      lockfs::JournalEntry::Kind::kSetAside, {1, 2, 3}, "12", "web", "updates.lock"};
  ASSERT_TRUE(journal.Add({&entry, 1}));
  std::ofstream(Root() / ".lockstep" / lockfs::Aside::NameOf(entry)).close();
  options_.boot_id = "next-boot";
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_FALSE(Exists(Lock(kWeb)));
  EXPECT_TRUE(fs::is_empty(Root() / ".lockstep"));
}

TEST_F(CrashTest, LeftoversAreReportedAsOurs) {
  LeaveLocksBehind();
  const auto holders = Open()->Holders(kShop);
  ASSERT_TRUE(holders);
  EXPECT_THAT(holders.assume_value(), ::testing::Each(::testing::Field(&LockHolder::ours, true)));
  EXPECT_EQ(holders.assume_value().size(), 4U);
}

// It renamed an app's lock that had taken the place of ours aside, and died before it put it back.
TEST_F(CrashTest, AnAppsLockThatACrashLeftAsideIsPutBack) {
  LeaveLocksBehind();
  lockfs::Journal journal(options_.journal_dir, options_.boot_id);
  const auto entries = journal.Entries();
  ASSERT_TRUE(entries);
  for (const lockfs::JournalEntry& entry : entries.assume_value()) {
    if (entry.service != kWeb.service || entry.file != "updates.lock") continue;
    fs::remove(Lock(kWeb));
    MakeByApp(Root() / ".lockstep" / lockfs::Aside::NameOf(entry));
  }
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  EXPECT_FALSE(Exists(Legacy(kWeb)));
  ExpectNothingOfOurs();
}

TEST_F(CrashTest, AForcedTakeThatWasCutOffPutsTheAppsLockBack) {
  ASSERT_TRUE(Open()->Prepare(kShop));
  MakeByApp(Lock(kWeb));
  ASSERT_TRUE(RunAndKillAt("set-aside", 1, LockMode::kForce));
  EXPECT_FALSE(Exists(Lock(kWeb)));
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  ExpectNothingOfOurs();
}

TEST_F(CrashTest, ALockThatCannotBePutBackBlocksItsOwnServiceAlone) {
  const std::vector<ServiceRef> other = {{"x", "x", "y"}};
  ASSERT_TRUE(Open()->Prepare(kShop));
  MakeByApp(Lock(kWeb));
  ASSERT_TRUE(RunAndKillAt("set-aside", 1, LockMode::kForce));
  const fs::path kept = scratch_.path() / "kept";
  fs::rename(Dir(kWeb), kept);
  fs::create_directory_symlink(kept, Dir(kWeb));
  const auto locks = Open();
  EXPECT_FALSE(Taken(locks->TakeAll(other, LockMode::kRespect)).empty());
  EXPECT_FALSE(locks->TakeAll(kShop, LockMode::kForce));
  EXPECT_FALSE(locks->ReleaseLeftovers());
  fs::remove(Dir(kWeb));
  fs::rename(kept, Dir(kWeb));
  ASSERT_TRUE(locks->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)));
  ExpectNothingOfOurs();
}

// Ours has the app's place already, and the app's is aside: they change places.
TEST_F(CrashTest, AForcedTakeThatWasKilledWithOursInPlacePutsTheAppsLockBack) {
  for (const int nth : {1, 2, 3, 4}) {
    ASSERT_TRUE(Open()->Prepare(kShop));
    MakeByApp(Lock(kWeb));
    struct stat before {};
    ASSERT_EQ(::stat(Lock(kWeb).c_str(), &before), 0);
    ASSERT_TRUE(RunAndKillAt("linked", nth, LockMode::kForce)) << nth;
    const auto locks = Open();
    ASSERT_TRUE(locks->ReleaseLeftovers()) << nth;
    struct stat after {};
    ASSERT_EQ(::stat(Lock(kWeb).c_str(), &after), 0) << nth;
    EXPECT_EQ(after.st_ino, before.st_ino) << nth;
    EXPECT_EQ(Holders(locks->TakeAll(kShop, LockMode::kRespect)).size(), 1U) << nth;
    ExpectNothingOfOurs();
    fs::remove(Lock(kWeb));
  }
}

TEST_F(CrashTest, BothNamesOfAHardLinkedLockArePutBack) {
  ASSERT_TRUE(Open()->Prepare(kShop));
  MakeByApp(Lock(kWeb));
  fs::create_hard_link(Lock(kWeb), Legacy(kWeb));
  ASSERT_TRUE(RunAndKillAt("set-aside", 2, LockMode::kForce));
  EXPECT_FALSE(Exists(Lock(kWeb)) || Exists(Legacy(kWeb)));
  ASSERT_TRUE(Open()->ReleaseLeftovers());
  EXPECT_TRUE(Exists(Lock(kWeb)) && Exists(Legacy(kWeb)));
  ExpectNothingOfOurs();
}

TEST_F(CrashTest, AJournalThatIsCutShortOrGarbledIsReadAsFarAsItGoes) {
  LeaveLocksBehind();
  {
    std::ofstream journal(fs::path(options_.journal_dir) / "locks.journal", std::ios::app);
    journal << "+ this-boot taken 1 2 %zz a b c .\n- this-boot\n"
            << std::string("\0\xff\n", 3) << "+ this-boot taken 99999999999999999999999 1 1 a b";
  }
  const auto locks = Open();
  LockSet other =
      Taken(locks->TakeAll(std::vector<ServiceRef>{{"x", "x", "y"}}, LockMode::kRespect));
  const auto released = locks->ReleaseLeftovers();
  ASSERT_TRUE(released);
  EXPECT_EQ(released.assume_value(), 4);
  EXPECT_TRUE(other.Release());
  ExpectNothingOfOurs();
}

TEST_F(CrashTest, NamesOfAnyBytesSurviveTheJournal) {
  const ServiceRef odd{"12", "12", "a b%\n\x01\xff"};
  Taken(Open()->TakeAll({&odd, 1}, LockMode::kRespect)).Abandon();
  EXPECT_TRUE(Exists(Lock(odd)));
  const auto released = Open()->ReleaseLeftovers();
  ASSERT_TRUE(released);
  EXPECT_EQ(released.assume_value(), 2);
  EXPECT_FALSE(Exists(Lock(odd)));
}

// Where an entry stays, taking and giving back would make it grow for ever.
TEST_F(CrashTest, AJournalThatHasGrownIsWrittenAnewAndLosesNothing) {
  lockfs::Journal journal(options_.journal_dir, options_.boot_id);
  const lockfs::JournalEntry stays{lockfs::JournalEntry::Kind::kTaken, {1, 2, 3}, "12", "web", "l"};
  ASSERT_TRUE(journal.Add({&stays, 1}));
  const lockfs::JournalEntry comes{lockfs::JournalEntry::Kind::kTaken, {4, 5, 6}, "12", "web", "m"};
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(journal.Add({&comes, 1}));
    ASSERT_TRUE(journal.Remove({&comes.id, 1}));
  }
  EXPECT_LT(fs::file_size(fs::path(options_.journal_dir) / "locks.journal"), 80U << 10);
  lockfs::Journal again(options_.journal_dir, options_.boot_id);
  const auto entries = again.Entries();
  ASSERT_TRUE(entries);
  EXPECT_THAT(entries.assume_value(), ElementsAre(stays));
}

TEST_F(CrashTest, ADeviceThatHasAnotherNumberAfterARebootIsNoOtherFile) {
  const lockfs::JournalEntry entry{lockfs::JournalEntry::Kind::kTaken, {1, 2, 3}, "12", "web", "l"};
  EXPECT_FALSE(lockfs::IsIdOf(entry, {9, 2, 3}));
  lockfs::JournalEntry former = entry;
  former.former_boot = true;
  EXPECT_TRUE(lockfs::IsIdOf(former, {9, 2, 3}));
  EXPECT_FALSE(lockfs::IsIdOf(former, {1, 2, 4}));
}

TEST_F(CrashTest, AJournalThatOthersCanWriteIsRefused) {
  fs::create_directory(options_.journal_dir);
  fs::permissions(options_.journal_dir, fs::perms::all);
  const auto outcome = Open()->TakeAll(kShop, LockMode::kRespect);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.assume_error().code, ErrorCode::kInvalidInput);
  EXPECT_FALSE(Exists(Lock(kWeb)));
}

}  // namespace
}  // namespace lockstep::test
