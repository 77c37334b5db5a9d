#include <fcntl.h>
#include <gtest/gtest.h>

#include "host_fixture.h"
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

class HostDriver final : public LockConformanceDriver {
 public:
  explicit HostDriver(lockfs::Seams seams)
      : locks_(std::move(lockfs::OpenHostLockFsWith(OptionsIn(scratch_.path()), std::move(seams)))
                   .assume_value()) {}
  LockFs& locks() override { return *locks_; }
  bool Hold(const ServiceRef& service, std::size_t file) override {
    const lockfs::UniqueFd made(
        ::open(Path(service, file).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
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
  std::unique_ptr<HostLockFs> locks_;
};

LockConformanceFactory Host(lockfs::Seams seams) {
  return [seams] { return std::make_unique<HostDriver>(seams); };
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

}  // namespace
}  // namespace lockstep::test
