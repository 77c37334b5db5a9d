#include "config_backends/configfs_backend.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "board_directory.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kKey[] = "BALENA_HOST_CONFIGFS_ssdt";
ConfigChanges Set(const std::string& value) { return {{kKey, value}}; }
const ConfigChanges kErase = {{kKey, std::nullopt}};

// A directory takes the place of the kernel's; a table counts as loaded once its "aml" has bytes.
class ConfigfsBackendTest : public BoardDirectory {
 protected:
  ConfigfsBackendTest() {
    Put("boot/cmdline", "");
    Put("acpi-tables/spi0.aml", std::string("SSDT\0spi0", 9));
    Put("acpi-tables/i2c-1.0_a.aml", "SSDT i2c");
    Put("acpi-tables/dsdt.aml", "DSDT");
    std::filesystem::create_directories(At("table"));
  }
  ConfigfsBackend backend_{At("boot/configfs.json"), At("acpi-tables"), At("table")};
};

TEST_F(ConfigfsBackendTest, WithoutAFileNothingIsConfigured) {
  EXPECT_THAT(backend_.Recover(), IsOk());
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(backend_.Write(kErase), IsOk());
  EXPECT_FALSE(Exists("boot/configfs.json"));
}

TEST_F(ConfigfsBackendTest, TablesAreConfiguredAndLoadedAtTheNextStart) {
  ASSERT_THAT(backend_.Write(Set("spi0")), IsOk());
  EXPECT_EQ(Get("boot/configfs.json"), R"({"ssdt": ["spi0"]})");
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(ConfigValues{{kKey, R"("spi0")"}}));
  EXPECT_FALSE(Exists("table/spi0"));
  ASSERT_THAT(backend_.Recover(), IsOk());
  EXPECT_EQ(Get("table/spi0/aml"), Get("acpi-tables/spi0.aml"));
  EXPECT_FALSE(Exists("table/i2c-1.0_a"));
}

TEST_F(ConfigfsBackendTest, WhatIsLoadedIsNotLoadedAgain) {
  ASSERT_THAT(backend_.Write(Set(R"("spi0","i2c-1.0_a")")), IsOk());
  Put("table/spi0/aml", "loaded before");
  const std::string before = Mark("table/spi0/aml");
  ASSERT_THAT(backend_.Recover(), IsOk());
  EXPECT_EQ(Mark("table/spi0/aml"), before);
  EXPECT_EQ(Get("table/i2c-1.0_a/aml"), "SSDT i2c");
}

TEST_F(ConfigfsBackendTest, ALoadThatWasCutOffIsDoneAgain) {
  ASSERT_THAT(backend_.Write(Set("spi0")), IsOk());
  Put("table/spi0/aml", "");
  ASSERT_THAT(backend_.Recover(), IsOk());
  EXPECT_EQ(Get("table/spi0/aml"), Get("acpi-tables/spi0.aml"));
}

TEST_F(ConfigfsBackendTest, OneTableThatFailsDoesNotKeepTheOthersFromBeingLoaded) {
  Put("boot/configfs.json", R"({"ssdt":["gone","dsdt","spi0"]})");
  const auto recovered = backend_.Recover();
  ASSERT_THAT(recovered, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Describe(recovered.assume_error()), HasSubstr("gone.aml"));
  EXPECT_TRUE(Exists("table/spi0/aml"));
  EXPECT_FALSE(Exists("table/gone"));
  EXPECT_FALSE(Exists("table/dsdt"));
}

TEST_F(ConfigfsBackendTest, ATableThatTheKernelDoesNotTakeLeavesNothing) {
  ASSERT_THAT(backend_.Write(Set("spi0")), IsOk());
  {
    const SmallFiles limit(4);
    EXPECT_THAT(backend_.Recover(), IsError(ErrorCode::kUnavailable));
  }
  // The kernel looks at a table after the write, where nobody hears of what it finds.
  Remove("table/spi0/aml");
  std::filesystem::create_symlink("/dev/null", At("table/spi0/aml"));
  const auto swallowed = backend_.Recover();
  ASSERT_THAT(swallowed, IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(Describe(swallowed.assume_error()), HasSubstr("did not take"));
  Remove("table/spi0");
  Put("table/spi0", "no directory");
  EXPECT_THAT(backend_.Recover(), IsError(ErrorCode::kNotFound));
}

TEST_F(ConfigfsBackendTest, AKernelWithoutTheModuleIsSaidToLackIt) {
  Remove("table");
  EXPECT_THAT(backend_.Recover(), IsOk());
  ASSERT_THAT(backend_.Write(Set("spi0")), IsOk());
  const auto recovered = backend_.Recover();
  ASSERT_THAT(recovered, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Describe(recovered.assume_error()), HasSubstr("acpi_configfs"));
}

TEST_F(ConfigfsBackendTest, OnlyTablesThatAreThereAreConfigured) {
  const auto missing = backend_.Write(Set(R"("spi0","gone")"));
  ASSERT_THAT(missing, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Describe(missing.assume_error()), HasSubstr("acpi-tables/gone.aml"));
  EXPECT_THAT(backend_.Write(Set("dsdt")), IsError(ErrorCode::kInvalidInput));
  EXPECT_FALSE(Exists("boot/configfs.json"));
}

TEST_F(ConfigfsBackendTest, OtherFieldsOfTheFileStay) {
  Put("boot/configfs.json", "{\n  \"ssdt\": [\"spi0\"],\n  \"other\": [ 1.0 ]\n}\n");
  ASSERT_THAT(backend_.Write(Set(R"("spi0" , "i2c-1.0_a")")), IsOk());
  EXPECT_EQ(Get("boot/configfs.json"),
            "{\n  \"ssdt\": [\"spi0\",\"i2c-1.0_a\"],\n  \"other\": [ 1.0 ]\n}\n");
  ASSERT_THAT(backend_.Write(kErase), IsOk());
  EXPECT_EQ(Get("boot/configfs.json"), "{\n  \"other\": [ 1.0 ]\n}\n");
}

TEST_F(ConfigfsBackendTest, WhatIsSetAlreadyIsNotWritten) {
  Put("boot/configfs.json", R"({"ssdt":[ "spi0", "gone" ]})");
  const std::string before = Mark("boot/configfs.json");
  ASSERT_THAT(backend_.Write(Set(R"("spi0","gone")")), IsOk());
  ASSERT_THAT(backend_.Write({}), IsOk());
  EXPECT_EQ(Mark("boot/configfs.json"), before);
  Put("boot/configfs.json", R"({"ssdt":[]})");
  const std::string empty = Mark("boot/configfs.json");
  EXPECT_THAT(backend_.Read(), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(backend_.Write(kErase), IsOk());
  EXPECT_EQ(Mark("boot/configfs.json"), empty);
}

TEST_F(ConfigfsBackendTest, AFileOfAnotherFormatIsNotTouched) {
  for (const std::string text :
       {"", "{", "[]", "\"spi0\"", R"({"ssdt":"spi0"})", R"({"ssdt":{"a":1}})", R"({"ssdt":[1]})",
        R"({"ssdt":["../x"]})", R"({"ssdt":["a/b"]})", R"({"ssdt":["/etc/x"]})",
        R"({"ssdt":[".."]})", R"({"ssdt":[""]})", R"({"ssdt":["a\u0000b"]})",
        R"({"ssdt":["spi0","spi0"]})"}) {
    Put("boot/configfs.json", text);
    EXPECT_THAT(backend_.Read(), IsError(ErrorCode::kInvalidInput)) << text;
    EXPECT_THAT(backend_.Recover(), IsError(ErrorCode::kInvalidInput)) << text;
    EXPECT_THAT(backend_.Write(Set("spi0")), IsError(ErrorCode::kInvalidInput)) << text;
    EXPECT_EQ(Get("boot/configfs.json"), text);
  }
  EXPECT_TRUE(std::filesystem::is_empty(At("table")));
}

TEST_F(ConfigfsBackendTest, RuleSaysWhichValuesAreRefused) {
  ASSERT_EQ(backend_.rules().size(), 1U);
  const ConfigRule& rule = backend_.rules().front();
  EXPECT_EQ(rule.backend, backend_.name());
  EXPECT_EQ(rule.key, kKey);
  EXPECT_TRUE(rule.needs_reboot);
  EXPECT_EQ(rule.forbidden, "");
  const struct {
    std::string value;
    std::string canonical;
  } good[] = {{"a", R"("a")"},
              {R"("a")", R"("a")"},
              {R"("a","b.c")", R"("a","b.c")"},
              {R"( "a" , "b" )", R"("a","b")"},
              {R"("\u0061")", R"("a")"},
              {std::string(64, 'x'), '"' + std::string(64, 'x') + '"'}};
  for (const auto& [value, canonical] : good) {
    EXPECT_EQ(rule.refusal(kKey, value), "") << value;
    EXPECT_EQ(rule.canonical(value), canonical);
    EXPECT_EQ(rule.canonical(canonical), canonical);
  }
  for (const std::string& bad : {std::string(),
                                 std::string(" "),
                                 std::string("a,b"),
                                 std::string("a b"),
                                 std::string("../a"),
                                 std::string(".."),
                                 std::string(".a"),
                                 std::string("a/b"),
                                 std::string(R"("a/b")"),
                                 std::string(R"("..")"),
                                 std::string(R"("a",)"),
                                 std::string(R"("a","a")"),
                                 std::string(R"("a" "b")"),
                                 std::string(R"("a"],["b")"),
                                 std::string(R"(["a"])"),
                                 std::string("\"a"),
                                 std::string(R"("")"),
                                 std::string("\"a\n\""),
                                 std::string("a\nb"),
                                 std::string("$(reboot)"),
                                 std::string("`a`"),
                                 std::string("a;b"),
                                 std::string(R"("a\u0000")"),
                                 std::string("\"a\"]\0", 5),
                                 std::string("1,2"),
                                 std::string(65, 'x')}) {
    EXPECT_THAT(rule.refusal(kKey, bad), StartsWith("is no list of tables")) << bad;
    EXPECT_EQ(rule.canonical(bad), bad);
    EXPECT_THAT(backend_.Write(Set(bad)), IsError(ErrorCode::kInvalidInput));
  }
  EXPECT_THAT(backend_.Write({{"BALENA_HOST_CONFIGFS_x", "a"}}), IsError(ErrorCode::kInvalidInput));
  EXPECT_FALSE(Exists("boot/configfs.json"));
}

}  // namespace
}  // namespace lockstep::test
