// What every LockFs must do, as tests. Run them on one of your own:
//
//   INSTANTIATE_TEST_SUITE_P(MyLocks, LockConformance,
//                            ::testing::Values(LockConformanceFactory([] { ... })));
//
// with `using namespace lockstep::test`; the tests come with lockstep::testing.
#ifndef LOCKSTEP_TESTING_LOCK_CONFORMANCE_H_
#define LOCKSTEP_TESTING_LOCK_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/lock_fs.h"

namespace lockstep::test {

// A LockFs with nothing in it, and an app's side of it. `file` counts LockPaths::files.
// Thread-safe.
class LockConformanceDriver {
 public:
  virtual ~LockConformanceDriver() = default;
  virtual LockFs& locks() = 0;
  // Exclusive creation: false where something is there.
  virtual bool Hold(const ServiceRef& service, std::size_t file) = 0;
  // `rm -f`: false where nothing was there.
  virtual bool Remove(const ServiceRef& service, std::size_t file) = 0;
  virtual bool Exists(const ServiceRef& service, std::size_t file) = 0;
  // Says, from inside its new container, that it has taken over.
  virtual void CompleteHandOver(const ServiceRef& service) = 0;
};

using LockConformanceFactory = std::function<std::unique_ptr<LockConformanceDriver>()>;

class LockConformance : public ::testing::TestWithParam<LockConformanceFactory> {
 protected:
  LockConformance();
  ~LockConformance() override;

  LockFs& locks() { return driver_->locks(); }
  LockConformanceDriver& app() { return *driver_; }
  // Takes all of `services`; an empty set, and a failed test, where that does not work.
  LockSet Take(const std::vector<ServiceRef>& services, LockMode mode = LockMode::kRespect);
  // The holders that are in the way of it.
  std::vector<LockHolder> HeldBy(const std::vector<ServiceRef>& services,
                                 LockMode mode = LockMode::kRespect);
  // The paths of what holds these, and is not ours.
  std::vector<std::string> AppLocks(const std::vector<ServiceRef>& services);
  std::string Path(const ServiceRef& service, std::size_t file);
  // How many of the files of these services are there.
  std::size_t CountFiles(const std::vector<ServiceRef>& services);
  std::size_t files() const { return files_; }  // Of each service.

 private:
  std::unique_ptr<LockConformanceDriver> driver_;
  std::size_t files_;
};

// A static library gives a program only what it asks for: this asks for the tests.
int LinkLockConformance();
inline const int kLockConformanceLinked = LinkLockConformance();

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_LOCK_CONFORMANCE_H_
