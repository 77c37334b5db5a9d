// Which locks a device has, by the system that it runs.
#include "host_locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HostLocksTest : public ::testing::Test {
 protected:
  HostLocksTest() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-host-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(DataLock().parent_path());
    std::ofstream(DataLock()).close();
    options_.host_root = root_;
    options_.state_dir = root_ / "state";
  }
  ~HostLocksTest() override { fs::remove_all(root_); }

  fs::path DataLock() const { return root_ / "mnt/data/resin-data/12/resin-updates.lock"; }
  // Who holds the app on a system of this name and version.
  std::vector<std::string> HoldersOn(const std::string& id, const std::string& version) {
    fs::create_directories(root_ / "etc");
    std::ofstream(root_ / "etc/os-release")
        << "ID=\"" << id << "\"\nVERSION=\"" << version << "\"\n";
    std::vector<std::string> paths;
    const auto locks = OpenLocks(options_);
    if (!locks) return {Describe(locks.assume_error())};
    const std::vector<ServiceRef> services = {{"shop", "12", "web"}};
    const auto holders = locks.assume_value()->Holders(services);
    if (!holders) return {Describe(holders.assume_error())};
    for (const LockHolder& holder : holders.assume_value()) paths.push_back(holder.service);
    return paths;
  }

  fs::path root_;
  CommonOptions options_;
};

TEST_F(HostLocksTest, ALockBesideTheDataHoldsOnOs1Alone) {
  EXPECT_THAT(HoldersOn("resin", "1.26.1"), ElementsAre("web"));
  EXPECT_THAT(HoldersOn("resin-os", "1.0.0-pre"), ElementsAre("web"));
  EXPECT_THAT(HoldersOn("resin", "2.0.0"), IsEmpty());
  EXPECT_THAT(HoldersOn("balena-os", "12.1.0"), IsEmpty());
  EXPECT_THAT(HoldersOn("debian", "1.1"), IsEmpty());
}

}  // namespace
}  // namespace lockstep
