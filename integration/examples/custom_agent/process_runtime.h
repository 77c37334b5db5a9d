// ProcessRuntime: a runtime without containers. A service is a plain process of this machine.
#ifndef CUSTOM_AGENT_PROCESS_RUNTIME_H_
#define CUSTOM_AGENT_PROCESS_RUNTIME_H_

#include <lockstep/runtime_backend.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "books.h"
#include "process.h"
#include "program_store.h"

namespace custom {

// An image is a program (ProgramStore), a container a directory that its process starts in, with
// what it prints last in "output". Processes outlive the agent, and the next one finds them again.
//
// Of what a service may ask for it gets `command` (its arguments) and `environment`; each volume is
// a directory, named by VOLUME_<name>, and its lock directory by LOCK_DIR. Published ports are
// claims: two that want one do not run at once. Networks are names, for all share the machine's.
// Everything else is kept and reported and has no effect. Restart policies are left to Lockstep,
// which starts what has ended: nothing is while no agent runs.
class ProcessRuntime final : public lockstep::RuntimeBackend {
 public:
  template <typename T>
  using Result = lockstep::Result<T>;

  // `registry`: a directory of programs. `directory`: absolute; one runtime at a time.
  static Result<std::unique_ptr<ProcessRuntime>> Open(const std::string& registry,
                                                      const std::string& directory);
  ~ProcessRuntime() override;

  Result<lockstep::EngineInfo> Describe(std::stop_token stop) override;
  Result<lockstep::EngineState> Observe(const lockstep::ObserveRequest& request,
                                        std::stop_token stop) override;
  Result<void> CheckImage(const std::string& reference, std::stop_token stop) override;
  Result<std::string> PullImage(const lockstep::PullRequest& request,
                                lockstep::ProgressSink& progress, std::stop_token stop) override;
  Result<std::string> CreateContainer(const lockstep::ContainerSpec& spec,
                                      std::stop_token stop) override;
  Result<void> StartContainer(const std::string& id, std::stop_token stop) override;
  Result<void> StopContainer(const std::string& id, std::chrono::milliseconds grace,
                             std::stop_token stop) override;
  Result<void> UpdateContainer(const std::string& id, const std::string& restart_policy,
                               std::stop_token stop) override;
  Result<void> RenameContainer(const std::string& id, const std::string& name,
                               std::stop_token stop) override;
  Result<void> RemoveContainer(const std::string& id, std::stop_token stop) override;
  Result<void> CreateNetwork(const lockstep::NetworkSpec& spec, std::stop_token stop) override;
  Result<void> ConnectNetwork(const std::string& container, const lockstep::NetworkSpec& network,
                              const lockstep::Value& endpoint, std::stop_token stop) override;
  Result<void> RemoveNetwork(const lockstep::NetworkSpec& network, std::stop_token stop) override;
  Result<void> CreateVolume(const lockstep::VolumeSpec& spec, std::stop_token stop) override;
  Result<void> RemoveVolume(const lockstep::VolumeSpec& volume, std::stop_token stop) override;
  Result<void> RemoveImage(const std::string& image_id, std::stop_token stop) override;
  Result<lockstep::Findings> Examine(const std::string& id, std::stop_token stop) override;
  Result<void> Watch(lockstep::EventSink& sink, std::stop_token stop) override;

 private:
  using Events = std::deque<std::optional<lockstep::EngineEvent>>;  // None: a gap.

  ProcessRuntime(const std::string& registry, std::string directory, Books books, int wake);
  // All but Supervise and Wake: with `mutex_` held.
  void Supervise(const std::stop_token& stop);
  void Wake() const;
  void FindProcesses();
  void HasEnded(Container& container, int exit_code);
  Container* Find(const std::string& id);
  const lockstep::ObservedNetwork* FindNetwork(const std::string& app, const std::string& name);
  bool IsAttached(const Container& container, const lockstep::ObservedNetwork& network) const;
  Result<void> MayStart(const Container& container);
  std::string HomeOf(const std::string& id) const;
  std::string DirectoryOf(const lockstep::VolumeSpec& volume) const;
  Result<void> Save() const;
  void Tell(lockstep::EngineEventKind kind, const Container& container);

  const std::string directory_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  ProgramStore programs_;
  Books books_;
  std::map<std::string, Process> processes_;  // By container. Changed by Supervise where one ends.
  std::set<Events*> watchers_;
  const int wake_;           // An eventfd.
  std::jthread supervisor_;  // Last: it uses the others.
};

}  // namespace custom

#endif  // CUSTOM_AGENT_PROCESS_RUNTIME_H_
