#include "step_runner.h"

#include <utility>

#include "lockstep/explain.h"

namespace lockstep {
namespace {

RebootRecord Without(const ConfigChanges& changes, RebootRecord record) {
  for (const auto& [key, value] : changes) record.changes.erase(key);
  if (record.changes.empty()) record.boot_id.clear();
  return record;
}

// Ambient variables name the places that are usual; a lock scheme of its own may have others.
void TellPlaces(const LockPaths& paths, std::map<std::string, std::string>& environment) {
  if (paths.container_dirs.empty() || paths.files.empty()) return;
  const std::string& directory = paths.container_dirs.front();
  const std::string& file = paths.files.front();
  const std::string lock = directory + "/" + file.substr(file.rfind('/') + 1);
  const std::string handover = directory + "/handover-complete";
  for (const std::string prefix : {"BALENA_", "RESIN_"}) {
    const auto tell = [&](const char* name, const std::string& value) {
      const auto told = environment.find(prefix + name);
      if (told != environment.end()) told->second = value;
    };
    tell("APP_LOCK_PATH", lock);
    tell("SERVICE_HANDOVER_COMPLETE_PATH", handover);
    tell("SERVICE_KILL_ME_PATH", handover);
  }
}

}  // namespace

// One overload for each kind of request.
struct StepRunner::Performer {
  StepRunner& runner;
  const Ports& ports;
  const Step& step;
  ProgressSink& progress;
  std::stop_token stop;

  static StepResult Held(std::vector<LockHolder> holders) {
    StepResult result;
    result.holders = std::move(holders);
    return result;
  }

  static StepResult Made(std::string id) {
    StepResult result;
    result.id = std::move(id);
    return result;
  }

  static Result<StepResult> Done(Result<void> result) {
    LOCKSTEP_TRYV(std::move(result));
    return StepResult{};
  }

  Result<StepResult> Remember(const AppRecord& record) const {
    return Done(record.empty() ? ports.store.EraseApp(step.app) : ports.store.PutApp(record));
  }

  Result<StepResult> operator()(const CheckImageRequest& request) const {
    return Done(ports.runtime.CheckImage(request.reference, stop));
  }

  Result<StepResult> operator()(const PullImageRequest& request) const {
    LOCKSTEP_TRY(std::string id, ports.runtime.PullImage({request.reference}, progress, stop));
    return Made(std::move(id));
  }

  Result<StepResult> operator()(const CreateContainerRequest& request) const {
    const std::vector<ServiceRef> service = {request.service};
    LOCKSTEP_TRYV(ports.locks.Prepare(service));
    LOCKSTEP_TRY(const LockPaths paths, ports.locks.Resolve(request.service));
    ContainerSpec spec = request.spec;
    for (const std::string& dir : paths.container_dirs) {
      spec.binds.push_back({paths.engine_dir, dir});
    }
    TellPlaces(paths, spec.environment);
    LOCKSTEP_TRY(std::string id, ports.runtime.CreateContainer(spec, stop));
    return Made(std::move(id));
  }

  Result<StepResult> operator()(const StartContainerRequest& request) const {
    if (request.clear_handover) {
      LOCKSTEP_TRYV(ports.locks.ClearHandOver(*request.clear_handover));
    }
    return Done(ports.runtime.StartContainer(request.container, stop));
  }

  Result<StepResult> operator()(const StopContainerRequest& request) const {
    // An app may have removed our lock (`rm -f` at its start), or taken one in its place.
    LOCKSTEP_TRY(std::vector<LockHolder> holders, runner.Reassert(step.app));
    if (!holders.empty()) return Held(std::move(holders));
    return Done(ports.runtime.StopContainer(request.container, request.grace, stop));
  }

  Result<StepResult> operator()(const UpdateContainerRequest& request) const {
    if (!request.remember.empty()) {
      LOCKSTEP_TRYV(ports.store.PutSavedRestart(request.container, request.remember));
    }
    return Done(ports.runtime.UpdateContainer(request.container, request.restart_policy, stop));
  }

  Result<StepResult> operator()(const RenameContainerRequest& request) const {
    return Done(ports.runtime.RenameContainer(request.container, request.name, stop));
  }

  Result<StepResult> operator()(const RemoveContainerRequest& request) const {
    LOCKSTEP_TRYV(ports.runtime.RemoveContainer(request.container, stop));
    LOCKSTEP_TRYV(ports.store.EraseSavedRestart(request.container));
    if (request.record) {
      LOCKSTEP_TRYV(Remember(*request.record));
    }
    return request.forget ? Done(ports.locks.Forget(*request.forget)) : StepResult{};
  }

  Result<StepResult> operator()(const CreateNetworkRequest& request) const {
    return Done(ports.runtime.CreateNetwork(request.network, stop));
  }

  Result<StepResult> operator()(const RemoveNetworkRequest& request) const {
    return Done(ports.runtime.RemoveNetwork(request.network, stop));
  }

  Result<StepResult> operator()(const ConnectNetworkRequest& request) const {
    return Done(
        ports.runtime.ConnectNetwork(request.container, request.network, request.endpoint, stop));
  }

  Result<StepResult> operator()(const CreateVolumeRequest& request) const {
    return Done(ports.runtime.CreateVolume(request.volume, stop));
  }

  Result<StepResult> operator()(const PurgeVolumeRequest& request) const {
    LOCKSTEP_TRYV(ports.runtime.RemoveVolume(request.volume, stop));
    return Remember(request.record);
  }

  Result<StepResult> operator()(const AwaitHandoverRequest& request) const {
    // In time or not: the old container stops now.
    LOCKSTEP_TRYV(ports.locks.AwaitHandOver(request.service, request.timeout, stop));
    return StepResult{};
  }

  Result<StepResult> operator()(const RemoveImageRequest& request) const {
    auto removed = ports.runtime.RemoveImage(request.image_id, stop);
    // In use by others after all: then it is theirs.
    if (!removed && removed.assume_error().code != ErrorCode::kConflict) {
      return std::move(removed).as_failure();
    }
    return Remember(request.record);
  }

  Result<StepResult> operator()(const TakeLocksRequest& request) const {
    std::vector<LockSet> taken;
    StepResult result;
    const auto take = [&](const std::vector<ServiceRef>& services,
                          LockMode mode) -> Result<std::vector<LockHolder>> {
      if (services.empty()) return std::vector<LockHolder>{};
      LOCKSTEP_TRY(LockOutcome outcome, ports.locks.TakeAll(services, mode));
      if (auto* held = std::get_if<LockHeld>(&outcome)) return std::move(held->holders);
      auto& got = *std::get_if<LockTaken>(&outcome);
      taken.push_back(std::move(got.locks));
      result.overridden = std::move(got.overridden);
      return std::vector<LockHolder>{};
    };
    LOCKSTEP_TRY(std::vector<LockHolder> holders, take(request.services, LockMode::kRespect));
    if (!holders.empty()) return Held(std::move(holders));
    LOCKSTEP_TRY(holders, take(request.forced, LockMode::kForce));
    if (!holders.empty()) return Held(std::move(holders));
    // Before the first disruptive step, so that a crash in the middle is known for what it is.
    if (request.record) {
      LOCKSTEP_TRYV(ports.store.PutApp(*request.record));
    }
    runner.Keep(step.app, std::move(taken), request.record ? For::kCutover : For::kReboot);
    return result;
  }

  Result<StepResult> operator()(const ReleaseLocksRequest&) const {
    return Done(runner.Drop(step.app));
  }

  Result<StepResult> operator()(const CommitReleaseRequest& request) const {
    // First, so that they never lag behind the release that the record tells.
    if (request.specs) {
      LOCKSTEP_TRYV(ports.store.PutSpecs(step.app, *request.specs));
    }
    return Remember(request.record);
  }

  Result<StepResult> operator()(const DeleteLockRequest& request) const {
    const std::vector<ServiceRef> service = {request.service};
    LOCKSTEP_TRY(LockOutcome outcome, ports.locks.TakeAll(service, LockMode::kForce));
    StepResult result;
    auto* taken = std::get_if<LockTaken>(&outcome);
    if (taken == nullptr) return result;  // A span has them: then no app does.
    LOCKSTEP_TRYV(taken->locks.Release());
    result.overridden = std::move(taken->overridden);
    return result;
  }

  Result<StepResult> operator()(const WriteConfigRequest& request) const {
    if (request.backend.empty()) return Done(ports.store.PutSetting(request.key, request.value));
    if (request.record) {
      LOCKSTEP_TRY(std::vector<LockHolder> holders, runner.ReassertAll(request.locked));
      if (!holders.empty()) return Held(std::move(holders));
      LOCKSTEP_TRYV(ports.store.PutReboot(*request.record));
    }
    if (auto written = ports.config.Write(request.backend, request.changes); !written) {
      if (request.record) {  // All is as it was: there is nothing to reboot for.
        LOCKSTEP_TRYV(ports.store.PutReboot(Without(request.changes, *request.record)));
      }
      return std::move(written).as_failure();
    }
    return Done(ports.store.PutConfigKeys(request.changes));
  }

  Result<StepResult> operator()(const RebootRequest& request) const {
    LOCKSTEP_TRY(std::vector<LockHolder> holders, runner.ReassertAll(request.locked));
    if (!holders.empty()) return Held(std::move(holders));
    LOCKSTEP_TRYV(ports.store.PutReboot(request.record));
    auto answer = ports.host.Reboot();
    StepResult result;
    // Not heard: it may go down all the same.
    if (!answer && answer.assume_error().code == ErrorCode::kDeadlineExceeded) return result;
    result.left_to_others = answer && answer.assume_value() == PowerAnswer::kLeftToOthers;
    if (!answer || result.left_to_others) {  // None after all: it does not count.
      RebootRecord record = request.record;
      --record.reboots;
      LOCKSTEP_TRYV(ports.store.PutReboot(record));
    }
    LOCKSTEP_TRYV(std::move(answer));
    return result;
  }

  Result<StepResult> operator()(const AwaitRequest&) const {
    return MakeError(ErrorCode::kInternal, "a wait is not for a runner to perform");
  }
};

Result<StepResult> StepRunner::Run(const Step& step, const StepRequest& request,
                                   ProgressSink& progress, std::stop_token stop) {
  auto result = std::visit(Performer{*this, ports_, step, progress, std::move(stop)}, request);
  if (!result) return WithContext(std::move(result).assume_error(), Explain(step));
  return result;
}

Result<bool> StepRunner::Adopt(const std::string& app, const std::vector<ServiceRef>& services,
                               For purpose) {
  LOCKSTEP_TRY(LockOutcome outcome, ports_.locks.TakeAll(services, LockMode::kRespect));
  auto* taken = std::get_if<LockTaken>(&outcome);
  if (taken == nullptr) return false;
  std::vector<LockSet> locks;
  locks.push_back(std::move(taken->locks));
  Keep(app, std::move(locks), purpose);
  return true;
}

void StepRunner::Abandon() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [app, span] : spans_) {
    const std::scoped_lock own(span->mutex);
    for (LockSet& locks : span->locks) locks.Abandon();
  }
  spans_.clear();
}

std::vector<std::string> StepRunner::Spans(For purpose) {
  std::vector<std::string> apps;
  const std::scoped_lock lock(mutex_);
  for (const auto& [app, span] : spans_) {
    const std::scoped_lock own(span->mutex);
    if (span->purpose == purpose && span->lost_to.empty()) apps.push_back(app);
  }
  return apps;
}

std::shared_ptr<StepRunner::Span> StepRunner::FindSpan(const std::string& app) const {
  const std::scoped_lock lock(mutex_);
  const auto it = spans_.find(app);
  return it == spans_.end() ? nullptr : it->second;
}

void StepRunner::Keep(const std::string& app, std::vector<LockSet> locks, For purpose) {
  auto span = std::make_shared<Span>();
  span->purpose = purpose;
  span->locks = std::move(locks);
  const std::scoped_lock lock(mutex_);
  spans_[app] = std::move(span);
}

Result<void> StepRunner::Drop(const std::string& app) {
  std::shared_ptr<Span> span;
  {
    const std::scoped_lock lock(mutex_);
    const auto it = spans_.find(app);
    if (it == spans_.end()) return Ok();
    span = std::move(it->second);
    spans_.erase(it);
  }
  const std::scoped_lock lock(span->mutex);
  Result<void> first = Ok();
  for (LockSet& locks : span->locks) {
    auto released = locks.Release();
    if (!released && first) first = std::move(released);
  }
  span->locks.clear();
  return first;
}

// The holders of locks that an app took from us; the rest is given back then, and whoever asks
// after that hears the same: two stops may be under way.
Result<std::vector<LockHolder>> StepRunner::Reassert(const std::string& app) {
  const auto span = FindSpan(app);
  if (span == nullptr) {
    return MakeError(ErrorCode::kInternal, "a disruptive step outside the app's locks");
  }
  const std::scoped_lock lock(span->mutex);
  if (!span->lost_to.empty()) return span->lost_to;
  std::vector<LockHolder> holders;
  for (LockSet& locks : span->locks) {
    LOCKSTEP_TRY(std::vector<LockHolder> taken, locks.Reassert());
    holders.insert(holders.end(), taken.begin(), taken.end());
  }
  if (holders.empty()) return holders;
  span->lost_to = holders;
  for (LockSet& locks : span->locks) {
    LOCKSTEP_TRYV(locks.Release());
  }
  span->locks.clear();
  return holders;
}

// Also of those that were lost meanwhile: whoever asks hears of it.
Result<std::vector<LockHolder>> StepRunner::ReassertAll(const std::vector<std::string>& apps) {
  std::vector<LockHolder> all;
  for (const std::string& app : apps) {
    LOCKSTEP_TRY(std::vector<LockHolder> holders, Reassert(app));
    all.insert(all.end(), holders.begin(), holders.end());
  }
  return all;
}

}  // namespace lockstep
