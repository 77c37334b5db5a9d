// The judge of plans as they are made: one method for each group of invariants.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_PARTS_H_
#define LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_PARTS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan_facts.h"
#include "plan_invariants.h"

namespace lockstep::test {

std::string StepText(const Step& step);

// What the service depends on as it runs; by the target where what runs does not say.
std::set<std::string> StopDependencies(const ServiceLook& service, const ObservedState& state);

// The same by everything that says so.
std::set<std::string> AnyDependencies(const ServiceLook& service);

class PlanJudge {
 public:
  PlanJudge(const Target& target, const ObservedState& state, const PlanOptions& options,
            const Plan& plan, Findings& findings);
  void Judge();

 private:
  void JudgeForm();
  void JudgeDevice();
  void JudgeStatuses();
  void JudgePaused(std::size_t i);
  void JudgeAppStatus(const AppPlan& app);
  void JudgeScope(const AppLook& look);
  void JudgeGate(const AppLook& look);
  void JudgeTake(const AppLook& look, std::size_t take);
  void JudgePrepared(const AppLook& look, std::size_t stop);
  void JudgeUnchanged(const AppLook& look);
  void JudgeRestarts(const AppLook& look);
  void JudgeStarts(const AppLook& look);
  void JudgeStartsOfOld(const AppLook& look);
  void JudgeStops(const AppLook& look);
  void JudgeSequence(const AppLook& look);
  void JudgeSetAside(const AppLook& look);
  void JudgeDeletedLocks(const AppLook& look);
  void JudgeStrategies(const AppLook& look);
  void JudgeWayBack(const AppLook& look);
  void JudgeSubject(std::size_t i);
  void JudgeContainer(std::size_t i);
  void JudgeImage(std::size_t i);

  bool CouldStart(const AppLook& look, const ObservedContainer& container) const;
  bool IsMadeAnew(std::size_t create) const;
  bool IsUnchanged(const AppLook& look, const std::string& name, int depth) const;
  // Whether the order holds a step of that kind on the service between the two.
  bool AnyBetween(std::size_t first, std::size_t then, StepKind kind) const;
  bool AnyBefore(std::size_t then, StepKind kind, const std::string& app) const;
  const AppPlan* PlanOf(const std::string& app) const;
  void Add(Property property, std::string what) {
    findings_.push_back({property, std::move(what)});
  }
  void Add(Property property, const Step& step, const std::string& what) {
    Add(property, StepText(step) + ": " + what);
  }

  const Target& target_;
  const ObservedState& state_;
  const PlanOptions& options_;
  const Plan& plan_;
  const Order order_;
  const std::map<std::string, AppLook> looks_;
  Findings& findings_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_INVARIANTS_PARTS_H_
