#include "lock_view.h"

#include <algorithm>
#include <chrono>

#include "lockstep/explain.h"
#include "snapshot.h"

namespace lockstep {
namespace {

std::string HeldUp(const LockHolder& lock) {
  if (!lock.held) return "nothing: not held";
  if (lock.ours) return "nothing: Lockstep's own";
  return "every update of app " + Printable(lock.app);
}

std::string Owner(const LockHolder& lock) {
  if (lock.ours) return "lockstep";
  if (!lock.holder.empty()) return Printable(lock.holder);
  return lock.owner_uid < 0 ? "?" : "uid " + std::to_string(lock.owner_uid);
}

}  // namespace

std::string RenderLocks(const std::vector<LockHolder>& locks, WallTime now, Style style) {
  if (locks.empty()) return "No update locks.\n";
  std::vector<std::vector<std::string>> rows = {
      {"APP", "SERVICE", "KIND", "AGE", "OWNER", "HOLDS UP", "PATH"}};
  std::string notes;
  for (const LockHolder& lock : locks) {
    rows.push_back({Printable(lock.app), Printable(lock.service),
                    std::string(LockKindName(lock.kind)),
                    lock.since ? ExplainAge(now - *lock.since) : "?", Owner(lock), HeldUp(lock),
                    Printable(lock.path)});
    for (const std::string& note : lock.notes) {
      notes += "  " + Printable(lock.path) + ": " + Printable(note) + '\n';
    }
  }
  std::string text = Table(rows);
  const auto end = text.find('\n');
  text = style.Bold(text.substr(0, end)) + text.substr(end);
  return text + (notes.empty() ? "" : "Notes\n" + notes);
}

std::string WhoHoldAll(const std::vector<LockHolder>& locks) {
  std::string names;
  for (const LockHolder& lock : locks) names += (names.empty() ? "" : ", ") + WhoHolds(lock);
  return names;
}

nlohmann::ordered_json LocksToJson(const std::vector<LockHolder>& locks, WallTime now) {
  auto array = nlohmann::ordered_json::array();
  for (const LockHolder& lock : locks) {
    nlohmann::ordered_json json = {
        {"app", lock.app},         {"app_id", lock.app_dir},
        {"service", lock.service}, {"path", lock.path},
        {"held", lock.held},       {"kind", LockKindName(lock.kind)},
        {"since", nullptr},        {"age_s", nullptr},
        {"owner_uid", nullptr},    {"holder", lock.ours ? "lockstep" : lock.holder},
        {"notes", lock.notes}};
    if (lock.since) {
      const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *lock.since);
      json["since"] = FormatTime(*lock.since);
      json["age_s"] = std::max<std::int64_t>(age.count(), 0);
    }
    if (lock.owner_uid >= 0) json["owner_uid"] = lock.owner_uid;
    array.push_back(std::move(json));
  }
  return array;
}

}  // namespace lockstep
