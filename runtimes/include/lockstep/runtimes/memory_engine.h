// A container engine in memory: no daemon, the same contract. For trying things out and for tests.
#ifndef LOCKSTEP_RUNTIMES_MEMORY_ENGINE_H_
#define LOCKSTEP_RUNTIMES_MEMORY_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "lockstep/runtime_backend.h"

namespace lockstep {

// The methods of RuntimeBackend, to count them and to let one fail.
enum class Call : std::uint8_t {
  kDescribe,
  kObserve,
  kCheckImage,
  kPullImage,
  kCreateContainer,
  kStartContainer,
  kStopContainer,
  kUpdateContainer,
  kRenameContainer,
  kRemoveContainer,
  kCreateNetwork,
  kConnectNetwork,
  kRemoveNetwork,
  kCreateVolume,
  kRemoveVolume,
  kRemoveImage,
  kWatch,
  kExamine,
};
inline constexpr std::size_t kCallCount = 18;

// What a registry has under a reference.
struct MemoryImage {
  std::int64_t size_bytes = 4'000'000;
  Labels labels = {};
  std::string content = {};           // The same content is the same image; empty: the reference.
  std::optional<int> exit_code = {};  // A job: its containers end at once, with this status.
  std::string output = {};            // What its containers print at each start.
};

struct MemoryOptions {
  // Any reference can be pulled; its content is the reference itself.
  bool pull_anything = false;
  // Bytes of all images that were pulled, each counted once: a pull that would go beyond is refused
  // as on a full disk. None: no limit. The images of a saved state count nothing.
  std::optional<std::int64_t> capacity_bytes;
  // What a container with a health check says once it is started.
  Health health_at_start = Health::kHealthy;
  std::function<WallTime()> now;  // Empty: the system clock.
};

// Behaves like Docker where it matters to a planner: unique names, the state of each container,
// published ports that collide, networks known by id, restart policies, refusals to remove what is
// in use. Thread-safe. A hook is called from the thread of the call, with nothing locked.
class MemoryEngine final : public RuntimeBackend {
 public:
  explicit MemoryEngine(MemoryOptions options = {});
  // Goes on from a saved state. What is missing in it of a container (specification, policy,
  // networks) is taken as empty.
  explicit MemoryEngine(EngineState initial, MemoryOptions options = {});
  ~MemoryEngine() override;

  // Everything, with the details of every container: what the constructor takes.
  EngineState State() const;

  // Puts an image into the registry; a second one under the same reference replaces it there.
  void AddImage(const std::string& reference, MemoryImage image = {});
  // Puts a container there that somebody else made: nothing is checked; an empty id is filled in,
  // and who it belongs to where only its labels say so.
  std::string AddContainer(ObservedContainer container);

  // The app inside: what a container does by itself. False where there is no such container (or it
  // does not run).
  bool SetHealth(const std::string& container, Health health);
  bool Exit(const std::string& container, int exit_code);  // The engine may start it again.
  bool Print(const std::string& container, std::string_view text);
  // As Exit with 137, by the kernel.
  bool RunOutOfMemory(const std::string& container);
  // Everything stops at once, and what its policy revives is started again; watches see a gap.
  void PowerCut();

  // The next call of this kind that finds no earlier failure queued returns `error`, and does
  // nothing.
  void FailNext(Call call, Error error);
  // Called before each call takes effect; `subject` is the container, image, network or volume.
  void OnCall(std::function<void(Call call, const std::string& subject)> hook);
  // How long each call takes; a stop request ends the wait.
  void SetLatency(std::function<std::chrono::milliseconds(Call call)> latency);
  int calls(Call call) const;
  int total_calls() const;

  Result<EngineInfo> Describe(std::stop_token stop) override;
  Result<EngineState> Observe(const ObserveRequest& request, std::stop_token stop) override;
  Result<void> CheckImage(const std::string& reference, std::stop_token stop) override;
  Result<std::string> PullImage(const PullRequest& request, ProgressSink& progress,
                                std::stop_token stop) override;
  Result<std::string> CreateContainer(const ContainerSpec& spec, std::stop_token stop) override;
  Result<void> StartContainer(const std::string& id, std::stop_token stop) override;
  Result<void> StopContainer(const std::string& id, std::chrono::milliseconds grace,
                             std::stop_token stop) override;
  Result<void> UpdateContainer(const std::string& id, const std::string& restart_policy,
                               std::stop_token stop) override;
  Result<void> RenameContainer(const std::string& id, const std::string& name,
                               std::stop_token stop) override;
  Result<void> RemoveContainer(const std::string& id, std::stop_token stop) override;
  Result<void> CreateNetwork(const NetworkSpec& spec, std::stop_token stop) override;
  Result<void> ConnectNetwork(const std::string& container, const NetworkSpec& network,
                              const Value& endpoint, std::stop_token stop) override;
  Result<void> RemoveNetwork(const NetworkSpec& network, std::stop_token stop) override;
  Result<void> CreateVolume(const VolumeSpec& spec, std::stop_token stop) override;
  Result<void> RemoveVolume(const VolumeSpec& volume, std::stop_token stop) override;
  Result<void> RemoveImage(const std::string& image_id, std::stop_token stop) override;
  Result<Findings> Examine(const std::string& id, std::stop_token stop) override;
  Result<void> Watch(EventSink& sink, std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_RUNTIMES_MEMORY_ENGINE_H_
