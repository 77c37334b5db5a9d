#include "lockstep/lockfs/joined_lock_fs.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace lockstep {
namespace {

template <typename T>
void Append(std::vector<T>& to, std::vector<T> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

class JoinedHeld final : public LockSet::Held {
 public:
  JoinedHeld(LockSet first, LockSet second)
      : first_(std::move(first)), second_(std::move(second)) {}
  Result<std::vector<LockHolder>> Reassert() override {
    LOCKSTEP_TRY(auto holders, first_.Reassert());
    LOCKSTEP_TRY(auto more, second_.Reassert());
    Append(holders, std::move(more));
    return holders;
  }
  Result<void> Release() override {
    auto second = second_.Release();  // In reverse, and the first in any case.
    LOCKSTEP_TRYV(first_.Release());
    return second;
  }
  void Abandon() override {
    first_.Abandon();
    second_.Abandon();
  }

 private:
  LockSet first_;
  LockSet second_;
};

// One call at a time, though two threads watch.
class OneAtATime final : public LockSink {
 public:
  explicit OneAtATime(LockSink& sink) : sink_(sink) {}
  void OnLocksChanged() override {
    const std::lock_guard guard(mutex_);
    sink_.OnLocksChanged();
  }
  void OnPolling(const Error& why) override {
    const std::lock_guard guard(mutex_);
    sink_.OnPolling(why);
  }

 private:
  std::mutex mutex_;
  LockSink& sink_;
};

class JoinedLockFs final : public LockFs {
 public:
  JoinedLockFs(std::unique_ptr<LockFs> first, std::unique_ptr<LockFs> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  Result<LockPaths> Resolve(const ServiceRef& service) const override {
    LOCKSTEP_TRY(LockPaths paths, first_->Resolve(service));
    LOCKSTEP_TRY(LockPaths more, second_->Resolve(service));
    Append(paths.files, std::move(more.files));
    return paths;
  }
  Result<void> Prepare(std::span<const ServiceRef> services) override {
    return first_->Prepare(services);
  }
  Result<void> Forget(const ServiceRef& service) override { return first_->Forget(service); }
  Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) override {
    LOCKSTEP_TRY(auto holders, first_->Holders(services));
    LOCKSTEP_TRY(auto more, second_->Holders(services));
    Append(holders, std::move(more));
    return holders;
  }
  Result<std::vector<LockHolder>> List() override {
    LOCKSTEP_TRY(auto locks, first_->List());
    LOCKSTEP_TRY(auto more, second_->List());
    Append(locks, std::move(more));
    return locks;
  }
  Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) override;
  Result<int> ReleaseLeftovers() override {
    auto first = first_->ReleaseLeftovers();
    LOCKSTEP_TRY(const int second, second_->ReleaseLeftovers());
    LOCKSTEP_TRY(const int released, std::move(first));
    return released + second;
  }
  Result<void> ClearHandOver(const ServiceRef& service) override {
    return first_->ClearHandOver(service);
  }
  Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop) override {
    return first_->AwaitHandOver(service, timeout, std::move(stop));
  }
  Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                     std::stop_token stop) override;

 private:
  std::unique_ptr<LockFs> first_;
  std::unique_ptr<LockFs> second_;
};

Result<LockOutcome> JoinedLockFs::TakeAll(std::span<const ServiceRef> services, LockMode mode) {
  if (mode == LockMode::kForce) {
    // Where the second cannot be had at all, no lock of the first is run over in vain.
    LOCKSTEP_TRYV(second_->TakeAll(services, LockMode::kRespect));
  }
  LOCKSTEP_TRY(auto first, first_->TakeAll(services, mode));
  if (auto* held = std::get_if<LockHeld>(&first)) {
    // Where another LockSet of this process has the first, it has the second, too; else what is
    // ours there was left behind, and holds nothing.
    const bool by_us = std::any_of(held->holders.begin(), held->holders.end(),
                                   [](const LockHolder& holder) { return holder.ours; });
    LOCKSTEP_TRY(auto more, second_->Holders(services));
    std::erase_if(more, [by_us, mode](const LockHolder& holder) {
      return !holder.held || (holder.ours ? !by_us : mode == LockMode::kForce);
    });
    Append(held->holders, std::move(more));
    return LockOutcome(std::move(*held));
  }
  auto& taken = std::get<LockTaken>(first);
  auto second = second_->TakeAll(services, mode);
  if (!second || std::holds_alternative<LockHeld>(second.assume_value())) {
    LOCKSTEP_TRYV(taken.locks.Release());
    return second;
  }
  auto& more = std::get<LockTaken>(second.assume_value());
  Append(taken.overridden, std::move(more.overridden));
  LockSet both(std::make_unique<JoinedHeld>(std::move(taken.locks), std::move(more.locks)));
  return LockOutcome(LockTaken{std::move(both), std::move(taken.overridden)});
}

Result<void> JoinedLockFs::Watch(std::span<const ServiceRef> services, LockSink& sink,
                                 std::stop_token stop) {
  OneAtATime serial(sink);
  std::stop_source done;  // Where one ends, so does the other.
  const std::stop_callback pass_on(stop, [&done] { done.request_stop(); });
  Result<void> second = Ok();
  std::jthread beside([&] {
    second = second_->Watch(services, serial, done.get_token());
    done.request_stop();
  });
  auto first = first_->Watch(services, serial, done.get_token());
  done.request_stop();
  beside.join();
  LOCKSTEP_TRYV(std::move(first));
  return second;
}

}  // namespace

std::unique_ptr<LockFs> JoinLocks(std::unique_ptr<LockFs> first, std::unique_ptr<LockFs> second) {
  return std::make_unique<JoinedLockFs>(std::move(first), std::move(second));
}

}  // namespace lockstep
