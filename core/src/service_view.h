// What there is of one service, next to what there should be: the comparison behind every decision.
#ifndef LOCKSTEP_SERVICE_VIEW_H_
#define LOCKSTEP_SERVICE_VIEW_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "image_index.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/target.h"

namespace lockstep {

struct DependencyGraph;

struct ServiceView {
  std::string name;
  const TargetService* target = nullptr;       // None: it is to go.
  std::string_view hash;                       // Of the target's specification.
  const ObservedContainer* future = nullptr;   // Matches the target.
  const ObservedContainer* present = nullptr;  // Does not match; what ran until now.
  std::vector<const ObservedContainer*> left_over;
  bool image_here = false;
  bool is_new = false;  // The future was made for this release and is not proven yet.
  // Unchanged, but to be restarted: something it is attached to, shares or depends on is made anew,
  // or a person asked for it.
  bool tied = false;
  bool stopped = false;  // By a person, or with a service whose namespace it shares.
  bool down = false;     // Should run and does not.
  ServiceChange change = ServiceChange::kNone;
  std::vector<Reason> why;

  bool ShouldRun() const { return target != nullptr && target->spec.running && !stopped; }
};

struct AppFacts;

// The specifications of a target by their hashes, indexed when somebody asks. For one thread.
class SpecsByHash {
 public:
  // To be called before the first look. The facts must outlive it.
  void Add(const AppFacts& facts) { apps_.push_back(&facts); }
  const ServiceSpec* Find(std::string_view hash) const;

 private:
  std::vector<const AppFacts*> apps_;
  mutable std::unordered_map<std::string_view, const ServiceSpec*> specs_;
};

// Everything of one app that the comparison needs.
struct AppFacts {
  std::string app;
  std::string app_id;
  const TargetApp* target = nullptr;                 // None: the app is to go.
  AppRecord record;                                  // From the store, or what follows without one.
  std::vector<const ObservedContainer*> containers;  // Owned, not going away. Sorted by service.
  std::vector<const ObservedNetwork*> networks;      // Owned. Sorted by name.
  std::vector<const ObservedVolume*> volumes;        // Owned. Sorted by name.
  std::vector<std::string> remade;                   // Networks: see IsRemade. Sorted.
  std::vector<std::string> hashes;                   // Of the release's services, in their order.
  std::shared_ptr<const SpecsByHash> specs;          // Of every app: a look leaves them out.

  const TargetRelease* release() const {
    return target != nullptr && target->release ? &*target->release : nullptr;
  }
  // The release that should run; empty where the app is to go or runs nothing.
  const std::string& to() const {
    static const std::string kNothing;
    return release() != nullptr ? release()->commit : kNothing;
  }
  // What the container was made from: as it says itself, or by its hash. Null: not known.
  const ServiceSpec* SpecOf(const ObservedContainer& container) const;
  // The release that should run failed on this device.
  bool HasFailed() const;
  const ObservedNetwork* FindNetwork(const std::string& name) const;
  const ObservedVolume* FindVolume(const std::string& name) const;
};

// True where the network is there by another definition than the release's: it is made anew.
bool IsRemade(const AppFacts& facts, const std::string& network);

// The volumes of this specification that are to be purged: a container goes with its volumes.
std::vector<std::string> PurgedVolumes(const AppFacts& facts, const ServiceSpec& spec);
bool UsesPurged(const AppFacts& facts, const ObservedContainer& container);

// True where the container ran until the cutover under way stopped it.
bool WasInterrupted(const AppFacts& facts, const ObservedContainer& container);

// True where the container ran in the release before, and goes on in this one as it is.
bool WasRenamed(const AppFacts& facts, const ObservedContainer& container);

// True where a person asked for the container to be stopped and started.
bool IsToRestart(const AppFacts& facts, const ObservedContainer& container);

// True for a strategy that stops the old container before the new image is here.
bool KillsFirst(Strategy strategy);

// True where the container is attached to the network, as far as is known.
bool IsAttached(const AppFacts& facts, const ObservedContainer& container,
                const std::string& network);

// One view for each service in current or target, sorted by name. `start_graph` becomes the
// StartGraph of them.
std::vector<ServiceView> ViewServices(const AppFacts& facts, const ImageIndex& images,
                                      DependencyGraph& start_graph);

// True for a container that is down though its own restart policy says it should not be, or though
// it ran until a cutover stopped it.
bool WantsStart(const AppFacts& facts, const ObservedContainer& container,
                const std::string& restart_policy);
// True where the service should run and does not.
bool NeedsStart(const ServiceView& view);
// True where an unchanged service that runs is stopped and started again.
bool Restarts(const ServiceView& view);
bool WillStart(const ServiceView& view);  // One of the two.
std::vector<const ObservedContainer*> AllOf(const ServiceView& view);

// The policy a container was made with, whatever was set aside since.
std::string OriginalPolicy(const ObservedContainer& container, const ObservedState& observed);

// The final name of a service's container in its release.
std::string FinalName(const TargetRelease& release, const TargetService& service);

}  // namespace lockstep

#endif  // LOCKSTEP_SERVICE_VIEW_H_
