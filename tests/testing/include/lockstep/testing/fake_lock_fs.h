// FakeLockFs: the update locks of a device in memory, with the app's side to act from.
#ifndef LOCKSTEP_TESTING_FAKE_LOCK_FS_H_
#define LOCKSTEP_TESTING_FAKE_LOCK_FS_H_

#include <memory>
#include <vector>

#include "lockstep/lock_fs.h"

namespace lockstep::test {

// Two files for each service, as on a device. Thread-safe; LockSets may outlive it.
class FakeLockFs final : public LockFs {
 public:
  // Which of the two files of a service an app uses.
  enum class File { kCurrent, kLegacy };
  struct Counts {  // Calls so far.
    int prepare = 0;
    int forget = 0;
    int holders = 0;
    int list = 0;
    int take_all = 0;
    int release = 0;  // LockSets given back, by hand or by their end; not those abandoned.
    int reassert = 0;
    int release_leftovers = 0;
    int watch = 0;
  };

  FakeLockFs();
  ~FakeLockFs() override;

  // What an app does. Exclusive creation: false where anything is there already, ours included.
  bool HoldByApp(const ServiceRef& service, File file = File::kCurrent);
  bool HoldByApp(const ServiceRef& service, LockKind kind, File file = File::kCurrent);
  // `rm -f`: what is there goes, a lock of ours too. False where there was nothing.
  bool ReleaseByApp(const ServiceRef& service, File file = File::kCurrent);
  // The new container of the service says that it has taken over.
  void CompleteHandOver(const ServiceRef& service);
  // As if an earlier process of Lockstep had been killed while it held the service.
  void LeaveBehind(const ServiceRef& service);

  // The next TakeAll (or each method, for FailAll) returns `error`. FailAll(nullptr) ends that.
  void FailNextTake(Error error);
  void FailAll(std::unique_ptr<Error> error);

  bool HeldByUs(const ServiceRef& service) const;   // Both files, by a LockSet that lives.
  bool HeldByApp(const ServiceRef& service) const;  // Either file.
  std::vector<ServiceRef> taken() const;            // HeldByUs. Sorted.
  std::vector<LockHolder> overridden() const;       // Removed by force so far, in order.
  std::vector<ServiceRef> prepared() const;         // And not forgotten. Sorted.
  Counts counts() const;
  // Blocks until `count` calls of Watch stand. For a test that has to act while one waits.
  void AwaitWatchers(int count) const;

  Result<LockPaths> Resolve(const ServiceRef& service) const override;
  Result<void> Prepare(std::span<const ServiceRef> services) override;
  Result<void> Forget(const ServiceRef& service) override;
  Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) override;
  Result<std::vector<LockHolder>> List() override;
  Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) override;
  Result<int> ReleaseLeftovers() override;
  Result<void> ClearHandOver(const ServiceRef& service) override;
  Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop) override;
  Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                     std::stop_token stop) override;

 private:
  class State;
  class Held;
  std::shared_ptr<State> state_;  // Shared with the LockSets.
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_FAKE_LOCK_FS_H_
