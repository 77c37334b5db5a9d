// Looking at an engine: its lists, and into the containers that the lists do not explain.
#ifndef LOCKSTEP_RUNTIMES_OBSERVER_H_
#define LOCKSTEP_RUNTIMES_OBSERVER_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "engine_api.h"
#include "inspect_reading.h"
#include "known_networks.h"
#include "lockstep/runtime_backend.h"

namespace lockstep::docker {

// Thread-safe.
class Observer {
 public:
  // Tells `known` of each list of networks.
  Observer(EngineApi& api, KnownNetworks& known) : api_(api), known_(known) {}

  // Four lists, the version once, and an inspect for each owned container that is looked into: of
  // unknown hash, or failed. The image of such a container is inspected once, since only it tells
  // what the container inherited, and the engine is asked once for what it fills in; and one that
  // the list leaves out, since a container may have its labels from there.
  Result<EngineState> Observe(const ObserveRequest& request, std::stop_token stop);

  // While events are watched, what was seen inside a container holds until an event names it; else
  // it is looked up each time.
  void StartTrusting();
  void StopTrusting();
  void Forget(const std::string& container);
  // An engine tells of a container's end a moment before its lists know of it: where one still
  // calls it running, the next Observe looks into it.
  void Note(const EngineEvent& event);

 private:
  struct Details {
    Reading reading;
    std::string restart_policy;
    std::optional<WallTime> started_at;
    int restart_count = 0;
  };

  Result<void> CorrectEnded(EngineState& state, std::stop_token stop);
  // False where the container is gone by now.
  Result<bool> LookInto(ObservedContainer& container, const EngineState& state,
                        std::stop_token stop);
  Result<EngineDefaults> DefaultsOf(std::stop_token stop);
  // Empty where the image is gone.
  Result<Json> ImageOf(const std::string& id, std::stop_token stop);
  std::optional<Details> Known(const std::string& container) const;

  EngineApi& api_;
  KnownNetworks& known_;
  mutable std::mutex mutex_;
  bool trusting_ = false;
  std::uint64_t forgotten_ = 0;  // Counts: a look that began before an event is not kept.
  std::optional<EngineDefaults> defaults_;
  std::map<std::string, Details> details_;
  std::set<std::string> ended_;         // As events say, and no look has shown yet.
  std::map<std::string, Json> images_;  // By id: an image never changes.
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_OBSERVER_H_
