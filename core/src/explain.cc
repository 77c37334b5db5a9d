#include "lockstep/explain.h"

#include <array>
#include <utility>

namespace lockstep {
namespace {

std::string Plain(const Value& value) {
  if (value.is_null()) return "nothing";
  if (const std::string* text = value.AsString(); text != nullptr && !text->empty()) return *text;
  return ToText(value);
}

std::string FromTo(const Reason& reason, ShowValues values) {
  const std::string& field = reason.field;
  if (reason.from.is_null() && reason.to.is_null()) return field + " changes";
  if (reason.secret && values == ShowValues::kNo) {
    return reason.from.is_null() ? field + " is new"
           : reason.to.is_null() ? field + " goes"
                                 : field + " changes";
  }
  if (reason.from.is_null()) return field + " is new: " + Plain(reason.to);
  if (reason.to.is_null()) return field + " goes: " + Plain(reason.from);
  return field + " changes from " + Plain(reason.from) + " to " + Plain(reason.to);
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

}  // namespace

std::string Explain(const Reason& reason, ShowValues values) {
  switch (reason.code) {
    case ReasonCode::kFieldChanged:
    case ReasonCode::kImageChanged:
    case ReasonCode::kNetworkChanged:
    case ReasonCode::kVolumeChanged:
      return FromTo(reason, values);
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
  }
  return std::string(ReasonCodeName(reason.code));
}

std::string Explain(const Step& step) {
  for (const StepWords& words : kStepWords) {
    if (words.kind != step.kind) continue;
    std::string text(words.verb);
    const std::string& what = words.names_subject ? step.subject : step.service;
    if (!what.empty()) text += " " + what;
    if (step.kind == StepKind::kUpdateContainer) text += " to " + step.detail;
    if (step.kind == StepKind::kConnectNetwork) text += " to network " + step.detail;
    return text;
  }
  return std::string(StepKindName(step.kind));
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
