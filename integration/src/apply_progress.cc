#include "apply_progress.h"

#include <algorithm>
#include <utility>

#include "lockstep/explain.h"
#include "plan_view.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostLive = 8;  // Lines: a small terminal must not scroll.
constexpr int kLeastBar = 10;

std::string ExplainStep(const Event& event) {
  Step step;
  step.kind = event.step_kind;
  step.app = event.app;
  step.service = event.service;
  step.subject = event.subject;
  std::string text = DescribeStep(step);
  // An event does not say to what: "set the restart policy of web to ".
  for (const std::string_view end : {" to network ", " to "}) {
    if (text.ends_with(end)) text.resize(text.size() - end.size());
  }
  return text;
}

std::string VerbOf(StepKind kind) {
  Step step;
  step.kind = kind;
  return Explain(step);
}

std::string Percent(const PullView& pull) {
  const double part =
      static_cast<double>(pull.current_bytes) / static_cast<double>(pull.total_bytes);
  return std::to_string(static_cast<int>(std::clamp(part, 0.0, 1.0) * 100));
}

std::string Left(const PullView& pull) {
  const auto left = TimeLeft(pull.current_bytes, pull.total_bytes, pull.bytes_per_second);
  return left ? ExplainAge(*left) + " left" : "";
}

std::string Rate(const PullView& pull) {
  if (pull.bytes_per_second <= 0) return {};
  return FormatBytes(static_cast<std::int64_t>(pull.bytes_per_second)) + "/s";
}

// "0.3 s" where ExplainAge is too coarse.
std::string Took(milliseconds time) {
  if (time >= std::chrono::seconds(10)) return ExplainAge(time);
  const auto tenths = std::max<std::int64_t>(time.count(), 0) / 100;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

}  // namespace

std::string RenderPull(const PullView& pull, int width) {
  std::vector<std::string> facts;  // The most important first.
  if (pull.total_bytes > 0) {
    const std::string percent = Percent(pull);
    facts.push_back(std::string(3 - std::min<std::size_t>(percent.size(), 3), ' ') + percent + '%');
    facts.push_back(FormatBytes(pull.current_bytes) + " / " + FormatBytes(pull.total_bytes));
  } else {
    facts.push_back(FormatBytes(pull.current_bytes));
  }
  for (std::string fact : {Rate(pull), Left(pull)}) {
    if (!fact.empty()) facts.push_back(std::move(fact));
  }
  const std::string label = Fit(pull.label, std::max(width / 3, 8));
  const int bar_room = pull.total_bytes > 0 ? kLeastBar + 4 : 0;
  std::string right;
  for (const std::string& fact : facts) {
    if (DisplayWidth(label) + bar_room + DisplayWidth(right) + 2 + DisplayWidth(fact) > width)
      break;
    right += "  " + fact;
  }
  if (pull.total_bytes <= 0) return Fit(label + right, width);
  const int bar = std::min(width - DisplayWidth(label) - DisplayWidth(right) - 4, 40);
  if (bar < kLeastBar) return Fit(label + "  " + facts.front(), width);
  const double part = std::clamp(
      static_cast<double>(pull.current_bytes) / static_cast<double>(pull.total_bytes), 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(part * bar);
  std::string drawn(filled, '=');
  if (filled < static_cast<std::size_t>(bar)) drawn += '>';
  return label + "  [" + PadRight(std::move(drawn), bar) + ']' + right;
}

std::string DescribePull(const PullView& pull) {
  std::string text = pull.label + ": ";
  if (pull.total_bytes > 0) {
    text += Percent(pull) + "%, " + FormatBytes(pull.current_bytes) + " of " +
            FormatBytes(pull.total_bytes);
  } else {
    text += FormatBytes(pull.current_bytes);
  }
  for (const std::string& fact : {Rate(pull), Left(pull)}) {
    if (!fact.empty()) text += ", " + fact;
  }
  return text;
}

std::string ApplyProgress::NameOf(const std::string& app) const {
  const auto found = names_.find(app);
  return found == names_.end() || found->second.empty() ? Printable(app) : found->second;
}

std::string ApplyProgress::Prefix(const std::string& app) const {
  return style_.Bold(app.empty() ? "device" : NameOf(app)) + ": ";
}

void ApplyProgress::OnPlan(const Plan& plan, std::vector<std::string>& lines) {
  for (const AppPlan& app : plan.apps) {
    names_[app.app] = Printable(app.name);
    if (app.status == PlanStatus::kInSync || app.status == PlanStatus::kBlocked) continue;
    std::string line = Prefix(app.app);
    line += app.to ? "release " + ShortCommit(*app.to) : "no release";
    const std::string changes = SummarizeChanges(app);
    if (!changes.empty()) line += " (" + changes + ')';
    lines.push_back(std::move(line));
  }
  for (const ConfigPlan& config : plan.config) {
    if (config.action != ConfigAction::kRefuse || !refused_.insert(config.key).second) continue;
    lines.push_back(Prefix("") + style_.Yellow("not set") + ": " + Printable(config.key) + ": " +
                    Printable(config.message));
  }
}

void ApplyProgress::OnStarted(const Event& event, MonoTime now, bool live,
                              std::vector<std::string>& lines) {
  Running running;
  running.app = event.app;
  running.verb = VerbOf(event.step_kind);
  running.text = ExplainStep(event);
  running.since = now;
  running.told = now;
  running.pull = event.step_kind == StepKind::kPullImage;
  running.view.label = running.text;
  if (running.pull && !live) lines.push_back(Prefix(event.app) + running.text);
  running_[*event.step] = std::move(running);
}

void ApplyProgress::OnPull(const Event& event, MonoTime now, bool live,
                           std::vector<std::string>& lines) {
  const auto found = running_.find(*event.step);
  if (found == running_.end()) return;
  Running& running = found->second;
  running.view.current_bytes = event.current_bytes;
  running.view.total_bytes = event.total_bytes;
  running.view.bytes_per_second = event.bytes_per_second;
  if (live || now - running.told < kPullEvery) return;
  running.told = now;
  lines.push_back(Prefix(event.app) + DescribePull(running.view));
}

void ApplyProgress::OnEnded(const Event& event, MonoTime now, std::vector<std::string>& lines) {
  const auto found = running_.find(*event.step);
  std::string line = Prefix(event.app) + ExplainStep(event);
  if (event.kind == EventKind::kStepDone && event.step_kind == StepKind::kReboot) {
    line = Prefix("") + (event.subject.empty() ? "going down to reboot"
                                               : "rebooted for " + Printable(event.subject));
  } else if (event.kind == EventKind::kStepFailed) {
    line += ": " + style_.Red("failed");
    if (event.error) line += ": " + Printable(Describe(*event.error));
  } else if (found != running_.end()) {
    const Running& running = found->second;
    line += ": done in " + Took(now - running.since);
    if (running.view.total_bytes > 0) line += ", " + FormatBytes(running.view.total_bytes);
  } else {
    line += ": done";
  }
  if (event.kind == EventKind::kStepDone && event.step_kind == StepKind::kTakeLocks) {
    spans_.insert(event.app);
    OnReleased(event.app, now, lines);
  }
  for (LockHolder overridden : event.holders) {
    overridden.notes.clear();  // What to do about it: it is gone.
    lines.push_back(Prefix(event.app) + style_.Yellow("ran over") + " the update lock of " +
                    DescribeHolder(overridden, event.time));
  }
  if (event.step_kind == StepKind::kReleaseLocks) spans_.erase(event.app);
  if (found != running_.end()) running_.erase(found);
  lines.push_back(std::move(line));
  AddOutput(event.findings, lines);
}

void ApplyProgress::AddOutput(const Findings& findings, std::vector<std::string>& lines) const {
  if (!findings.last_lines.empty()) lines.push_back("  it printed last:");
  for (const std::string& line : findings.last_lines) {
    lines.push_back("    " + style_.Dim(Printable(line)));
  }
  if (!findings.lines_missing.empty()) {
    lines.push_back("  what it printed cannot be read: " + Printable(findings.lines_missing));
  }
}

void ApplyProgress::OnReleased(const std::string& app, MonoTime now,
                               std::vector<std::string>& lines) {
  const auto held = held_.find(app);
  if (held == held_.end()) return;
  lines.push_back(Prefix(app) + "free after " + Took(now - held->second.since));
  held_.erase(held);
}

void ApplyProgress::OnHeld(const Event& event, MonoTime now, std::vector<std::string>& lines) {
  auto [held, is_new] = held_.try_emplace(event.app, Held{now, {}});
  held->second.services.clear();
  const bool of_device = event.app.empty();
  const bool paused = std::any_of(event.holders.begin(), event.holders.end(),
                                  [](const LockHolder& holder) { return holder.IsPause(); });
  if (is_new) {
    lines.push_back(Prefix(event.app) + (of_device ? "its reboot is " : "") +
                    style_.Yellow("held") + (paused ? "" : " by an update lock"));
  } else {
    lines.push_back(Prefix(event.app) + "still " + style_.Yellow("held"));
  }
  for (const LockHolder& holder : event.holders) {
    if (holder.ours || !holder.held) continue;
    lines.push_back("  " + DescribeHolder(holder, event.time));
    auto& services = held->second.services;
    services += (services.empty() ? "" : ", ") + Printable(WhoHolds(holder));
  }
  if (!is_new) return;
  if (paused) {
    lines.push_back("  `lockstep resume` lets it go on; no force runs over a pause");
    return;
  }
  lines.push_back(of_device
                      ? "  `lockstep locks` shows all; a reboot waits for those of every app"
                      : "  `lockstep locks` shows all; `lockstep apply --force` runs over it");
}

std::vector<std::string> ApplyProgress::OnEvent(const Event& event, MonoTime now, bool live) {
  std::vector<std::string> lines;
  switch (event.kind) {
    case EventKind::kPlan:
      if (event.plan != nullptr) OnPlan(*event.plan, lines);
      break;
    case EventKind::kStepStarted:
      if (event.step) OnStarted(event, now, live, lines);
      break;
    case EventKind::kProgress:
      if (event.step) OnPull(event, now, live, lines);
      break;
    case EventKind::kStepDone:
    case EventKind::kStepFailed:
      if (event.step) {
        OnEnded(event, now, lines);
      } else if (event.error) {  // What goes on without, but a person should know.
        lines.push_back(Prefix(event.app) + style_.Yellow("warning") + ": " +
                        Printable(Describe(*event.error)));
      }
      break;
    case EventKind::kHeld:
      OnHeld(event, now, lines);
      break;
    case EventKind::kReleased:
      OnReleased(event.app, now, lines);
      break;
    case EventKind::kCommitted:
      lines.push_back(Prefix(event.app) + style_.Green("committed"));
      break;
    case EventKind::kRolledBack:
      lines.push_back(Prefix(event.app) + style_.Red("went back") + " to the release before");
      break;
    case EventKind::kDone:
      break;
  }
  return lines;
}

// "shop: start proxy (1.0 s), wait until settled: db, web (4.0 s)".
std::vector<std::string> ApplyProgress::LiveSteps(MonoTime now) const {
  struct Alike {
    std::set<std::string> objects;
    MonoTime since = MonoTime::max();
  };
  std::map<std::string, std::map<std::string, Alike>> busy;  // By app and verb.
  for (const auto& [id, running] : running_) {
    if (running.pull) continue;
    Alike& alike = busy[running.app][running.verb];
    alike.objects.insert(running.text.substr(std::min(running.verb.size(), running.text.size())));
    alike.since = std::min(alike.since, running.since);
  }
  std::vector<std::string> lines;
  for (const auto& [app, verbs] : busy) {
    std::string line;
    for (const auto& [verb, alike] : verbs) {
      line += (line.empty() ? "" : ", ") + verb;
      // Each begins with the blank after the verb.
      for (const std::string& object : alike.objects) {
        line += (object == *alike.objects.begin() ? "" : ",") + object;
      }
      line += " (" + Took(now - alike.since) + ')';
    }
    lines.push_back(NameOf(app) + ": " + line);
  }
  return lines;
}

std::vector<std::string> ApplyProgress::Live(MonoTime now, int width) const {
  std::vector<std::string> lines;
  for (const auto& [id, running] : running_) {
    if (running.pull) lines.push_back(RenderPull(running.view, width));
  }
  for (const std::string& line : LiveSteps(now)) lines.push_back(Fit(line, width));
  for (const auto& [app, held] : held_) {
    lines.push_back(Fit(NameOf(app) + ": held by " + held.services + ", waiting for " +
                            ExplainAge(now - held.since),
                        width));
  }
  if (lines.size() > kMostLive) {
    const auto more = lines.size() - (kMostLive - 1);
    lines.resize(kMostLive - 1);
    lines.push_back(Fit("and " + std::to_string(more) + " more", width));
  }
  return lines;
}

}  // namespace lockstep
