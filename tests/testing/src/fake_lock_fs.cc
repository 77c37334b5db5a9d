#include "lockstep/testing/fake_lock_fs.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace lockstep::test {
namespace {

using File = FakeLockFs::File;
constexpr std::array kFiles = {File::kCurrent, File::kLegacy};
constexpr int kAppOwner = -1;
constexpr int kNobodyOwner = 0;  // Left behind by an earlier process, or abandoned.

// A directory: the uuid of its app says nothing about where it is.
using Place = std::pair<std::string, std::string>;
Place PlaceOf(const ServiceRef& service) { return {service.app_dir, service.service}; }

bool IsOneComponent(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

Result<void> CheckNames(std::span<const ServiceRef> services) {
  for (const ServiceRef& service : services) {
    if (IsOneComponent(service.app_dir) && IsOneComponent(service.service)) continue;
    return MakeError(ErrorCode::kInvalidInput, "a lock directory's name is no path component");
  }
  return Ok();
}

std::string DirectoryOf(const Place& place) { return "/locks/" + place.first + "/" + place.second; }

std::string PathOf(const Place& place, File file) {
  return DirectoryOf(place) + (file == File::kCurrent ? "/updates.lock" : "/resin-updates.lock");
}

}  // namespace

class FakeLockFs::State {
 public:
  struct Entry {
    int owner = kAppOwner;  // Or the LockSet that holds it.
    LockKind kind = LockKind::kExclusiveFile;
    WallTime since{};
  };
  using Key = std::pair<Place, File>;

  Result<void> Begin(int Counts::*count) {
    ++(counts.*count);
    if (fail_all) return *fail_all;
    return Ok();
  }

  void Changed(const Place& place) {
    ++changes[place];
    changed.notify_all();
  }

  void Put(const Key& key, int owner, LockKind kind = LockKind::kExclusiveFile) {
    ticks += std::chrono::seconds(1);
    entries[key] = Entry{owner, kind, WallTime(ticks)};
    Changed(key.first);
  }

  void Erase(const Key& key) {
    if (entries.erase(key) != 0) Changed(key.first);
  }

  LockHolder HolderOf(const Key& key, const Entry& entry, const std::string& app) const {
    LockHolder holder;
    holder.app = app;
    holder.app_dir = key.first.first;
    holder.service = key.first.second;
    holder.path = PathOf(key.first, key.second);
    holder.kind = entry.kind;
    holder.since = entry.since;
    holder.ours = entry.owner != kAppOwner;
    holder.owner_uid = holder.ours ? 65534 : 0;
    return holder;
  }

  std::vector<LockHolder> HoldersOf(const std::vector<ServiceRef>& services) const {
    std::vector<LockHolder> holders;
    for (const ServiceRef& service : services) {
      for (const File file : kFiles) {
        const auto it = entries.find({PlaceOf(service), file});
        if (it != entries.end()) holders.push_back(HolderOf(it->first, it->second, service.app));
      }
    }
    return holders;
  }

  bool HeldBy(const ServiceRef& service, bool (*is)(int owner)) const {
    return std::all_of(kFiles.begin(), kFiles.end(), [&](File file) {
      const auto it = entries.find({PlaceOf(service), file});
      return it != entries.end() && is(it->second.owner);
    });
  }

  std::uint64_t ChangesOf(const std::vector<ServiceRef>& services) const {
    std::uint64_t sum = 0;
    for (const ServiceRef& service : services) {
      const auto it = changes.find(PlaceOf(service));
      if (it != changes.end()) sum += it->second;
    }
    return sum;
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  std::map<Key, Entry> entries;
  std::map<Place, std::uint64_t> changes;
  std::map<Place, ServiceRef> prepared;
  std::set<Place> handed_over;
  std::set<ServiceRef> known;  // Taken at some time: gives taken() their uuids.
  std::vector<LockHolder> overridden;
  std::unique_ptr<Error> fail_all;
  std::optional<Error> fail_take;
  Counts counts;
  int watchers = 0;
  int last_set = 0;
  std::chrono::seconds ticks{0};
};

class FakeLockFs::Held final : public LockSet::Held {
 public:
  Held(std::shared_ptr<State> state, int id, std::vector<ServiceRef> services)
      : state_(std::move(state)), id_(id), services_(std::move(services)) {}
  ~Held() override { (void)Release(); }  // Nobody is left to tell.

  Result<std::vector<LockHolder>> Reassert() override {
    const std::lock_guard lock(state_->mutex);
    LOCKSTEP_TRYV(state_->Begin(&Counts::reassert));
    std::vector<LockHolder> holders;
    for (const ServiceRef& service : services_) {
      for (const File file : kFiles) {
        const State::Key key(PlaceOf(service), file);
        const auto it = state_->entries.find(key);
        if (it == state_->entries.end()) {
          state_->Put(key, id_);
        } else if (it->second.owner != id_) {
          holders.push_back(state_->HolderOf(key, it->second, service.app));
        }
      }
    }
    return holders;
  }

  Result<void> Release() override {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(done_, true)) return Ok();
    ForEachOurs([this](const State::Key& key) { state_->Erase(key); });
    return state_->Begin(&Counts::release);
  }

  void Abandon() override {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(done_, true)) return;
    ForEachOurs([this](const State::Key& key) { state_->entries[key].owner = kNobodyOwner; });
  }

 private:
  template <typename Action>
  void ForEachOurs(Action action) {
    for (const ServiceRef& service : services_) {
      for (const File file : kFiles) {
        const State::Key key(PlaceOf(service), file);
        const auto it = state_->entries.find(key);
        if (it != state_->entries.end() && it->second.owner == id_) action(key);
      }
    }
  }

  std::shared_ptr<State> state_;
  int id_;
  std::vector<ServiceRef> services_;
  bool done_ = false;
};

FakeLockFs::FakeLockFs() : state_(std::make_shared<State>()) {}
FakeLockFs::~FakeLockFs() = default;

bool FakeLockFs::HoldByApp(const ServiceRef& service, File file) {
  return HoldByApp(service, LockKind::kExclusiveFile, file);
}

bool FakeLockFs::HoldByApp(const ServiceRef& service, LockKind kind, File file) {
  const std::lock_guard lock(state_->mutex);
  const State::Key key(PlaceOf(service), file);
  if (state_->entries.contains(key)) return false;
  state_->Put(key, kAppOwner, kind);
  return true;
}

bool FakeLockFs::ReleaseByApp(const ServiceRef& service, File file) {
  const std::lock_guard lock(state_->mutex);
  const State::Key key(PlaceOf(service), file);
  if (!state_->entries.contains(key)) return false;
  state_->Erase(key);
  return true;
}

void FakeLockFs::LeaveBehind(const ServiceRef& service) {
  const std::lock_guard lock(state_->mutex);
  for (const File file : kFiles) state_->Put({PlaceOf(service), file}, kNobodyOwner);
}

void FakeLockFs::FailNextTake(Error error) {
  const std::lock_guard lock(state_->mutex);
  state_->fail_take = std::move(error);
}

void FakeLockFs::FailAll(std::unique_ptr<Error> error) {
  const std::lock_guard lock(state_->mutex);
  state_->fail_all = std::move(error);
}

bool FakeLockFs::HeldByUs(const ServiceRef& service) const {
  const std::lock_guard lock(state_->mutex);
  return state_->HeldBy(service, [](int owner) { return owner > kNobodyOwner; });
}

bool FakeLockFs::HeldByApp(const ServiceRef& service) const {
  const std::lock_guard lock(state_->mutex);
  return std::any_of(kFiles.begin(), kFiles.end(), [&](File file) {
    const auto it = state_->entries.find({PlaceOf(service), file});
    return it != state_->entries.end() && it->second.owner == kAppOwner;
  });
}

std::vector<ServiceRef> FakeLockFs::taken() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<ServiceRef> taken;
  for (const ServiceRef& service : state_->known) {
    if (state_->HeldBy(service, [](int owner) { return owner > kNobodyOwner; })) {
      taken.push_back(service);
    }
  }
  return taken;
}

std::vector<LockHolder> FakeLockFs::overridden() const {
  const std::lock_guard lock(state_->mutex);
  return state_->overridden;
}

std::vector<ServiceRef> FakeLockFs::prepared() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<ServiceRef> prepared;
  for (const auto& [place, service] : state_->prepared) prepared.push_back(service);
  std::sort(prepared.begin(), prepared.end());
  return prepared;
}

FakeLockFs::Counts FakeLockFs::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

void FakeLockFs::AwaitWatchers(int count) const {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->watchers >= count; });
}

Result<LockPaths> FakeLockFs::Resolve(const ServiceRef& service) const {
  LOCKSTEP_TRYV(CheckNames({&service, 1}));
  const Place place = PlaceOf(service);
  return LockPaths{.engine_dir = DirectoryOf(place),
                   .container_dirs = {"/tmp/balena", "/tmp/resin"},
                   .files = {PathOf(place, File::kCurrent), PathOf(place, File::kLegacy)}};
}

Result<void> FakeLockFs::Prepare(std::span<const ServiceRef> services) {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::prepare));
  for (const ServiceRef& service : services) {
    if (CheckNames({&service, 1})) state_->prepared[PlaceOf(service)] = service;
  }
  return CheckNames(services);
}

Result<void> FakeLockFs::Forget(const ServiceRef& service) {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::forget));
  LOCKSTEP_TRYV(CheckNames({&service, 1}));
  state_->prepared.erase(PlaceOf(service));
  for (const File file : kFiles) state_->Erase({PlaceOf(service), file});
  return Ok();
}

Result<std::vector<LockHolder>> FakeLockFs::Holders(std::span<const ServiceRef> services) {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::holders));
  LOCKSTEP_TRYV(CheckNames(services));
  return state_->HoldersOf({services.begin(), services.end()});
}

Result<std::vector<LockHolder>> FakeLockFs::List() {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::list));
  std::vector<LockHolder> holders;
  for (const auto& [key, entry] : state_->entries) {
    holders.push_back(state_->HolderOf(key, entry, key.first.first));
  }
  return holders;
}

Result<LockOutcome> FakeLockFs::TakeAll(std::span<const ServiceRef> services, LockMode mode) {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::take_all));
  LOCKSTEP_TRYV(CheckNames(services));
  if (auto error = std::exchange(state_->fail_take, std::nullopt)) return std::move(*error);
  std::vector<ServiceRef> sorted(services.begin(), services.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());

  // In the way: an app's lock, and one that another LockSet of ours holds, which force never runs
  // over. What is merely left behind is taken over.
  LockHeld in_way;
  std::vector<LockHolder> overridden;
  for (const ServiceRef& service : sorted) {
    for (const File file : kFiles) {
      const auto it = state_->entries.find({PlaceOf(service), file});
      if (it == state_->entries.end() || it->second.owner == kNobodyOwner) continue;
      const bool runs_over = mode == LockMode::kForce && it->second.owner == kAppOwner;
      (runs_over ? overridden : in_way.holders)
          .push_back(state_->HolderOf(it->first, it->second, service.app));
    }
  }
  if (!in_way.holders.empty()) return LockOutcome(std::move(in_way));

  const int id = ++state_->last_set;
  for (const ServiceRef& service : sorted) {
    for (const File file : kFiles) state_->Put({PlaceOf(service), file}, id);
    state_->known.insert(service);
  }
  state_->overridden.insert(state_->overridden.end(), overridden.begin(), overridden.end());
  return LockOutcome(LockTaken{LockSet(std::make_unique<Held>(state_, id, std::move(sorted))),
                               std::move(overridden)});
}

Result<int> FakeLockFs::ReleaseLeftovers() {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::release_leftovers));
  std::vector<State::Key> left;
  for (const auto& [key, entry] : state_->entries) {
    if (entry.owner == kNobodyOwner) left.push_back(key);
  }
  for (const State::Key& key : left) state_->Erase(key);
  return static_cast<int>(left.size());
}

void FakeLockFs::CompleteHandOver(const ServiceRef& service) {
  const std::lock_guard lock(state_->mutex);
  state_->handed_over.insert(PlaceOf(service));
  state_->changed.notify_all();
}

Result<void> FakeLockFs::ClearHandOver(const ServiceRef& service) {
  const std::lock_guard lock(state_->mutex);
  LOCKSTEP_TRYV(CheckNames({&service, 1}));
  if (state_->fail_all) return *state_->fail_all;
  state_->handed_over.erase(PlaceOf(service));
  return Ok();
}

Result<HandOverOutcome> FakeLockFs::AwaitHandOver(const ServiceRef& service,
                                                  std::chrono::milliseconds timeout,
                                                  std::stop_token stop) {
  std::unique_lock lock(state_->mutex);
  LOCKSTEP_TRYV(CheckNames({&service, 1}));
  if (state_->fail_all) return *state_->fail_all;
  const auto complete = [&] { return state_->handed_over.contains(PlaceOf(service)); };
  if (state_->changed.wait_for(lock, stop, timeout, complete)) return HandOverOutcome::kComplete;
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
  return HandOverOutcome::kTimedOut;
}

Result<void> FakeLockFs::Watch(std::span<const ServiceRef> services, LockSink& sink,
                               std::stop_token stop) {
  const std::vector<ServiceRef> watched(services.begin(), services.end());
  std::unique_lock lock(state_->mutex);
  LOCKSTEP_TRYV(state_->Begin(&Counts::watch));
  ++state_->watchers;
  state_->changed.notify_all();
  while (!stop.stop_requested()) {
    const std::uint64_t seen = state_->ChangesOf(watched);
    lock.unlock();  // The sink may look at, or take, the locks.
    sink.OnLocksChanged();
    lock.lock();
    state_->changed.wait(lock, stop, [&] { return state_->ChangesOf(watched) != seen; });
  }
  --state_->watchers;
  return Ok();
}

}  // namespace lockstep::test
