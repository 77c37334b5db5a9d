#include "process_runtime.h"

#include <lockstep/clock.h>
#include <lockstep/output_tail.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>
#include <vector>

#include "refused.h"

namespace custom {

namespace fs = std::filesystem;
using namespace lockstep;

namespace {

Error NoSuch(const std::string& what, const std::string& name) {
  return MakeError(ErrorCode::kNotFound, "no such " + what + ": " + name);
}

Error Stopped() { return MakeError(ErrorCode::kCancelled, "stopped"); }

WallTime Now() { return SystemClock().Now(); }

std::string NewId() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

// A published port is "[ip]:host port:container port/protocol": what it claims of the machine.
std::set<std::string> ClaimsOf(const ServiceSpec& spec) {
  std::set<std::string> claims;
  const Value* ports = spec.Find(Field::kPorts);
  if (ports == nullptr || ports->AsList() == nullptr) return claims;
  for (const Value& port : *ports->AsList()) {
    const std::string text = port.AsString() != nullptr ? *port.AsString() : std::string();
    const std::size_t end = text.rfind(':');
    if (end != text.npos) claims.insert(text.substr(0, end) + text.substr(text.find('/')));
  }
  return claims;
}

std::vector<std::string> ArgumentsOf(const ServiceSpec& spec) {
  std::vector<std::string> arguments;
  const Value* command = spec.Find(Field::kCommand);
  if (command == nullptr || command->AsList() == nullptr) return arguments;
  for (const Value& word : *command->AsList()) {
    if (word.AsString() != nullptr) arguments.push_back(*word.AsString());
  }
  return arguments;
}

}  // namespace

Result<std::unique_ptr<ProcessRuntime>> ProcessRuntime::Open(const std::string& registry,
                                                             const std::string& directory) {
  std::error_code error;
  for (const char* part : {"/containers", "/programs", "/volumes"}) {
    fs::create_directories(directory + part, error);
    if (error) return Refused("make " + directory, error.value());
  }
  LOCKSTEP_TRY(Books books, ReadBooks(directory + "/books.json"));
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return Refused("make an eventfd", errno);
  return std::unique_ptr<ProcessRuntime>(
      new ProcessRuntime(registry, directory, std::move(books), wake));
}

ProcessRuntime::ProcessRuntime(const std::string& registry, std::string directory, Books books,
                               int wake)
    : directory_(std::move(directory)),
      programs_(registry, directory_ + "/programs"),
      books_(std::move(books)),
      wake_(wake) {
  FindProcesses();
  supervisor_ = std::jthread([this](const std::stop_token& stop) { Supervise(stop); });
}

ProcessRuntime::~ProcessRuntime() {
  supervisor_.request_stop();
  supervisor_.join();
  close(wake_);
}

void ProcessRuntime::FindProcesses() {
  for (auto& [id, container] : books_.containers) {
    if (!container.seen.IsUp()) continue;
    if (auto process = Process::Find(container.process)) {
      processes_.emplace(id, std::move(process).assume_value());
    } else {
      HasEnded(container, 255);  // While no agent was there to hear its code.
    }
  }
}

void ProcessRuntime::Supervise(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { Wake(); });
  while (!stop.stop_requested()) {
    std::vector<pollfd> wait = {{wake_, POLLIN, 0}};
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& [id, process] : processes_) wait.push_back({process.fd(), POLLIN, 0});
    }
    (void)poll(wait.data(), wait.size(), -1);
    eventfd_t ignored = 0;
    (void)eventfd_read(wake_, &ignored);
    const std::scoped_lock lock(mutex_);
    bool ended = false;
    for (auto entry = processes_.begin(); entry != processes_.end();) {
      if (!entry->second.HasEnded()) {
        ++entry;
        continue;
      }
      HasEnded(books_.containers.at(entry->first), entry->second.ExitCode());
      entry = processes_.erase(entry);
      ended = true;
    }
    // Where that fails the next agent finds out by itself that they have ended.
    if (ended) (void)Save();
  }
}

void ProcessRuntime::Wake() const { (void)eventfd_write(wake_, 1); }

void ProcessRuntime::HasEnded(Container& container, int exit_code) {
  container.seen.state = ContainerState::kExited;
  container.seen.exit_code = exit_code;
  container.process.clear();
  Tell(EngineEventKind::kDied, container);
}

void ProcessRuntime::Tell(EngineEventKind kind, const Container& container) {
  EngineEvent event;
  event.kind = kind;
  if (kind != EngineEventKind::kOther) event.container = container.seen.id;
  if (kind == EngineEventKind::kDied) event.exit_code = container.seen.exit_code;
  for (Events* events : watchers_) events->push_back(event);
  changed_.notify_all();
}

Result<void> ProcessRuntime::Watch(EventSink& sink, std::stop_token stop) {
  Events events = {std::nullopt};
  std::unique_lock lock(mutex_);
  watchers_.insert(&events);
  while (changed_.wait(lock, stop, [&] { return !events.empty(); }) && !stop.stop_requested()) {
    const auto event = events.front();
    events.pop_front();
    lock.unlock();
    event ? sink.OnEvent(*event) : sink.OnGap();
    lock.lock();
  }
  watchers_.erase(&events);
  return Stopped();
}

Container* ProcessRuntime::Find(const std::string& id) {
  const auto found = books_.containers.find(id);
  return found == books_.containers.end() ? nullptr : &found->second;
}

std::string ProcessRuntime::HomeOf(const std::string& id) const {
  return directory_ + "/containers/" + id;
}

Result<void> ProcessRuntime::Save() const { return WriteBooks(directory_ + "/books.json", books_); }

Result<EngineInfo> ProcessRuntime::Describe(std::stop_token) {
  return EngineInfo{"process", "1", "", ""};
}

Result<EngineState> ProcessRuntime::Observe(const ObserveRequest& request, std::stop_token stop) {
  if (stop.stop_requested()) return Stopped();
  const std::scoped_lock lock(mutex_);
  ObservedState all;
  all.engine.engine = {"process", "1", "", ""};
  all.engine.images = programs_.List();
  all.engine.networks = books_.networks;
  all.engine.volumes = books_.volumes;
  for (const auto& [id, container] : books_.containers) {
    ObservedContainer seen = container.seen;
    seen.networks.emplace();
    for (const ObservedNetwork& network : books_.networks) {
      if (IsAttached(container, network)) seen.networks->push_back(network.name);
    }
    std::sort(seen.networks->begin(), seen.networks->end());
    // Details cost nothing here, but who knows a hash has no use for them.
    const auto& known = request.known_hashes;
    if (!request.details_of_all &&
        std::binary_search(known.begin(), known.end(), seen.config_hash)) {
      seen.spec.reset();
      seen.restart_policy.reset();
    }
    all.engine.containers.push_back(std::move(seen));
  }
  Sort(all);
  return std::move(all.engine);
}

Result<void> ProcessRuntime::CheckImage(const std::string& reference, std::stop_token) {
  return programs_.Check(reference);
}

Result<std::string> ProcessRuntime::PullImage(const PullRequest& request, ProgressSink& progress,
                                              std::stop_token stop) {
  if (stop.stop_requested()) return Stopped();
  return programs_.Pull(request.reference, progress, stop);
}

Result<void> ProcessRuntime::RemoveImage(const std::string& image_id, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, container] : books_.containers) {
    if (container.seen.image_id != image_id) continue;
    return MakeError(ErrorCode::kConflict, "the program is used by " + container.seen.name);
  }
  return programs_.Remove(image_id);
}

Result<std::string> ProcessRuntime::CreateContainer(const ContainerSpec& spec, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  const auto program = programs_.Find(spec.spec.image);
  if (!program) return NoSuch("program", spec.spec.image);
  Container made;
  ObservedContainer& seen = made.seen;
  seen.id = NewId();
  seen.name = spec.name;
  seen.image = spec.spec.image;
  seen.image_id = program->id;
  seen.created_at = Now();
  seen.labels = spec.labels;
  seen.labels.insert(spec.spec.labels.begin(), spec.spec.labels.end());
  seen.spec = spec.spec;
  seen.spec->other_fields.clear();
  seen.restart_policy = RestartPolicyOf(spec.spec);
  seen.lock_dir = spec.binds.empty() ? std::string() : spec.binds.front().host_path;
  Recognise(seen);
  made.environment = spec.spec.environment;
  made.environment.insert(spec.environment.begin(), spec.environment.end());
  made.environment.emplace("LOCK_DIR", *seen.lock_dir);
  const char* path = std::getenv("PATH");
  made.environment.emplace("PATH", path != nullptr ? path : "/usr/bin:/bin");
  for (const std::string& volume : VolumesOf(spec.spec)) {
    made.environment.emplace("VOLUME_" + volume, DirectoryOf({spec.app, "", volume, {}}));
  }
  for (const std::string& name : NetworksOf(spec.spec)) {
    const ObservedNetwork* network = FindNetwork(spec.app, name);
    if (network == nullptr) return NoSuch("network", name);
    made.networks[name] = network->id;
  }
  for (auto& [id, other] : books_.containers) {
    if (other.seen.name != spec.name) continue;
    if (other.seen.state == ContainerState::kCreated && !seen.config_hash.empty() &&
        other.seen.config_hash == seen.config_hash) {
      return id;
    }
    return MakeError(ErrorCode::kConflict, "the name " + spec.name + " is in use");
  }
  std::error_code error;
  fs::create_directory(HomeOf(seen.id), error);
  // A name of its own: the program stays what it was, whatever becomes of the image.
  if (!error) fs::create_hard_link(program->file, HomeOf(seen.id) + "/program", error);
  if (error) return Refused("make container " + spec.name, error.value());
  const std::string id = seen.id;
  books_.containers.emplace(id, std::move(made));
  Tell(EngineEventKind::kOther, books_.containers.at(id));
  LOCKSTEP_TRYV(Save());
  return id;
}

Result<void> ProcessRuntime::MayStart(const Container& container) {
  const ObservedContainer& seen = container.seen;
  for (const auto& [name, id] : container.networks) {
    const ObservedNetwork* network = FindNetwork(seen.app, name);
    if (network == nullptr || network->id != id) return NoSuch("network", name);
  }
  const auto claims = ClaimsOf(*seen.spec);
  for (const auto& [id, other] : books_.containers) {
    if (!other.seen.IsUp()) continue;
    for (const std::string& claim : ClaimsOf(*other.seen.spec)) {
      if (!claims.contains(claim)) continue;
      return MakeError(ErrorCode::kConflict, "port " + claim + " is taken by " + other.seen.name);
    }
  }
  return Ok();
}

Result<void> ProcessRuntime::StartContainer(const std::string& id, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  Container* container = Find(id);
  if (container == nullptr) return NoSuch("container", id);
  ObservedContainer& seen = container->seen;
  if (seen.IsUp()) return Ok();
  LOCKSTEP_TRYV(MayStart(*container));
  LOCKSTEP_TRY(Process process, Process::Start({HomeOf(id) + "/program", ArgumentsOf(*seen.spec),
                                                container->environment, HomeOf(id)}));
  container->process = process.identity();
  seen.state = ContainerState::kRunning;
  seen.exit_code = 0;
  // Later than the last time, also where that was in this millisecond, or the clock was set back.
  seen.started_at = std::max(Now(), seen.started_at.value_or(WallTime()) + WallTime::duration(1));
  processes_.emplace(id, std::move(process));
  Wake();
  Tell(EngineEventKind::kStarted, *container);
  return Save();
}

Result<void> ProcessRuntime::StopContainer(const std::string& id, std::chrono::milliseconds grace,
                                           std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto has_ended = [&] { return !processes_.contains(id); };
  constexpr std::chrono::milliseconds after_kill = std::chrono::seconds(10);
  for (const auto& [signal, patience] :
       {std::pair(SIGTERM, grace), std::pair(SIGKILL, after_kill)}) {
    if (has_ended()) return Ok();
    processes_.at(id).Signal(signal);
    if (changed_.wait_for(lock, stop, patience, has_ended)) return Ok();
    if (stop.stop_requested()) return Stopped();
  }
  return MakeError(ErrorCode::kDeadlineExceeded, "it runs on, although it was killed");
}

Result<void> ProcessRuntime::UpdateContainer(const std::string& id,
                                             const std::string& restart_policy, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  Container* container = Find(id);
  if (container == nullptr) return NoSuch("container", id);
  container->seen.restart_policy = restart_policy;
  return Save();
}

Result<void> ProcessRuntime::RenameContainer(const std::string& id, const std::string& name,
                                             std::stop_token) {
  const std::scoped_lock lock(mutex_);
  Container* container = Find(id);
  if (container == nullptr) return NoSuch("container", id);
  for (const auto& [other_id, other] : books_.containers) {
    if (other_id == id || other.seen.name != name) continue;
    return MakeError(ErrorCode::kConflict, "the name " + name + " is in use");
  }
  container->seen.name = name;
  Recognise(container->seen);
  Tell(EngineEventKind::kOther, *container);
  return Save();
}

Result<void> ProcessRuntime::RemoveContainer(const std::string& id, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  Container* container = Find(id);
  if (container == nullptr) return Ok();
  if (container->seen.IsUp()) {
    return MakeError(ErrorCode::kConflict, "the container runs", "stop it first");
  }
  std::error_code error;
  fs::remove_all(HomeOf(id), error);
  if (error) return Refused("remove container " + id, error.value());
  Tell(EngineEventKind::kRemoved, *container);
  books_.containers.erase(id);
  return Save();
}

Result<Findings> ProcessRuntime::Examine(const std::string& id, std::stop_token) {
  const std::scoped_lock lock(mutex_);
  const Container* container = Find(id);
  if (container == nullptr) return NoSuch("container", id);
  Findings findings;
  if (container->seen.state == ContainerState::kExited) {
    findings.exit_code = container->seen.exit_code;
  }
  std::ifstream output(HomeOf(id) + "/output", std::ios::binary | std::ios::ate);
  const auto size = output ? static_cast<std::streamoff>(output.tellg()) : 0;
  std::string end(std::min<std::size_t>(static_cast<std::size_t>(size), 8192), '\0');
  output.seekg(size - static_cast<std::streamoff>(end.size()));
  output.read(end.data(), static_cast<std::streamsize>(end.size()));
  OutputTail tail;
  tail.Add(end);
  findings.last_lines = tail.Lines();
  return findings;
}

}  // namespace custom
