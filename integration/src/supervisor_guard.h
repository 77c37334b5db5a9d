// Keeps Lockstep off an engine that a balena supervisor manages.
#ifndef LOCKSTEP_INTEGRATION_SUPERVISOR_GUARD_H_
#define LOCKSTEP_INTEGRATION_SUPERVISOR_GUARD_H_

#include <string>

#include "lockstep/runtime_backend.h"

namespace lockstep {

// Passes everything on to `engine`. A look that finds a running container named balena_supervisor
// or resin_supervisor fails with kAnotherOrchestrator instead: each update begins with a look, so
// nothing is written then, and no further call to the engine is needed to know.
class SupervisorGuard final : public RuntimeBackend {
 public:
  explicit SupervisorGuard(RuntimeBackend& engine) : engine_(engine) {}

  Result<EngineInfo> Describe(std::stop_token stop) override { return engine_.Describe(stop); }
  Result<EngineState> Observe(const ObserveRequest& request, std::stop_token stop) override;
  Result<void> CheckImage(const std::string& reference, std::stop_token stop) override {
    return engine_.CheckImage(reference, stop);
  }
  Result<std::string> PullImage(const PullRequest& request, ProgressSink& progress,
                                std::stop_token stop) override {
    return engine_.PullImage(request, progress, stop);
  }
  Result<std::string> CreateContainer(const ContainerSpec& spec, std::stop_token stop) override {
    return engine_.CreateContainer(spec, stop);
  }
  Result<void> StartContainer(const std::string& id, std::stop_token stop) override {
    return engine_.StartContainer(id, stop);
  }
  Result<void> StopContainer(const std::string& id, std::chrono::milliseconds grace,
                             std::stop_token stop) override {
    return engine_.StopContainer(id, grace, stop);
  }
  Result<void> UpdateContainer(const std::string& id, const std::string& restart_policy,
                               std::stop_token stop) override {
    return engine_.UpdateContainer(id, restart_policy, stop);
  }
  Result<void> RenameContainer(const std::string& id, const std::string& name,
                               std::stop_token stop) override {
    return engine_.RenameContainer(id, name, stop);
  }
  Result<void> RemoveContainer(const std::string& id, std::stop_token stop) override {
    return engine_.RemoveContainer(id, stop);
  }
  Result<void> CreateNetwork(const NetworkSpec& spec, std::stop_token stop) override {
    return engine_.CreateNetwork(spec, stop);
  }
  Result<void> ConnectNetwork(const std::string& container, const NetworkSpec& network,
                              const Value& endpoint, std::stop_token stop) override {
    return engine_.ConnectNetwork(container, network, endpoint, stop);
  }
  Result<void> RemoveNetwork(const NetworkSpec& network, std::stop_token stop) override {
    return engine_.RemoveNetwork(network, stop);
  }
  Result<void> CreateVolume(const VolumeSpec& spec, std::stop_token stop) override {
    return engine_.CreateVolume(spec, stop);
  }
  Result<void> RemoveVolume(const VolumeSpec& volume, std::stop_token stop) override {
    return engine_.RemoveVolume(volume, stop);
  }
  Result<void> RemoveImage(const std::string& image_id, std::stop_token stop) override {
    return engine_.RemoveImage(image_id, stop);
  }
  Result<Findings> Examine(const std::string& id, std::stop_token stop) override {
    return engine_.Examine(id, stop);
  }
  Result<void> Watch(EventSink& sink, std::stop_token stop) override {
    return engine_.Watch(sink, stop);
  }

 private:
  RuntimeBackend& engine_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SUPERVISOR_GUARD_H_
