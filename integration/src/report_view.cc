#include "report_view.h"

#include <algorithm>

#include "exit_status.h"
#include "lockstep/explain.h"
#include "plan_view.h"

namespace lockstep {
namespace {

std::string Holders(const AppReport& app, WallTime now) {
  std::string text;
  for (const LockHolder& holder : app.holders) {
    if (holder.held && !holder.ours) text += "  " + DescribeHolder(holder, now) + '\n';
  }
  return text;
}

bool IsPaused(const AppReport& app) {
  return std::any_of(app.holders.begin(), app.holders.end(),
                     [](const LockHolder& holder) { return holder.IsPause(); });
}

std::string RenderApp(const AppReport& app, WallTime now, Style style) {
  const std::string name = style.Bold(Printable(app.name.empty() ? app.app : app.name)) + ": ";
  switch (app.outcome) {
    case ApplyOutcome::kInSync:
      // The device has a line of its own only where something is to be said of it.
      if (!app.app.empty() || app.gaps.empty()) return name + style.Green("in sync") + '\n';
      return name + style.Yellow(Printable(app.gaps.front().message)) + '\n';
    case ApplyOutcome::kUnhealthy: {
      std::string services;
      for (const std::string& service : app.unhealthy) {
        services += (services.empty() ? "" : ", ") + Printable(service);
        const auto found = app.findings.find(service);
        const std::string why = found == app.findings.end() ? "" : Explain(found->second);
        if (!why.empty()) services += " (" + Printable(why) + ')';
      }
      if (!app.back_to) {
        return name + style.Red("applied, but not healthy: ") + services + '\n';
      }
      std::string text = name + style.Red("not healthy: ") + services +
                         "; it went back to release " + ShortCommit(*app.back_to) + '\n';
      for (const Gap& gap : app.gaps) {
        if (gap.blocks) text += name + "note: " + Printable(gap.message) + '\n';
      }
      return text;
    }
    case ApplyOutcome::kHeld:
      // By whom was said when it came to wait.
      if (IsPaused(app)) return name + style.Yellow("paused by a person") + "; left as it runs\n";
      return name + style.Yellow("held") + " by an update lock; nothing was interrupted\n";
    case ApplyOutcome::kBlocked: {
      std::string text;
      for (const Gap& gap : app.gaps) {
        text += name + (gap.blocks ? style.Red("blocked") : "note") + ": " +
                Printable(gap.message) + " (" + Printable(gap.code) + ")\n";
      }
      return text.empty() ? name + style.Red("blocked") + '\n' : text;
    }
    case ApplyOutcome::kInterrupted:
      return name + style.Yellow("interrupted") + "; the same command goes on from here\n";
    case ApplyOutcome::kTimedOut:
      return name + style.Yellow("not done in time") + "; the same command goes on from here\n" +
             Holders(app, now);
    case ApplyOutcome::kFailed:
      return {};
  }
  return {};
}

}  // namespace

std::string RenderReport(const ApplyReport& report, WallTime now, Style style) {
  std::string text;
  for (const AppReport& app : report.apps) text += RenderApp(app, now, style);
  if (report.apps.empty() && report.outcome == ApplyOutcome::kInSync) text = "in sync\n";
  return text;
}

int ExitStatusOf(const ApplyReport& report, bool held) {
  switch (report.outcome) {
    case ApplyOutcome::kInSync:
      return kExitOk;
    case ApplyOutcome::kUnhealthy:
      return kExitUnhealthy;
    case ApplyOutcome::kHeld:
      return kExitHeld;
    case ApplyOutcome::kBlocked:
      return kExitBlocked;
    case ApplyOutcome::kInterrupted:
      return kExitInterrupted;
    case ApplyOutcome::kTimedOut:
      return held ? kExitHeld : kExitError;
    case ApplyOutcome::kFailed:
      return kExitError;
  }
  return kExitError;
}

}  // namespace lockstep
