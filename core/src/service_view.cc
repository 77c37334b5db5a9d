#include "service_view.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace lockstep {
namespace {

bool SameImage(const ObservedContainer& container, const TargetService& service,
               std::string_view local_id) {
  if (!local_id.empty()) return container.image_id == local_id;
  return NormalizedReference(container.image) == NormalizedReference(service.spec.image);
}

bool SameSpec(const ObservedContainer& container, const TargetService& service,
              const std::string& target_hash) {
  if (!container.config_hash.empty()) return container.config_hash == target_hash;
  if (!container.spec) return false;
  const ServiceSpec& spec = *container.spec;
  return spec.environment == service.spec.environment && spec.labels == service.spec.labels &&
         spec.fields == service.spec.fields;
}

// Which of several containers of one service speaks for it: one that is up before one that is not,
// one of the committed release before another, the newer before the older.
bool Better(const ObservedContainer* a, const ObservedContainer* b, const std::string& committed) {
  const auto rank = [&](const ObservedContainer& c) {
    return std::tuple(c.IsUp(), !committed.empty() && c.commit == committed,
                      c.state != ContainerState::kDead, c.created_at.value_or(WallTime{}), c.id);
  };
  return rank(*a) > rank(*b);
}

void Assign(ServiceView& view, std::vector<const ObservedContainer*> containers,
            const AppFacts& facts, const ImageIndex& images) {
  std::sort(containers.begin(), containers.end(), [&](const auto* a, const auto* b) {
    return Better(a, b, facts.record.committed.value_or(""));
  });
  std::string_view local_id;
  std::string hash;
  if (view.target != nullptr) {
    local_id = images.Find(view.target->spec.image);
    view.image_here = !local_id.empty();
    hash = ConfigHash(view.target->spec);
  }
  for (const ObservedContainer* container : containers) {
    const bool usable = container->state != ContainerState::kDead;
    const bool ran = usable && container->state != ContainerState::kCreated;
    const bool matches = view.target != nullptr && usable &&
                         SameSpec(*container, *view.target, hash) &&
                         SameImage(*container, *view.target, local_id);
    if (matches && view.future == nullptr) {
      view.future = container;
    } else if (!matches && view.present == nullptr && ran) {
      view.present = container;
    } else {
      view.left_over.push_back(container);
    }
  }
}

// Made for this release, by its name or by an older one of the same release beside it, and not
// proven: neither has the release been committed since, nor has it settled before our eyes.
bool IsNew(const ServiceView& view, const AppFacts& facts) {
  if (view.future == nullptr || view.future->settled || view.future->commit != facts.to()) {
    return false;
  }
  if (facts.record.committed != facts.to()) return true;
  return view.present != nullptr && view.present->commit == facts.to() &&
         (facts.record.cutover || !view.future->IsUp());
}

Reason Because(ReasonCode code) {
  Reason reason;
  reason.code = code;
  return reason;
}

void ExplainRecreate(ServiceView& view, const ImageIndex& images) {
  const ObservedContainer& old = *view.present;
  if (!SameImage(old, *view.target, images.Find(view.target->spec.image))) {
    Reason reason = Because(ReasonCode::kImageChanged);
    reason.field = "image";
    reason.from = old.image;
    reason.to = view.target->spec.image;
    view.why.push_back(std::move(reason));
  }
  if (old.spec) {
    auto fields = DiffSpecs(*old.spec, view.target->spec);
    view.why.insert(view.why.end(), std::make_move_iterator(fields.begin()),
                    std::make_move_iterator(fields.end()));
  } else if (old.config_hash != ConfigHash(view.target->spec)) {
    Reason reason = Because(ReasonCode::kFieldChanged);
    reason.field = "specification";
    reason.from = old.config_hash;
    reason.to = ConfigHash(view.target->spec);
    view.why.push_back(std::move(reason));
  }
}

void Decide(ServiceView& view, const AppFacts& facts, const ImageIndex& images) {
  const auto decide = [&](ServiceChange change, ReasonCode code) {
    view.change = change;
    view.why.push_back(Because(code));
  };
  if (view.target == nullptr) return decide(ServiceChange::kRemove, ReasonCode::kNotInTarget);
  const bool other_release = view.future != nullptr && view.future->commit != facts.to();
  if (view.future == nullptr && view.present == nullptr) {
    return decide(ServiceChange::kCreate, ReasonCode::kMissing);
  }
  if (view.present != nullptr && (view.future == nullptr || view.is_new)) {
    view.change = ServiceChange::kRecreate;
    return ExplainRecreate(view, images);
  }
  if (view.future->IsUp() && !view.ShouldRun()) {
    return decide(ServiceChange::kStop, ReasonCode::kShouldNotRun);
  }
  if (view.ShouldRun() && WantsStart(*view.future, RestartPolicyOf(view.target->spec))) {
    return decide(view.is_new ? ServiceChange::kCreate : ServiceChange::kStart,
                  ReasonCode::kNotRunning);
  }
  if (other_release) decide(ServiceChange::kRename, ReasonCode::kReleaseChanged);
}

}  // namespace

bool WantsStart(const ObservedContainer& container, const std::string& restart_policy) {
  if (container.state == ContainerState::kCreated) return true;
  if (container.state != ContainerState::kExited) return false;
  if (container.interrupted) return true;
  if (restart_policy == "always" || restart_policy == "unless-stopped") return true;
  constexpr std::string_view kOnFailure = "on-failure";
  if (!std::string_view(restart_policy).starts_with(kOnFailure) || container.exit_code == 0) {
    return false;
  }
  int limit = 0;  // "on-failure" alone has none.
  if (restart_policy.size() > kOnFailure.size() + 1) {
    std::from_chars(restart_policy.data() + kOnFailure.size() + 1,
                    restart_policy.data() + restart_policy.size(), limit);
  }
  return limit == 0 || container.restart_count < limit;
}

std::string OriginalPolicy(const ObservedContainer& container, const ObservedState& observed) {
  if (const auto it = container.labels.find(std::string(kLabelRestart));
      it != container.labels.end()) {
    return it->second;
  }
  if (const auto it = observed.saved_restart.find(container.id);
      it != observed.saved_restart.end()) {
    return it->second;
  }
  if (container.spec) return RestartPolicyOf(*container.spec);
  return container.restart_policy.value_or("no");
}

std::string FinalName(const TargetRelease& release, const TargetService& service) {
  return ContainerName(service.name, service.image_id, release.id, release.commit);
}

std::vector<ServiceView> ViewServices(const AppFacts& facts, const ImageIndex& images) {
  std::vector<ServiceView> views;
  std::vector<std::vector<const ObservedContainer*>> containers;
  const auto begin_view = [&](const std::string& name) {
    views.emplace_back().name = name;
    containers.emplace_back();
  };
  auto container = facts.containers.begin();
  const auto take_containers_before = [&](const std::string* name) {
    while (container != facts.containers.end() &&
           (name == nullptr || (*container)->service < *name)) {
      if (views.empty() || views.back().name != (*container)->service) {
        begin_view((*container)->service);
      }
      containers.back().push_back(*container++);
    }
  };
  if (facts.release() != nullptr) {
    for (const TargetService& service : facts.release()->services) {
      take_containers_before(&service.name);
      begin_view(service.name);
      views.back().target = &service;
      while (container != facts.containers.end() && (*container)->service == service.name) {
        containers.back().push_back(*container++);
      }
    }
  }
  take_containers_before(nullptr);

  const std::vector<std::string>& stopped = facts.record.stopped;
  for (std::size_t i = 0; i < views.size(); ++i) {
    ServiceView& view = views[i];
    Assign(view, std::move(containers[i]), facts, images);
    view.stopped = std::find(stopped.begin(), stopped.end(), view.name) != stopped.end();
    view.is_new = IsNew(view, facts);
    Decide(view, facts, images);
  }
  return views;
}

}  // namespace lockstep
