#include "plan_json.h"

#include <algorithm>
#include <chrono>

#include "json_value.h"
#include "rfc3339.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

Json OptionalJson(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

// A step of the whole app has no service, one of the whole device no app.
Json NameJson(const std::string& name) { return name.empty() ? Json(nullptr) : Json(name); }

Json ReasonsJson(const std::vector<Reason>& reasons, ShowValues values) {
  Json out = Json::array();
  for (const Reason& reason : reasons) {
    Json entry;
    entry["code"] = ReasonCodeName(reason.code);
    if (!reason.field.empty()) entry["field"] = reason.field;
    const bool hidden = reason.secret && values == ShowValues::kNo;
    if (hidden) {
      entry["from"] = nullptr;
      entry["to"] = nullptr;
      entry["hidden"] = true;
    } else if (!reason.field.empty() || !reason.from.is_null() || !reason.to.is_null()) {
      entry["from"] = ToJson(reason.from);
      entry["to"] = ToJson(reason.to);
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Json AppJson(const AppPlan& app, WallTime now, ShowValues values) {
  Json out;
  out["app"] = app.app;
  out["name"] = app.name;
  out["status"] = PlanStatusName(app.status);
  out["from"] = OptionalJson(app.from);
  out["to"] = OptionalJson(app.to);
  out["services"] = Json::array();
  for (const ServicePlan& service : app.services) {
    Json entry;
    entry["service"] = service.service;
    entry["change"] = ServiceChangeName(service.change);
    entry["strategy"] = StrategyName(service.strategy);
    entry["why"] = ReasonsJson(service.why, values);
    out["services"].push_back(std::move(entry));
  }
  out["holders"] = Json::array();
  for (const LockHolder& holder : app.holders) out["holders"].push_back(HolderToJson(holder, now));
  out["gaps"] = Json::array();
  for (const Gap& gap : app.gaps) {
    Json entry;
    entry["code"] = gap.code;
    entry["message"] = gap.message;
    entry["blocks"] = gap.blocks;
    out["gaps"].push_back(std::move(entry));
  }
  return out;
}

Json ConfigJson(const ConfigPlan& config) {
  Json out;
  out["key"] = config.key;
  out["from"] = OptionalJson(config.from);
  out["to"] = OptionalJson(config.to);
  out["needs_reboot"] = config.needs_reboot;
  out["action"] = ConfigActionName(config.action);
  if (!config.message.empty()) out["message"] = config.message;
  return out;
}

Json WaitJson(const Plan& plan, const WaitReason& wait) {
  Json out;
  out["code"] = WaitCodeName(wait.code);
  if (wait.holder != nullptr) {
    out.update(HolderToJson(*wait.holder, plan.made_for));
  } else {
    out["step"] = plan.steps[wait.step].id.ToString();
  }
  return out;
}

Json StepJson(const Plan& plan, const Step& step, const std::vector<WaitReason>& waits,
              ShowValues values) {
  Json out;
  out["id"] = step.id.ToString();
  out["kind"] = StepKindName(step.kind);
  out["app"] = NameJson(step.app);
  out["service"] = NameJson(step.service);
  out["phase"] = PhaseName(step.phase);
  out["subject"] = step.subject;
  if (!step.detail.empty()) out["detail"] = step.detail;
  out["disruptive"] = step.disruptive;
  out["after"] = Json::array();
  for (const std::uint32_t index : step.after) {
    if (index < plan.steps.size()) out["after"].push_back(plan.steps[index].id.ToString());
  }
  out["status"] = StepStatusName(step.status);
  out["why"] = ReasonsJson(step.why, values);
  for (const WaitReason& wait : waits) out["why"].push_back(WaitJson(plan, wait));
  return out;
}

}  // namespace

Json HolderToJson(const LockHolder& holder, WallTime now) {
  Json out;
  out["app"] = holder.app;
  out["service"] = holder.service;
  out["path"] = holder.path;
  out["kind"] = LockKindName(holder.kind);
  if (holder.since) {
    // Clocks jump: a lock of the future is new, not of a negative age.
    const auto age = std::max(std::chrono::floor<std::chrono::seconds>(now - *holder.since),
                              std::chrono::seconds(0));
    out["since"] = FormatTime(*holder.since);
    out["age_s"] = age.count();
  } else {
    out["since"] = nullptr;
    out["age_s"] = nullptr;
  }
  if (!holder.holder.empty()) out["holder"] = holder.holder;
  return out;
}

Json PlanToJson(const Plan& plan, ShowValues values) {
  Json out;
  out["format"] = "lockstep.plan/1";
  out["fingerprint"] = plan.fingerprint;
  out["status"] = PlanStatusName(plan.status);
  out["apps"] = Json::array();
  for (const AppPlan& app : plan.apps) out["apps"].push_back(AppJson(app, plan.made_for, values));
  out["config"] = Json::array();
  for (const ConfigPlan& config : plan.config) out["config"].push_back(ConfigJson(config));
  out["steps"] = Json::array();
  const auto waits = ExplainWaits(plan);
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    out["steps"].push_back(StepJson(plan, plan.steps[i], waits[i], values));
  }
  return out;
}

}  // namespace lockstep
