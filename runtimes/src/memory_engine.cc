#include "lockstep/runtimes/memory_engine.h"

#include <algorithm>
#include <utility>

#include "lockstep/image_reference.h"
#include "memory_impl.h"
#include "memory_rules.h"

namespace lockstep {

using memory::FindIf;
using memory::NoSuch;
using memory::Revives;

MemoryEngine::MemoryEngine(MemoryOptions options)
    : MemoryEngine(EngineState{}, std::move(options)) {}
MemoryEngine::MemoryEngine(EngineState initial, MemoryOptions options)
    : impl_(std::make_unique<Impl>(std::move(initial), std::move(options))) {}
MemoryEngine::~MemoryEngine() = default;

EngineState MemoryEngine::State() const {
  const std::lock_guard lock(impl_->mutex);
  ObservedState sorted;
  sorted.engine = impl_->engine;
  for (const Impl::Container& container : impl_->containers) {
    sorted.engine.containers.push_back(impl_->Report(container));
  }
  Sort(sorted);
  return std::move(sorted.engine);
}

void MemoryEngine::AddImage(const std::string& reference, MemoryImage image) {
  const std::lock_guard lock(impl_->mutex);
  impl_->registry.insert_or_assign(NormalizedReference(reference), std::move(image));
}

std::string MemoryEngine::AddContainer(ObservedContainer container) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Adopt(std::move(container)).seen.id;
}

bool MemoryEngine::SetHealth(const std::string& container, Health health) {
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* found = impl_->Find(container);
  if (found == nullptr) return false;
  found->seen.health = health;
  impl_->Emit(EngineEventKind::kHealth, found->seen);
  return true;
}

bool MemoryEngine::Exit(const std::string& container, int exit_code) {
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* found = impl_->Find(container);
  if (found == nullptr || !found->seen.IsUp()) return false;
  impl_->Die(*found, exit_code);
  if (Revives(*found->seen.restart_policy, exit_code, found->seen.restart_count)) {
    ++found->seen.restart_count;
    impl_->Run(*found);
  }
  return true;
}

bool MemoryEngine::Print(const std::string& container, std::string_view text) {
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* found = impl_->Find(container);
  if (found == nullptr) return false;
  found->output.Add(text);
  return true;
}

bool MemoryEngine::RunOutOfMemory(const std::string& container) {
  constexpr int kKilled = 128 + 9;
  if (!Exit(container, kKilled)) return false;
  const std::lock_guard lock(impl_->mutex);
  if (Impl::Container* found = impl_->Find(container)) found->out_of_memory = true;
  return true;
}

void MemoryEngine::PowerCut() {
  const std::lock_guard lock(impl_->mutex);
  for (Impl::Container& container : impl_->containers) {
    ObservedContainer& seen = container.seen;
    const bool was_up = seen.IsUp();
    const std::string& policy = *seen.restart_policy;
    if (was_up) {
      seen.state = ContainerState::kExited;
      seen.exit_code = 255;
    }
    // As Docker does: `always` comes back even if it was stopped by request, the others only if
    // they ran.
    const bool revive =
        was_up ? policy != "no" : policy == "always" && seen.state == ContainerState::kExited;
    if (revive && impl_->CanStart(container)) impl_->Run(container);
  }
  impl_->Emit(std::nullopt);
}

void MemoryEngine::FailNext(Call call, Error error) {
  const std::lock_guard lock(impl_->mutex);
  impl_->failures[static_cast<std::size_t>(call)].push_back(std::move(error));
}

void MemoryEngine::OnCall(std::function<void(Call, const std::string&)> hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->on_call = std::move(hook);
}

void MemoryEngine::SetLatency(std::function<std::chrono::milliseconds(Call)> latency) {
  const std::lock_guard lock(impl_->mutex);
  impl_->latency = std::move(latency);
}

int MemoryEngine::calls(Call call) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->counts[static_cast<std::size_t>(call)];
}

int MemoryEngine::total_calls() const {
  const std::lock_guard lock(impl_->mutex);
  int total = 0;
  for (const int count : impl_->counts) total += count;
  return total;
}

Result<EngineInfo> MemoryEngine::Describe(std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kDescribe, "", stop));
  const std::lock_guard lock(impl_->mutex);
  return impl_->engine.engine;
}

Result<EngineState> MemoryEngine::Observe(const ObserveRequest& request, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kObserve, "", stop));
  EngineState state = State();
  for (ObservedContainer& container : state.containers) {
    const bool known = std::binary_search(request.known_hashes.begin(), request.known_hashes.end(),
                                          container.config_hash) &&
                       !container.config_hash.empty();
    if (container.owned && (request.details_of_all || !known)) continue;
    // What an engine does not tell without a look into the container.
    container.spec.reset();
    const bool failed = container.state == ContainerState::kExited && container.exit_code != 0;
    if (container.owned && failed) continue;  // Looked into for its restarts.
    container.restart_policy.reset();
    container.started_at.reset();
    container.restart_count = 0;
    if (container.owned) continue;
    container.networks.reset();
    container.lock_dir.reset();
  }
  return state;
}

Result<void> MemoryEngine::CheckImage(const std::string& reference, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kCheckImage, reference, stop));
  const std::lock_guard lock(impl_->mutex);
  if (impl_->InRegistry(reference) != nullptr || impl_->options.pull_anything) return Ok();
  return MakeError(ErrorCode::kNotFound, "manifest for " + reference + " not found",
                   "check the image reference");
}

Result<std::string> MemoryEngine::PullImage(const PullRequest& request, ProgressSink& progress,
                                            std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kPullImage, request.reference, stop));
  std::unique_lock lock(impl_->mutex);
  const MemoryImage* found = impl_->InRegistry(request.reference);
  if (found == nullptr && !impl_->options.pull_anything) {
    return MakeError(ErrorCode::kNotFound, "manifest for " + request.reference + " not found",
                     "check the image reference");
  }
  const MemoryImage image = found == nullptr ? MemoryImage{} : *found;
  const std::string name = memory::WithTag(request.reference);
  const std::string id = memory::ImageId(name, image.content);
  lock.unlock();
  progress.OnProgress({0, image.size_bytes});
  lock.lock();
  if (!impl_->HasRoomFor(id, image.size_bytes)) {
    return MakeError(ErrorCode::kNoSpace, "no space left for " + request.reference,
                     "remove images, or give the engine a larger capacity");
  }
  impl_->sizes[id] = image.size_bytes;
  memory::Land(impl_->engine, name, image.content, image.labels);
  lock.unlock();
  progress.OnProgress({image.size_bytes, image.size_bytes});
  return id;
}

Result<std::string> MemoryEngine::CreateContainer(const ContainerSpec& spec, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kCreateContainer, spec.name, stop));
  const std::lock_guard lock(impl_->mutex);
  const ObservedImage* image = memory::FindImage(impl_->engine, spec.spec.image);
  if (image == nullptr) return NoSuch("image", spec.spec.image);
  Impl::Container made;
  made.seen = memory::Describe(spec, *image);
  for (const std::string& name : NetworksOf(spec.spec)) {
    const ObservedNetwork* network = impl_->FindNetwork(spec.app, name);
    if (network == nullptr) return NoSuch("network", name);
    made.networks[name] = network->id;
  }
  Impl::Container* same_name =
      FindIf(impl_->containers, [&](const Impl::Container& c) { return c.seen.name == spec.name; });
  if (same_name != nullptr) {
    const bool same = !made.seen.config_hash.empty() &&
                      same_name->seen.config_hash == made.seen.config_hash &&
                      same_name->seen.state == ContainerState::kCreated;
    if (!same) return MakeError(ErrorCode::kConflict, "the name " + spec.name + " is in use");
    same_name->networks = made.networks;
    return same_name->seen.id;
  }
  made.seen.id = impl_->NewId("container " + spec.name);
  made.seen.created_at = impl_->options.now();
  impl_->containers.push_back(made);
  impl_->Emit(EngineEventKind::kOther, made.seen);
  return made.seen.id;
}

Result<void> MemoryEngine::StartContainer(const std::string& id, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kStartContainer, id, stop));
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* container = impl_->Find(id);
  if (container == nullptr) return NoSuch("container", id);
  if (container->seen.IsUp()) return Ok();
  if (auto can = impl_->CanStart(*container); !can) {
    container->start_error = can.assume_error().message;
    return can;
  }
  container->seen.restart_count = 0;
  impl_->Run(*container);
  return Ok();
}

Result<void> MemoryEngine::StopContainer(const std::string& id, std::chrono::milliseconds,
                                         std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kStopContainer, id, stop));
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* container = impl_->Find(id);
  if (container == nullptr || !container->seen.IsUp()) return Ok();
  impl_->Die(*container, 0);
  return Ok();
}

Result<void> MemoryEngine::UpdateContainer(const std::string& id, const std::string& restart_policy,
                                           std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kUpdateContainer, id, stop));
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* container = impl_->Find(id);
  if (container == nullptr) return NoSuch("container", id);
  container->seen.restart_policy = restart_policy;
  return Ok();
}

Result<void> MemoryEngine::RenameContainer(const std::string& id, const std::string& name,
                                           std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kRenameContainer, id, stop));
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* container = impl_->Find(id);
  if (container == nullptr) return NoSuch("container", id);
  for (const Impl::Container& other : impl_->containers) {
    if (&other != container && other.seen.name == name) {
      return MakeError(ErrorCode::kConflict, "the name " + name + " is in use");
    }
  }
  container->seen.name = name;
  container->seen.commit = CommitOfName(name);
  impl_->Emit(EngineEventKind::kOther, container->seen);
  return Ok();
}

Result<void> MemoryEngine::RemoveContainer(const std::string& id, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kRemoveContainer, id, stop));
  const std::lock_guard lock(impl_->mutex);
  const Impl::Container* container = impl_->Find(id);
  if (container == nullptr) return Ok();
  if (container->seen.IsUp()) {
    return MakeError(ErrorCode::kConflict, "the container runs", "stop it first");
  }
  const ObservedContainer gone = container->seen;
  impl_->containers.remove_if([&](const Impl::Container& c) { return c.seen.id == id; });
  impl_->Emit(EngineEventKind::kRemoved, gone);
  return Ok();
}

Result<void> MemoryEngine::CreateNetwork(const NetworkSpec& spec, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kCreateNetwork, spec.name, stop));
  const std::lock_guard lock(impl_->mutex);
  if (const ObservedNetwork* old = impl_->FindNetwork(spec.app, spec.name)) {
    if (old->owned && old->config == spec.config) return Ok();
    return MakeError(ErrorCode::kConflict, "network " + spec.name + " already exists");
  }
  ObservedNetwork network;
  network.id = impl_->NewId("network " + spec.app + "_" + spec.name);
  network.name = spec.name;
  network.app = spec.app;
  network.app_id = spec.app_id;
  network.owned = true;
  network.config = spec.config;
  impl_->engine.networks.push_back(std::move(network));
  return Ok();
}

Result<void> MemoryEngine::ConnectNetwork(const std::string& container, const NetworkSpec& network,
                                          const Value&, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kConnectNetwork, container, stop));
  const std::lock_guard lock(impl_->mutex);
  Impl::Container* found = impl_->Find(container);
  if (found == nullptr) return NoSuch("container", container);
  const ObservedNetwork* to = impl_->FindNetwork(network.app, network.name);
  if (to == nullptr) return NoSuch("network", network.name);
  found->networks[network.name] = to->id;
  return Ok();
}

Result<void> MemoryEngine::RemoveNetwork(const NetworkSpec& network, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kRemoveNetwork, network.name, stop));
  const std::lock_guard lock(impl_->mutex);
  const ObservedNetwork* found = impl_->FindNetwork(network.app, network.name);
  if (found == nullptr || !found->owned) return Ok();
  for (const Impl::Container& container : impl_->containers) {
    if (container.seen.IsUp() && impl_->Attached(container, *found)) {
      return MakeError(ErrorCode::kConflict,
                       "network " + network.name + " is used by " + container.seen.name);
    }
  }
  std::erase_if(impl_->engine.networks, [&](const ObservedNetwork& n) { return &n == found; });
  return Ok();
}

Result<void> MemoryEngine::CreateVolume(const VolumeSpec& spec, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kCreateVolume, spec.name, stop));
  const std::lock_guard lock(impl_->mutex);
  for (const ObservedVolume& volume : impl_->engine.volumes) {
    if (volume.app == spec.app && volume.name == spec.name) return Ok();
  }
  ObservedVolume volume;
  volume.name = spec.name;
  volume.app = spec.app;
  volume.app_id = spec.app_id;
  volume.owned = true;
  volume.config = spec.config;
  impl_->engine.volumes.push_back(std::move(volume));
  return Ok();
}

Result<void> MemoryEngine::RemoveVolume(const VolumeSpec& volume, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kRemoveVolume, volume.name, stop));
  const std::lock_guard lock(impl_->mutex);
  for (const Impl::Container& container : impl_->containers) {
    if (container.seen.app != volume.app) continue;
    const auto used = VolumesOf(*container.seen.spec);
    if (std::find(used.begin(), used.end(), volume.name) != used.end()) {
      return MakeError(ErrorCode::kConflict,
                       "volume " + volume.name + " is used by " + container.seen.name);
    }
  }
  std::erase_if(impl_->engine.volumes, [&](const ObservedVolume& v) {
    return v.app == volume.app && v.name == volume.name;
  });
  return Ok();
}

Result<void> MemoryEngine::RemoveImage(const std::string& image_id, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kRemoveImage, image_id, stop));
  const std::lock_guard lock(impl_->mutex);
  for (const Impl::Container& container : impl_->containers) {
    if (container.seen.image_id == image_id) {
      return MakeError(ErrorCode::kConflict, "the image is used by " + container.seen.name);
    }
  }
  std::erase_if(impl_->engine.images, [&](const ObservedImage& i) { return i.id == image_id; });
  impl_->sizes.erase(image_id);
  return Ok();
}

Result<Findings> MemoryEngine::Examine(const std::string& id, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kExamine, id, stop));
  const std::lock_guard lock(impl_->mutex);
  const Impl::Container* container = impl_->Find(id);
  if (container == nullptr) return NoSuch("container", id);
  Findings findings;
  const ContainerState state = container->seen.state;
  findings.engine_error = container->start_error;
  const bool ended = state == ContainerState::kExited || state == ContainerState::kRestarting;
  if (ended && findings.engine_error.empty()) findings.exit_code = container->seen.exit_code;
  findings.out_of_memory = container->out_of_memory;
  findings.restarts = container->seen.restart_count;
  findings.last_lines = container->output.Lines();
  return findings;
}

Result<void> MemoryEngine::Watch(EventSink& sink, std::stop_token stop) {
  LOCKSTEP_TRYV(impl_->Enter(Call::kWatch, "", stop));
  Impl::Watcher watcher;
  watcher.queue.emplace_back(std::nullopt);
  std::unique_lock lock(impl_->mutex);
  impl_->watchers.push_back(&watcher);
  while (impl_->changed.wait(lock, stop, [&] { return !watcher.queue.empty(); })) {
    if (stop.stop_requested()) break;
    const std::optional<EngineEvent> event = std::move(watcher.queue.front());
    watcher.queue.pop_front();
    lock.unlock();
    event ? sink.OnEvent(*event) : sink.OnGap();
    lock.lock();
  }
  std::erase(impl_->watchers, &watcher);
  return MakeError(ErrorCode::kCancelled, "stopped");
}

}  // namespace lockstep
