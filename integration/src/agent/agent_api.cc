#include "agent/agent_api.h"

#include <iterator>
#include <utility>

#include "agent/page_policy.h"
#include "agent/static_files.h"
#include "event_json.h"

namespace lockstep {
namespace {

MonoTime Now() { return SystemClock().Monotonic(); }

using Headers = std::vector<std::pair<std::string, std::string>>;

Route FileRoute(std::string path, const char* type, std::string_view text, Headers headers = {}) {
  return {"GET", std::move(path), RouteAccess::kAnyone,
          [type, text, headers = std::move(headers)](const ApiRequest&, ApiReply reply) {
            ApiResponse response;
            response.content_type = type;
            response.body = text;
            response.headers = headers;
            reply.Send(std::move(response));
          }};
}

}  // namespace

std::vector<Route> AgentRoutes(ApiContext& context) {
  std::vector<Route> routes = RoutesV1(context);
  auto more = RoutesV2(context);
  routes.insert(routes.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  routes.push_back(FileRoute("/v1/openapi.json", "application/json", kOpenApi));
  routes.push_back(FileRoute("/", "text/html; charset=utf-8", kStatusPage,
                             {{"Content-Security-Policy", PagePolicy(kStatusPage)}}));
  return routes;
}

AgentApi::AgentApi(RunControl& control, Hooks hooks)
    : access_(Now),
      context_{control,
               counters_,
               std::make_shared<EventStream>(),
               std::move(hooks.look_now),
               std::move(hooks.push),
               [this] {
                 const std::scoped_lock lock(mutex_);
                 return problem_;
               },
               [this] {
                 const std::scoped_lock lock(mutex_);
                 return target_problem_;
               },
               [this] {
                 const std::scoped_lock lock(mutex_);
                 return device_;
               },
               worker_} {}

AgentApi::~AgentApi() {
  context_.events->Close();
  server_.reset();
}

Result<std::unique_ptr<AgentApi>> AgentApi::Listen(const AgentOptions& options, RunControl& control,
                                                   Hooks hooks) {
  const std::vector<ApiKey> keys = std::move(hooks.keys);
  std::unique_ptr<AgentApi> api(new AgentApi(control, std::move(hooks)));
  api->SetKeys(keys, ApiAccess::KeysAre::kSome);  // Of apps: once their target is known.
  if (options.api_socket.empty() && options.api_listen.empty()) return api;
  LOCKSTEP_TRY(RouteTable routes, RouteTable::Make(AgentRoutes(api->context_)));
  api->router_ = std::make_unique<ApiRouter>(std::move(routes), api->access_, options.api_hosts);
  HttpServerOptions serving;
  serving.unix_socket = options.api_socket;
  serving.tcp = options.api_listen;
  LOCKSTEP_TRY(api->server_, HttpServer::Listen(serving, *api->router_));
  return api;
}

void AgentApi::OnEvent(const Event& event) {
  counters_.OnEvent(event);
  if (server_) context_.events->Publish(EventKindName(event.kind), WriteEvent(event));
}

void AgentApi::SetDevice(std::shared_ptr<const ApiDevice> device) {
  const std::scoped_lock lock(mutex_);
  device_ = std::move(device);
}

void AgentApi::SetProblem(std::optional<Error> problem) {
  const std::scoped_lock lock(mutex_);
  problem_ = std::move(problem);
}

void AgentApi::SetTargetProblem(std::optional<Error> problem) {
  const std::scoped_lock lock(mutex_);
  target_problem_ = std::move(problem);
}

}  // namespace lockstep
