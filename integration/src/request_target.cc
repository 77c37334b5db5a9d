#include "request_target.h"

#include <algorithm>
#include <utility>

#include "lockstep/running_app.h"

namespace lockstep {
namespace {

// What a person asks of an app that runs is no wish for a release that cannot be had. And without
// the variables that a compose file was read with, it may say something else now.
bool GoesOn(const TargetApp& app, const Target& target, const AppRecord* record) {
  const bool blocked =
      std::any_of(app.gaps.begin(), app.gaps.end(), [](const Gap& gap) { return gap.blocks; });
  if (!app.release || app.is_host) return true;
  const std::string& commit = app.release->commit;
  const bool failed =
      record != nullptr && std::count(record->failed.begin(), record->failed.end(), commit) != 0;
  const bool known =
      record != nullptr && (record->committed == commit || record->cutover == commit);
  return !blocked && !failed && (target.whole_device || known);
}

bool IsThere(const ObservedState& observed, const std::string& app) {
  const auto& containers = observed.engine.containers;
  return std::any_of(containers.begin(), containers.end(),
                     [&](const ObservedContainer& c) { return c.owned && c.app == app; });
}

}  // namespace

Result<Target> TargetForRequest(AppRequestKind kind, const std::string& app,
                                const ObservedState& observed, const std::optional<Target>& last) {
  Target target;
  target.whole_device = false;
  if (last) {
    target.device_uuid = last->device_uuid;
    target.device_name = last->device_name;
  }
  const TargetApp* named = last ? last->FindApp(app) : nullptr;
  if (kind == AppRequestKind::kRemove) {
    // Whoever takes a compose app away need not change its file first.
    if (named != nullptr && last->whole_device) target.apps = {*named};
    return target;
  }
  if (named != nullptr && GoesOn(*named, *last, observed.FindApp(app))) {
    target.apps = {*named};
    return target;
  }
  if (named == nullptr && !IsThere(observed, app)) return target;
  auto running = AppAsItRuns(observed, app);
  if (!running) {
    return WithContext(
        std::move(running).assume_error(),
        last ? "its last target cannot be gone on with" : "no target is known, and as it runs");
  }
  target.apps = {std::move(running).assume_value()};
  return target;
}

}  // namespace lockstep
