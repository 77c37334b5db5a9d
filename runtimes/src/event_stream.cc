#include "event_stream.h"

#include <charconv>

#include "http_client.h"
#include "json_read.h"

namespace lockstep::docker {

ReadEvent ReadEventLine(std::string_view line) {
  ReadEvent read;
  const Json json = ParseJson(line).value_or(Json());
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
  } else if (action == "die") {
    event.kind = EngineEventKind::kDied;
    const std::string code = Text(attributes, "exitCode");
    std::from_chars(code.data(), code.data() + code.size(), event.exit_code);
  } else if (action == "destroy") {
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
       {"create", "start", "die", "destroy", "health_status", "rename", "update", "pause",
        "unpause", "connect", "disconnect", "remove"}},
  };
  return "filters=" + EscapeQuery(DumpJson(filters));
}

}  // namespace lockstep::docker
