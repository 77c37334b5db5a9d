#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>

#include "host_fixture.h"
#include "lockstep/lockfs/joined_lock_fs.h"
#include "lockstep/lockfs/placed_lock_fs.h"
#include "lockstep/testing/fake_lock_fs.h"
#include "lockstep/testing/lock_conformance.h"

namespace lockstep::test {
namespace {

class FakeDriver final : public LockConformanceDriver {
 public:
  LockFs& locks() override { return locks_; }
  bool Hold(const ServiceRef& service, std::size_t file) override {
    return locks_.HoldByApp(service, FileOf(file));
  }
  bool Remove(const ServiceRef& service, std::size_t file) override {
    return locks_.ReleaseByApp(service, FileOf(file));
  }
  bool Exists(const ServiceRef& service, std::size_t file) override {
    const bool free = locks_.HoldByApp(service, FileOf(file));
    if (free) locks_.ReleaseByApp(service, FileOf(file));
    return !free;
  }
  void CompleteHandOver(const ServiceRef& service) override { locks_.CompleteHandOver(service); }

 private:
  static FakeLockFs::File FileOf(std::size_t file) {
    return file == 0 ? FakeLockFs::File::kCurrent : FakeLockFs::File::kLegacy;
  }
  FakeLockFs locks_;
};

std::unique_ptr<LockFs> OpenIn(const fs::path& dir, lockfs::Seams seams,
                               std::vector<std::string> files = {}) {
  HostLockFsOptions options = OptionsIn(dir);
  if (!files.empty()) options.lock_files = std::move(files);
  return std::move(lockfs::OpenHostLockFsWith(std::move(options), std::move(seams))).assume_value();
}

// Locks that are files, wherever Resolve says they are.
class HostDriver final : public LockConformanceDriver {
 public:
  using Maker = std::function<std::unique_ptr<LockFs>(const fs::path& scratch)>;
  explicit HostDriver(const Maker& make) : locks_(make(scratch_.path())) {}
  LockFs& locks() override { return *locks_; }
  bool Hold(const ServiceRef& service, std::size_t file) override {
    const std::string path = Path(service, file);
    fs::create_directories(fs::path(path).parent_path());
    const lockfs::UniqueFd made(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    return static_cast<bool>(made);
  }
  bool Remove(const ServiceRef& service, std::size_t file) override {
    return ::unlink(Path(service, file).c_str()) == 0;
  }
  bool Exists(const ServiceRef& service, std::size_t file) override {
    return ::faccessat(AT_FDCWD, Path(service, file).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }
  void CompleteHandOver(const ServiceRef& service) override {
    const std::string path = locks_->Resolve(service).assume_value().engine_dir;
    const lockfs::UniqueFd made(
        ::open((path + "/handover-complete").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  }

 private:
  std::string Path(const ServiceRef& service, std::size_t file) {
    return locks_->Resolve(service).assume_value().files.at(file);
  }
  ScratchDir scratch_;
  std::unique_ptr<LockFs> locks_;
};

LockConformanceFactory Host(lockfs::Seams seams) {
  return [seams] {
    return std::make_unique<HostDriver>(
        [&](const fs::path& scratch) { return OpenIn(scratch, seams); });
  };
}

// Each service has a lock in another tree, too, as those of an older scheme.
LockConformanceFactory Joined() {
  const auto place = [](const ServiceRef& service) {
    return ServiceRef{service.app, "data", service.app_dir + "-" + service.service};
  };
  return [place] {
    return std::make_unique<HostDriver>([&](const fs::path& scratch) {
      fs::create_directory(scratch / "old");
      return JoinLocks(OpenIn(scratch, {}),
                       PlaceLocks(OpenIn(scratch / "old", {}, {"resin-updates.lock"}), {place}));
    });
  };
}

INSTANTIATE_TEST_SUITE_P(FakeLockFs, LockConformance, ::testing::Values(LockConformanceFactory([] {
                           return std::make_unique<FakeDriver>();
                         })));
INSTANTIATE_TEST_SUITE_P(HostLockFs, LockConformance, ::testing::Values(Host({})));
INSTANTIATE_TEST_SUITE_P(HostLockFsWithoutUnnamedFiles, LockConformance,
                         ::testing::Values(Host({.no_tmpfile = true})));
INSTANTIATE_TEST_SUITE_P(HostLockFsWithoutOpenat2, LockConformance,
                         ::testing::Values(Host({.no_openat2 = true})));
INSTANTIATE_TEST_SUITE_P(HostLockFsWithoutInotify, LockConformance,
                         ::testing::Values(Host({.no_inotify = true})));
INSTANTIATE_TEST_SUITE_P(JoinedLockFs, LockConformance, ::testing::Values(Joined()));

}  // namespace
}  // namespace lockstep::test
