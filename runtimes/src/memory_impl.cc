#include "memory_impl.h"

#include <utility>

#include "lockstep/image_reference.h"
#include "memory_rules.h"

namespace lockstep {
namespace {

using memory::FindIf;
using memory::NoSuch;

WallTime SystemNow() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

Error memory::NoSuch(std::string_view what, const std::string& name) {
  return MakeError(ErrorCode::kNotFound, "no such " + std::string(what) + ": " + name);
}

MemoryEngine::Impl::Impl(EngineState initial, MemoryOptions given) : options(std::move(given)) {
  if (!options.now) options.now = SystemNow;
  engine = std::move(initial);
  if (engine.engine.kind.empty()) engine.engine = {"memory", "1", "1.44"};
  for (ObservedContainer& seen : engine.containers) Adopt(std::move(seen));
  engine.containers.clear();
}

MemoryEngine::Impl::Container& MemoryEngine::Impl::Adopt(ObservedContainer seen) {
  if (seen.id.empty()) seen.id = NewId("container " + seen.name);
  if (seen.app.empty()) {
    const ContainerIdentity identity = IdentityOf(seen.labels, {});
    seen.app = identity.app;
    seen.app_id = identity.app_id;
    seen.service = identity.service;
    seen.owned = identity.owned;
  }
  if (!seen.spec) seen.spec.emplace();
  if (!seen.restart_policy) seen.restart_policy = RestartPolicyOf(*seen.spec);
  if (!seen.lock_dir) seen.lock_dir.emplace();
  Container container;
  for (const std::string& name : seen.networks.value_or(std::vector<std::string>{})) {
    const ObservedNetwork* network = FindNetwork(seen.app, name);
    container.networks[name] = network == nullptr ? std::string() : network->id;
  }
  container.seen = std::move(seen);
  return containers.emplace_back(std::move(container));
}

std::string MemoryEngine::Impl::NewId(const std::string& what) {
  return memory::HexId(what + " #" + std::to_string(++made) + " " +
                       std::to_string(options.now().time_since_epoch().count()));
}

MemoryEngine::Impl::Container* MemoryEngine::Impl::Find(const std::string& id) {
  return FindIf(containers, [&](const Container& c) { return c.seen.id == id; });
}

ObservedNetwork* MemoryEngine::Impl::FindNetwork(const std::string& app, const std::string& name) {
  return FindIf(engine.networks,
                [&](const ObservedNetwork& n) { return n.app == app && n.name == name; });
}

bool MemoryEngine::Impl::Attached(const Container& container,
                                  const ObservedNetwork& network) const {
  const auto it = container.networks.find(network.name);
  return container.seen.app == network.app && it != container.networks.end() &&
         it->second == network.id;
}

ObservedContainer MemoryEngine::Impl::Report(const Container& container) {
  ObservedContainer seen = container.seen;
  seen.networks.emplace();
  for (const auto& [name, id] : container.networks) {
    const ObservedNetwork* network = FindNetwork(seen.app, name);
    if (network != nullptr && network->id == id) seen.networks->push_back(name);
  }
  return seen;
}

void MemoryEngine::Impl::Emit(std::optional<EngineEvent> event) {
  for (Watcher* watcher : watchers) watcher->queue.push_back(event);
  changed.notify_all();
}
void MemoryEngine::Impl::Emit(EngineEventKind kind, const ObservedContainer& container) {
  EngineEvent event;
  event.kind = kind;
  if (kind != EngineEventKind::kOther) event.container = container.id;
  if (kind == EngineEventKind::kDied) event.exit_code = container.exit_code;
  if (kind == EngineEventKind::kHealth) event.health = container.health;
  Emit(event);
}

Result<void> MemoryEngine::Impl::CanStart(const Container& container) {
  for (const auto& [name, id] : container.networks) {
    const ObservedNetwork* network = FindNetwork(container.seen.app, name);
    if (network == nullptr || network->id != id) return NoSuch("network", name);
  }
  for (const Container& other : containers) {
    if (&other == &container || !other.seen.IsUp()) continue;
    if (const auto port = memory::SharedPort(*container.seen.spec, *other.seen.spec)) {
      return MakeError(ErrorCode::kConflict,
                       "port " + *port + " is already allocated by " + other.seen.name);
    }
  }
  return Ok();
}

void MemoryEngine::Impl::Run(Container& container) {
  ObservedContainer& seen = container.seen;
  seen.state = ContainerState::kRunning;
  seen.exit_code = 0;
  seen.started_at = options.now();
  container.out_of_memory = false;
  container.start_error.clear();
  seen.health = HasHealthCheck(*seen.spec) ? options.health_at_start : Health::kNone;
  Emit(EngineEventKind::kStarted, seen);
  const MemoryImage* image = InRegistry(seen.image);
  if (image != nullptr) container.output.Add(image->output);
  if (image != nullptr && image->exit_code) {
    Die(container, *image->exit_code);
    // One that ends at once would do so for ever: it is shown between two attempts.
    if (memory::Revives(*seen.restart_policy, seen.exit_code, seen.restart_count)) {
      seen.state = ContainerState::kRestarting;
      ++seen.restart_count;
    }
  }
}

void MemoryEngine::Impl::Die(Container& container, int exit_code) {
  container.seen.state = ContainerState::kExited;
  container.seen.exit_code = exit_code;
  Emit(EngineEventKind::kDied, container.seen);
}

bool MemoryEngine::Impl::HasRoomFor(const std::string& image_id, std::int64_t bytes) const {
  if (!options.capacity_bytes || sizes.contains(image_id)) return true;
  std::int64_t used = 0;
  for (const auto& [id, size] : sizes) used += size;
  return bytes <= *options.capacity_bytes - used;
}

const MemoryImage* MemoryEngine::Impl::InRegistry(const std::string& reference) const {
  const auto it = registry.find(NormalizedReference(reference));
  return it == registry.end() ? nullptr : &it->second;
}

Result<void> MemoryEngine::Impl::Enter(Call call, const std::string& subject,
                                       const std::stop_token& stop) {
  const auto index = static_cast<std::size_t>(call);
  std::function<void(Call, const std::string&)> hook;
  std::chrono::milliseconds delay{0};
  {
    const std::lock_guard lock(mutex);
    ++counts[index];
    hook = on_call;
    if (latency) delay = latency(call);
  }
  if (hook) hook(call, subject);
  std::unique_lock lock(mutex);
  if (delay.count() > 0) paced.wait_for(lock, stop, delay, [] { return false; });
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
  auto& queue = failures[index];
  if (queue.empty()) return Ok();
  Error error = std::move(queue.front());
  queue.pop_front();
  return error;
}

}  // namespace lockstep
