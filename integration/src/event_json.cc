#include "event_json.h"

#include <cstdint>

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

void AddRate(const Event& event, Json& out) {
  if (event.bytes_per_second > 0) {
    out["bytes_per_s"] = static_cast<std::int64_t>(event.bytes_per_second);
  }
  if (const auto left = TimeLeft(event.current_bytes, event.total_bytes, event.bytes_per_second)) {
    out["left_s"] = left->count();
  }
  for (const LayerProgress& layer : event.layers) {
    out["layers"].push_back({{"id", layer.id},
                             {"status", layer.status},
                             {"current_bytes", layer.current_bytes},
                             {"total_bytes", layer.total_bytes}});
  }
}

void AddHolders(const Event& event, Json& out) {
  out["holders"] = Json::array();
  for (const LockHolder& holder : event.holders) {
    out["holders"].push_back(HolderToJson(holder, event.time));
  }
}

}  // namespace

void AddFindings(const Findings& findings, nlohmann::ordered_json& out) {
  if (findings.exit_code) out["exit_code"] = *findings.exit_code;
  if (findings.out_of_memory) out["oom"] = true;
  if (findings.restarts > 0) out["restart_count"] = findings.restarts;
  if (!findings.engine_error.empty()) out["engine_error"] = findings.engine_error;
  if (!findings.health_output.empty()) out["health_output"] = findings.health_output;
  if (!findings.last_lines.empty()) out["logs"] = findings.last_lines;
  if (!findings.lines_missing.empty()) out["logs_missing"] = findings.lines_missing;
}

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
    AddRate(event, out);
  }
  if (event.kind == EventKind::kHeld) AddHolders(event, out);
  if (event.error) out["error"] = ErrorToJson(*event.error);
  AddFindings(event.findings, out);
  if (event.plan != nullptr) out["plan"] = PlanToJson(*event.plan);
  return Dump(out);
}

}  // namespace lockstep
