#include "event_json.h"

#include "error_json.h"
#include "json_value.h"
#include "plan_json.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

void AddStep(const Event& event, Json& out) {
  out["step"] = event.step->ToString();
  out["kind"] = StepKindName(event.step_kind);
  out["subject"] = event.subject;
}

void AddHolders(const Event& event, Json& out) {
  out["holders"] = Json::array();
  for (const LockHolder& holder : event.holders) {
    out["holders"].push_back(HolderToJson(holder, event.time));
  }
}

}  // namespace

std::string WriteEvent(const Event& event) {
  Json out;
  out["format"] = "lockstep.event/1";
  out["seq"] = event.seq;
  out["time"] = FormatTime(event.time);
  out["event"] = EventKindName(event.kind);
  if (!event.app.empty()) out["app"] = event.app;
  if (!event.service.empty()) out["service"] = event.service;
  if (event.step) AddStep(event, out);
  if (event.kind == EventKind::kProgress) {
    out["current_bytes"] = event.current_bytes;
    out["total_bytes"] = event.total_bytes;
  }
  if (event.kind == EventKind::kHeld) AddHolders(event, out);
  if (event.error) out["error"] = ErrorToJson(*event.error);
  if (event.plan != nullptr) out["plan"] = PlanToJson(*event.plan);
  return Dump(out);
}

}  // namespace lockstep
