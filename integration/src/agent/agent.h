// The agent: ports, target source and API around Orchestrator::Run.
#ifndef LOCKSTEP_INTEGRATION_AGENT_AGENT_H_
#define LOCKSTEP_INTEGRATION_AGENT_AGENT_H_

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/agent_api.h"
#include "agent/agent_options.h"
#include "agent/api_secrets.h"
#include "agent/event_log.h"
#include "agent/reporting.h"
#include "device.h"
#include "lockstep/clock.h"
#include "lockstep/event.h"
#include "lockstep/result.h"
#include "lockstep/run_control.h"
#include "options.h"

namespace lockstep {

class Agent final : TargetSink, EventObserver {
 public:
  Agent(const AgentOptions& options, const CommonOptions& common);

  // Until a stop is requested: then a cutover that has begun is finished first. What is wrong with
  // the device, the engine or the target is reported and waited for. Errors: the configuration
  // (kInvalidInput), another Lockstep at work (kAnotherOrchestrator), and what only a person can
  // put right (kUnsupported).
  Result<void> Run(std::stop_token stop);

 private:
  void Work(const std::stop_token& stop);
  void OnTarget(LoadedTarget target) override;
  void OnProblem(Error error) override;
  void OnProblemGone() override;
  void OnEvent(const Event& event) override;

  Result<void> OpenDevice(const std::stop_token& stop);
  Result<void> TryToOpen(const std::stop_token& stop);
  Result<void> StartApi();
  Result<void> Push(const std::string& text);
  void SetTarget(Target target);
  void SetKeys(std::vector<ApiKey> keys);
  void TakeUpKeys(const RunView& view);
  void StartReporting();
  void RecallTarget();
  void TakeTargets(bool now);
  SessionOptions MakeSessionOptions() const;
  void AnswerWatchdog(const std::stop_token& stop);

  const AgentOptions& options_;
  const CommonOptions& common_;
  SystemClock clock_;
  EventLog log_;
  RunControl control_;
  std::unique_ptr<TargetSource> source_;
  std::unique_ptr<DeviceControl> device_;
  DeviceInfo facts_;
  std::optional<ApiSecrets> secrets_;
  std::unique_ptr<AgentApi> api_;
  std::mutex push_mutex_;  // Of the next: held while a target that was pushed is taken.
  bool takes_targets_ = false;
  std::mutex keys_mutex_;  // Of the next two.
  std::vector<ApiKey> keys_;
  std::set<std::string> found_keys_;      // In containers that were taken over.
  std::unique_ptr<Reporting> reporting_;  // To a backend, while the run goes on.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_AGENT_H_
