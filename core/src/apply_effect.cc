// What the next look would find after a step: the same for the Session, which need not look again
// after each step, and for tests that walk through a plan.
#include <algorithm>
#include <utility>

#include "image_index.h"
#include "lockstep/step_request.h"

namespace lockstep {
namespace {

template <typename List, typename Matches>
void EraseWhere(List& list, Matches matches) {
  list.erase(std::remove_if(list.begin(), list.end(), matches), list.end());
}

struct Effect {
  const Step& step;
  const StepResult& result;
  ObservedState& state;

  void Remember(const AppRecord& record) const {
    if (record.empty()) {
      EraseWhere(state.apps, [&](const AppRecord& known) { return known.app == step.app; });
    } else {
      state.AppFor(step.app) = record;
    }
  }

  // Half of it is done: what was stopped under the locks is known to have run.
  void ForgetRestart(const std::string& container) const {
    if (state.FindApp(step.app) == nullptr) return;
    std::erase(state.AppFor(step.app).restart, container);
  }

  static void Insert(std::vector<std::string>& sorted, const std::string& text) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
    if (at == sorted.end() || *at != text) sorted.insert(at, text);
  }

  void operator()(const CheckImageRequest& request) const {
    Insert(state.images_answered, request.reference);
  }

  void operator()(const PullImageRequest& request) const {
    Insert(state.images_pulled, request.reference);
    auto& images = state.engine.images;
    auto image = std::find_if(images.begin(), images.end(),
                              [&](const ObservedImage& i) { return i.id == result.id; });
    if (image == images.end()) {
      image = images.insert(images.end(), ObservedImage{result.id, {}, {}});
    }
    auto& names = image->references;
    if (std::find(names.begin(), names.end(), request.reference) == names.end()) {
      names.push_back(request.reference);
    }
  }

  void operator()(const CreateContainerRequest& request) const {
    EraseWhere(state.engine.containers,
               [&](const ObservedContainer& c) { return c.id == result.id; });
    const ContainerSpec& spec = request.spec;
    ObservedContainer container;
    container.id = result.id;
    container.name = spec.name;
    container.image = spec.spec.image;
    container.image_id = ImageIndex(state.engine).Find(spec.spec.image);
    container.app = spec.app;
    container.app_id = spec.app_id;
    container.service = spec.service;
    container.commit = CommitOfName(spec.name);
    container.owned = true;
    container.labels = spec.spec.labels;
    container.labels.insert(spec.labels.begin(), spec.labels.end());
    container.config_hash = ConfigHash(spec.spec);
    container.spec = spec.spec;
    container.restart_policy = RestartPolicyOf(spec.spec);
    container.networks = NetworksOf(spec.spec);
    container.created_at = state.taken_at;
    state.engine.containers.push_back(std::move(container));
  }

  void operator()(const StartContainerRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container == nullptr) return;
    container->state = ContainerState::kRunning;
    container->lost = false;
    container->exit_code = 0;
    container->settled = false;
    if (state.FindApp(step.app) != nullptr) {
      std::erase(state.AppFor(step.app).interrupted, request.container);
    }
    ForgetRestart(request.container);
    container->handed_over = false;
    container->started_at = state.NextStart();
    container->health =
        container->spec && HasHealthCheck(*container->spec) ? Health::kStarting : Health::kNone;
  }

  void operator()(const StopContainerRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container == nullptr) return;
    container->state = ContainerState::kExited;
    container->health = Health::kNone;
    container->settled = false;
    container->lost = false;
    ForgetRestart(request.container);
  }

  void operator()(const UpdateContainerRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container != nullptr) container->restart_policy = request.restart_policy;
    if (!request.remember.empty()) state.saved_restart[request.container] = request.remember;
  }

  void operator()(const RenameContainerRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container == nullptr) return;
    // The same container in another release has nothing to prove.
    container->settled = container->settled || container->IsUp();
    container->name = request.name;
    container->commit = CommitOfName(request.name);
  }

  void operator()(const RemoveContainerRequest& request) const {
    EraseWhere(state.engine.containers,
               [&](const ObservedContainer& c) { return c.id == request.container; });
    state.saved_restart.erase(request.container);
    if (request.record) Remember(*request.record);
  }

  void operator()(const CreateNetworkRequest& request) const {
    ObservedNetwork network;
    network.name = request.network.name;
    network.app = request.network.app;
    network.app_id = request.network.app_id;
    network.owned = true;
    network.config = request.network.config;
    state.engine.networks.push_back(std::move(network));
  }

  void operator()(const RemoveNetworkRequest& request) const {
    for (ObservedContainer& container : state.engine.containers) {
      if (container.app != request.network.app || !container.networks) continue;
      std::erase(*container.networks, request.network.name);
    }
    EraseWhere(state.engine.networks, [&](const ObservedNetwork& n) {
      return n.owned && n.app == request.network.app && n.name == request.network.name;
    });
  }

  void operator()(const ConnectNetworkRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container == nullptr || !container->networks) return;
    auto& networks = *container->networks;
    const auto at = std::lower_bound(networks.begin(), networks.end(), request.network.name);
    if (at == networks.end() || *at != request.network.name) {
      networks.insert(at, request.network.name);
    }
  }

  void operator()(const CreateVolumeRequest& request) const {
    ObservedVolume volume;
    volume.name = request.volume.name;
    volume.app = request.volume.app;
    volume.app_id = request.volume.app_id;
    volume.owned = true;
    volume.config = request.volume.config;
    state.engine.volumes.push_back(std::move(volume));
  }

  void operator()(const PurgeVolumeRequest& request) const {
    EraseWhere(state.engine.volumes, [&](const ObservedVolume& v) {
      return v.owned && v.app == request.volume.app && v.name == request.volume.name;
    });
    Remember(request.record);
  }

  void operator()(const RemoveImageRequest& request) const {
    Remember(request.record);
    EraseWhere(state.engine.images,
               [&](const ObservedImage& image) { return image.id == request.image_id; });
  }

  void operator()(const TakeLocksRequest& request) const {
    EraseWhere(state.locks, [&](const LockHolder& holder) {
      const auto names = [&](const ServiceRef& ref) { return ref.service == holder.service; };
      return holder.app == step.app &&
             (std::any_of(request.services.begin(), request.services.end(), names) ||
              std::any_of(request.forced.begin(), request.forced.end(), names));
    });
    Insert(request.record ? state.spans : state.reboot_spans, step.app);
    if (request.record) state.AppFor(step.app) = *request.record;
  }

  void operator()(const ReleaseLocksRequest&) const {
    std::erase(step.phase == Phase::kConfig ? state.reboot_spans : state.spans, step.app);
  }

  void operator()(const CommitReleaseRequest& request) const { Remember(request.record); }

  void operator()(const AwaitHandoverRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container != nullptr) container->handed_over = true;
  }

  void operator()(const DeleteLockRequest& request) const {
    std::erase_if(state.locks, [&](const LockHolder& lock) { return lock.path == request.path; });
  }

  void operator()(const WriteConfigRequest& request) const {
    for (const auto& [key, value] : request.changes) {
      std::erase(state.config_set, key);
      if (value) {
        state.config.insert_or_assign(key, *value);
        Insert(state.config_set, key);
      } else {
        state.config.erase(key);
      }
    }
    if (request.record) state.reboot = request.record;
  }

  // Which boot comes is not known before it has come.
  void operator()(const RebootRequest& request) const {
    if (result.left_to_others) return;
    state.reboot = request.record;
    state.boot_id.clear();
  }

  void operator()(const AwaitRequest& request) const {
    ObservedContainer* container = state.FindContainer(request.container);
    if (container != nullptr) container->settled = true;
  }
};

}  // namespace

bool RememberName(const Step& rename, ObservedState& observed) {
  const ObservedContainer* container = observed.FindContainer(rename.subject);
  if (container == nullptr || observed.FindApp(rename.app) == nullptr) return false;
  AppRecord& record = observed.AppFor(rename.app);
  // What a release made itself has no other name to go back to; nor is there a way back from one
  // that is committed.
  const std::string release = CommitOfName(rename.detail);
  if (container->state == ContainerState::kCreated || container->commit == release ||
      record.committed == release) {
    return false;
  }
  // It took the place of another, for a release in between that was never committed.
  const auto& all = observed.engine.containers;
  const bool replaced = std::any_of(all.begin(), all.end(), [&](const ObservedContainer& other) {
    return other.id != container->id && other.app == container->app &&
           other.service == container->service &&
           std::binary_search(record.interrupted.begin(), record.interrupted.end(), other.id);
  });
  return !replaced && record.renamed.emplace(container->id, container->name).second;
}

void ApplyEffect(const Step& step, const StepRequest& request, const StepResult& result,
                 ObservedState& observed) {
  std::visit(Effect{step, result, observed}, request);
}

}  // namespace lockstep
