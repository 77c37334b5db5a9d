#include "event_stream.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "http_client.h"
#include "json_read.h"

namespace lockstep::docker {

namespace {

constexpr std::size_t kSeenEvents = 64;
constexpr int kMaxLineValues = 20'000;

std::string KeyOf(const Json& json) {
  const std::int64_t time = Number(json, "timeNano");
  if (time == 0) return {};
  std::string key = std::to_string(time);
  for (const std::string& part :
       {Text(json, "Type"), Text(json, "Action"), Text(At(json, "Actor"), "ID"),
        Text(At(json, "Actor", "Attributes"), "container")}) {
    key += '\n' + part;
  }
  return key;
}

int ExitCodeOf(const Json& attributes) {
  int exit_code = 0;
  for (const char* key : {"exitCode", "containerExitCode"}) {
    const std::string code = Text(attributes, key);
    std::from_chars(code.data(), code.data() + code.size(), exit_code);
  }
  return exit_code;
}

}  // namespace

ReadEvent ReadEventLine(std::string_view line) {
  ReadEvent read;
  const Json json = ParseJson(line, kMaxLineValues).value_or(Json());
  read.key = KeyOf(json);
  const Json& actor = At(json, "Actor");
  const Json& attributes = At(actor, "Attributes");
  const std::string action = Text(json, "Action");
  if (Text(json, "Type") != "container") {
    read.container = Text(attributes, "container");  // Connected to a network, or disconnected.
    return read;
  }
  read.container = Text(actor, "ID");
  EngineEvent& event = read.event;
  constexpr std::string_view kHealth = "health_status: ";
  if (action == "start") {
    event.kind = EngineEventKind::kStarted;
  } else if (action == "die" || action == "died") {  // Podman's words stand second.
    event.kind = EngineEventKind::kDied;
    event.exit_code = ExitCodeOf(attributes);
  } else if (action == "destroy" || action == "remove") {
    event.kind = EngineEventKind::kRemoved;
  } else if (action.starts_with(kHealth)) {
    event.kind = EngineEventKind::kHealth;
    event.health = HealthFromName(action.substr(kHealth.size())).value_or(Health::kNone);
  } else {
    return read;
  }
  event.container = read.container;
  return read;
}

std::string EventsQuery() {
  const Json filters = {
      {"type", {"container", "network"}},
      {"event",
       {"create", "start", "die", "died", "destroy", "health_status", "rename", "update", "pause",
        "unpause", "connect", "disconnect", "remove"}},
  };
  return "filters=" + EscapeQuery(DumpJson(filters));
}

bool SeenEvents::IsNew(const std::string& key) {
  if (key.empty()) return true;
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return false;
  keys_.push_back(key);
  if (keys_.size() > kSeenEvents) keys_.pop_front();
  return true;
}

}  // namespace lockstep::docker
