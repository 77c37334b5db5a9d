// What holds of a step when its turn comes, and of a device where nothing is left to do.
#include <algorithm>
#include <sstream>

#include "lockstep/identity.h"
#include "plan_invariants_parts.h"

namespace lockstep::test {
namespace {

class StepJudge {
 public:
  StepJudge(const Target& target, const PlanOptions& options, const Step& step,
            const ObservedState& state, Findings& findings)
      : target_(target),
        options_(options),
        step_(step),
        state_(state),
        container_(Subject()),
        app_(FindTargetApp(target, step.app)),
        findings_(findings) {}

  void Judge() {
    if (Interrupts(step_, state_) || step_.disruptive) JudgeInterruption();
    switch (step_.kind) {
      case StepKind::kCreateContainer:
        return JudgeCreate();
      case StepKind::kStartContainer:
        return JudgeStart();
      case StepKind::kRemoveContainer:
        return JudgeRemove();
      case StepKind::kRenameContainer:
        if (NameTaken(step_.detail)) Add(Property::kEngine, "the name is taken");
        return NeedContainer();
      case StepKind::kStopContainer:
      case StepKind::kUpdateContainer:
      case StepKind::kAwaitHealth:
      case StepKind::kAwaitHandover:
        return NeedContainer();
      case StepKind::kConnectNetwork:
        return JudgeConnect();
      case StepKind::kCreateNetwork:
        if (FindNetwork(step_.subject)) Add(Property::kEngine, "it exists");
        return;
      case StepKind::kRemoveNetwork:
        return JudgeRemoveNetwork();
      case StepKind::kRemoveImage:
        return JudgeRemoveImage();
      case StepKind::kPurgeVolume:
        return JudgePurge();
      case StepKind::kTakeLocks:
        if (AppHolds() && !Forced()) Add(Property::kI1, "though an app holds one");
        return;
      case StepKind::kCommitRelease:
        return JudgeCommit();
      default:
        return;
    }
  }

 private:
  void Add(Property property, const std::string& what) {
    findings_.push_back({property, "in its turn: " + StepText(step_) + ": " + what});
  }

  // A container; before it exists, a plan calls it by the name it will get.
  const ObservedContainer* Subject() const {
    if (const ObservedContainer* found = FindContainer(state_, step_.subject)) return found;
    for (const ObservedContainer& container : state_.engine.containers) {
      if (container.name == step_.subject && container.owned) return &container;
    }
    return nullptr;
  }

  bool IsMine(const ObservedContainer& c) const {
    return c.owned && c.state != ContainerState::kRemoving && UuidOf(target_, c.app) == step_.app;
  }
  bool NameTaken(const std::string& name) const {
    const auto& all = state_.engine.containers;
    return std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.name == name; });
  }
  const ObservedNetwork* FindNetwork(const std::string& name) const {
    for (const ObservedNetwork& network : state_.engine.networks) {
      if (network.owned && UuidOf(target_, network.app) == step_.app && network.name == name) {
        return &network;
      }
    }
    return nullptr;
  }
  bool Forced() const { return IsForced(target_, state_, options_, step_.app); }
  bool AppHolds() const {
    const auto looks = LookAt(target_, state_, options_);
    const auto look = looks.find(step_.app);
    return look != looks.end() && !look->second.holders.empty();
  }
  void NeedContainer() {
    if (container_ == nullptr) Add(Property::kEngine, "there is none");
  }
  AppRecord Record() const {
    const AppRecord* record = state_.FindApp(step_.app);
    return record == nullptr ? AppRecord{} : *record;
  }
  bool GoesBack() const {
    const AppRecord record = Record();
    return record.cutover &&
           std::count(record.failed.begin(), record.failed.end(), *record.cutover) != 0;
  }

  void JudgeInterruption() {
    if (!state_.HasSpan(step_.app)) Add(Property::kI2, "outside a span");
    if (AppHolds() && !Forced()) Add(Property::kI1, "while an app holds a lock");
    if (step_.subject == options_.self) Add(Property::kI6, "Lockstep runs in it");
  }

  void JudgeCreate() {
    if (NameTaken(step_.subject)) Add(Property::kEngine, "the name is taken");
    const TargetService* service = FindTargetService(app_, step_.service);
    if (service == nullptr) return Add(Property::kForm, "the target has no such service");
    if (LocalImage(state_, service->spec.image).empty()) {
      Add(Property::kEngine, "without its image");
    }
    for (const std::string& network : NetworksOf(service->spec)) {
      if (!FindNetwork(network)) Add(Property::kEngine, "without its network " + network);
    }
    for (const std::string& volume : VolumesOf(service->spec)) {
      const auto& volumes = state_.engine.volumes;
      const bool there = std::any_of(volumes.begin(), volumes.end(), [&](const auto& v) {
        return UuidOf(target_, v.app) == step_.app && v.name == volume;
      });
      if (!there) Add(Property::kEngine, "without its volume " + volume);
    }
  }

  void JudgeStart() {
    if (container_ == nullptr) return Add(Property::kEngine, "there is none");
    const ObservedContainer& c = *container_;
    if (c.IsUp()) Add(Property::kEngine, "it is up");
    if (c.state == ContainerState::kDead || c.state == ContainerState::kRemoving) {
      Add(Property::kEngine, "it can never start");
    }
    const TargetService* service = FindTargetService(app_, step_.service);
    const AppRecord record = Record();
    if (std::count(record.stopped.begin(), record.stopped.end(), step_.service) != 0) {
      Add(Property::kI9, "a person stopped it");
    }
    const bool ran =  // It runs again on the way back from a release that stops it.
        std::binary_search(record.interrupted.begin(), record.interrupted.end(), c.id);
    const bool old = step_.detail == "old";  // It runs until its release goes.
    if (service != nullptr && !service->spec.running && !ran && !old &&
        Matches(c, *service, state_)) {
      Add(Property::kI9, "it is not to run");
    }
    const bool hands_over = service != nullptr && service->strategy == Strategy::kHandOver;
    for (const ObservedContainer& other : state_.engine.containers) {
      if (&other == &c || !IsMine(other) || !other.IsUp()) continue;
      if (other.service == c.service && !hands_over) {
        Add(Property::kBeside, "beside " + other.id);
      }
      if (c.spec && other.spec) JudgeClash(*c.spec, other);
    }
    JudgeShares(c);
    if (!c.spec || !c.networks) return;
    for (const std::string& network : NetworksOf(*c.spec)) {
      const bool attached = std::count(c.networks->begin(), c.networks->end(), network) != 0;
      if (!attached || !FindNetwork(network)) {
        Add(Property::kEngine, "without its network " + network);
      }
    }
  }

  void JudgeClash(const ServiceSpec& spec, const ObservedContainer& other) {
    for (const std::string& port : HostPortsOf(spec)) {
      if (HostPortsOf(*other.spec).count(port) != 0) {
        Add(Property::kEngine, "port " + port + " is taken by " + other.id);
      }
    }
    for (const std::string& address : AddressesOf(spec)) {
      if (AddressesOf(*other.spec).count(address) != 0) {
        Add(Property::kEngine, "address " + address + " is taken by " + other.id);
      }
    }
  }

  void JudgeRemove() {
    if (container_ == nullptr) return;  // Gone already: an engine does not mind.
    const ObservedContainer& c = *container_;
    if (c.IsUp()) Add(Property::kI1, "it runs");
    const TargetService* service = FindTargetService(app_, step_.service);
    const bool ran = c.state != ContainerState::kCreated && c.state != ContainerState::kDead;
    const bool no_way_back =
        service != nullptr && service->strategy == Strategy::kDeleteThenDownload;
    if (!ran || no_way_back || !Record().purge.empty() || GoesBack() || app_ == nullptr ||
        !app_->release)
      return;
    const AppRecord record = Record();
    const std::string& to = app_->release->commit;
    const bool of_committed = record.committed == c.commit && record.committed != to;
    const bool replaced = record.cutover == to && c.commit == to &&
                          !(service != nullptr && Matches(c, *service, state_));
    if (!record.committed.value_or("").empty() && (of_committed || replaced)) {
      Add(Property::kKept, "before its successor is committed");
    }
  }

  void JudgeConnect() {
    if (container_ == nullptr) return Add(Property::kEngine, "there is none");
    if (!FindNetwork(step_.detail)) Add(Property::kEngine, "there is no network " + step_.detail);
  }

  void JudgeRemoveNetwork() {
    for (const ObservedContainer& c : state_.engine.containers) {
      if (IsMine(c) && c.IsUp() && c.networks &&
          std::count(c.networks->begin(), c.networks->end(), step_.subject) != 0) {
        Add(Property::kEngine, c.id + " is attached to it");
      }
    }
  }

  void JudgeRemoveImage() {
    for (const ObservedContainer& c : state_.engine.containers) {
      if (c.image_id == step_.subject) Add(Property::kEngine, c.id + " runs on it");
    }
  }

  void JudgePurge() {
    for (const ObservedContainer& c : state_.engine.containers) {
      if (!IsMine(c) || !c.spec) continue;
      const auto volumes = VolumesOf(*c.spec);
      if (std::count(volumes.begin(), volumes.end(), step_.subject) != 0) {
        Add(Property::kEngine, c.id + " uses it");
      }
    }
  }

  // What shares a namespace starts when the one that has it is up.
  void JudgeShares(const ObservedContainer& c) {
    const auto label = c.labels.find(std::string(kLabelShares));
    if (label == c.labels.end()) return;
    std::istringstream ids(label->second);
    for (std::string id; std::getline(ids, id, ',');) {
      const ObservedContainer* shared = FindContainer(state_, id);
      if (shared == nullptr || !shared->IsUp())
        Add(Property::kEngine, "shares " + id + ", which is down");
    }
  }

  void JudgeCommit() {
    if (step_.detail == "back") return;
    for (const ObservedContainer& c : state_.engine.containers) {
      if (!IsMine(c) || !c.IsUp()) continue;
      const TargetService* service = FindTargetService(app_, c.service);
      if (service == nullptr || !Matches(c, *service, state_)) {
        Add(Property::kI4, c.id + " of another release is up");
      }
    }
    if (app_ == nullptr || !app_->release) return;
    const AppRecord record = Record();
    for (const TargetService& service : app_->release->services) {
      if (!IsToRun(app_, service, record)) continue;
      const bool ran = std::any_of(
          state_.engine.containers.begin(), state_.engine.containers.end(), [&](const auto& c) {
            return IsMine(c) && c.service == service.name && Matches(c, service, state_) &&
                   c.state != ContainerState::kCreated;
          });
      if (!ran) Add(Property::kI4, service.name + " was not started");
    }
  }

  const Target& target_;
  const PlanOptions& options_;
  const Step& step_;
  const ObservedState& state_;
  const ObservedContainer* container_;
  const TargetApp* app_;
  Findings& findings_;
};

}  // namespace

void CheckStep(const Target& target, const PlanOptions& options, const Step& step,
               const ObservedState& before, Findings& findings) {
  StepJudge(target, options, step, before, findings).Judge();
}

}  // namespace lockstep::test
