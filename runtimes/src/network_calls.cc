#include "network_calls.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "create_request.h"
#include "lockstep/identity.h"
#include "resources.h"

namespace lockstep::docker {
namespace {

struct OurNetwork {
  ObservedNetwork network;
  std::optional<WallTime> created;
};

// The networks of one name.
struct Namesakes {
  std::vector<OurNetwork> ours;  // The oldest first.
  std::size_t others = 0;
};

struct Choice {
  ObservedNetwork network;
  std::size_t left = 0;  // How many of the app's others could not be removed.
};

NetworkRef RefOf(const NetworkSpec& spec) {
  const AppNames owner{spec.app, spec.app_id};
  return {owner, owner.Network(spec.name)};
}

std::string Filters(const char* key, const std::string& value) {
  return "filters=" + EscapeQuery(DumpJson({{key, Json::array({value})}}));
}

Error NotOurs(const NetworkRef& ref, std::string_view what) {
  return WithContext(MakeError(ErrorCode::kConflict, "network " + ref.name + " is not Lockstep's",
                               "rename or remove it"),
                     what);
}

Result<Namesakes> Find(EngineApi& api, const NetworkRef& ref, std::string_view what,
                       std::stop_token stop) {
  LOCKSTEP_TRY(const Json list, api.Get("/networks?" + Filters("name", ref.name), what, stop));
  if (!list.is_array()) {
    return WithContext(MakeError(ErrorCode::kBadReply, "the engine lists no networks"), what);
  }
  Namesakes found;
  for (const Json& json : list) {
    if (Text(json, "Name") != ref.name) continue;  // The engine looks for a part of the name.
    OurNetwork one{ReadNetwork(json), ParseTime(Text(json, "Created"))};
    if (one.network.id.empty()) {
      return WithContext(MakeError(ErrorCode::kBadReply, "the engine tells no id"), what);
    }
    if (IsOfApp(one.network, ref.owner)) {
      found.ours.push_back(std::move(one));
    } else {
      ++found.others;
    }
  }
  std::sort(found.ours.begin(), found.ours.end(), [](const OurNetwork& a, const OurNetwork& b) {
    return std::tie(a.created, a.network.id) < std::tie(b.created, b.network.id);
  });
  return found;
}

// Counts those that do not run too: they would not start again without it.
Result<bool> IsUsed(EngineApi& api, const std::string& id, std::string_view what,
                    std::stop_token stop) {
  LOCKSTEP_TRY(const Json containers,
               api.Get("/containers/json?all=1&" + Filters("network", id), what, stop));
  return !containers.is_array() || !containers.empty();
}

Result<void> RemoveById(EngineApi& api, const std::string& id, std::string_view what,
                        std::stop_token stop) {
  return Done(api.Change("DELETE", "/networks/" + EscapeQuery(id), Json(), what, stop), {204, 404},
              what);
}

// `ours` has at least one.
Result<Choice> Choose(EngineApi& api, std::vector<OurNetwork> ours, std::string_view what,
                      std::stop_token stop) {
  if (ours.size() == 1) return Choice{std::move(ours.front().network)};
  std::vector<ObservedNetwork> used;
  std::vector<ObservedNetwork> unused;
  for (OurNetwork& one : ours) {
    LOCKSTEP_TRY(const bool is_used, IsUsed(api, one.network.id, what, stop));
    (is_used ? used : unused).push_back(std::move(one.network));
  }
  std::vector<ObservedNetwork>& best = used.empty() ? unused : used;
  Choice choice{std::move(best.front())};
  best.erase(best.begin());
  choice.left = used.size();
  for (const ObservedNetwork& network : unused) {
    if (!RemoveById(api, network.id, what, stop)) ++choice.left;
  }
  return choice;
}

// The one that is meant. Errors: kNotFound, kConflict (somebody else's).
Result<ObservedNetwork> Resolve(EngineApi& api, const NetworkRef& ref, std::string_view what,
                                std::stop_token stop) {
  LOCKSTEP_TRY(Namesakes found, Find(api, ref, what, stop));
  if (found.ours.empty()) {
    if (found.others > 0) return NotOurs(ref, what);
    return WithContext(MakeError(ErrorCode::kNotFound, "network " + ref.name + " is not there"),
                       what);
  }
  LOCKSTEP_TRY(Choice choice, Choose(api, std::move(found.ours), what, stop));
  return std::move(choice.network);
}

std::string ConnectWhat(const std::string& container, const NetworkRef& network) {
  return "connect container " + Short(container) + " to network " + network.name;
}

Result<void> ConnectById(EngineApi& api, const std::string& network, const std::string& container,
                         const Json& endpoint, std::string_view what, std::stop_token stop) {
  const Json body = {{"Container", container}, {"EndpointConfig", endpoint}};
  const auto reply =
      api.Change("POST", "/networks/" + EscapeQuery(network) + "/connect", body, what, stop);
  const bool connected =
      reply && reply.assume_value().status != 200 &&
      (Says(reply.assume_value(), "already exists in network") ||
       Says(reply.assume_value(), "network is already connected"));  // Podman's words.
  if (connected) return Ok();
  return Done(reply, {200}, what);
}

}  // namespace

Result<void> CreateNetwork(EngineApi& api, KnownNetworks& known, const NetworkSpec& spec,
                           std::stop_token stop) {
  const NetworkRef ref = RefOf(spec);
  const std::string what = "create network " + ref.name;
  known.Forget(ref.name);
  auto reply = api.Change("POST", "/networks/create", NetworkRequest(spec), what, stop);
  if (reply && reply.assume_value().status == 201) {
    const Json made = ParseJson(reply.assume_value().body).value_or(Json());
    known.Add(ref.name, ref.owner, Text(made, "Id"));
  }
  if (reply && IsNameTaken(reply.assume_value())) {
    LOCKSTEP_TRY(Namesakes found, Find(api, ref, what, stop));
    if (!found.ours.empty()) {
      LOCKSTEP_TRY(const Choice old, Choose(api, std::move(found.ours), what, stop));
      if (old.network.app == spec.app && old.network.config == spec.config) return Ok();
    }
  }
  return Done(reply, {201}, what);
}

Result<void> ConnectNetwork(EngineApi& api, const std::string& container,
                            const NetworkSpec& network, const Value& endpoint,
                            std::stop_token stop) {
  const NetworkRef ref = RefOf(network);
  const std::string what = ConnectWhat(container, ref);
  LOCKSTEP_TRY(const Json found, api.Get(ContainerPath(container, "/json"), what, stop));
  LOCKSTEP_TRY(const ObservedNetwork meant, Resolve(api, ref, what, stop));
  const bool named = Map(At(found, "NetworkSettings"), "Networks").contains(ref.name);
  if (named && !Flag(At(found, "State"), "Running")) {
    // A stopped container may still mean a former network of this name. One that is refused here
    // is refused below too.
    const Json body = {{"Container", container}, {"Force", true}};
    (void)api.Change("POST", "/networks/" + EscapeQuery(meant.id) + "/disconnect", body, what,
                     stop);
  }
  const std::string service = IdentityOf(TextMap(At(found, "Config", "Labels")), {}).service;
  return ConnectById(api, meant.id, container, EndpointSettings(endpoint, service), what, stop);
}

Result<void> RemoveNetwork(EngineApi& api, KnownNetworks& known, const NetworkSpec& network,
                           std::stop_token stop) {
  const NetworkRef ref = RefOf(network);
  const std::string what = "remove network " + ref.name;
  if (const auto id = known.Find(ref.name, ref.owner)) {
    known.Forget(ref.name);
    return RemoveById(api, *id, what, stop);
  }
  LOCKSTEP_TRY(const Namesakes found, Find(api, ref, what, stop));
  if (found.ours.empty() && found.others > 0) return NotOurs(ref, what);
  Result<void> removed = Ok();
  for (const OurNetwork& one : found.ours) {
    // One that is in use holds up none of the others.
    auto now = RemoveById(api, one.network.id, what, stop);
    if (!now) removed = std::move(now);
  }
  return removed;
}

Result<void> Connect(EngineApi& api, const KnownNetworks& known, const NetworkRef& network,
                     const std::string& container, const Json& endpoint, std::stop_token stop) {
  const std::string what = ConnectWhat(container, network);
  if (const auto id = known.Find(network.name, network.owner)) {
    auto connected = ConnectById(api, *id, container, endpoint, what, stop);
    if (connected || connected.assume_error().code != ErrorCode::kNotFound) return connected;
  }
  LOCKSTEP_TRY(const ObservedNetwork meant, Resolve(api, network, what, stop));
  return ConnectById(api, meant.id, container, endpoint, what, stop);
}

Result<void> MakeUnambiguous(EngineApi& api, const NetworkRef& network, std::stop_token stop) {
  const std::string what = "look for network " + network.name;
  LOCKSTEP_TRY(Namesakes found, Find(api, network, what, stop));
  std::size_t count = found.others;
  if (!found.ours.empty()) {
    LOCKSTEP_TRY(const Choice choice, Choose(api, std::move(found.ours), what, stop));
    count += 1 + choice.left;
  }
  if (count < 2) return Ok();
  return WithContext(MakeError(ErrorCode::kConflict,
                               std::to_string(count) + " networks are called " + network.name,
                               "remove all but one of them"),
                     what);
}

}  // namespace lockstep::docker
