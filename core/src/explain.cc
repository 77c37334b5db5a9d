#include "lockstep/explain.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep {
namespace {

// Whether a list can be written as its words: no item that would read as two, or as none.
bool IsPlainWord(const Value& item) {
  const std::string* text = item.AsString();
  return text != nullptr && !text->empty() && text->find_first_of(" \t\n\"'") == std::string::npos;
}

std::string Plain(const Value& value) {
  if (const std::string* text = value.AsString(); text != nullptr && !text->empty()) return *text;
  const Value::List* list = value.AsList();
  if (list == nullptr || !std::all_of(list->begin(), list->end(), IsPlainWord)) {
    return ToText(value);
  }
  std::string words;
  for (const Value& item : *list) words += (words.empty() ? "" : " ") + *item.AsString();
  return words;
}

bool IsNothing(const Value& value) {
  return value.is_null() || (value.AsList() != nullptr && value.AsList()->empty());
}

std::optional<std::string> PlainOrNothing(const Value& value) {
  if (IsNothing(value)) return std::nullopt;
  return Plain(value);
}

// Maps are taken apart this deep, so that no document can exhaust the stack.
constexpr int kMostDepth = 8;

void Compare(const std::string& field, const Value& from, const Value& to, int depth,
             std::vector<Difference>& differences) {
  const Value::Map* old_map = from.AsMap();
  const Value::Map* new_map = to.AsMap();
  if (old_map == nullptr || new_map == nullptr || depth == kMostDepth) {
    differences.push_back({field, PlainOrNothing(from), PlainOrNothing(to), false});
    return;
  }
  const Value nothing;
  auto a = old_map->begin();
  auto b = new_map->begin();
  while (a != old_map->end() || b != new_map->end()) {
    const bool takes_old = b == new_map->end() || (a != old_map->end() && a->key <= b->key);
    const bool takes_new = a == old_map->end() || (b != new_map->end() && b->key <= a->key);
    const std::string& key = takes_old ? a->key : b->key;
    const Value& old_value = takes_old ? a->value : nothing;
    const Value& new_value = takes_new ? b->value : nothing;
    if (!(old_value == new_value)) {
      Compare(field + "." + key, old_value, new_value, depth + 1, differences);
    }
    if (takes_old) ++a;
    if (takes_new) ++b;
  }
}

std::string Sentence(const Difference& difference) {
  const auto& [field, from, to, hidden] = difference;
  if (!from && !to) return field + " changes";
  if (!from) return field + " is new" + (hidden ? "" : ": " + *to);
  if (!to) return field + " goes" + (hidden ? "" : ": " + *from);
  return field + " changes" + (hidden ? "" : " from " + *from + " to " + *to);
}

struct StepWords {
  StepKind kind;
  std::string_view verb;
  bool names_subject;  // The subject says more than the service.
};

constexpr std::array kStepWords = {
    StepWords{StepKind::kCheckImage, "ask the registry for", true},
    StepWords{StepKind::kPullImage, "download", true},
    StepWords{StepKind::kCreateNetwork, "create network", true},
    StepWords{StepKind::kCreateVolume, "create volume", true},
    StepWords{StepKind::kCreateContainer, "create", false},
    StepWords{StepKind::kTakeLocks, "take the update locks", false},
    StepWords{StepKind::kStopContainer, "stop", false},
    StepWords{StepKind::kStartContainer, "start", false},
    StepWords{StepKind::kRenameContainer, "rename", false},
    StepWords{StepKind::kUpdateContainer, "set the restart policy of", false},
    StepWords{StepKind::kConnectNetwork, "connect", false},
    StepWords{StepKind::kDisconnectNetwork, "disconnect", false},
    StepWords{StepKind::kAwaitHealth, "wait until settled:", false},
    StepWords{StepKind::kAwaitHandover, "wait for the hand-over of", false},
    StepWords{StepKind::kReleaseLocks, "give the update locks back", false},
    StepWords{StepKind::kCommitRelease, "commit release", true},
    StepWords{StepKind::kRemoveContainer, "remove the old container of", false},
    StepWords{StepKind::kRemoveImage, "remove image", true},
    StepWords{StepKind::kRemoveNetwork, "remove network", true},
    StepWords{StepKind::kPurgeVolume, "purge volume", true},
    StepWords{StepKind::kWriteConfig, "write", true},
    StepWords{StepKind::kDeleteLock, "delete the lock", true},
    StepWords{StepKind::kReboot, "reboot", false},
};
static_assert(CoversStepKinds(kStepWords));

}  // namespace

std::vector<Difference> Differences(const Reason& reason, ShowValues values) {
  std::vector<Difference> differences;
  if (reason.secret && values == ShowValues::kNo) {
    Difference hidden{reason.field, std::nullopt, std::nullopt, true};
    if (!reason.from.is_null()) hidden.from.emplace();
    if (!reason.to.is_null()) hidden.to.emplace();
    differences.push_back(std::move(hidden));
  } else if (!reason.field.empty() && reason.code != ReasonCode::kDependencyRestarts) {
    Compare(reason.field, reason.from, reason.to, 0, differences);
  }
  return differences;
}

std::string Explain(const Reason& reason, ShowValues values) {
  switch (reason.code) {
    case ReasonCode::kFieldChanged:
    case ReasonCode::kImageChanged:
    case ReasonCode::kNetworkChanged:
    case ReasonCode::kVolumeChanged:
    case ReasonCode::kNameChanged: {
      std::string text;
      for (const Difference& difference : Differences(reason, values)) {
        text += (text.empty() ? "" : "; ") + Sentence(difference);
      }
      return text;
    }
    case ReasonCode::kNotInTarget:
      return "no longer in the target";
    case ReasonCode::kMissing:
      return "not there yet";
    case ReasonCode::kNotRunning:
      return "should run and does not";
    case ReasonCode::kDependencyRestarts:
      return "restarts with " + reason.field;
    case ReasonCode::kReleaseChanged:
      return "unchanged, in a new release";
    case ReasonCode::kUnhealthy:
      return "unhealthy";
    case ReasonCode::kShouldNotRun:
      return "runs and should not";
    case ReasonCode::kLeftOver:
      return "a second container of the service";
    case ReasonCode::kReleaseFailed:
      return "going back from a release that failed";
    case ReasonCode::kPaused:
      return "paused, and left as it is";
    case ReasonCode::kRestarting:
      return "restarting again and again";
    case ReasonCode::kAsked:
      return "a person asked for it";
    case ReasonCode::kLost:
      return "runs, and the engine does not know";
  }
  return std::string(ReasonCodeName(reason.code));
}

std::string Explain(const Step& step) {
  if (ForgetsApp(step)) return "forget the app";
  const StepWords& words = StepKindRow(kStepWords, step.kind);
  std::string text(words.verb);
  const std::string& what = words.names_subject ? step.subject : step.service;
  if (!what.empty()) text += " " + what;
  if (step.kind == StepKind::kUpdateContainer) text += " to " + step.detail;
  if (step.kind == StepKind::kConnectNetwork) text += " to network " + step.detail;
  return text;
}

std::string Explain(const Findings& findings) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (findings.exit_code) add("it exited with " + std::to_string(*findings.exit_code));
  if (findings.out_of_memory) add("it ran out of memory");
  if (findings.restarts > 0) {
    const std::string times = findings.restarts == 1 ? " time" : " times";
    add("its engine started it again " + std::to_string(findings.restarts) + times);
  }
  if (!findings.engine_error.empty()) add("the engine says: " + findings.engine_error);
  if (!findings.health_output.empty()) add("its health check says: " + findings.health_output);
  return text;
}

std::string ExplainAge(std::chrono::milliseconds age) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds <= 0) return "0 s";
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  const auto hours = seconds / 3600;
  if (hours >= 48) return std::to_string(hours / 24) + " days";
  const auto minutes = seconds % 3600 / 60;
  return std::to_string(hours) + " h" +
         (minutes == 0 ? "" : " " + std::to_string(minutes) + " min");
}

}  // namespace lockstep
