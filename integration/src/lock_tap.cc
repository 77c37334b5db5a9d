#include "lock_tap.h"

#include <variant>

namespace lockstep {

std::optional<LockTap::Instant> LockTap::UnlockSeen(std::string_view app) const {
  const std::lock_guard guard(mutex_);
  const auto found = unlocked_.find(app);
  if (found == unlocked_.end()) return std::nullopt;
  return found->second;
}

Result<LockOutcome> LockTap::TakeAll(std::span<const ServiceRef> services, LockMode mode) {
  // Looked at before: the locks that are about to be made are changes themselves.
  std::optional<Instant> changed;
  {
    const std::lock_guard guard(mutex_);
    changed = changed_;
  }
  auto outcome = locks_.TakeAll(services, mode);
  if (outcome && std::holds_alternative<LockTaken>(outcome.assume_value()) && changed &&
      !services.empty()) {
    const std::lock_guard guard(mutex_);
    unlocked_.insert_or_assign(services.front().app, *changed);
  }
  return outcome;
}

Result<void> LockTap::Watch(std::span<const ServiceRef> services, LockSink& sink,
                            std::stop_token stop) {
  class Tap final : public LockSink {
   public:
    Tap(LockTap& owner, LockSink& next) : owner_(owner), next_(next) {}
    void OnLocksChanged() override {
      {
        const std::lock_guard guard(owner_.mutex_);
        owner_.changed_ = std::chrono::steady_clock::now();
      }
      next_.OnLocksChanged();
    }
    void OnPolling(const Error& why) override { next_.OnPolling(why); }

   private:
    LockTap& owner_;
    LockSink& next_;
  };
  Tap tap(*this, sink);
  return locks_.Watch(services, tap, stop);
}

}  // namespace lockstep
