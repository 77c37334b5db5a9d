// The agent's HTTP API (formats.md, section 6) and status page.
#ifndef LOCKSTEP_INTEGRATION_AGENT_AGENT_API_H_
#define LOCKSTEP_INTEGRATION_AGENT_AGENT_API_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_options.h"
#include "agent/api_context.h"
#include "http_api/api_access.h"
#include "http_api/api_router.h"
#include "http_api/http_server.h"
#include "lockstep/event.h"

namespace lockstep {

// Serves from Listen() on, whatever the agent is at.
// Thread-safety: every method may be called from any thread.
class AgentApi final : public EventObserver {
 public:
  struct Hooks {
    std::function<void()> look_now;
    std::function<Result<void>(std::string)> push;  // Empty: targets are not pushed.
    std::vector<ApiKey> keys;                       // Those that are known before anybody can ask.
  };

  // `control` outlives it. Errors: those of HttpServer::Listen.
  static Result<std::unique_ptr<AgentApi>> Listen(const AgentOptions& options, RunControl& control,
                                                  Hooks hooks);
  ~AgentApi() override;

  // Publishes it to whoever reads /v1/events; costs nothing while nobody does.
  void OnEvent(const Event& event) override;

  // The device is open; none: it is not any more. Its ports outlive that.
  void SetDevice(std::shared_ptr<const ApiDevice> device);
  // Why the agent does not work as it should; none: it does.
  void SetProblem(std::optional<Error> problem);
  // Why no newer target could be had; none: the last one that was tried is used.
  void SetTargetProblem(std::optional<Error> problem);
  // Who may come over TCP. Keys that are too short open nothing.
  void SetKeys(const std::vector<ApiKey>& keys, ApiAccess::KeysAre are = ApiAccess::KeysAre::kAll) {
    (void)access_.SetKeys(keys, are);
  }
  Counters& counters() { return counters_; }

 private:
  AgentApi(RunControl& control, Hooks hooks);

  std::mutex mutex_;  // Of the next three.
  std::shared_ptr<const ApiDevice> device_;
  std::optional<Error> problem_;
  std::optional<Error> target_problem_;
  Counters counters_;
  ApiWorker worker_;
  ApiAccess access_;
  ApiContext context_;
  std::unique_ptr<ApiRouter> router_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_AGENT_API_H_
