#include "config_backends/odmdata_backend.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

#include "board_directory.h"
#include "killed_process.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;

constexpr char kKey[] = "BALENA_HOST_ODMDATA_configuration";
constexpr std::array<std::size_t, 3> kPlaces = {1659, 5243, 18043};
constexpr std::array<char, 6> kBytes = {0, 1, 6, 7, 2, 3};

ConfigChanges Set(const std::string& value) { return {{kKey, value}}; }

// The boot partition of a TX2 whose three copies have these bytes.
std::string Partition(char first, char second, char third) {
  std::string bytes(65536, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  bytes[kPlaces[0]] = first;
  bytes[kPlaces[1]] = second;
  bytes[kPlaces[2]] = third;
  return bytes;
}
std::string Partition(char byte) { return Partition(byte, byte, byte); }

class OdmdataBackendTest : public BoardDirectory {
 protected:
  OdmdataBackendTest() { Restore(Partition(0)); }
  void Restore(const std::string& partition) const {
    Put("boot0", partition);
    Put("force_ro", "1\n");
  }
  OdmdataBackend backend_{At("boot0"), At("force_ro")};
};

TEST_F(OdmdataBackendTest, ReadsAndWritesEachOfTheSixModes) {
  for (std::size_t from = 0; from < kBytes.size(); ++from) {
    for (std::size_t to = 0; to < kBytes.size(); ++to) {
      Restore(Partition(kBytes[from]));
      EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, std::to_string(from + 1)}}));
      ASSERT_THAT(backend_.Write(Set(std::to_string(to + 1))), IsOk());
      EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, std::to_string(to + 1)}}));
      EXPECT_EQ(Get("boot0"), Partition(kBytes[to]));
      EXPECT_EQ(Get("force_ro"), "1\n");
    }
  }
}

TEST_F(OdmdataBackendTest, NothingIsWrittenWhereNothingChanges) {
  const std::string device = Mark("boot0");
  const std::string lock = Mark("force_ro");
  EXPECT_THAT(backend_.Recover(), IsOk());
  EXPECT_THAT(backend_.Write(Set("1")), IsOk());
  EXPECT_THAT(backend_.Write({{kKey, std::nullopt}}), IsOk());
  EXPECT_THAT(backend_.Write({}), IsOk());
  EXPECT_EQ(Mark("boot0"), device);
  EXPECT_EQ(Mark("force_ro"), lock);
}

TEST_F(OdmdataBackendTest, WithoutAValueTheModeStays) {
  ASSERT_THAT(backend_.Write(Set("4")), IsOk());
  ASSERT_THAT(backend_.Write({{kKey, std::nullopt}}), IsOk());
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, "4"}}));
}

TEST_F(OdmdataBackendTest, TheFirstCopyCountsWhereTheyDisagree) {
  for (const char first : kBytes) {
    for (const char second : kBytes) {
      for (const char third : kBytes) {
        Restore(Partition(first, second, third));
        const auto before = backend_.Read();
        ASSERT_THAT(before, IsOk());
        ASSERT_THAT(backend_.Recover(), IsOk());
        ASSERT_EQ(Get("boot0"), Partition(first));
        ASSERT_THAT(backend_.Read(), IsOkAndHolds(before.assume_value()));
        ASSERT_EQ(Get("force_ro"), "1\n");
      }
    }
  }
}

TEST_F(OdmdataBackendTest, AWriteMendsCopiesThatDisagree) {
  Restore(Partition(6, 0, 6));
  ASSERT_THAT(backend_.Write(Set("3")), IsOk());
  EXPECT_EQ(Get("boot0"), Partition(6));
}

TEST_F(OdmdataBackendTest, OnlyCopiesThatDifferAreWritten) {
  const auto write = [this] { return backend_.Write(Set("3")).has_value(); };
  Restore(Partition(6, 0, 6));
  const Ended third = RunAndKill({SYS_pwrite64}, 3, write);
  if (third == Ended::kNotAllowed) GTEST_SKIP() << "no process may be traced here";
  EXPECT_EQ(third, Ended::kKilled);
  Restore(Partition(6, 0, 6));
  EXPECT_EQ(RunAndKill({SYS_pwrite64}, 4, write), Ended::kDone);  // Unlock, one byte, lock.
}

TEST_F(OdmdataBackendTest, WhatIsNoTableOfATx2IsNeverWritten) {
  for (const std::string& partition :
       {Partition(4), Partition(0, 0, 4), Partition(0, '\xff', 0), Partition(8, 0, 0),
        std::string(), std::string(18043, '\0'), Partition(0).substr(0, 5000)}) {
    Restore(partition);
    const std::string device = Mark("boot0");
    const std::string lock = Mark("force_ro");
    EXPECT_THAT(backend_.Read(), IsError(ErrorCode::kInvalidInput));
    EXPECT_THAT(backend_.Recover(), IsError(ErrorCode::kInvalidInput));
    EXPECT_THAT(backend_.Write(Set("2")), IsError(ErrorCode::kInvalidInput));
    EXPECT_EQ(Mark("boot0"), device);
    EXPECT_EQ(Mark("force_ro"), lock);
  }
}

TEST_F(OdmdataBackendTest, KilledAfterAnyWriteTheOldOrTheNewModeIsInForceWhole) {
  const std::set<long> writes = {SYS_pwrite64};
  int killed = 0;
  bool was_new = false;
  for (int calls = 1;; ++calls) {
    Restore(Partition(0));
    const Ended ended =
        RunAndKill(writes, calls, [this] { return backend_.Write(Set("4")).has_value(); });
    if (ended == Ended::kNotAllowed) GTEST_SKIP() << "no process may be traced here";
    ASSERT_NE(ended, Ended::kFailed);
    const bool is_new = Get("boot0")[kPlaces[0]] == 7;
    EXPECT_TRUE(is_new || !was_new) << "once in force it stays";
    was_new = is_new;
    // Before the first copy says it nothing is in force, and then everything is.
    if (is_new) {
      EXPECT_EQ(Get("boot0"), Partition(7)) << calls;
    }
    EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, is_new ? "4" : "1"}}));
    ASSERT_THAT(backend_.Recover(), IsOk());
    EXPECT_EQ(Get("boot0"), Partition(is_new ? 7 : 0)) << calls;
    EXPECT_EQ(Get("force_ro"), "1\n") << calls;
    if (ended == Ended::kDone) break;
    ++killed;
  }
  EXPECT_TRUE(was_new);
  EXPECT_EQ(killed, 5);  // Unlock, three bytes, lock.
}

TEST_F(OdmdataBackendTest, EachCopyIsOnTheDeviceBeforeTheNextIsWritten) {
  // One more call of either kind each time: a write is followed by its own sync.
  const std::set<long> calls = {SYS_pwrite64, SYS_fsync};
  for (int made = 1; made <= 7; ++made) {
    Restore(Partition(0));
    const Ended ended =
        RunAndKill(calls, made, [this] { return backend_.Write(Set("4")).has_value(); });
    if (ended == Ended::kNotAllowed) GTEST_SKIP() << "no process may be traced here";
    ASSERT_EQ(ended, Ended::kKilled);
    const int copies = made / 2;  // Unlock, (write, sync) three times.
    EXPECT_EQ(Get("boot0"), Partition(copies > 2 ? 7 : 0, copies > 1 ? 7 : 0, copies > 0 ? 7 : 0));
  }
}

TEST_F(OdmdataBackendTest, RecoverIsCutOffAsSafelyAsAWrite) {
  for (int calls = 1; calls <= 3; ++calls) {
    Restore(Partition(6, 1, 2));
    const Ended ended =
        RunAndKill({SYS_pwrite64}, calls, [this] { return backend_.Recover().has_value(); });
    if (ended == Ended::kNotAllowed) GTEST_SKIP() << "no process may be traced here";
    EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, "3"}}));
    ASSERT_THAT(backend_.Recover(), IsOk());
    EXPECT_EQ(Get("boot0"), Partition(6));
  }
}

TEST_F(OdmdataBackendTest, WhereOneCopyCannotBeWrittenTheOthersSayTheOldModeAgain) {
  for (const std::size_t place : kPlaces) {
    Restore(Partition(0));
    const Ended ended = RunWithFailingWrite(static_cast<std::uint32_t>(place), [this] {
      const auto written = backend_.Write(Set("2"));
      return written || written.assume_error().code != ErrorCode::kUnavailable;
    });
    if (ended == Ended::kNotAllowed) GTEST_SKIP() << "no system call may be filtered here";
    EXPECT_EQ(ended, Ended::kFailed);
    EXPECT_EQ(Get("boot0"), Partition(0)) << place;
    EXPECT_EQ(Get("force_ro"), "1\n");
  }
}

TEST_F(OdmdataBackendTest, RecoverLocksWhatAKilledProcessLeftOpen) {
  Put("force_ro", "0\n");
  ASSERT_THAT(backend_.Recover(), IsOk());
  EXPECT_EQ(Get("force_ro"), "1\n");
}

TEST_F(OdmdataBackendTest, ADeviceWithoutThePartitionIsSaidToBeNoTx2) {
  Remove("force_ro");
  EXPECT_THAT(backend_.Write(Set("2")), IsError(ErrorCode::kNotFound));
  EXPECT_EQ(Get("boot0"), Partition(0));
  Remove("boot0");
  for (const auto& result : {backend_.Recover(), backend_.Write(Set("2"))}) {
    ASSERT_THAT(result, IsError(ErrorCode::kNotFound));
    EXPECT_THAT(Describe(result.assume_error()), HasSubstr("TX2"));
  }
  EXPECT_THAT(backend_.Read(), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(Exists("boot0"));
}

TEST_F(OdmdataBackendTest, RuleSaysWhichValuesAreRefused) {
  ASSERT_EQ(backend_.rules().size(), 1U);
  const ConfigRule& rule = backend_.rules().front();
  EXPECT_EQ(rule.backend, backend_.name());
  EXPECT_EQ(rule.key, kKey);
  EXPECT_TRUE(rule.needs_reboot);
  EXPECT_EQ(rule.forbidden, "");
  for (const std::string good : {"1", "2", "3", "4", "5", "6"}) {
    EXPECT_EQ(rule.refusal(kKey, good), "");
  }
  for (const std::string bad :
       {"", "0", "7", "01", "1 ", " 1", "-1", "1.0", "10", "a", "1\n", "$(1)"}) {
    EXPECT_EQ(rule.refusal(kKey, bad), "is no number from 1 to 6") << bad;
    EXPECT_THAT(backend_.Write(Set(bad)), IsError(ErrorCode::kInvalidInput));
  }
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_ODMDATA_x", "1"}}), IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(Get("boot0"), Partition(0));
}

}  // namespace
}  // namespace lockstep::test
