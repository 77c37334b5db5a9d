// A second look at the planner's inputs, made without the planner's own: what is what, and what
// matches what. Plain and slow, so that it can be believed.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_FACTS_H_
#define LOCKSTEP_TESTS_CORE_PLAN_FACTS_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/plan.h"
#include "lockstep/planner.h"
#include "lockstep/target.h"

namespace lockstep::test {

const TargetApp* FindTargetApp(const Target& target, std::string_view app);
const TargetService* FindTargetService(const TargetApp* app, std::string_view service);
const ObservedContainer* FindContainer(const ObservedState& state, std::string_view id);
// The id of the image of that name; empty where it is not here.
std::string LocalImage(const ObservedState& state, std::string_view reference);
// The app's uuid: a container may say no more than a numeric id.
std::string UuidOf(const Target& target, const std::string& app);

struct ServiceLook {
  const TargetService* target = nullptr;
  std::vector<const ObservedContainer*> containers;  // Owned, not going away.
};

// One app in current or target.
struct AppLook {
  std::string app;
  const TargetApp* target = nullptr;
  const TargetRelease* release = nullptr;
  AppRecord record;  // As stored, or what the design says holds without one.
  bool has_span = false;
  bool forced = false;
  bool paused = false;  // By a person, and no span had begun.
  std::map<std::string, ServiceLook> services;
  std::vector<const LockHolder*> holders;  // That gate it.

  std::string to() const { return release == nullptr ? std::string() : release->commit; }
  bool HasFailed() const;  // Its release is not tried again.
  bool GoesBack() const;   // Its cutover has failed.
};
std::map<std::string, AppLook> LookAt(const Target& target, const ObservedState& state,
                                      const PlanOptions& options);

// Whether the app's locks are run over: by force, or by the device's lasting override.
bool IsForced(const Target& target, const ObservedState& state, const PlanOptions& options,
              std::string_view app);

// Whether the service is to run: so the target says, nobody stopped it, nor what it shares.
bool IsToRun(const TargetApp* app, const TargetService& service, const AppRecord& record);

// The same specification and image content.
bool Matches(const ObservedContainer& container, const TargetService& service,
             const ObservedState& state);

// What the service depends on: by `depends_on`, and by the namespaces that it shares.
std::set<std::string> DependenciesOf(const ServiceSpec& spec);
bool HasCycle(const TargetRelease& release);
// The services of the release whose containers can be made in the span only: their images come
// late, their networks or volumes are made anew, or they share a namespace with such a service.
std::set<std::string> MadeInSpan(const AppLook& look, const Target& target,
                                 const ObservedState& state);
bool IsLate(Strategy strategy);  // Downloads after the kill.

// A stop, removal or detachment of what is up in `state`, or a reboot.
bool Interrupts(const Step& step, const ObservedState& state);
// The same, at its place in a plan made of `state`: what is stopped before cannot be interrupted.
bool Interrupts(const Plan& plan, std::size_t step, const ObservedState& state);

// "8080/tcp" for each host port it asks for.
std::set<std::string> HostPortsOf(const ServiceSpec& spec);
// "front 10.0.0.2" for each static address.
std::set<std::string> AddressesOf(const ServiceSpec& spec);

// Which steps of a plan come before which, over any number of others.
class Order {
 public:
  explicit Order(const Plan& plan);
  bool Before(std::size_t first, std::size_t then) const {
    return ((bits_[then * words_ + first / 64] >> (first % 64)) & 1U) != 0;
  }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_FACTS_H_
