#include "lockstep/runtimes/docker_engine.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "api_needs.h"
#include "create_request.h"
#include "delta_pull.h"
#include "engine_api.h"
#include "engine_names.h"
#include "event_watch.h"
#include "examination.h"
#include "image_calls.h"
#include "lost_containers.h"
#include "network_calls.h"
#include "observer.h"
#include "pause.h"
#include "pull_stream.h"
#include "pull_watch.h"
#include "resources.h"

namespace lockstep {
namespace docker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopMargin{10'000};
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};

class DockerEngine final : public RuntimeBackend {
 public:
  DockerEngine(EngineAddress address, const DockerOptions& options)
      : api_(std::move(address), options), observer_(api_, networks_) {}

  Result<EngineInfo> Describe(std::stop_token stop) override { return api_.Describe(stop); }
  Result<EngineState> Observe(const ObserveRequest& request, std::stop_token stop) override {
    auto state = observer_.Observe(request, stop);
    const auto runs = [&](const std::string& id) { return EngineSaysItRuns(id, stop); };
    if (state) lost_.Mark(state.assume_value().containers, runs, clock_, stop);
    return state;
  }
  Result<void> CheckImage(const std::string& reference, std::stop_token stop) override {
    return docker::CheckImage(api_, reference, stop);
  }
  Result<std::string> PullImage(const PullRequest& request, ProgressSink& progress,
                                std::stop_token stop) override {
    return PullByDelta(api_, pull_watch_, request, progress, stop);
  }
  Result<std::string> CreateContainer(const ContainerSpec& spec, std::stop_token stop) override;
  Result<void> StartContainer(const std::string& id, std::stop_token stop) override;
  Result<void> StopContainer(const std::string& id, milliseconds grace,
                             std::stop_token stop) override;
  Result<void> UpdateContainer(const std::string& id, const std::string& restart_policy,
                               std::stop_token stop) override;
  Result<void> RenameContainer(const std::string& id, const std::string& name,
                               std::stop_token stop) override;
  Result<void> RemoveContainer(const std::string& id, std::stop_token stop) override;
  Result<void> CreateNetwork(const NetworkSpec& spec, std::stop_token stop) override {
    return docker::CreateNetwork(api_, networks_, spec, stop);
  }
  Result<void> ConnectNetwork(const std::string& container, const NetworkSpec& network,
                              const Value& endpoint, std::stop_token stop) override {
    return docker::ConnectNetwork(api_, container, network, endpoint, stop);
  }
  Result<void> RemoveNetwork(const NetworkSpec& network, std::stop_token stop) override {
    return docker::RemoveNetwork(api_, networks_, network, stop);
  }
  Result<void> CreateVolume(const VolumeSpec& spec, std::stop_token stop) override;
  Result<void> RemoveVolume(const VolumeSpec& volume, std::stop_token stop) override;
  Result<void> RemoveImage(const std::string& image_id, std::stop_token stop) override {
    return docker::RemoveImage(api_, image_id, stop);
  }
  Result<Findings> Examine(const std::string& id, std::stop_token stop) override {
    return docker::Examine(api_, id, stop);
  }
  Result<void> Watch(EventSink& sink, std::stop_token stop) override {
    return EventWatch(api_, observer_, clock_).Run(sink, stop);
  }

 private:
  Result<CreateRequest> Prepare(const ContainerSpec& spec, std::stop_token stop);
  Result<std::string> FindNewest(const std::string& app, const std::string& service,
                                 std::stop_token stop);
  Result<std::string> FindUnstarted(const ContainerSpec& spec, const HttpReply& refusal,
                                    std::string_view what, std::stop_token stop);
  Result<void> AwaitRemoval(const std::string& id, MonoTime deadline, std::string_view what,
                            std::stop_token stop);
  bool EngineSaysItRuns(const std::string& id, const std::stop_token& stop);
  Result<std::optional<int>> StopSignalOfLost(const std::string& id, std::string_view what,
                                              std::stop_token stop);
  Result<void> RefuseLost(const std::string& id, std::string_view what, std::stop_token stop);

  SystemClock clock_;
  EngineApi api_;
  PullWatch pull_watch_;
  KnownNetworks networks_;
  Observer observer_;
  LostContainers lost_;
};

// Paused and restarting, too.
bool Runs(const Json& inspected) { return At(inspected, "State", "Running") == true; }

// Also where it cannot be asked: then nothing is known to be lost.
bool DockerEngine::EngineSaysItRuns(const std::string& id, const std::stop_token& stop) {
  const auto found = api_.Get(ContainerPath(id, "/json"), "look for a lost container", stop);
  return !found || Runs(found.assume_value());
}

// How its processes are asked to end, where they run and the engine does not know; else none.
Result<std::optional<int>> DockerEngine::StopSignalOfLost(const std::string& id,
                                                          std::string_view what,
                                                          std::stop_token stop) {
  if (ProcessesOf(id).empty()) return std::optional<int>();
  auto found = api_.Get(ContainerPath(id, "/json"), what, stop);
  if (!found && found.assume_error().code == ErrorCode::kNotFound) return std::optional<int>();
  LOCKSTEP_TRY(const Json container, std::move(found));
  if (Runs(container)) return std::optional<int>();
  return std::optional<int>(SignalFromName(Text(At(container, "Config"), "StopSignal")));
}

// Error: kConflict (the container's process runs, whatever its engine says).
Result<void> DockerEngine::RefuseLost(const std::string& id, std::string_view what,
                                      std::stop_token stop) {
  LOCKSTEP_TRY(const auto lost, StopSignalOfLost(id, what, stop));
  if (!lost) return Ok();
  return WithContext(
      MakeError(ErrorCode::kConflict, "its process runs, and the engine does not know",
                "stop it, and start it again"),
      what);
}

// The container that `service:X` means: the newest one of X.
Result<std::string> DockerEngine::FindNewest(const std::string& app, const std::string& service,
                                             std::stop_token stop) {
  const Json filters = {
      {"label",
       {std::string(kLabelServiceName) + "=" + service, std::string(kLabelAppUuid) + "=" + app}}};
  const std::string what = "find the container of " + service;
  LOCKSTEP_TRY(
      const Json found,
      api_.Get("/containers/json?all=1&filters=" + EscapeQuery(DumpJson(filters)), what, stop));
  std::string newest;
  std::int64_t created = -1;
  if (found.is_array()) {
    for (const Json& container : found) {
      if (Number(container, "Created") <= created) continue;
      created = Number(container, "Created");
      newest = Text(container, "Id");
    }
  }
  if (newest.empty()) {
    return WithContext(MakeError(ErrorCode::kNotFound, "service " + service + " has no container"),
                       what);
  }
  return newest;
}

// After "the name is in use": whether it is this very container, made before and never started.
Result<std::string> DockerEngine::FindUnstarted(const ContainerSpec& spec, const HttpReply& refusal,
                                                std::string_view what, std::stop_token stop) {
  LOCKSTEP_TRY(const Json found, api_.Get(ContainerPath(spec.name, "/json"), what, stop));
  const auto hash = spec.labels.find(std::string(kLabelConfigHash));
  const bool same = hash != spec.labels.end() && Text(At(found, "State"), "Status") == "created" &&
                    Text(At(found, "Config", "Labels"), kLabelConfigHash.data()) == hash->second;
  if (!same) return FailureOf(refusal, what);
  return Text(found, "Id");
}

// The request for a container, once all that it names is known.
Result<CreateRequest> DockerEngine::Prepare(const ContainerSpec& spec, std::stop_token stop) {
  LOCKSTEP_TRY(const EngineInfo info, api_.Describe(stop));
  LOCKSTEP_TRYV(CheckNeeds(spec.spec, info.api_version));
  std::map<std::string, std::string> shared = spec.shared;
  for (const std::string& service : SharedServicesOf(spec.spec)) {
    if (shared.contains(service)) continue;
    LOCKSTEP_TRY(shared[service], FindNewest(spec.app, service, stop));
  }
  CreateRequest request = MakeCreateRequest(spec, shared);
  if (MinorOf(info.api_version) >= kMacAddressOfEndpoint) MoveMacAddress(request);
  const Json& main = Map(At(request.body, "NetworkingConfig"), "EndpointsConfig");
  for (const auto& [network, endpoint] : main.items()) {
    // One that has got a namesake since is put right when the container starts.
    if (networks_.Find(network, {spec.app, spec.app_id})) continue;
    LOCKSTEP_TRYV(MakeUnambiguous(api_, {{spec.app, spec.app_id}, network}, stop));
  }
  return request;
}

Result<std::string> DockerEngine::CreateContainer(const ContainerSpec& spec, std::stop_token stop) {
  const std::string what = "create container " + spec.name;
  auto prepared = Prepare(spec, stop);
  if (!prepared) return WithContext(std::move(prepared).assume_error(), what);
  const CreateRequest& request = prepared.assume_value();
  LOCKSTEP_TRY(const HttpReply reply,
               api_.Change("POST", "/containers/create?name=" + EscapeQuery(spec.name),
                           request.body, what, stop));
  std::string id;
  if (reply.status == 201) {
    id = Text(ParseJson(reply.body).value_or(Json()), "Id");
    if (id.empty()) {
      return WithContext(MakeError(ErrorCode::kBadReply, "the engine tells no id"), what);
    }
  } else if (IsNameTaken(reply)) {
    LOCKSTEP_TRY(id, FindUnstarted(spec, reply, what, stop));
  } else {
    return FailureOf(reply, what);
  }
  for (const auto& [network, endpoint] : request.further_networks) {
    const NetworkRef ref{{spec.app, spec.app_id}, network};
    if (auto connected = Connect(api_, networks_, ref, id, endpoint, stop); !connected) {
      // Half made it would only be in the way; what could not be removed is completed later.
      (void)RemoveContainer(id, stop);
      return WithContext(std::move(connected).assume_error(), what);
    }
  }
  return id;
}

Result<void> DockerEngine::StartContainer(const std::string& id, std::stop_token stop) {
  const std::string what = "start container " + Short(id);
  const std::string path = ContainerPath(id, "/start");
  LOCKSTEP_TRYV(RefuseLost(id, what, stop));  // An engine may end it without having been asked.
  const LostContainers::Start start(lost_, id);
  auto reply = api_.Change("POST", path, Json(), what, stop);
  if (reply && reply.assume_value().status == 400 && Says(reply.assume_value(), "is ambiguous")) {
    // Until it was started once it knows its networks by their names, and one of them has got a
    // namesake since it was made.
    LOCKSTEP_TRY(const Json found, api_.Get(ContainerPath(id, "/json"), what, stop));
    const ContainerIdentity owner = IdentityOf(TextMap(At(found, "Config", "Labels")), {});
    for (const auto& [name, endpoint] : Map(At(found, "NetworkSettings"), "Networks").items()) {
      LOCKSTEP_TRYV(MakeUnambiguous(api_, {{owner.app, owner.app_id}, name}, stop));
    }
    reply = api_.Change("POST", path, Json(), what, stop);
  }
  return Done(reply, {204, 304}, what);
}

Result<void> DockerEngine::StopContainer(const std::string& id, milliseconds grace,
                                         std::stop_token stop) {
  const std::string what = "stop container " + Short(id);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(grace);
  HttpRequest request;
  request.method = "POST";
  request.path = ContainerPath(id, "/stop?t=" + std::to_string(seconds.count()));
  request.timeout = seconds + kStopMargin;
  LOCKSTEP_TRYV(Done(api_.Send(std::move(request), what, stop), {204, 304, 404}, what));
  LOCKSTEP_TRY(const auto lost, StopSignalOfLost(id, what, stop));
  if (!lost) return Ok();
  auto ended = EndProcesses(id, *lost, grace, stop);
  if (!ended) return WithContext(std::move(ended).assume_error(), what);
  return Ok();
}

Result<void> DockerEngine::UpdateContainer(const std::string& id, const std::string& restart_policy,
                                           std::stop_token stop) {
  const std::string what = "set the restart policy of container " + Short(id);
  const Json body = {{"RestartPolicy", RestartPolicyJson(restart_policy)}};
  auto done =
      Done(api_.Change("POST", ContainerPath(id, "/update"), body, what, stop), {200}, what);
  observer_.Forget(id);
  return done;
}

Result<void> DockerEngine::RenameContainer(const std::string& id, const std::string& name,
                                           std::stop_token stop) {
  const std::string what = "rename container " + Short(id) + " to " + name;
  const auto reply = api_.Change("POST", ContainerPath(id, "/rename?name=" + EscapeQuery(name)),
                                 Json(), what, stop);
  if (reply && Says(reply.assume_value(), "same name as its current name")) return Ok();
  return Done(reply, {204}, what);
}

Result<void> DockerEngine::RemoveContainer(const std::string& id, std::stop_token stop) {
  const std::string what = "remove container " + Short(id);
  LOCKSTEP_TRYV(RefuseLost(id, what, stop));
  const MonoTime deadline = clock_.Monotonic() + api_.options().change_timeout;
  milliseconds pause{0};
  while (true) {
    const auto reply = api_.Change("DELETE", ContainerPath(id, "?v=1"), Json(), what, stop);
    const bool under_way = reply && reply.assume_value().status == 409 &&
                           Says(reply.assume_value(), "is already in progress");
    if (!under_way) return Done(reply, {204, 404}, what);
    // Its name is taken until it is gone. Whether it is then, or what is in the way, is asked as
    // before: the wait ends for a removal that failed too.
    LOCKSTEP_TRYV(AwaitRemoval(id, deadline, what, stop));
    // Not every engine knows how to wait for that.
    Pause(clock_, std::min(pause, deadline - clock_.Monotonic()), stop);
    pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
  }
}

// Waits as long as the engine does. Errors: kDeadlineExceeded.
Result<void> DockerEngine::AwaitRemoval(const std::string& id, MonoTime deadline,
                                        std::string_view what, std::stop_token stop) {
  HttpRequest request;
  request.method = "POST";
  request.path = ContainerPath(id, "/wait?condition=removed");
  request.timeout = deadline - clock_.Monotonic();
  request.max_body = kMaxChangeReply;
  if (request.timeout.count() <= 0) {
    return WithContext(MakeError(ErrorCode::kDeadlineExceeded, "its removal does not end"), what);
  }
  const auto reply = api_.Send(std::move(request), what, stop);
  if (!reply) return reply.assume_error();
  return Ok();
}

Result<void> DockerEngine::CreateVolume(const VolumeSpec& spec, std::stop_token stop) {
  const std::string name = AppNames{spec.app, spec.app_id}.Volume(spec.name);
  const std::string what = "create volume " + name;
  LOCKSTEP_TRY(const HttpReply reply,
               api_.Change("POST", "/volumes/create", VolumeRequest(spec), what, stop));
  if (reply.status != 201) return FailureOf(reply, what);
  const auto json = ParseJson(reply.body);
  if (!json || !json->is_object()) {
    return WithContext(MakeError(ErrorCode::kBadReply, "the engine tells no volume"), what);
  }
  // One that was there already is answered in its place, whoever made it.
  if (IsOfApp(ReadVolume(*json), spec)) return Ok();
  return WithContext(
      MakeError(ErrorCode::kConflict, "volume " + name + " exists and is not Lockstep's",
                "rename or remove it"),
      what);
}

Result<void> DockerEngine::RemoveVolume(const VolumeSpec& volume, std::stop_token stop) {
  const std::string name = AppNames{volume.app, volume.app_id}.Volume(volume.name);
  const std::string what = "remove volume " + name;
  const std::string path = "/volumes/" + EscapeQuery(name);
  auto found = api_.Get(path, what, stop);
  if (!found && found.assume_error().code == ErrorCode::kNotFound) return Ok();
  LOCKSTEP_TRY(const Json json, std::move(found));
  if (!IsOfApp(ReadVolume(json), volume)) {
    return WithContext(MakeError(ErrorCode::kConflict, "volume " + name + " is not Lockstep's",
                                 "rename or remove it"),
                       what);
  }
  return Done(api_.Change("DELETE", path, Json(), what, stop), {204, 404}, what);
}

}  // namespace
}  // namespace docker

Result<std::unique_ptr<RuntimeBackend>> MakeDockerEngine(const DockerOptions& options) {
  auto address = docker::ParseEngineUrl(options.url, options.tls);
  if (!address) {
    return WithContext(std::move(address).assume_error(), "connect to the engine");
  }
  return std::unique_ptr<RuntimeBackend>(
      std::make_unique<docker::DockerEngine>(std::move(address).assume_value(), options));
}

}  // namespace lockstep
