// What people ask of an app, as what is remembered of it.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "app_facts.h"
#include "lockstep/lock.h"
#include "lockstep/nearest_word.h"
#include "lockstep/requests.h"

namespace lockstep {
namespace {

using Names = std::set<std::string, std::less<>>;

Error NotKnown(const std::string& what, std::string_view wanted, const Names& known) {
  constexpr std::size_t kMost = 8;
  std::string message = what + " \"" + std::string(wanted) + '"';
  const std::string_view meant = NearestWord(wanted, {known.begin(), known.end()});
  if (!meant.empty()) message += " (did you mean \"" + std::string(meant) + "\"?)";
  std::string list;
  std::size_t listed = 0;
  for (const std::string& name : known) {
    if (listed++ == kMost) break;
    list += (list.empty() ? "" : ", ") + name;
  }
  if (known.size() > kMost) list += ", and " + std::to_string(known.size() - kMost) + " more";
  return MakeError(ErrorCode::kNotFound, std::move(message),
                   list.empty() ? "there is none" : "there is " + list);
}

void Merge(std::vector<std::string>& into, const Names& more) {
  Names all(into.begin(), into.end());
  all.insert(more.begin(), more.end());
  into.assign(all.begin(), all.end());
}

void EraseThese(std::vector<std::string>& from, const Names& names) {
  std::erase_if(from, [&](const std::string& name) { return names.contains(name); });
}

// One app, as far as a request needs to know it.
class Asked {
 public:
  Asked(const AppRequest& request, const ObservedState& observed, const Target& target)
      : request_(request),
        record_(RecordOf(observed, target, request.app)),
        target_(target.FindApp(request.app)) {
    const AppNames names(target);
    for (const ObservedContainer& container : observed.engine.containers) {
      const bool is_mine = container.owned && names.Uuid(container.app) == request.app &&
                           container.state != ContainerState::kRemoving;
      if (is_mine) containers_.push_back(&container);
    }
    for (const ObservedVolume& volume : observed.engine.volumes) {
      if (volume.owned && names.Uuid(volume.app) == request.app) volumes_.insert(volume.name);
    }
    for (const ObservedContainer* container : containers_) services_.insert(container->service);
    if (target_ == nullptr || !target_->release) return;
    for (const TargetService& service : target_->release->services) services_.insert(service.name);
  }

  Result<AppRecord> Answer() {
    record_.app = request_.app;
    if (target_ != nullptr && target_->is_host) {
      return MakeError(ErrorCode::kUnsupported, "it is a host app",
                       "it is updated with the host, not by Lockstep");
    }
    LOCKSTEP_TRYV(Change());
    return std::move(record_);
  }

 private:
  bool all() const { return request_.names.empty(); }

  Result<void> Change() {
    switch (request_.kind) {
      case AppRequestKind::kStop:
        return Stop();
      case AppRequestKind::kStart:
        return Start();
      case AppRequestKind::kRestart:
        return Restart();
      case AppRequestKind::kPurge:
        return Purge();
      case AppRequestKind::kRemove:
        return Remove();
      case AppRequestKind::kPause:
      case AppRequestKind::kResume:
        record_.paused = request_.kind == AppRequestKind::kPause;
        return Ok();
    }
    return Ok();
  }

  Result<Names> NamesAmong(const Names& known, const std::string& what) const {
    if (all()) return known;
    for (const std::string& name : request_.names) {
      if (!known.contains(name)) return NotKnown("it has no " + what, name, known);
    }
    return Names(request_.names.begin(), request_.names.end());
  }

  Result<void> Stop() {
    LOCKSTEP_TRY(const Names names, NamesAmong(services_, "service"));
    Merge(record_.stopped, names);
    return Ok();
  }

  Result<void> Start() {
    LOCKSTEP_TRY(Names names, NamesAmong(services_, "service"));
    record_.remove = false;
    if (all()) names = Names(record_.stopped.begin(), record_.stopped.end());
    EraseThese(record_.stopped, names);
    StartThese(WithSharers(std::move(names)));
    return Ok();
  }

  // Who shares a namespace was stopped with the one that has it.
  Names WithSharers(Names names) const {
    if (target_ == nullptr || !target_->release) return names;
    for (std::size_t before = 0; before != names.size();) {
      before = names.size();
      for (const TargetService& service : target_->release->services) {
        const auto shared = SharedServicesOf(service.spec);
        const bool shares = std::any_of(shared.begin(), shared.end(),
                                        [&](const auto& name) { return names.contains(name); });
        if (shares) names.insert(service.name);
      }
    }
    return names;
  }

  // Whatever their restart policy makes of their end.
  void StartThese(const Names& services) {
    Names ended;
    for (const std::string& service : services) {
      const ObservedContainer* last = nullptr;
      bool alone = true;
      for (const ObservedContainer* container : containers_) {
        if (container->service != service) continue;
        const bool exited = container->state == ContainerState::kExited;
        alone = alone && !container->IsUp() && (last == nullptr || !exited);
        if (exited) last = container;
      }
      // Of several the plan knows best.
      if (alone && last != nullptr) ended.insert(last->id);
    }
    Merge(record_.interrupted, ended);
  }

  Result<void> Restart() {
    LOCKSTEP_TRY(Names names, NamesAmong(services_, "service"));
    for (const std::string& service : record_.stopped) {
      if (names.erase(service) != 0 && !all()) {
        return MakeError(ErrorCode::kConflict, service + " was stopped by a person",
                         "start it with `lockstep start`");
      }
    }
    Names running;
    Names there;
    for (const ObservedContainer* container : containers_) {
      there.insert(container->id);
      if (container->IsUp() && names.contains(container->service)) running.insert(container->id);
    }
    std::erase_if(record_.restart, [&](const std::string& id) { return !there.contains(id); });
    Merge(record_.restart, running);
    if (!all()) StartThese(names);
    return Ok();
  }

  Result<void> Purge() {
    LOCKSTEP_TRY(const Names names, NamesAmong(volumes_, "volume"));
    Merge(record_.purge, names);
    return Ok();
  }

  Result<void> Remove() {
    if (!all()) {
      return MakeError(ErrorCode::kInvalidInput, "an app is removed as a whole",
                       "name no services, or stop them with `lockstep stop`");
    }
    if (target_ != nullptr) {
      return MakeError(ErrorCode::kConflict, "the target of this device names it",
                       "take it out of the target");
    }
    record_.remove = true;
    return Ok();
  }

  const AppRequest& request_;
  AppRecord record_;
  const TargetApp* target_;  // Null: the target does not name it.
  std::vector<const ObservedContainer*> containers_;
  Names services_;
  Names volumes_;
};

// Everything that a person may call an app, and the uuid that it means.
std::multimap<std::string, std::string, std::less<>> NamesOfApps(const ObservedState& observed,
                                                                 const Target& target) {
  std::multimap<std::string, std::string, std::less<>> names;
  const auto add = [&](const std::string& name, const std::string& uuid) {
    const auto [begin, end] = names.equal_range(name);
    const bool known = std::any_of(begin, end, [&](const auto& n) { return n.second == uuid; });
    if (!name.empty() && !uuid.empty() && !known) names.emplace(name, uuid);
  };
  const AppNames uuids(target);
  const auto see = [&](const auto& owned) {
    if (!owned.owned) return;
    add(uuids.Uuid(owned.app), uuids.Uuid(owned.app));
    add(owned.app_id, uuids.Uuid(owned.app));
  };
  for (const TargetApp& app : target.apps) {
    add(app.uuid, app.uuid);
    add(app.id, app.uuid);
    add(app.name, app.uuid);
  }
  for (const ObservedContainer& container : observed.engine.containers) see(container);
  for (const ObservedNetwork& network : observed.engine.networks) see(network);
  for (const ObservedVolume& volume : observed.engine.volumes) see(volume);
  for (const AppRecord& record : observed.apps) add(record.app, record.app);
  return names;
}

}  // namespace

LockHolder PausedByPerson(const std::string& app, const std::string& app_dir) {
  LockHolder pause;
  pause.app = app;
  pause.app_dir = app_dir;
  pause.kind = LockKind::kOther;
  pause.holder = "paused by a person";
  return pause;
}

Result<std::string> FindAppCalled(std::string_view name, const ObservedState& observed,
                                  const Target& target) {
  const auto names = NamesOfApps(observed, target);
  const auto [begin, end] = names.equal_range(name);
  if (begin == end) {
    Names known;
    for (const auto& [each, uuid] : names) known.insert(each);
    return NotKnown("there is no app", name, known);
  }
  // Its own uuid goes before another one's name.
  const auto own = std::find_if(begin, end, [&](const auto& n) { return n.second == name; });
  if (own != end) return own->second;
  if (std::next(begin) != end) {
    return MakeError(ErrorCode::kInvalidInput, "several apps are called " + std::string(name),
                     "give the uuid of the one that you mean");
  }
  return begin->second;
}

Result<AppRecord> RecordAfter(const AppRequest& request, const ObservedState& observed,
                              const Target& target) {
  const auto known = FindAppCalled(request.app, observed, target);
  if (!known || known.assume_value() != request.app) {
    return known ? Result<AppRecord>(MakeError(ErrorCode::kNotFound, "an app is named by its uuid"))
                 : Result<AppRecord>(known.assume_error());
  }
  auto record = Asked(request, observed, target).Answer();
  if (record) return record;
  return WithContext(std::move(record).assume_error(), "app " + request.app);
}

}  // namespace lockstep
