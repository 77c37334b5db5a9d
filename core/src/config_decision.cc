#include "config_decision.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "content_hash.h"
#include "lockstep/config_key.h"

namespace lockstep {
namespace {

constexpr const char* kOfNobody = "no configuration backend of this device owns this key";
constexpr const char* kNoBackends =
    "this device has no boot files that Lockstep knows: see that its boot partition is mounted, or "
    "say where it is with --boot-dir";

bool Matches(const ConfigRule& rule, std::string_view key) {
  if (!rule.key.ends_with('*')) return rule.key == key;
  return key.starts_with(std::string_view(rule.key).substr(0, rule.key.size() - 1));
}

std::optional<std::string> ValueIn(const ConfigValues& config, const std::string& key) {
  const auto it = config.find(key);
  return it == config.end() ? std::nullopt : std::optional(it->second);
}

std::string Canonical(const ConfigRule* rule, std::string_view value) {
  return rule != nullptr && rule->canonical ? rule->canonical(value) : std::string(value);
}

// A boot file is made of lines: a value of two would be two settings.
bool IsOneLine(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

class Decider {
 public:
  Decider(const ObservedState& observed, const Target& target, const PlanOptions& options)
      : observed_(observed), target_(target), rules_(options.config_rules) {
    // Two backends may know the same key, where no device has both.
    if (!observed.config_backends) return;
    const auto& backends = *observed.config_backends;
    std::erase_if(rules_, [&](const ConfigRule& rule) {
      return std::find(backends.begin(), backends.end(), rule.backend) == backends.end();
    });
  }

  ConfigDecision Make() {
    decision_.configuration = Configuration();
    exhausted_ = observed_.reboot && observed_.reboot->reboots >= kMostReboots &&
                 observed_.reboot->configuration == decision_.configuration;
    std::set<std::string> keys;
    for (const auto& [key, value] : target_.config) keys.insert(key);
    // What the target no longer names goes, if it was Lockstep that set it.
    for (const std::string& key : observed_.config_set) keys.insert(key);
    if (observed_.RebootPending()) {
      decision_.wants_reboot = !exhausted_ && AnyWritten(observed_.reboot->changes);
      for (const auto& [key, value] : observed_.reboot->changes) keys.insert(key);
    }
    for (const std::string& key : keys) Decide(key);
    return std::move(decision_);
  }

 private:
  // What was to be written, and was not before Lockstep was cut off, is no reason to reboot.
  bool AnyWritten(const ConfigChanges& changes) const {
    return changes.empty() || std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
             return IsInForce(rules_, observed_.config, change.first, change.second);
           });
  }

  // Of all that the target says and a reboot is needed for, whatever of it is in force.
  std::string Configuration() const {
    ContentHash hash;
    for (const auto& [key, value] : target_.config) {
      const ConfigRule* rule = FindConfigRule(rules_, key);
      if (rule != nullptr && rule->needs_reboot) hash.Add(key).Add(Canonical(rule, value));
    }
    return Hex16(hash.Finish());
  }

  void Decide(const std::string& key) {
    ConfigPlan plan;
    plan.key = key;
    plan.from = ValueIn(observed_.config, key);
    plan.to = ValueIn(target_.config, key);
    const ConfigRule* rule = FindConfigRule(rules_, key);
    if (rule != nullptr) {
      plan.backend = rule->backend;
      plan.needs_reboot = rule->needs_reboot;
    }
    // What is neither wanted nor Lockstep's stays, whatever a record says of it.
    const auto& set = observed_.config_set;
    const bool concerns = plan.to || std::find(set.begin(), set.end(), key) != set.end();
    if (!concerns || !Differs(plan, rule)) {
      if (!WaitsForReboot(key)) return;
      plan.message = exhausted_ ? NoMoreReboots() : "it is written, and takes a reboot";
      plan.needs_reboot = true;
    } else if (std::string refusal = Refusal(plan, rule); !refusal.empty()) {
      // What is gone with its backend need not go again.
      if (!plan.to && rule == nullptr) return;
      plan.action = ConfigAction::kRefuse;
      plan.message = std::move(refusal);
    } else {
      plan.action = ConfigAction::kApply;
      decision_.wants_reboot |= plan.needs_reboot;
    }
    decision_.plans.push_back(std::move(plan));
  }

  static bool Differs(const ConfigPlan& plan, const ConfigRule* rule) {
    std::optional<std::string> from = plan.from;
    std::optional<std::string> to = plan.to;
    if (rule != nullptr) {
      if (!to && rule->stays) return false;
      for (auto* value : {&from, &to}) {
        if (!*value && !rule->absent.empty()) *value = rule->absent;
      }
    }
    if (!from || !to) return from != to;
    return !IsSameValue(rule, *from, *to);
  }

  bool WaitsForReboot(const std::string& key) const {
    return observed_.RebootPending() && observed_.reboot->changes.count(key) != 0;
  }

  // Why the key is left as it is; empty where it is not.
  std::string Refusal(const ConfigPlan& plan, const ConfigRule* rule) const {
    if (const auto failed = observed_.config_failed.find(plan.key);
        failed != observed_.config_failed.end()) {
      return failed->second;
    }
    if (plan.to && !IsOneLine(*plan.to)) return "a value is one line, without control characters";
    if (IsAgentSetting(plan.key)) return {};
    if (rule == nullptr) {
      const bool none = observed_.config_backends && observed_.config_backends->empty();
      return none ? kNoBackends : kOfNobody;
    }
    if (!rule->forbidden.empty()) return rule->forbidden;
    if (const auto unreadable = observed_.config_unreadable.find(rule->backend);
        unreadable != observed_.config_unreadable.end()) {
      return unreadable->second;
    }
    if (plan.to && rule->refusal) {
      if (std::string why = rule->refusal(plan.key, *plan.to); !why.empty()) return why;
    }
    return rule->needs_reboot && exhausted_ ? NoMoreReboots() : std::string();
  }

  static std::string NoMoreReboots() {
    return "it did not take effect in " + std::to_string(kMostReboots) +
           " reboots, and is tried again when the target wants another configuration";
  }

  const ObservedState& observed_;
  const Target& target_;
  std::vector<ConfigRule> rules_;  // Of the backends that the device has.
  bool exhausted_ = false;
  ConfigDecision decision_;
};

}  // namespace

ConfigDecision DecideConfig(const ObservedState& observed, const Target& target,
                            const PlanOptions& options) {
  if (!target.whole_device) return {};
  return Decider(observed, target, options).Make();
}

const ConfigRule* FindConfigRule(const std::vector<ConfigRule>& rules, std::string_view key) {
  const ConfigRule* best = nullptr;
  const auto rank = [](const ConfigRule& rule) {
    return std::tuple(!rule.key.ends_with('*'), rule.key.size(), rule.forbidden.empty());
  };
  for (const ConfigRule& rule : rules) {
    if (Matches(rule, key) && (best == nullptr || rank(*best) < rank(rule))) best = &rule;
  }
  return best;
}

bool IsInForce(const std::vector<ConfigRule>& rules, const ConfigValues& config,
               const std::string& key, const std::optional<std::string>& value) {
  const auto now = config.find(key);
  if (!value || now == config.end()) return !value && now == config.end();
  return IsSameValue(FindConfigRule(rules, key), *value, now->second);
}

bool IsSameValue(const ConfigRule* rule, std::string_view a, std::string_view b) {
  return IsSameSetting(a, b) || IsSameSetting(Canonical(rule, a), Canonical(rule, b));
}

}  // namespace lockstep
