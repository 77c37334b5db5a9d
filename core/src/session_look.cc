// What a Session knows of the device: when it asks for a look, and what a look tells.
#include <algorithm>
#include <map>
#include <utility>

#include "lockstep/session.h"
#include "step_event.h"

namespace lockstep {
namespace {

// Whoever may ask for a look, an app that is hostile included, must not keep the engine busy.
constexpr std::chrono::seconds kBetweenAskedLooks{1};

}  // namespace

void Session::OnObserved(ObservedState observed, MonoTime now) {
  if (!std::exchange(looking_, false)) need_look_ = false;  // Nobody was asked: a first look.
  look_failures_ = 0;
  look_error_.reset();
  CarryOver(observed);
  observed_ = std::move(observed);
  observed_at_ = now;
  has_state_ = true;
  changed_since_look_ = false;
  for (const auto& entry : since_look_) {
    if (const auto* record = std::get_if<AppRecord>(&entry)) {
      observed_.AppFor(record->app) = *record;
      continue;
    }
    const Done& done = std::get<Done>(entry);
    ApplyEffect(done.what.step, done.what.request, done.result, observed_);
    changed_since_look_ = true;
  }
  since_look_.clear();
  check_claims_ = !changed_since_look_;
  if (!need_look_) locks_unknown_ = false;
  for (auto& [app, run] : runs_) {
    run.wants_look = false;
    run.wants_gate_look = false;
  }
  for (const ObservedContainer& container : observed_.engine.containers) {
    if (container.owned && container.IsUp()) up_.try_emplace(container.id, Up{now, now});
  }
  const auto is_gone = [&](const auto& entry) {
    return observed_.FindContainer(entry.first) == nullptr;
  };
  std::erase_if(up_, is_gone);
  std::erase_if(starts_, is_gone);
  ForgetRestarts();
}

// Those of which nothing that counts can have become another, but by Lockstep's own steps. How
// often one was restarted counts where the policy has a limit.
std::vector<std::string> Session::SeenContainers() const {
  std::vector<std::string> seen;
  for (const ObservedContainer& container : observed_.engine.containers) {
    if (!container.owned || container.config_hash.empty()) continue;
    if (!container.spec || !container.restart_policy) continue;
    if (container.restart_policy->starts_with("on-failure")) continue;
    seen.push_back(container.id);
  }
  std::sort(seen.begin(), seen.end());
  return seen;
}

// What a look cannot see, and was known before it.
void Session::CarryOver(ObservedState& next) const {
  std::map<std::string_view, const ObservedContainer*> before;
  for (const ObservedContainer& container : observed_.engine.containers) {
    before.emplace(container.id, &container);
  }
  std::map<std::string, const ServiceSpec*> wanted;
  for (const TargetApp& app : target_->apps) {
    if (!app.release) continue;
    for (const TargetService& service : app.release->services) {
      wanted.emplace(ConfigHash(service.spec), &service.spec);
    }
  }
  for (ObservedContainer& container : next.engine.containers) {
    if (const auto spec = wanted.find(container.config_hash);
        container.owned && !container.spec && spec != wanted.end()) {
      container.spec = *spec->second;
    }
    const auto it = before.find(container.id);
    if (it == before.end()) continue;
    const ObservedContainer& old = *it->second;
    const bool same = old.IsUp() == container.IsUp();
    container.settled = old.settled && same;
    container.handed_over = old.handed_over && same;
    container.start_failed = old.start_failed && same;
    container.defunct = old.defunct && same;
    if (container.defunct) container.state = ContainerState::kDead;
    if (same && !container.started_at) container.started_at = old.started_at;
    if (!container.restart_policy) container.restart_policy = old.restart_policy;
    if (container.api_key.empty()) container.api_key = old.api_key;
    if (!container.spec && container.config_hash == old.config_hash) {
      container.spec = old.spec;
      container.implied = old.implied;
      container.image = old.image;  // A list does not know it once its tag has moved on.
    }
  }
  next.images_answered = observed_.images_answered;
  next.images_pulled = observed_.images_pulled;
  next.config_failed = observed_.config_failed;
  next.short_of_space = observed_.short_of_space;
}

void Session::OnLookFailed(Error error, MonoTime now) {
  looking_ = false;
  ++look_failures_;
  look_error_ = std::move(error);
  // A cutover is not left because its engine restarts; nor is a wait that may last for days.
  const bool again = look_failures_ < options_.max_attempts || !observed_.spans.empty() ||
                     AnyWaits() || AnyWasHeld();
  const bool goes_on = options_.keep_going || (IsTransient(look_error_->code) && again);
  if (goes_on && !interrupted_) {
    need_look_ = true;
    look_not_before_ = now + options_.back_off * (1 << std::min(look_failures_ - 1, 5));
  } else {
    finished_ = running_.empty();
    interrupted_ = true;
    if (finished_) FinishExaminations();
  }
}

void Session::StartLook(MonoTime now, std::vector<Action>& actions) {
  if (look_at_ && !interrupted_) {
    if (now < *look_at_) {
      Wake(*look_at_);
    } else {
      need_look_ = true;
    }
  }
  StartAskedLook(now);
  if (!need_look_ || looking_ || (interrupted_ && !has_state_)) return;
  if (now < look_not_before_) return Wake(look_not_before_);
  BeginLook(now, actions);
}

// The first at once, and of many in a row one at a time.
void Session::StartAskedLook(MonoTime now) {
  if (!asked_look_ || interrupted_) return;
  if (look_begun_at_ && now < *look_begun_at_ + kBetweenAskedLooks) {
    return Wake(*look_begun_at_ + kBetweenAskedLooks);
  }
  need_look_ = true;
  look_not_before_ = {};
}

void Session::BeginLook(MonoTime now, std::vector<Action>& actions) {
  looking_ = true;
  need_look_ = false;
  asked_look_ = false;
  look_at_.reset();
  look_begun_at_ = now;
  since_look_.clear();
  actions.push_back(LookAction{target_, SeenContainers()});
}

}  // namespace lockstep
