// The plan of one app: from what is seen of it to its target, in the order of the design's
// section 5.
#ifndef LOCKSTEP_APP_PLANNER_H_
#define LOCKSTEP_APP_PLANNER_H_

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "dependency_graph.h"
#include "image_index.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "service_view.h"
#include "step_list.h"

namespace lockstep {

// What all apps of one plan share.
struct PlanContext {
  const ObservedState& observed;
  const PlanOptions& options;
  ImageIndex images;
  // Every container's name, strangers' too.
  std::unordered_map<std::string_view, const ObservedContainer*> names;
  // How many containers run an image, and which images some target asks for or are here.
  std::unordered_map<std::string_view, int> image_users;
  std::unordered_set<std::string_view> images_wanted;
  std::unordered_set<std::string_view> images_here;
};

class AppPlanner {
 public:
  AppPlanner(const PlanContext& context, const AppFacts& facts, std::vector<Step>& steps);

  AppPlan Make();

 private:
  // What is planned for one view; indices of steps.
  struct Work {
    std::optional<StepIndex> create;
    std::optional<StepIndex> settled;    // await-health
    std::optional<StepIndex> completed;  // await-health until it has exited with 0
    StepIndices before_start;            // Connects, and the stops and updates of older containers.
    StepIndices started;                 // To wait for, for whoever depends on it.
    bool restarts_present = false;
    bool late = false;  // Starts after the locks are given back: it waits for health.
  };

  void FindGaps();
  bool Blocked() const;
  void FindHolders();
  bool GoesBack() const;
  bool CutoverBegun() const;
  bool Touches(const ServiceView& view) const;
  bool StartIsGated(const ServiceView& view) const;
  bool NeedsStart(const ServiceView& view) const;

  void Prepare();
  StepIndices PrepareResources(const ServiceView& view);
  void PrepareContainer(std::size_t i);
  std::string NameToCreate(const ServiceView& view) const;
  void Restore(const ServiceView& view, const ObservedContainer& container, StepIndices& after);
  void StartPresent(std::size_t i, StepIndices after);
  void StartWhatIsDown();
  void TakeLocks();
  void DeleteLocks();
  void StopOld();
  void Stop(std::size_t i, const ObservedContainer& container, const StepIndices& after);
  void SetAside(std::size_t i, const ObservedContainer& container, StepIndices after);
  void StartNew();
  void Start(std::size_t i);
  StepIndices StartsBefore(std::size_t i, bool gated);
  bool FillsIn(std::size_t i) const;
  bool WaitsFor(const DependencyEdge& edge) const;
  StepIndex Await(std::size_t i, DependencyCondition condition);
  void ReleaseLocks();
  void StartLate();
  void Rename();
  void Settle();
  void CleanUp();
  void RemoveContainers();
  void RemoveImages();
  void RemoveNetworks();
  void GoBack();
  void SetStatuses();

  std::string_view StartSubject(const ServiceView& view) const;

  const PlanContext& context_;
  const AppFacts& facts_;
  std::vector<Step>& all_steps_;
  const std::size_t first_step_;
  StepList steps_;
  AppPlan plan_;
  std::vector<ServiceView> views_;
  std::vector<Work> work_;
  DependencyGraph start_graph_;
  std::unordered_map<std::string_view, StepIndex> networks_;
  std::unordered_map<std::string_view, StepIndex> volumes_;
  std::unordered_map<std::string, StepIndex> pulls_;
  std::unordered_map<std::string, StepIndices> freed_ports_;
  std::vector<std::string> names_to_create_;
  StepIndices prepared_;
  StepIndices gate_;  // take-locks, and what comes right after it.
  StepIndices stopped_;
  StepIndices span_starts_;  // Starts that the span waits for.
  StepIndices late_starts_;
  StepIndices released_;
  StepIndices before_commit_;
  StepIndices committed_;
  std::vector<std::pair<const ObservedContainer*, StepIndex>> removed_;
  std::set<StepIndex> gated_starts_;
  bool has_span_ = false;
  bool forced_ = false;
  bool held_ = false;
  bool gated_ = false;
  bool changed_ = false;  // A release goes on, or a changed service is made anew.
};

}  // namespace lockstep

#endif  // LOCKSTEP_APP_PLANNER_H_
