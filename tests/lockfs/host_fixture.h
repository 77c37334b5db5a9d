// A HostLockFs on a directory of its own, and an app's side of it by plain system calls.
#ifndef LOCKSTEP_TESTS_LOCKFS_HOST_FIXTURE_H_
#define LOCKSTEP_TESTS_LOCKFS_HOST_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core.h"
#include "lockstep/lockfs/host_lock_fs.h"
#include "lockstep/testing/counting_lock_sink.h"

namespace lockstep::test {

namespace fs = std::filesystem;

// Removed, with what is in it, at the end.
class ScratchDir {
 public:
  explicit ScratchDir(const fs::path& base = fs::temp_directory_path()) {
    std::string pattern = (base / "lockfs-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline bool IsRoot() { return ::geteuid() == 0; }

inline const ServiceRef kWeb{"uuid-of-shop", "12", "web"};
inline const ServiceRef kDb{"uuid-of-shop", "12", "db"};
inline const std::vector<ServiceRef> kShop = {kDb, kWeb};

// Options on a scratch directory. Without root the locks are this user's own.
inline HostLockFsOptions OptionsIn(const fs::path& dir) {
  HostLockFsOptions options;
  options.locks_root = (dir / "services").string();
  options.journal_dir = (dir / "state").string();
  options.boot_id = "this-boot";
  if (!IsRoot()) {
    options.owner_uid = ::geteuid();
    options.owner_gid = ::getegid();
  }
  return options;
}

// Waits until `done`; the limit only ends a test that has failed.
template <typename Done>
bool Await(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class HostLockFsTest : public ::testing::Test {
 protected:
  HostLockFsTest() : options_(OptionsIn(scratch_.path())) {}

  // As a process that has just started.
  std::unique_ptr<HostLockFs> Open(lockfs::Seams seams = {}) {
    auto locks = lockfs::OpenHostLockFsWith(options_, std::move(seams));
    EXPECT_TRUE(locks) << Describe(locks.assume_error());
    return std::move(locks).assume_value();
  }

  fs::path Root() const { return options_.locks_root; }
  fs::path Dir(const ServiceRef& service) const {
    return Root() / service.app_dir / service.service;
  }
  fs::path Lock(const ServiceRef& service) const { return Dir(service) / "updates.lock"; }
  fs::path Legacy(const ServiceRef& service) const { return Dir(service) / "resin-updates.lock"; }
  static bool Exists(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

  static LockSet Taken(Result<LockOutcome> outcome) {
    if (!outcome) {
      ADD_FAILURE() << Describe(outcome.assume_error());
      return {};
    }
    auto* taken = std::get_if<LockTaken>(&outcome.assume_value());
    if (taken != nullptr) return std::move(taken->locks);
    ADD_FAILURE() << "held by " << std::get<LockHeld>(outcome.assume_value()).holders.front().path;
    return {};
  }
  static std::vector<LockHolder> Holders(Result<LockOutcome> outcome) {
    if (!outcome) {
      ADD_FAILURE() << Describe(outcome.assume_error());
      return {};
    }
    auto* held = std::get_if<LockHeld>(&outcome.assume_value());
    return held == nullptr ? std::vector<LockHolder>() : std::move(held->holders);
  }

  ScratchDir scratch_;
  HostLockFsOptions options_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_LOCKFS_HOST_FIXTURE_H_
