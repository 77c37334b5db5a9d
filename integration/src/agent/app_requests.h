// Requests of the API that change an app: who may ask, which locks forbid it, and asking.
#ifndef LOCKSTEP_INTEGRATION_AGENT_APP_REQUESTS_H_
#define LOCKSTEP_INTEGRATION_AGENT_APP_REQUESTS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/api_context.h"

namespace lockstep {

// 423 with the holders, in the form that clients of balena-supervisor know.
ApiResponse LockedResponse(const std::vector<LockHolder>& holders, WallTime now);

// The locks that apps hold now of these apps, or of all apps where the list is empty: those that
// nobody pauses included. Blocks for the disk.
std::vector<LockHolder> HoldersNow(const ApiContext& context, const RunView& view,
                                   const std::vector<std::string>& apps);

struct AppAction {
  AppRequestKind kind{};
  bool needs_locks = true;     // 423 while one is held, unless forced.
  bool needs_service = false;  // `serviceName` or `imageId` of the body.
  std::string success = "OK";  // The body of 200.
};

// Answers 200 once the request is accepted: it is remembered, and carried out at once.
void AnswerAppAction(ApiContext& context, ApiReply reply, const KeyScope& scope,
                     const std::string& app, const nlohmann::json& body, const AppAction& action);

// The same of every app, without a look at locks.
void AnswerForEachApp(ApiContext& context, ApiReply reply, AppRequestKind kind);

// /v1/reboot and /v1/shutdown. Takes the locks of every app for it, and leaves them.
enum class PowerAction { kReboot, kShutdown };
void AnswerPowerAction(ApiContext& context, ApiReply reply, const KeyScope& scope, bool force,
                       PowerAction action);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_APP_REQUESTS_H_
