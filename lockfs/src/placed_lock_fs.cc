#include "lockstep/lockfs/placed_lock_fs.h"

#include <algorithm>
#include <utility>

namespace lockstep {
namespace {

void AsOf(const ServiceRef& service, LockHolder& holder) {
  holder.app = service.app;
  holder.app_dir = service.app_dir;
  holder.service = service.service;
}

// The places of some services, each once, and back.
class Places {
 public:
  Places(std::span<const ServiceRef> services, const LockPlacement& placement) {
    for (const ServiceRef& service : services) {
      ServiceRef place = placement.place_of(service);
      if (FindPlace(place.app_dir, place.service) != places_.end()) continue;
      places_.push_back(std::move(place));
      services_.push_back(service);
    }
  }

  const std::vector<ServiceRef>& all() const { return places_; }

  std::vector<LockHolder> AsOfServices(std::vector<LockHolder> holders) const {
    for (LockHolder& holder : holders) {
      const auto place = FindPlace(holder.app_dir, holder.service);
      if (place == places_.end()) continue;
      AsOf(services_[static_cast<std::size_t>(place - places_.begin())], holder);
    }
    return holders;
  }

 private:
  std::vector<ServiceRef>::const_iterator FindPlace(const std::string& app_dir,
                                                    const std::string& service) const {
    return std::find_if(places_.begin(), places_.end(), [&](const ServiceRef& place) {
      return place.app_dir == app_dir && place.service == service;
    });
  }

  std::vector<ServiceRef> places_;
  std::vector<ServiceRef> services_;  // The first of each place.
};

class PlacedHeld final : public LockSet::Held {
 public:
  PlacedHeld(LockSet locks, Places places) : locks_(std::move(locks)), places_(std::move(places)) {}
  Result<std::vector<LockHolder>> Reassert() override {
    LOCKSTEP_TRY(auto holders, locks_.Reassert());
    return places_.AsOfServices(std::move(holders));
  }
  Result<void> Release() override { return locks_.Release(); }
  void Abandon() override { locks_.Abandon(); }

 private:
  LockSet locks_;
  Places places_;
};

class PlacedLockFs final : public LockFs {
 public:
  PlacedLockFs(std::unique_ptr<LockFs> locks, LockPlacement placement)
      : locks_(std::move(locks)), placement_(std::move(placement)) {}

  Result<LockPaths> Resolve(const ServiceRef& service) const override {
    return locks_->Resolve(placement_.place_of(service));
  }
  Result<void> Prepare(std::span<const ServiceRef> services) override {
    return locks_->Prepare(Places(services, placement_).all());
  }
  Result<void> Forget(const ServiceRef&) override { return Ok(); }
  Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) override {
    const Places places(services, placement_);
    LOCKSTEP_TRY(auto holders, locks_->Holders(places.all()));
    return places.AsOfServices(std::move(holders));
  }
  Result<std::vector<LockHolder>> List() override {
    LOCKSTEP_TRY(auto all, locks_->List());
    if (!placement_.service_at) return all;
    std::vector<LockHolder> locks;
    for (LockHolder& lock : all) {
      const auto service = placement_.service_at({lock.app, lock.app_dir, lock.service});
      if (!service) continue;
      AsOf(*service, lock);
      locks.push_back(std::move(lock));
    }
    return locks;
  }
  Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) override {
    Places places(services, placement_);
    LOCKSTEP_TRY(auto outcome, locks_->TakeAll(places.all(), mode));
    if (auto* held = std::get_if<LockHeld>(&outcome)) {
      return LockOutcome(LockHeld{places.AsOfServices(std::move(held->holders))});
    }
    auto& taken = std::get<LockTaken>(outcome);
    auto overridden = places.AsOfServices(std::move(taken.overridden));
    LockSet locks(std::make_unique<PlacedHeld>(std::move(taken.locks), std::move(places)));
    return LockOutcome(LockTaken{std::move(locks), std::move(overridden)});
  }
  Result<int> ReleaseLeftovers() override { return locks_->ReleaseLeftovers(); }
  Result<void> ClearHandOver(const ServiceRef& service) override {
    return locks_->ClearHandOver(placement_.place_of(service));
  }
  Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                        std::chrono::milliseconds timeout,
                                        std::stop_token stop) override {
    return locks_->AwaitHandOver(placement_.place_of(service), timeout, std::move(stop));
  }
  Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                     std::stop_token stop) override {
    return locks_->Watch(Places(services, placement_).all(), sink, std::move(stop));
  }

 private:
  std::unique_ptr<LockFs> locks_;
  LockPlacement placement_;
};

}  // namespace

std::unique_ptr<LockFs> PlaceLocks(std::unique_ptr<LockFs> locks, LockPlacement placement) {
  return std::make_unique<PlacedLockFs>(std::move(locks), std::move(placement));
}

}  // namespace lockstep
