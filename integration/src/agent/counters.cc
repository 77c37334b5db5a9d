#include "agent/counters.h"

#include <algorithm>

#include "lockstep/plan.h"

namespace lockstep {
namespace {

// A label's value: https://prometheus.io/docs/instrumenting/exposition_formats/
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void Head(std::string& out, const std::string& name, const std::string& type,
          const std::string& help) {
  out += "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
}

void Single(std::string& out, const std::string& name, const std::string& type,
            const std::string& help, std::uint64_t value) {
  Head(out, name, type, help);
  out += name + ' ' + std::to_string(value) + '\n';
}

void Apps(std::string& out, const RunView& view) {
  Head(out, "lockstep_app_status", "gauge", "1 for the status that the app has.");
  for (const AppPlan& app : view.plan.apps) {
    for (const PlanStatus status :
         {PlanStatus::kInSync, PlanStatus::kReady, PlanStatus::kHeld, PlanStatus::kBlocked}) {
      out += "lockstep_app_status{app=" + Quoted(app.app) +
             ",status=" + Quoted(PlanStatusName(status)) + "} " +
             (app.status == status ? "1" : "0") + '\n';
    }
  }
  Head(out, "lockstep_app_locks_held", "gauge", "Update locks that hold the app up.");
  for (const AppPlan& app : view.plan.apps) {
    out += "lockstep_app_locks_held{app=" + Quoted(app.app) + "} " +
           std::to_string(app.holders.size()) + '\n';
  }
  Head(out, "lockstep_service_up", "gauge", "1 where a container of the service runs.");
  for (const AppPlan& app : view.plan.apps) {
    for (const ServicePlan& service : app.services) {
      const auto& all = view.observed.engine.containers;
      const bool up = std::any_of(all.begin(), all.end(), [&](const ObservedContainer& c) {
        return c.owned && c.app == app.app && c.service == service.service && c.IsUp();
      });
      out += "lockstep_service_up{app=" + Quoted(app.app) + ",service=" + Quoted(service.service) +
             "} " + (up ? "1" : "0") + '\n';
    }
  }
}

}  // namespace

void Counters::OnEvent(const Event& event) { ++events_[static_cast<std::size_t>(event.kind)]; }

std::string Counters::Render(const RunView* view) const {
  std::string out;
  Head(out, "lockstep_events_total", "counter", "What happened, by kind of event.");
  for (std::size_t i = 0; i < kKinds; ++i) {
    out += "lockstep_events_total{event=" + Quoted(EventKindName(static_cast<EventKind>(i))) +
           "} " + std::to_string(events_[i].load()) + '\n';
  }
  Single(out, "lockstep_targets_total", "counter", "Targets that were accepted.", targets_);
  Single(out, "lockstep_problems_total", "counter", "Targets and settings that could not be used.",
         problems_);
  Single(out, "lockstep_at_work", "gauge", "1 once the device was looked at for a target.",
         view != nullptr ? 1 : 0);
  if (view == nullptr) return out;
  Single(out, "lockstep_at_rest", "gauge", "1 where nothing is to be done or waited for.",
         view->at_rest ? 1 : 0);
  Single(out, "lockstep_plan_steps", "gauge", "Steps that are left.", view->plan.steps.size());
  Single(out, "lockstep_engine_answers", "gauge", "1 where the last look at the engine succeeded.",
         view->look_error ? 0 : 1);
  std::int64_t current = 0;
  std::int64_t total = 0;
  for (const auto& [step, pull] : view->pulls) {
    current += pull.current_bytes;
    total += pull.total_bytes;
  }
  Single(out, "lockstep_download_bytes", "gauge", "Of the downloads under way, what has come.",
         static_cast<std::uint64_t>(std::max<std::int64_t>(current, 0)));
  Single(out, "lockstep_download_size_bytes", "gauge", "Of the downloads under way, all of it.",
         static_cast<std::uint64_t>(std::max<std::int64_t>(total, 0)));
  Apps(out, *view);
  return out;
}

}  // namespace lockstep
