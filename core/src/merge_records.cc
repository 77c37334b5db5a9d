#include "merge_records.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {
namespace {

template <typename T>
const T& Merge(const T& base, const T& ours, const T& theirs) {
  return ours != base ? ours : theirs;
}

using Names = std::vector<std::string>;

bool Has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names Merge(const Names& base, const Names& ours, const Names& theirs) {
  Names merged = theirs;
  std::erase_if(merged, [&](const auto& name) { return Has(base, name) && !Has(ours, name); });
  const bool sorted = std::is_sorted(merged.begin(), merged.end());
  for (const std::string& name : ours) {
    if (Has(base, name) || Has(merged, name)) continue;
    merged.insert(sorted ? std::lower_bound(merged.begin(), merged.end(), name) : merged.end(),
                  name);
  }
  return merged;
}

template <typename T>
std::map<std::string, T> Merge(const std::map<std::string, T>& base,
                               const std::map<std::string, T>& ours,
                               const std::map<std::string, T>& theirs) {
  std::map<std::string, T> merged = theirs;
  for (const auto& [name, value] : base) {
    if (!ours.contains(name)) merged.erase(name);
  }
  for (const auto& [name, value] : ours) {
    const auto before = base.find(name);
    if (before == base.end() || before->second != value) merged[name] = value;
  }
  return merged;
}

template <typename Member>
void MergeMember(Member member, const AppRecord& base, const AppRecord& ours, AppRecord& theirs) {
  theirs.*member = Merge(base.*member, ours.*member, theirs.*member);
}

const AppRecord* AppRecordIn(const AppRecord& record) { return &record; }
const AppRecord* AppRecordIn(const std::optional<AppRecord>& record) {
  return record ? &*record : nullptr;
}
const AppRecord* AppRecordIn(const RebootRecord&) { return nullptr; }  // Of the device.
const AppRecord* AppRecordIn(const std::optional<RebootRecord>&) { return nullptr; }

}  // namespace

const AppRecord* RecordIn(const StepRequest& request) {
  return std::visit(
      [](const auto& of) -> const AppRecord* {
        if constexpr (requires { of.record; }) {
          return AppRecordIn(of.record);
        } else {
          return nullptr;
        }
      },
      request);
}

AppRecord MergeRecords(const AppRecord& base, const AppRecord& ours, const AppRecord& theirs) {
  AppRecord merged = theirs;
  const auto merge = [&](auto... members) { (MergeMember(members, base, ours, merged), ...); };
  merge(&AppRecord::committed, &AppRecord::cutover, &AppRecord::failed, &AppRecord::stopped,
        &AppRecord::purge, &AppRecord::retired, &AppRecord::networks, &AppRecord::interrupted,
        &AppRecord::retries, &AppRecord::restart, &AppRecord::remove, &AppRecord::paused,
        &AppRecord::renamed, &AppRecord::unhealthy);
  return merged;
}

}  // namespace lockstep
