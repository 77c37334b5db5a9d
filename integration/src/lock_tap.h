// Listens in on the update locks, to tell how fast an update follows an unlock.
#ifndef LOCKSTEP_INTEGRATION_LOCK_TAP_H_
#define LOCKSTEP_INTEGRATION_LOCK_TAP_H_

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "lockstep/lock_fs.h"

namespace lockstep {

// Passes everything on to `locks`, and remembers for each app when a watch last saw a change before
// its locks were taken: that was the unlock.
class LockTap final : public LockFs {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit LockTap(LockFs& locks) : locks_(locks) {}

  // None where the app's locks were not taken, or no change was seen before.
  std::optional<Instant> UnlockSeen(std::string_view app) const;

  Result<LockPaths> Resolve(const ServiceRef& service) const override {
    return locks_.Resolve(service);
  }
  Result<void> Prepare(std::span<const ServiceRef> services) override {
    return locks_.Prepare(services);
  }
  Result<void> Forget(const ServiceRef& service) override { return locks_.Forget(service); }
  Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) override {
    return locks_.Holders(services);
  }
  Result<std::vector<LockHolder>> List() override { return locks_.List(); }
  Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) override;
  Result<int> ReleaseLeftovers() override { return locks_.ReleaseLeftovers(); }
  Result<void> ClearHandOver(const ServiceRef& service) override {
    return locks_.ClearHandOver(service);
  }
  Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop) override {
    return locks_.AwaitHandOver(service, timeout, std::move(stop));
  }
  Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                     std::stop_token stop) override;

 private:
  LockFs& locks_;
  mutable std::mutex mutex_;
  std::optional<Instant> changed_;
  std::map<std::string, Instant, std::less<>> unlocked_;  // By app.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_LOCK_TAP_H_
