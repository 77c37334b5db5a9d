#include "device_facts.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lockstep/runtimes/memory_engine.h"
#include "lockstep/testing/matchers.h"
#include "options.h"
#include "snapshot.h"

namespace lockstep {
namespace {

using test::IsError;
using test::IsOk;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

// A host of each test's own, below `root_`.
class HostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lockstep-host-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(root_, error);
  }
  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ + path).substr(0, (root_ + path).rfind('/')));
    std::ofstream(root_ + path) << text;
  }
  DeviceInfo Facts() const { return FactsOfHost(root_); }

  std::string root_;
};

TEST_F(HostTest, BalenaOsTellsAllOfItself) {
  Write("/etc/os-release",
        "ID=\"balena-os\"\nNAME=\"balenaOS\"\nVERSION=\"6.5.24+rev1\"\n"
        "VERSION_ID=\"6.5.24+rev1\"\nPRETTY_NAME=\"balenaOS 6.5.24+rev1\"\n"
        "MACHINE=\"genericx86-64\"\nMETA_BALENA_VERSION=\"6.5.24\"\nBALENA_BOARD_REV=\"ba218f3\"\n"
        "SLUG=\"intel-nuc\"\n");
  Write("/mnt/boot/device-type.json", R"({"slug": "intel-nuc", "arch": "amd64", "state": 1})");
  Write("/proc/sys/kernel/osrelease", "6.1.77-yocto-standard\n");
  const DeviceInfo device = Facts();
  EXPECT_EQ(device.type, "intel-nuc");
  EXPECT_EQ(device.arch, "amd64");
  EXPECT_EQ(device.os_id, "balena-os");
  EXPECT_EQ(device.os_version, "6.5.24+rev1");
  EXPECT_EQ(device.os_name, "balenaOS 6.5.24+rev1");
  EXPECT_EQ(device.os_board_rev, "ba218f3");
  EXPECT_EQ(device.kernel_version, "6.1.77");
  EXPECT_EQ(device.l4t_version, "");
}

TEST_F(HostTest, AnotherSystemTellsWhatItCan) {
  Write("/etc/os-release",
        "# comment\nPRETTY_NAME='Debian GNU/Linux 12 (bookworm)'\r\nID=debian\n"
        "VERSION=\"12 (bookworm)\"\nVERSION_ID=\"12\"\n");
  const DeviceInfo device = Facts();
  EXPECT_EQ(device.os_id, "debian");
  EXPECT_EQ(device.os_version, "12");
  EXPECT_EQ(device.os_name, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(device.type, "");
}

TEST_F(HostTest, OneThatSaysNothingIsNotKnown) {
  EXPECT_EQ(Facts(), DeviceInfo());
  fs::create_directories(root_ + "/etc/os-release");
  Write("/mnt/boot/device-type.json", "{\"slug\": [");
  Write("/proc/sys/kernel/osrelease", "mainline\n");
  EXPECT_EQ(Facts(), DeviceInfo());
  Write("/mnt/boot/device-type.json", R"({"slug": 7, "arch": null})");
  EXPECT_EQ(Facts(), DeviceInfo());
}

struct ReleaseCase {
  const char* release;
  const char* kernel;
  const char* l4t;
};

TEST_F(HostTest, TheKernelsNameHoldsVersions) {
  for (const auto& [release, kernel, l4t] :
       {ReleaseCase{"5.15.150-v8", "5.15.150", ""}, ReleaseCase{"6.1.0-18-amd64", "6.1.0", ""},
        ReleaseCase{"4.9.140-l4t-r32.7.1", "4.9.140", "32.7.1"},
        ReleaseCase{"4.9.140-l4t-r32.4+g1", "4.9.140", "32.4"},
        ReleaseCase{"5.10.104-l4t-r35.1.ga", "5.10.104", "35.1"}, ReleaseCase{"6.12", "6.12", ""},
        ReleaseCase{"6.1.2.3", "6.1.2", ""}, ReleaseCase{"4.9-l4t-r", "4.9", ""},
        ReleaseCase{".1", "", ""}, ReleaseCase{"", "", ""}}) {
    Write("/proc/sys/kernel/osrelease", release);
    EXPECT_EQ(Facts().kernel_version, kernel) << release;
    EXPECT_EQ(Facts().l4t_version, l4t) << release;
  }
}

struct ValueCase {
  const char* line;
  const char* value;
};

TEST_F(HostTest, ValuesAreReadAsAShellWould) {
  for (const auto& [line, value] :
       {ValueCase{"PRETTY_NAME=plain", "plain"}, ValueCase{"PRETTY_NAME=\"a=b\"", "a=b"},
        ValueCase{R"(PRETTY_NAME="a \"b\" \$c")", "a \"b\" $c"}, ValueCase{"PRETTY_NAME=\"", "\""},
        ValueCase{"PRETTY_NAME=", ""}, ValueCase{"PRETTY_NAMES=x", ""},
        ValueCase{"X=1\nPRETTY_NAME=last", "last"}, ValueCase{"PRETTY_NAME", ""}}) {
    Write("/etc/os-release", line);
    EXPECT_EQ(Facts().os_name, value) << line;
  }
}

TEST(FactsOfEngineTest, ArchitecturesGetBalenasNames) {
  const auto arch = [](const std::string& theirs) {
    EngineInfo engine;
    engine.arch = theirs;
    return FactsOfEngine(engine).arch;
  };
  EXPECT_EQ(arch("amd64"), "amd64");
  EXPECT_EQ(arch("arm64"), "aarch64");
  EXPECT_EQ(arch("arm"), "armv7hf");
  EXPECT_EQ(arch("386"), "i386");
  EXPECT_EQ(arch("riscv64"), "riscv64");
  EXPECT_EQ(arch(""), "");
}

TEST(FactsOfEngineTest, DockersSocketIsAnotherThanBalenas) {
  EngineInfo engine;
  engine.kind = "docker";
  EXPECT_EQ(FactsOfEngine(engine).engine_socket, "/var/run/docker.sock");
  engine.kind = "balena-engine";
  EXPECT_EQ(FactsOfEngine(engine).engine_socket, "");
}

TEST_F(HostTest, WhatOptionsSayGoesFirst) {
  Write("/etc/os-release", "ID=debian\nVERSION_ID=12\nSLUG=here\n");
  CommonOptions options;
  options.host_root = root_;
  options.facts.type = "said";
  EngineState state;
  state.engine.kind = "docker";
  state.engine.arch = "arm64";
  MemoryEngine engine(state, {});
  const auto device = DescribeDevice(options, engine, {});
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device.assume_value().type, "said");
  EXPECT_EQ(device.assume_value().os_version, "12");
  EXPECT_EQ(device.assume_value().arch, "aarch64");
}

DeviceInfo AllFacts() {
  DeviceInfo device;
  for (const DeviceFact& fact : DeviceFacts()) device.*fact.member = "a " + std::string(fact.name);
  return device;
}

TEST(DeviceSnapshotTest, FactsAreReadBackAndSecretsAreNot) {
  DeviceInfo device = AllFacts();
  device.api_key = device.supervisor_api_key = "secret";
  const std::string text = WriteSnapshot({}, device);
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  DeviceInfo back;
  ASSERT_THAT(ReadSnapshot(text, &back), IsOk());
  EXPECT_EQ(back, AllFacts());
}

TEST(DeviceSnapshotTest, FactsMayBeAbsent) {
  EXPECT_THAT(WriteSnapshot({}), Not(HasSubstr("\"device\"")));
  DeviceInfo back = AllFacts();
  ASSERT_THAT(ReadSnapshot(R"({"format": "lockstep.snapshot/1"})", &back), IsOk());
  EXPECT_EQ(back, DeviceInfo());
  const auto wrong = ReadSnapshot(R"({"format": "lockstep.snapshot/1", "device": {"arch": 64}})");
  ASSERT_THAT(wrong, IsError(ErrorCode::kInvalidInput));
  EXPECT_EQ(wrong.assume_error().where, "device.arch");
}

TEST(DeviceSnapshotTest, TheEnginesArchitectureIsReadBack) {
  ObservedState state;
  state.engine.engine.arch = "arm64";
  const auto back = ReadSnapshot(WriteSnapshot(state));
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back.assume_value().engine.engine.arch, "arm64");
}

}  // namespace
}  // namespace lockstep
