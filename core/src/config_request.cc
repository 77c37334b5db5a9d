#include "config_request.h"

#include <algorithm>
#include <utility>

#include "config_decision.h"

namespace lockstep {
namespace {

// A reboot interrupts every service there is.
std::vector<std::string> AppsToLock(const Plan& plan) {
  std::vector<std::string> apps;
  for (const AppPlan& app : plan.apps) {
    if (!app.services.empty()) apps.push_back(app.app);
  }
  return apps;
}

// The record of the reboot that is to come: of all that is written for it, and was.
RebootRecord RecordFor(const Plan& plan, const ObservedState& observed) {
  RebootRecord record;
  if (observed.reboot) record = *observed.reboot;
  if (record.configuration != plan.configuration) record.reboots = 0;
  if (!observed.RebootPending()) record.changes.clear();
  record.configuration = plan.configuration;
  record.boot_id = observed.boot_id;
  for (const ConfigPlan& config : plan.config) {
    if (IsWritten(config) && config.needs_reboot) record.changes[config.key] = config.to;
  }
  return record;
}

}  // namespace

StepRequest BuildWriteConfig(const Step& step, const Plan& plan, const ObservedState& observed) {
  WriteConfigRequest request;
  request.key = step.subject;
  const auto own =
      std::find_if(plan.config.begin(), plan.config.end(),
                   [&](const ConfigPlan& config) { return config.key == step.subject; });
  if (own == plan.config.end()) return request;
  request.value = own->to;
  request.backend = own->backend;
  if (own->needs_reboot) {
    request.locked = AppsToLock(plan);
    request.record = RecordFor(plan, observed);
  }
  for (const ConfigPlan& config : plan.config) {
    const bool together =
        config.backend == own->backend && config.needs_reboot == own->needs_reboot;
    if (own->backend.empty() ? config.key != own->key : !together || !IsWritten(config)) continue;
    request.changes[config.key] = config.to;
  }
  return request;
}

StepRequest BuildDeleteLock(const Step& step, const ObservedState& observed) {
  DeleteLockRequest request{{}, step.subject};
  for (const LockHolder& holder : observed.locks) {
    if (holder.path != step.subject) continue;
    request.service = {holder.app, holder.app_dir, holder.service};
  }
  return request;
}

StepRequest BuildReboot(const Plan& plan, const ObservedState& observed) {
  RebootRequest request{AppsToLock(plan), RecordFor(plan, observed)};
  ++request.record.reboots;
  return request;
}

}  // namespace lockstep
