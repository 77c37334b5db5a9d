#include "agent/app_requests.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "json_value.h"
#include "lock_view.h"
#include "lockstep/planner.h"
#include "plan_json.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

ApiResponse NotFound(const std::string& what) {
  return ErrorResponse(404, MakeError(ErrorCode::kNotFound, what, "see GET /v1/plan"));
}

ApiResponse Refused() {
  return ErrorResponse(
      401, MakeError(ErrorCode::kPermissionDenied, "this key does not open all that it takes",
                     "use the key of the device"));
}

// Of the target, by what a client may call a service.
std::optional<std::string> ServiceOf(const RunView& view, const std::string& app,
                                     const nlohmann::json& body) {
  std::string name;
  if (const auto it = body.find("serviceName"); it != body.end() && it->is_string()) {
    name = it->get<std::string>();
  }
  std::int64_t image = -1;
  if (const auto it = body.find("imageId"); it != body.end() && it->is_number_integer()) {
    image = it->get<std::int64_t>();
  }
  for (const TargetApp& target : view.target->apps) {
    if (target.uuid != app || !target.release) continue;
    for (const TargetService& service : target.release->services) {
      if (service.name == name || (image >= 0 && service.image_id == image)) return service.name;
    }
  }
  for (const ObservedContainer& container : view.observed.engine.containers) {
    if (container.owned && container.app == app && container.service == name) return name;
  }
  return std::nullopt;
}

std::vector<std::string> Names(const nlohmann::json& body, const char* member) {
  std::vector<std::string> names;
  const auto it = body.find(member);
  if (it == body.end() || !it->is_array()) return names;
  for (const auto& name : *it) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

bool CoversAll(const KeyScope& scope, const RunView& view) {
  return std::all_of(view.plan.apps.begin(), view.plan.apps.end(),
                     [&](const AppPlan& app) { return scope.Covers(app.app); });
}

// {"Data": "OK", "Error": ""}: what /v1 routes of balena-supervisor answer.
ApiResponse PowerAnswered(int status, const std::string& data, const std::string& error) {
  Json body;
  body["Data"] = data;
  body["Error"] = error.empty() ? Json(nullptr) : Json(error);
  return JsonResponse(status, Dump(body));
}

ApiResponse Perform(ApiContext& context, const RunView& view, bool force, PowerAction action) {
  const auto device = context.device();
  if (!device) {
    return ErrorResponse(
        MakeError(ErrorCode::kUnavailable, "the device is not open yet", "ask again"));
  }
  std::vector<LockSet> taken;
  std::vector<LockHolder> holders;
  // What a person holds, force does not run over.
  for (const AppPlan& app : view.plan.apps) {
    if (app.paused) holders.insert(holders.end(), app.holders.begin(), app.holders.end());
  }
  if (!holders.empty()) return LockedResponse(holders, SystemClock().Now());
  for (const AppPlan& app : view.plan.apps) {
    const auto services = LocksOf(view.observed, *view.target, app.app);
    if (services.empty()) continue;
    auto outcome = device->locks.TakeAll(services, force ? LockMode::kForce : LockMode::kRespect);
    if (!outcome) return ErrorResponse(std::move(outcome).assume_error());
    if (auto* held = std::get_if<LockHeld>(&outcome.assume_value())) {
      for (LockHolder& holder : held->holders) holders.push_back(std::move(holder));
    } else {
      taken.push_back(std::move(std::get<LockTaken>(outcome.assume_value()).locks));
    }
  }
  if (!holders.empty()) return LockedResponse(holders, SystemClock().Now());
  auto asked = action == PowerAction::kReboot ? device->host.Reboot() : device->host.Shutdown();
  if (!asked) return PowerAnswered(500, "", Describe(asked.assume_error()));
  if (asked.assume_value() == PowerAnswer::kLeftToOthers) {
    return ErrorResponse(501, MakeError(ErrorCode::kUnsupported,
                                        "Lockstep is told never to do it itself (--reboot never)",
                                        "do it another way"));
  }
  for (LockSet& set : taken) set.Abandon();
  return PowerAnswered(202, "OK", "");
}

}  // namespace

ApiResponse LockedResponse(const std::vector<LockHolder>& holders, WallTime now) {
  Json list = Json::array();
  for (const LockHolder& holder : holders) list.push_back(HolderToJson(holder, now));
  const std::string names = WhoHoldAll(holders);
  Json body;
  body["status"] = "failed";
  body["message"] = "Updates are locked by " + (names.empty() ? "an app" : names);
  body["holders"] = std::move(list);
  return JsonResponse(423, Dump(body));
}

std::vector<LockHolder> HoldersNow(const ApiContext& context, const RunView& view,
                                   const std::vector<std::string>& apps) {
  std::vector<LockHolder> holders;
  const auto device = context.device();
  std::vector<std::string> all = apps;
  for (const AppPlan& app : apps.empty() ? view.plan.apps : std::vector<AppPlan>()) {
    all.push_back(app.app);
  }
  for (const std::string& app : all) {
    const auto services = LocksOf(view.observed, *view.target, app);
    if (services.empty() || !device) continue;
    auto found = device->locks.Holders(services);
    if (!found) {
      // Where nobody can look it counts as held, as it does for an update.
      LockHolder unknown;
      unknown.app = app;
      unknown.service = services.front().service;
      unknown.kind = LockKind::kOther;
      unknown.notes = {Describe(found.assume_error())};
      holders.push_back(std::move(unknown));
      continue;
    }
    for (LockHolder& holder : found.assume_value()) {
      if (!holder.ours && holder.held) holders.push_back(std::move(holder));
    }
  }
  return holders;
}

void AnswerAppAction(ApiContext& context, ApiReply reply, const KeyScope& scope,
                     const std::string& app, const nlohmann::json& body, const AppAction& action) {
  AnswerWithView(
      context, std::move(reply), [&context, scope, app, body, action](const RunView& view) {
        auto found = FindAppCalled(app, view.observed, *view.target);
        // Which apps there are is not for the key of one.
        if (!found && !scope.device) return NotFound("there is no app " + app);
        if (!found) return ErrorResponse(std::move(found).assume_error());
        const std::string& uuid = found.assume_value();
        if (!scope.Covers(uuid) && !scope.Covers(app)) return Refused();
        AppRequest request;
        request.kind = action.kind;
        request.app = uuid;
        request.force = IsTrue(body, "force");
        request.names = Names(body, action.kind == AppRequestKind::kPurge ? "volumes" : "services");
        if (action.needs_service) {
          const auto service = ServiceOf(view, uuid, body);
          if (!service)
            return NotFound("there is no such service; serviceName or imageId names one");
          request.names = {*service};
        }
        if (auto after = RecordAfter(request, view.observed, *view.target); !after) {
          return ErrorResponse(std::move(after).assume_error());
        }
        // Who waits has it remembered, and carried out when no lock is held any more.
        if (action.needs_locks && !request.force && !IsTrue(body, "wait")) {
          const auto holders = HoldersNow(context, view, {uuid});
          if (!holders.empty()) return LockedResponse(holders, SystemClock().Now());
        }
        if (auto asked = context.control.Ask(std::move(request)); !asked) {
          return ErrorResponse(std::move(asked).assume_error());
        }
        ApiResponse response = JsonResponse(200, action.success);
        if (action.success == "OK") response.content_type = "text/plain; charset=utf-8";
        return response;
      });
}

void AnswerForEachApp(ApiContext& context, ApiReply reply, AppRequestKind kind) {
  AnswerWithView(context, std::move(reply), [&context, kind](const RunView& view) {
    for (const AppPlan& app : view.plan.apps) {
      if (auto asked = context.control.Ask({.kind = kind, .app = app.app}); !asked) {
        return ErrorResponse(std::move(asked).assume_error());
      }
    }
    ApiResponse response = JsonResponse(200, "OK");
    response.content_type = "text/plain; charset=utf-8";
    return response;
  });
}

void AnswerPowerAction(ApiContext& context, ApiReply reply, const KeyScope& scope, bool force,
                       PowerAction action) {
  AnswerWithView(context, std::move(reply), [&context, scope, force, action](const RunView& view) {
    if (!scope.device && !CoversAll(scope, view)) return Refused();
    return Perform(context, view, force, action);
  });
}

}  // namespace lockstep
