// Containers whose process runs on though their engine does not know.
//
// An engine that is killed after a container's process began and before it wrote that down finds no
// trace of it afterwards: the container is "created" or "exited", cannot be started ("id already in
// use"; newer engines kill the process first), and would be removed without a word, with its
// process left behind for ever; made anew, the service would run twice. No call of the engine tells
// of such a process or ends it; the cgroups do, since an engine names each after its container.
//
// Nothing is found where the engine's machine is another one, or this is a process namespace of its
// own.
#ifndef LOCKSTEP_RUNTIMES_LOST_CONTAINERS_H_
#define LOCKSTEP_RUNTIMES_LOST_CONTAINERS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/clock.h"
#include "lockstep/error.h"
#include "lockstep/observed_state.h"
#include "lockstep/result.h"

namespace lockstep::docker {

// The id of the container that a line of /proc/PID/cgroup names, innermost first: "/docker/ID",
// "/system.slice/docker-ID.scope", "/machine.slice/libpod-ID.scope/container". Empty where there is
// none. What watches over a container ("libpod-conmon-ID.scope") is not in it.
std::string_view ContainerOfCgroup(std::string_view line);

// The processes of the container, the one that began the others first. Without those that its
// runtime began and that never became the container.
std::vector<pid_t> ProcessesOf(const std::string& container);

// Thread-safe.
class LostContainers {
 public:
  // While one is being started its process runs before the engine says so: that is no loss.
  class Start {
   public:
    Start(LostContainers& of, std::string container);
    ~Start();
    Start(const Start&) = delete;
    Start& operator=(const Start&) = delete;

   private:
    LostContainers& of_;
    const std::string container_;
  };

  // Says of each owned container that is not up, and whose processes run, that it is up and lost.
  // Reads /proc once where there are any that are not up. What is found for the first time may be
  // about to end, or be started by somebody else: it is lost where that is still so after three
  // seconds, by /proc and by `runs`, which asks the engine for one.
  void Mark(std::vector<ObservedContainer>& containers,
            const std::function<bool(const std::string&)>& runs, Clock& clock,
            const std::stop_token& stop);

 private:
  bool IsStarting(const std::string& container) const;

  mutable std::mutex mutex_;
  std::multiset<std::string> starting_;
  std::set<std::string> lost_;
};

// The number of a signal as an image names it: "SIGINT", "INT", "2", "SIGRTMIN+3"; SIGTERM for what
// is none.
int SignalFromName(std::string_view name);

// Asks the first of them to end with this signal, and kills all that are left after `grace`. Takes
// ten seconds more at most. Errors: kPermissionDenied, kConflict (one does not die), kUnsupported
// (the kernel is older than 5.3), kCancelled (some may still run).
Result<void> EndProcesses(const std::string& container, int signal, std::chrono::milliseconds grace,
                          std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_LOST_CONTAINERS_H_
