#include "lockstep/step_request.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ambient.h"
#include "app_facts.h"
#include "config_request.h"
#include "dependency_graph.h"
#include "image_index.h"
#include "lockstep/planner.h"
#include "service_view.h"

namespace lockstep {
namespace {

const TargetService* FindService(const TargetApp* app, const std::string& name) {
  if (app == nullptr || !app->release) return nullptr;
  const auto& services = app->release->services;
  const auto it = std::find_if(services.begin(), services.end(),
                               [&](const TargetService& service) { return service.name == name; });
  return it == services.end() ? nullptr : &*it;
}

class Builder {
 public:
  Builder(const Step& step, const Plan& plan, const ObservedState& observed, const Target& target,
          const DeviceInfo& device)
      : step_(step),
        plan_(plan),
        observed_(observed),
        target_(target),
        device_(device),
        app_(target.FindApp(step.app)),
        service_(FindService(app_, step.service)) {}

  StepRequest Build() const {
    switch (step_.kind) {
      case StepKind::kCheckImage:
        return CheckImageRequest{step_.subject};
      case StepKind::kPullImage:
        return PullImageRequest{step_.subject};
      case StepKind::kCreateContainer:
        return CreateContainer();
      case StepKind::kStartContainer:
        return StartContainer();
      case StepKind::kStopContainer:
        return StopContainer();
      case StepKind::kUpdateContainer:
        return UpdateContainer();
      case StepKind::kRenameContainer:
        return RenameContainerRequest{step_.subject, step_.detail};
      case StepKind::kRemoveContainer:
        return RemoveContainer();
      case StepKind::kCreateNetwork:
        return CreateNetwork();
      case StepKind::kRemoveNetwork:
        return RemoveNetworkRequest{Network(step_.subject)};
      case StepKind::kConnectNetwork:
        return ConnectNetwork();
      case StepKind::kCreateVolume:
        return CreateVolumeRequest{Volume()};
      case StepKind::kPurgeVolume:
        return PurgeVolume();
      case StepKind::kAwaitHandover:
        return AwaitHandover();
      case StepKind::kRemoveImage:
        return RemoveImage();
      case StepKind::kTakeLocks:
        return TakeLocks();
      case StepKind::kReleaseLocks:
        return ReleaseLocksRequest{};
      case StepKind::kCommitRelease:
        return CommitRelease();
      case StepKind::kWriteConfig:
        return BuildWriteConfig(step_, plan_, observed_);
      case StepKind::kDeleteLock:
        // That of an app goes when its span takes the locks.
        if (!step_.app.empty()) return AwaitRequest{step_.subject};
        return BuildDeleteLock(step_, observed_);
      case StepKind::kReboot:
        return BuildReboot(plan_, observed_);
      default:
        return AwaitRequest{step_.subject};
    }
  }

 private:
  StepRequest CreateContainer() const {
    CreateContainerRequest request;
    if (app_ == nullptr || service_ == nullptr) return request;
    request.service = {app_->uuid, app_->lock_dir(), service_->name};
    ContainerSpec& spec = request.spec;
    spec.name = step_.subject;
    spec.app = app_->uuid;
    spec.app_id = app_->id;
    spec.service = service_->name;
    spec.spec = service_->spec;
    const auto label = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) spec.labels[std::string(name)] = value;
    };
    label(kLabelSupervised, "true");
    label(kLabelAppUuid, app_->uuid);
    label(kLabelAppId, app_->id);
    label(kLabelServiceName, service_->name);
    label(kLabelServiceId, service_->id == 0 ? "" : std::to_string(service_->id));
    label(kLabelConfigHash, ConfigHash(service_->spec));
    label(kLabelRestart, RestartPolicyOf(service_->spec));
    spec.shared = Shared();
    std::vector<std::string> ids;
    for (const auto& [name, id] : spec.shared) ids.push_back(id);
    label(kLabelShares, JoinIds(ids));
    spec.environment = AmbientVariables(*app_, *service_, device_);
    return request;
  }

  // The containers whose namespaces it joins: those that the plan goes on with.
  std::map<std::string, std::string> Shared() const {
    std::map<std::string, std::string> shared;
    const auto services = SharedServicesOf(service_->spec);
    if (services.empty()) return shared;
    const FactsByApp facts = GatherFacts(observed_, target_);
    DependencyGraph graph;
    const auto views = ViewServices(facts.at(step_.app), ImageIndex(observed_.engine), graph);
    for (const std::string& name : services) {
      const auto view = FindView(views, name);
      if (view && views[*view].future != nullptr) shared[name] = views[*view].future->id;
    }
    return shared;
  }

  StepRequest StartContainer() const {
    StartContainerRequest request{step_.subject, std::nullopt};
    if (step_.detail == "hand-over") request.clear_handover = Service();
    return request;
  }

  ServiceRef Service() const {
    return {step_.app, app_ != nullptr ? app_->lock_dir() : step_.app, step_.service};
  }

  StepRequest AwaitHandover() const {
    return AwaitHandoverRequest{
        step_.subject, Service(),
        HandOverTimeoutOf(service_ != nullptr ? service_->spec : ServiceSpec{})};
  }

  StepRequest StopContainer() const {
    StopContainerRequest request;
    request.container = step_.subject;
    const ObservedContainer* container = observed_.FindContainer(step_.subject);
    if (container != nullptr && container->spec) {
      request.grace = StopGraceOf(*container->spec);
    } else {
      request.grace = StopGraceOf(service_ != nullptr ? service_->spec : ServiceSpec{});
    }
    return request;
  }

  StepRequest UpdateContainer() const {
    UpdateContainerRequest request;
    request.container = step_.subject;
    request.restart_policy = step_.detail;
    const ObservedContainer* container = observed_.FindContainer(step_.subject);
    if (container != nullptr && step_.detail == "no" &&
        container->labels.count(std::string(kLabelRestart)) == 0) {
      request.remember = OriginalPolicy(*container, observed_);
    }
    return request;
  }

  StepRequest RemoveContainer() const {
    RemoveContainerRequest request;
    request.container = step_.subject;
    const AppNames names(target_);
    const auto& containers = observed_.engine.containers;
    const bool last =
        std::none_of(containers.begin(), containers.end(), [&](const ObservedContainer& c) {
          return c.owned && c.id != step_.subject && c.service == step_.service &&
                 names.Uuid(c.app) == step_.app;
        });
    Retire(request);
    if (service_ == nullptr && last) {
      for (const ServiceRef& ref : LocksOf(observed_, target_, step_.app)) {
        if (ref.service == step_.service) request.forget = ref;
      }
    }
    return request;
  }

  // The image goes too when nobody needs it, and the last container of an app that is gone takes
  // what is remembered of the app along.
  void Retire(RemoveContainerRequest& request) const {
    const ObservedContainer* container = observed_.FindContainer(step_.subject);
    if (container == nullptr) return;
    const AppRecord before = Record();
    AppRecord record = before;
    const auto retired = Retired({});
    if (step_.detail != "back" &&
        std::count(retired.begin(), retired.end(), container->image_id) != 0) {
      record.retired.push_back(container->image_id);
      std::sort(record.retired.begin(), record.retired.end());
      record.retired.erase(std::unique(record.retired.begin(), record.retired.end()),
                           record.retired.end());
    }
    const AppNames names(target_);
    const auto mine = std::count_if(
        observed_.engine.containers.begin(), observed_.engine.containers.end(),
        [&](const ObservedContainer& c) { return c.owned && names.Uuid(c.app) == step_.app; });
    if ((app_ == nullptr || !app_->release) && mine == 1 && record.committed == "") {
      record.committed.reset();
    }
    if (!(record == before)) request.record = std::move(record);
  }

  std::string AppId() const {
    if (app_ != nullptr) return app_->id;
    for (const ObservedNetwork& network : observed_.engine.networks) {
      if (network.owned && network.app == step_.app) return network.app_id;
    }
    return {};
  }

  NetworkSpec Network(const std::string& name) const {
    NetworkSpec network;
    network.app = step_.app;
    network.app_id = AppId();
    network.name = name;
    if (app_ != nullptr && app_->release) {
      const auto it = app_->release->networks.find(name);
      if (it != app_->release->networks.end()) network.config = it->second;
    }
    return network;
  }

  StepRequest CreateNetwork() const {
    CreateNetworkRequest request{Network(step_.subject)};
    if (step_.detail != "back") return request;
    const AppRecord record = Record();
    const auto it = record.networks.find(step_.subject);
    if (it != record.networks.end()) request.network.config = it->second;
    return request;
  }

  StepRequest ConnectNetwork() const {
    ConnectNetworkRequest request;
    request.container = step_.subject;
    request.network = Network(step_.detail);
    const ObservedContainer* container = observed_.FindContainer(step_.subject);
    const ServiceSpec* spec = service_ != nullptr ? &service_->spec : nullptr;
    if (container != nullptr && container->spec) spec = &*container->spec;
    if (spec == nullptr) return request;
    if (const Value* networks = spec->Find(Field::kNetworks)) {
      if (const Value* endpoint = networks->Find(step_.detail)) request.endpoint = *endpoint;
    }
    return request;
  }

  VolumeSpec Volume() const {
    VolumeSpec volume;
    volume.app = step_.app;
    volume.app_id = AppId();
    volume.name = step_.subject;
    if (app_ != nullptr && app_->release) {
      const auto it = app_->release->volumes.find(step_.subject);
      if (it != app_->release->volumes.end()) volume.config = it->second;
    }
    return volume;
  }

  StepRequest PurgeVolume() const {
    PurgeVolumeRequest request{Volume(), Record()};
    std::erase(request.record.purge, step_.subject);
    return request;
  }

  AppRecord Record() const { return RecordOf(observed_, target_, step_.app); }

  std::string To() const {
    return app_ != nullptr && app_->release ? app_->release->commit : std::string();
  }

  StepRequest TakeLocks() const {
    TakeLocksRequest request;
    if (step_.phase == Phase::kCutover) request.record = CutoverRecord();
    std::set<std::string> forced;
    for (const Step& step : plan_.steps) {
      const bool deletes = step.kind == StepKind::kDeleteLock && step.phase == step_.phase;
      if (deletes && step.app == step_.app) forced.insert(step.service);
    }
    std::set<std::string> spared;  // Held, but not interrupted: with force they stay as they are.
    if (step_.detail == "force") {
      for (const LockHolder& holder : observed_.locks) {
        if (holder.app == step_.app && holder.held && !holder.ours) spared.insert(holder.service);
      }
    }
    for (ServiceRef& ref : LocksOf(observed_, target_, step_.app)) {
      if (forced.count(ref.service) != 0) {
        request.forced.push_back(std::move(ref));
      } else if (spared.count(ref.service) == 0) {
        request.services.push_back(std::move(ref));
      }
    }
    return request;
  }

  AppRecord CutoverRecord() const {
    AppRecord record = Record();
    record.cutover = To();
    RememberNetworks(record);
    RememberInterrupted(record);
    return record;
  }

  // Those that will be remade, for going back. One that was remade already is known from before.
  void RememberNetworks(AppRecord& record) const {
    if (app_ == nullptr || !app_->release) return;
    const AppNames names(target_);
    for (const ObservedNetwork& network : observed_.engine.networks) {
      if (!network.owned || names.Uuid(network.app) != step_.app) continue;
      const auto wanted = app_->release->networks.find(network.name);
      if (wanted == app_->release->networks.end() || network.config.is_null()) continue;
      if (!(network.config == wanted->second)) {
        record.networks.try_emplace(network.name, network.config);
      }
    }
  }

  void RememberInterrupted(AppRecord& record) const {
    for (const Step& step : plan_.steps) {
      if (step.app == step_.app && step.disruptive) record.interrupted.push_back(step.subject);
    }
    std::sort(record.interrupted.begin(), record.interrupted.end());
    record.interrupted.erase(std::unique(record.interrupted.begin(), record.interrupted.end()),
                             record.interrupted.end());
  }

  StepRequest RemoveImage() const {
    RemoveImageRequest request{step_.subject, Record()};
    std::erase(request.record.retired, step_.subject);
    return request;
  }

  // Ids of the images that only containers of the past use.
  std::vector<std::string> Retired(std::vector<std::string> retired) const {
    std::set<std::string> wanted;
    if (app_ != nullptr && app_->release) {
      const ImageIndex images(observed_.engine);
      for (const TargetService& service : app_->release->services) {
        wanted.emplace(images.Find(service.spec.image));
      }
    }
    const AppNames names(target_);
    for (const ObservedContainer& container : observed_.engine.containers) {
      if (container.owned && names.Uuid(container.app) == step_.app &&
          wanted.count(container.image_id) == 0) {
        retired.push_back(container.image_id);
      }
    }
    std::sort(retired.begin(), retired.end());
    retired.erase(std::unique(retired.begin(), retired.end()), retired.end());
    return retired;
  }

  // Those of the release that the app went back from.
  std::vector<std::string> RetiredBack(std::vector<std::string> retired) const {
    if (app_ == nullptr || !app_->release) return retired;
    const ImageIndex images(observed_.engine);
    for (const TargetService& service : app_->release->services) {
      const std::string_view id = images.Find(service.spec.image);
      if (!id.empty()) retired.emplace_back(id);
    }
    std::sort(retired.begin(), retired.end());
    retired.erase(std::unique(retired.begin(), retired.end()), retired.end());
    return retired;
  }

  StepRequest CommitRelease() const {
    CommitReleaseRequest request;
    if (ForgetsApp(step_)) {
      request.record.app = step_.app;
      return request;
    }
    request.record = Record();
    request.record.cutover.reset();
    request.record.networks.clear();
    request.record.interrupted.clear();
    request.record.renamed.clear();
    // Empty: it is known that nothing is to run, until the last container is gone.
    request.record.committed = step_.subject;
    // A committed release is not one that failed.
    (void)request.record.ForgetFailed(step_.subject);
    if (app_ == nullptr) {
      request.record.failed.clear();
      request.record.unhealthy.clear();
      request.record.stopped.clear();
    }
    if (step_.detail == "back") {
      request.record.retired = RetiredBack(request.record.retired);
      return request;
    }
    request.record.retired = Retired(request.record.retired);
    request.specs.emplace();
    if (app_ == nullptr || !app_->release) return request;
    for (const TargetService& service : app_->release->services) {
      request.specs->push_back(service.spec);
    }
    return request;
  }

  const Step& step_;
  const Plan& plan_;
  const ObservedState& observed_;
  const Target& target_;
  const DeviceInfo& device_;
  const TargetApp* app_;
  const TargetService* service_;
};

}  // namespace

StepRequest BuildRequest(const Step& step, const Plan& plan, const ObservedState& observed,
                         const Target& target, const DeviceInfo& device) {
  return Builder(step, plan, observed, target, device).Build();
}

}  // namespace lockstep
