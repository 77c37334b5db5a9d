#include "sqlite_store.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/testing/fake_store.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/mock_store.h"
#include "lockstep/testing/store_conformance.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::IsError;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class SqlitePlace final : public test::StorePlace {
 public:
  Store& Open() override {
    store_.reset();
    auto opened = OpenSqliteStore(directory_ / "state");
    EXPECT_THAT(opened, IsOk());
    if (opened) store_ = std::move(opened.assume_value().store);
    return *store_;
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

class FakePlace final : public test::StorePlace {
 public:
  Store& Open() override { return store_; }

 private:
  test::FakeStore store_;
};

class MockPlace final : public test::StorePlace {
 public:
  Store& Open() override { return mock_; }

 private:
  test::FakeStore store_;
  ::testing::NiceMock<test::MockStore> mock_{store_};
};

[[maybe_unused]] const bool registered =
    test::RegisterStoreConformance("SqliteStore", [] { return std::make_unique<SqlitePlace>(); }) &&
    test::RegisterStoreConformance("FakeStore", [] { return std::make_unique<FakePlace>(); }) &&
    test::RegisterStoreConformance("MockStore", [] { return std::make_unique<MockPlace>(); });

AppRecord Record(const std::string& app) {
  AppRecord record;
  record.app = app;
  return record;
}

// Opens, does one thing, closes.
std::string NoteOfOpening(const std::string& directory) {
  const auto opened = OpenSqliteStore(directory);
  EXPECT_THAT(opened, IsOk());
  return opened ? opened.assume_value().note : "";
}

void PutRecord(const std::string& directory, const std::string& app) {
  const auto opened = OpenSqliteStore(directory);
  ASSERT_THAT(opened, IsOk());
  ASSERT_THAT(opened.assume_value().store->PutApp(Record(app)), IsOk());
}

std::size_t RecordsIn(const std::string& directory) {
  const auto opened = OpenSqliteStore(directory);
  EXPECT_THAT(opened, IsOk());
  const auto state = opened.assume_value().store->Load();
  EXPECT_THAT(state, IsOk());
  return state ? state.assume_value().apps.size() : 0;
}

mode_t ModeOf(const std::string& path) {
  struct stat found = {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 0777;
}

TEST(SqliteStoreTest, MakesAPlaceThatOnlyItsOwnerMayRead) {
  const TemporaryDirectory directory;
  const std::string place = directory / "var/lib/state";
  const auto opened = OpenSqliteStore(place);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened.assume_value().note, "");
  ASSERT_THAT(opened.assume_value().store->PutLastTarget("secret"), IsOk());
  EXPECT_EQ(ModeOf(place), 0700U);
  for (const auto& entry : fs::directory_iterator(place)) {
    EXPECT_EQ(ModeOf(entry.path().string()), 0600U) << entry.path();
  }
}

TEST(SqliteStoreTest, ItsDirectoryMayBeNamedInAnyWay) {
  const TemporaryDirectory directory;
  PutRecord(directory / "state/", "shop");
  EXPECT_EQ(ModeOf(directory / "state"), 0700U);
  fs::create_directory_symlink(directory / "state", directory / "link");
  EXPECT_EQ(RecordsIn(directory / "link"), 1U);
}

TEST(SqliteStoreTest, WhatWasPutIsThereThoughItWasNeverClosed) {
  const TemporaryDirectory directory;
  const auto opened = OpenSqliteStore(directory / "state");
  ASSERT_THAT(opened, IsOk());
  ASSERT_THAT(opened.assume_value().store->PutApp(Record("shop")), IsOk());
  // The files as a power cut would leave them, while the first store is still open.
  fs::copy(directory / "state", directory / "later");
  EXPECT_EQ(RecordsIn(directory / "later"), 1U);
}

struct Damage {
  std::string name;
  void (*spoil)(const std::string& file);
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class DamagedStoreTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedStoreTest, IsSetAsideAndANewOneBegun) {
  const TemporaryDirectory directory;
  const std::string place = directory / "state";
  for (const char* aside : {"lockstep.db.corrupt-1", "lockstep.db.corrupt-2"}) {
    PutRecord(place, "shop");
    GetParam().spoil(place + "/lockstep.db");
    EXPECT_THAT(NoteOfOpening(place), HasSubstr(aside));
    EXPECT_TRUE(fs::exists(place + "/" + aside));
    EXPECT_EQ(RecordsIn(place), 0U);
  }
  EXPECT_EQ(NoteOfOpening(place), "");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DamagedStoreTest,
    ::testing::Values(
        Damage{"NoDatabase",
               [](const std::string& file) { std::ofstream(file) << std::string(10'000, 'x'); }},
        Damage{"CutOff", [](const std::string& file) { fs::resize_file(file, 5000); }},
        Damage{"SpoiltPages",
               [](const std::string& file) {
                 std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
                 out.seekp(4096);
                 out << std::string(static_cast<std::size_t>(fs::file_size(file)) - 4096, '\x5a');
               }}),
    [](const auto& param_info) { return param_info.param.name; });

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Seen {
  std::size_t records = 0;
  std::string note;
};
Seen LookInto(const std::string& directory) {
  const auto opened = OpenSqliteStoreToLook(directory);
  EXPECT_THAT(opened, IsOk());
  if (!opened) return {};
  const auto state = opened.assume_value().store->Load();
  EXPECT_THAT(state, IsOk());
  return {state ? state.assume_value().apps.size() : 0, opened.assume_value().note};
}

TEST_P(DamagedStoreTest, IsLeftAsItIsByALook) {
  const TemporaryDirectory directory;
  const std::string place = directory / "state";
  PutRecord(place, "shop");
  GetParam().spoil(place + "/lockstep.db");
  const Seen seen = LookInto(place);
  EXPECT_EQ(seen.records, 0U);
  EXPECT_THAT(seen.note, HasSubstr("damaged"));
  EXPECT_THAT(NamesIn(place), ElementsAre("lockstep.db"));
}

TEST(SqliteStoreLookTest, ReadsWhatIsKeptAndMakesNothing) {
  const TemporaryDirectory directory;
  for (const std::string name : {"state", "100%41?immutable=0#x"}) {
    const std::string place = directory / name;
    PutRecord(place, "shop");
    const Seen seen = LookInto(place);
    EXPECT_EQ(seen.records, 1U) << name;
    EXPECT_EQ(seen.note, "");
    EXPECT_THAT(NamesIn(place), ElementsAre("lockstep.db"));
  }
}

TEST(SqliteStoreLookTest, SeesWhatALockstepAtWorkHasPut) {
  const TemporaryDirectory directory;
  const std::string place = directory / "state";
  const auto opened = OpenSqliteStore(place);
  ASSERT_THAT(opened, IsOk());
  ASSERT_THAT(opened.assume_value().store->PutApp(Record("shop")), IsOk());
  const auto before = NamesIn(place);
  EXPECT_EQ(LookInto(place).records, 1U);
  EXPECT_EQ(NamesIn(place), before);
  EXPECT_THAT(opened.assume_value().store->PutApp(Record("other")), IsOk());
  EXPECT_EQ(LookInto(place).records, 2U);
}

TEST(SqliteStoreLookTest, IsEmptyWhereNothingWasKept) {
  const TemporaryDirectory directory;
  EXPECT_EQ(LookInto(directory / "state").note, "");
  EXPECT_FALSE(fs::exists(directory / "state"));
  fs::create_directory(directory / "state");
  std::ofstream(directory / "state/lockstep.db").close();
  EXPECT_THAT(LookInto(directory / "state").note, HasSubstr("never begun"));
  EXPECT_EQ(fs::file_size(directory / "state/lockstep.db"), 0U);
  EXPECT_THAT(NamesIn(directory / "state"), ElementsAre("lockstep.db"));
}

TEST(SqliteStoreLookTest, IsForReadingOnly) {
  const TemporaryDirectory directory;
  PutRecord(directory / "state", "shop");
  const auto opened = OpenSqliteStoreToLook(directory / "state");
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened.assume_value().store->PutApp(Record("other")), IsError(ErrorCode::kInternal));
  EXPECT_EQ(RecordsIn(directory / "state"), 1U);
}

TEST(SqliteStoreTest, AnEmptyFileIsANewStore) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "state");
  std::ofstream(directory / "state/lockstep.db").close();
  EXPECT_EQ(NoteOfOpening(directory / "state"), "");
}

TEST(SqliteStoreTest, LeavesTheFileOfANewerLockstepAlone) {
  const TemporaryDirectory directory;
  PutRecord(directory / "state", "shop");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((directory / "state/lockstep.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_THAT(OpenSqliteStore(directory / "state"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(OpenSqliteStoreToLook(directory / "state"), IsError(ErrorCode::kUnsupported));
}

// What all of the versions before lack, and each of them by itself.
constexpr const char* kNewest =
    "ALTER TABLE app DROP COLUMN restart; ALTER TABLE app DROP COLUMN remove;"
    "ALTER TABLE app DROP COLUMN paused;";
constexpr const char* kNoRollback =
    "ALTER TABLE app DROP COLUMN renamed; ALTER TABLE app DROP COLUMN unhealthy;";
struct OldVersion {
  int version;
  std::string lacks;
};
class OldStoreTest : public ::testing::TestWithParam<OldVersion> {};

TEST_P(OldStoreTest, IsReadAndGoesOn) {
  const TemporaryDirectory directory;
  PutRecord(directory / "state", "shop");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((directory / "state/lockstep.db").c_str(), &database), SQLITE_OK);
  const std::string sql =
      kNewest + GetParam().lacks + "PRAGMA user_version = " + std::to_string(GetParam().version);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  const auto seen = OpenSqliteStoreToLook(directory / "state");
  ASSERT_THAT(seen, IsOk());
  EXPECT_EQ(seen.assume_value().store->Load().assume_value().apps.size(), 1U);
  {
    const auto opened = OpenSqliteStore(directory / "state");
    ASSERT_THAT(opened, IsOk());
    ASSERT_THAT(opened.assume_value().store->PutSetting("a", "1"), IsOk());
    ASSERT_THAT(opened.assume_value().store->PutConfigKeys({{"b", "1"}}), IsOk());
    ASSERT_THAT(opened.assume_value().store->PutReboot({"boot-1", "c1", 1, {}}), IsOk());
    AppRecord failed;
    failed.app = "failed";
    failed.retries["s1:00000000000000aa"] = {1, WallTime(std::chrono::seconds(1))};
    failed.renamed["c1"] = "web_0_0_c1";
    failed.unhealthy["c2"] = {"web"};
    failed.restart = {"c1"};
    failed.paused = true;
    ASSERT_THAT(opened.assume_value().store->PutApp(failed), IsOk());
    ASSERT_THAT(opened.assume_value().store->PutSpecs("failed", {ServiceSpec()}), IsOk());
  }
  const auto again = OpenSqliteStore(directory / "state");
  ASSERT_THAT(again, IsOk());
  const StoreState state = again.assume_value().store->Load().assume_value();
  ASSERT_EQ(state.apps.size(), 2U);
  EXPECT_EQ(state.apps[0].retries.size(), 1U);
  EXPECT_EQ(state.apps[0].renamed.size(), 1U);
  EXPECT_EQ(state.apps[0].unhealthy.size(), 1U);
  EXPECT_THAT(state.apps[0].restart, ElementsAre("c1"));
  EXPECT_TRUE(state.apps[0].paused);
  EXPECT_FALSE(state.apps[1].paused);
  EXPECT_EQ(state.settings.size(), 1U);
  EXPECT_EQ(state.config_keys.size(), 1U);
  EXPECT_TRUE(state.reboot);
}

INSTANTIATE_TEST_SUITE_P(
    Versions, OldStoreTest,
    ::testing::Values(
        OldVersion{2, std::string("DROP TABLE setting; DROP TABLE config_key; DROP TABLE reboot;"
                                  "ALTER TABLE app DROP COLUMN retries; DROP TABLE spec;") +
                          kNoRollback},
        OldVersion{3, std::string("DROP TABLE config_key; DROP TABLE reboot;"
                                  "ALTER TABLE app DROP COLUMN retries; DROP TABLE spec;") +
                          kNoRollback},
        OldVersion{
            4, std::string("ALTER TABLE app DROP COLUMN retries; DROP TABLE spec;") + kNoRollback},
        OldVersion{5, std::string("DROP TABLE spec;") + kNoRollback}, OldVersion{6, kNoRollback},
        OldVersion{7, ""}),
    [](const auto& param_info) { return "From" + std::to_string(param_info.param.version); });

TEST(SqliteStoreTest, AFileInPlaceOfTheDirectoryIsSaidToBeOne) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "state") << "x";
  const auto opened = OpenSqliteStore(directory / "state");
  ASSERT_THAT(opened, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(opened.assume_error().context, HasSubstr(directory / "state"));
}

TEST(SqliteStoreTest, DoesNotFollowALinkInPlaceOfTheFile) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "state");
  fs::create_symlink(directory / "elsewhere", directory / "state/lockstep.db");
  EXPECT_THAT(OpenSqliteStore(directory / "state"), IsError(ErrorCode::kInvalidInput));
  EXPECT_FALSE(fs::exists(directory / "elsewhere"));
}

TEST(SqliteStoreTest, AFullDiskIsSaidToBeFullAndLosesNothing) {
  const TemporaryDirectory directory;
  const std::string disk = directory / "disk";
  fs::create_directory(disk);
  std::string skipped;
  // In a thread: the mount is seen by it alone, and is gone with it.
  std::jthread([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=512k") != 0) {
      skipped = "needs the right to mount a small disk";
      return;
    }
    const auto opened = OpenSqliteStore(disk + "/state");
    ASSERT_THAT(opened, IsOk());
    Store& store = *opened.assume_value().store;
    ASSERT_THAT(store.PutLastTarget("small"), IsOk());
    const auto put = store.PutLastTarget(std::string(1 << 20, 'x'));
    ASSERT_THAT(put, IsError(ErrorCode::kNoSpace));
    EXPECT_NE(put.assume_error().hint, "");
    const auto state = store.Load();
    ASSERT_THAT(state, IsOk());
    EXPECT_EQ(state.assume_value().last_target, "small");
    EXPECT_THAT(store.PutApp(Record("shop")), IsOk());
  }).join();
  if (!skipped.empty()) GTEST_SKIP() << skipped;
}

TEST(FakeStoreTest, FailsAsItIsTold) {
  test::FakeStore store;
  store.FailNext(MakeError(ErrorCode::kNoSpace, "full"));
  EXPECT_THAT(store.PutApp(Record("a")), IsError(ErrorCode::kNoSpace));
  EXPECT_THAT(store.PutApp(Record("a")), IsOk());
  store.FailAll(MakeError(ErrorCode::kUnavailable, "gone"));
  EXPECT_THAT(store.EraseApp("a"), IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(store.Load(), IsError(ErrorCode::kUnavailable));
  store.FailAll(std::nullopt);
  EXPECT_THAT(store.state().apps, ElementsAre(Record("a")));
  EXPECT_EQ(store.puts(), 1);
}

}  // namespace
}  // namespace lockstep
