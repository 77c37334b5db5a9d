// The plan of one app: from what is seen of it to its target, in the order of the design's
// section 5. Its parts are in files of their own: app_gaps, app_prepare, app_old_starts,
// app_cutover, app_strategies, app_networks, app_settle, app_go_back.
#ifndef LOCKSTEP_APP_PLANNER_H_
#define LOCKSTEP_APP_PLANNER_H_

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dependency_graph.h"
#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "plan_context.h"
#include "service_view.h"
#include "step_list.h"

namespace lockstep {

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
    StepIndices stops;
    StepIndices started;                 // To wait for, for whoever depends on it.
    std::optional<StepIndex> old_start;  // What ran until now is started again.
    bool start_gated = false;            // Its start waits for the locks.
    bool late = false;       // Starts after the locks are given back: it waits for health.
    bool late_free = false;  // The same, for one that waits for nobody who needs the locks.
    bool in_span = false;  // What it waits for is waited for inside the span: a hand-over needs it.
    bool look_up = false;  // Its tag is to be looked up again.
    bool hand_over = false;      // Its new container runs beside the old one for a while.
    bool late_download = false;  // Its image is pulled after its old container was stopped.
    bool late_create = false;    // Its container is made inside the span.
    bool removed_early = false;  // Its old containers go before the new one is made.
    bool first_wave = false;     // Stops before the late downloads, the others after them.
  };

  const DependencyGraph& stop_graph() const { return old_graph_ ? *old_graph_ : start_graph_; }

  // app_gaps.cc
  void FindHolders();
  void FindPause();
  void FindGaps();
  void FindContainerGaps();
  void FindStrategyGaps();
  void FindRebootGaps();
  void FindHandOverConflicts();
  void AddGap(std::string code, std::string message, bool blocks);
  bool Blocked() const;

  // app_planner.cc
  void ReserveSteps();
  bool GoesBack() const;
  bool CutoverBegun() const;
  bool IsInterrupted(const ServiceView& view) const;
  bool Touches(const ServiceView& view) const;
  bool StartIsGated(std::size_t i) const;
  bool FillsIn(std::size_t i) const;
  bool IsOnRemade(const ServiceView& view) const;
  std::string_view StartSubject(const ServiceView& view) const;
  std::size_t IndexOf(const ServiceView& view) const;
  void SetStatuses();
  bool WaitsForResume(StepIndex i) const;

  // app_prepare.cc
  void Prepare();
  void MakeNetworks();
  void PrepareVolumes();
  void Pull(std::size_t i, Phase phase, const StepIndices& after);
  void Create(std::size_t i, Phase phase, StepIndices after);
  void ConnectFuture(std::size_t i);
  void RestorePolicy(const ServiceView& view);
  void ClaimFuture(std::size_t i);
  StepIndices Connect(const ServiceView& view, const ObservedContainer& container,
                      const ServiceSpec& spec, Phase phase, const StepIndices& after);
  std::string NameToCreate(const ServiceView& view) const;

  // app_old_starts.cc
  void Restore(const ServiceView& view, const ObservedContainer& container, StepIndices& after);
  void StartAgain(std::size_t i, const ObservedContainer& old, StepIndices after);
  bool CouldStart(const ObservedContainer& container);
  bool TakesFromOthers(const ObservedContainer& container, const ServiceSpec& spec);
  void StartWhatIsDown();

  // app_cutover.cc
  void TakeLocks();
  void DeleteLocks();
  void StopOld();
  void SetAsideWhatIsDown();
  std::optional<StepIndex> SetAsideForGood(std::size_t i, StepIndices after);
  void StopWave(bool first, const StepIndices& gate);
  void Stop(std::size_t i, const ObservedContainer& container, const StepIndices& after);
  StepIndex AddStop(std::size_t i, const ObservedContainer& container, StepIndices after,
                    std::string_view detail = {});
  void Free(const ObservedContainer& container, StepIndex stop);
  StepIndices FreeOf(std::size_t i) const;
  std::optional<StepIndex> SetAside(std::size_t i, const ObservedContainer& container,
                                    StepIndices after);
  void StartNew();
  void Start(std::size_t i);
  void FindLateness(std::size_t i);
  StepIndices StartsBefore(std::size_t i, bool gated);
  bool WaitsFor(const DependencyEdge& edge) const;
  StepIndex Await(std::size_t i, DependencyCondition condition, bool in_span);
  void ReleaseLocks();
  void StartLate();

  // app_strategies.cc
  void ApplyPullPolicies();
  void ChooseWays();
  void CheckImages();
  StepIndices DownloadLate();
  StepIndices RemoveEarly(std::size_t i);
  void HandOver();

  // app_networks.cc
  void RemakeNetworks();
  void PurgeVolumes();
  void CreateLate();

  // app_settle.cc
  void Rename();
  void Settle();
  void CleanUp();
  void RemoveContainers();
  StepIndex RemoveContainer(const ServiceView& view, const ObservedContainer& container,
                            Phase phase, StepIndices after);
  void RemoveImages();
  std::optional<StepIndex> RemoveImage(std::string_view image, Phase phase,
                                       const StepIndices& removals, std::size_t users_gone);
  void RemoveNetworks();
  void ForgetApp();

  // app_go_back.cc
  void FindWayBack();
  void FindTiedBack();
  bool StopsItself() const;
  void GoBack();
  void StopNew();
  bool MadeForThis(const ServiceView& view) const;
  bool GoesAgain(const ServiceView& view, const ObservedContainer& container) const;
  bool AnyStopsBack(const std::function<bool(const ObservedContainer&)>& counts) const;
  bool StopsBack(const ServiceView& view, const ObservedContainer* container) const;
  bool IsOnRestored(const ObservedContainer& container) const;
  void StartOld(const StepIndices& down);
  StepIndices StartBack(std::size_t i, const StepIndices& after);
  StepIndices RenameBack(const StepIndices& after);
  StepIndices RestoreNetworks(const StepIndices& after);

  const PlanContext& context_;
  const AppFacts& facts_;
  std::vector<Step>& all_steps_;
  const std::size_t first_step_;
  StepList steps_;
  AppPlan plan_;
  std::vector<ServiceView> views_;
  std::vector<Work> work_;
  DependencyGraph start_graph_;
  std::optional<DependencyGraph> old_graph_;  // None where all that runs is of the target.
  std::vector<bool> tied_back_;  // By view: restarts, going back, with what it depends on.
  std::vector<StepIndices> dependents_stopped_;  // By view: the stops that come before its own.
  std::map<std::string_view, StepIndex> networks_made_;
  std::map<std::string_view, StepIndex> volumes_made_;
  std::unordered_map<std::string, StepIndex> pulls_;
  std::unordered_map<std::string, StepIndices> freed_;  // By claim: the stops that free it.
  // By claim, who has it now; made when somebody asks.
  std::optional<std::unordered_map<std::string, const ObservedContainer*>> claimed_;
  StepIndices prepared_;
  StepIndices gate_;  // take-locks, and what comes right after it.
  StepIndices late_pulls_;
  StepIndices stopped_;
  StepIndices span_work_;    // Everything else inside the span but the starts.
  StepIndices span_starts_;  // Starts that the span waits for.
  StepIndices late_starts_;
  StepIndices free_starts_;  // In no span, and waiting for no lock.
  StepIndices released_;
  StepIndices before_commit_;
  StepIndices committed_;
  std::vector<std::pair<const ObservedContainer*, StepIndex>> removed_;
  std::set<std::string, std::less<>> images_removed_;
  std::set<StepIndex> gated_starts_;
  std::set<const ObservedContainer*> set_aside_;
  bool has_span_ = false;
  bool forced_ = false;
  bool held_ = false;
  bool gated_ = false;
  bool going_back_ = false;
  bool paused_ = false;   // By a person; a span that has begun goes on to its end.
  bool removes_ = false;  // A person asked for the app to go, and it does.
  bool changed_ = false;  // A release goes on, or a changed service is made anew.
};

}  // namespace lockstep

#endif  // LOCKSTEP_APP_PLANNER_H_
