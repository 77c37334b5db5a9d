// What holds of a device where nothing is left to do: it runs the target, all of it and no more.
#include <algorithm>

#include "lockstep/identity.h"
#include "plan_facts.h"
#include "plan_invariants.h"

namespace lockstep::test {
namespace {

bool IsDone(const ObservedContainer& container, const std::string& policy) {
  if (container.state != ContainerState::kExited) return false;
  if (policy == "no") return true;
  if (!policy.starts_with("on-failure")) return false;
  return container.exit_code == 0 ||
         (policy.size() > 11 && container.restart_count >= policy[11] - '0');
}

class RestJudge {
 public:
  RestJudge(const Target& target, const ObservedState& state, const AppLook& look, bool natural,
            bool lenient, Findings& findings)
      : target_(target),
        state_(state),
        look_(look),
        natural_(natural),
        lenient_(lenient),
        findings_(findings) {}

  void Judge() {
    if (look_.has_span) Add(Property::kI9, "its locks are still held");
    JudgeResources();
    for (const auto& [name, service] : look_.services) JudgeService(name, service);
    for (const AppRecord& record : state_.apps) {
      if (record.app == look_.app) JudgeRecord(record);
    }
  }

 private:
  void Add(Property property, const std::string& what) {
    findings_.push_back({property, "at rest: " + look_.app + ": " + what});
  }

  void JudgeResources() {
    std::set<std::string> networks;
    for (const ObservedNetwork& network : state_.engine.networks) {
      if (network.owned && UuidOf(target_, network.app) == look_.app) networks.insert(network.name);
    }
    std::set<std::string> wanted;
    for (const ObservedNetwork& network : state_.engine.networks) {
      if (!network.owned || UuidOf(target_, network.app) != look_.app || !look_.release) continue;
      const auto config = look_.release->networks.find(network.name);
      if (config != look_.release->networks.end() && config->second != network.config) {
        Add(Property::kI9, "network " + network.name + " has another definition");
      }
    }
    if (look_.release != nullptr) {
      for (const auto& [name, config] : look_.release->networks) wanted.insert(name);
      for (const auto& [name, config] : look_.release->volumes) {
        const auto& all = state_.engine.volumes;
        const bool there = std::any_of(all.begin(), all.end(), [&, &name = name](const auto& v) {
          return v.owned && UuidOf(target_, v.app) == look_.app && v.name == name;
        });
        if (!there) Add(Property::kI9, "no volume " + name);
      }
    }
    if (networks != wanted) Add(Property::kI9, "its networks are not those of the release");
  }

  void JudgeService(const std::string& name, const ServiceLook& service) {
    const TargetService* target = look_.release == nullptr ? nullptr : service.target;
    if (target == nullptr) {
      if (!service.containers.empty()) Add(Property::kI4, name + " is not in the target");
      return;
    }
    if (service.containers.size() != 1) {
      return Add(Property::kI4, name + " has " + std::to_string(service.containers.size()));
    }
    const ObservedContainer& c = *service.containers[0];
    if (!Matches(c, *target, state_)) return Add(Property::kI9, name + " is not as it should be");
    if (c.commit != look_.to()) Add(Property::kI4, name + " is of release " + c.commit);
    const std::string final_name =
        ContainerName(name, target->image_id, look_.release->id, look_.to());
    const auto& all = state_.engine.containers;
    if (std::none_of(all.begin(), all.end(), [&](const auto& o) { return o.name == final_name; })) {
      Add(Property::kI9, name + " is called " + c.name);
    }
    const bool runs = IsToRun(look_.target, *target, look_.record);
    const std::string policy = RestartPolicyOf(target->spec);
    if (runs && !c.IsUp() && !IsDone(c, policy)) Add(Property::kI9, name + " does not run");
    if (!runs && c.IsUp()) Add(Property::kI9, name + " runs");
    if (natural_ && runs && c.IsUp() && c.restart_policy != policy) {
      Add(Property::kI9, name + " has the policy " + c.restart_policy.value_or("none"));
    }
    const bool stopped = !runs && target->spec.running && c.state == ContainerState::kExited;
    if (stopped && !lenient_ && c.restart_policy != "no") {
      Add(Property::kI9, name + " was stopped, and comes back with its engine");
    }
    if (c.IsUp()) JudgeShares(name, target->spec, c);
    // One that is down is attached when it starts.
    if (!c.networks || (!c.IsUp() && lenient_)) return;
    for (const std::string& network : NetworksOf(target->spec)) {
      if (std::count(c.networks->begin(), c.networks->end(), network) == 0) {
        Add(Property::kI9, name + " is not on network " + network);
      }
    }
  }

  // It is in the namespace of what runs now, not of what ran before.
  void JudgeShares(const std::string& name, const ServiceSpec& spec, const ObservedContainer& c) {
    std::string ids;
    for (const std::string& other : SharedServicesOf(spec)) {
      const auto its = look_.services.find(other);
      if (its == look_.services.end() || its->second.containers.empty()) continue;
      const ObservedContainer& shared = *its->second.containers[0];
      ids += (ids.empty() ? "" : ",") + shared.id;
      if (!shared.IsUp()) continue;
      if (c.started_at && shared.started_at > c.started_at)
        Add(Property::kI9, name + " has lost " + other);
    }
    const auto label = c.labels.find(std::string(kLabelShares));
    if (label != c.labels.end() && label->second != ids) {
      Add(Property::kI9, name + " shares with what is gone");
    }
  }

  void JudgeRecord(const AppRecord& record) {
    if (record.cutover) Add(Property::kI9, "its cutover has not ended");
    if (!record.interrupted.empty()) Add(Property::kI9, "what was stopped is still remembered");
    if (!record.renamed.empty()) Add(Property::kI9, "what was renamed is still remembered");
    if (!record.purge.empty()) Add(Property::kI9, "a volume is to be purged");
    if (record.remove && look_.target == nullptr) Add(Property::kI9, "it is still to go");
    for (const std::string& id : record.restart) {
      const ObservedContainer* container = FindContainer(state_, id);
      const TargetService* service =
          container == nullptr ? nullptr : FindTargetService(look_.target, container->service);
      if (service == nullptr || !container->owned || !container->IsUp()) continue;
      Add(Property::kI9, id + " is still to be restarted");
    }
    if (look_.release != nullptr && record.committed != look_.to()) {
      Add(Property::kI9, "committed is " + record.committed.value_or("nothing"));
    }
    for (const std::string& image : record.retired) {
      const auto& images = state_.engine.images;
      const auto is = [&](const auto& i) { return i.id == image; };
      if (std::none_of(images.begin(), images.end(), is) || IsNeeded(image)) continue;
      Add(Property::kI9, image + " is here and nobody needs it");
    }
  }

  bool HasFailed(const TargetApp& app) const {
    return std::any_of(state_.apps.begin(), state_.apps.end(), [&](const AppRecord& record) {
      return record.app == app.uuid &&
             std::count(record.failed.begin(), record.failed.end(), app.release->commit) != 0;
    });
  }

  bool IsNeeded(const std::string& image) const {
    for (const ObservedContainer& container : state_.engine.containers) {
      if (container.image_id == image) return true;
    }
    for (const TargetApp& app : target_.apps) {
      if (!app.release || HasFailed(app)) continue;
      for (const TargetService& service : app.release->services) {
        if (LocalImage(state_, service.spec.image) == image) return true;
      }
    }
    return false;
  }

  const Target& target_;
  const ObservedState& state_;
  const AppLook& look_;
  const bool natural_;
  const bool lenient_;
  Findings& findings_;
};

}  // namespace

void CheckRest(const Target& target, const Plan& plan, const ObservedState& state, bool natural,
               Findings& findings) {
  for (const auto& [app, look] : LookAt(target, state, {})) {
    const auto planned = std::find_if(plan.apps.begin(), plan.apps.end(),
                                      [name = app](const AppPlan& a) { return a.app == name; });
    if (planned == plan.apps.end() || planned->status != PlanStatus::kInSync) continue;
    if (look.target != nullptr && look.target->is_host) continue;
    RestJudge(target, state, look, natural, true, findings).Judge();
  }
}

bool IsAtRest(const Target& target, const ObservedState& state, const std::string& app) {
  const auto looks = LookAt(target, state, {});
  const auto look = looks.find(app);
  if (look == looks.end()) return true;
  const AppRecord& record = look->second.record;
  if (record.committed.value_or("") != look->second.to() || record.cutover) return false;
  Findings findings;
  RestJudge(target, state, look->second, true, false, findings).Judge();
  return findings.empty();
}

}  // namespace lockstep::test
