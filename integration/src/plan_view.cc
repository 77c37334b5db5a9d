#include "plan_view.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "plan_changes.h"
#include "plan_names.h"
#include "plan_order.h"
#include "plan_page.h"

namespace lockstep {
namespace {

constexpr std::array kByImportance = {PlanStatus::kBlocked, PlanStatus::kHeld, PlanStatus::kReady,
                                      PlanStatus::kInSync};

std::string Coloured(PlanStatus status, std::string_view text, Style style) {
  switch (status) {
    case PlanStatus::kInSync:
      return style.Green(text);
    case PlanStatus::kReady:
      return std::string(text);
    case PlanStatus::kHeld:
      return style.Yellow(text);
    case PlanStatus::kBlocked:
      return style.Red(text);
  }
  return std::string(text);
}

bool HoldsUp(const LockHolder& holder) { return holder.held && !holder.ours; }

std::string ReleaseMove(const AppPlan& app, const PlanNames& names) {
  const auto name = [&](const std::optional<std::string>& commit) {
    return commit ? Fit(names.Short(*commit), 24) : std::string("nothing");
  };
  if (app.from == app.to) return "release " + name(app.to);
  return "release " + name(app.from) + " -> " + name(app.to);
}

void WriteHolders(const AppPlan& app, WallTime now, Page& page) {
  const std::string_view keyword = app.status == PlanStatus::kHeld ? "held by" : "locked by";
  for (const LockHolder& holder : app.holders) {
    if (!HoldsUp(holder)) continue;
    if (holder.IsPause()) {
      page.Row(app.status == PlanStatus::kHeld ? "held" : "paused", Printable(holder.holder));
      continue;
    }
    std::string text = Printable(holder.service);
    if (holder.since) text += ", for " + ExplainAge(now - *holder.since);
    text += " (" + std::string(LockKindName(holder.kind)) + ')';
    const std::string path = Printable(holder.path);
    if (path.empty() || DisplayWidth(text) + 2 + DisplayWidth(path) <= page.room()) {
      page.Row(keyword, path.empty() ? text : text + "  " + path);
    } else {
      page.Row(keyword, text);
      page.Row(keyword, "  " + path);
    }
    for (const std::string& note : holder.notes) page.Entry(keyword, Printable(note), "  ");
  }
}

void WriteGaps(const AppPlan& app, const PlanNames& names, bool blocking, Page& page) {
  for (const Gap& gap : app.gaps) {
    if (gap.blocks != blocking) continue;
    page.Entry(blocking ? "blocked" : "note",
               Printable(gap.code) + ": " + names.Short(gap.message));
  }
}

// What the parts of the page are made from.
struct Parts {
  const Plan& plan;
  const PlanViewOptions& options;
  const PlanNames names;
  const Waits waits;
};

void WriteApp(const AppPlan& app, const std::vector<std::uint32_t>& steps, const Parts& parts,
              Page& page) {
  const Style style = parts.options.style;
  const bool quiet = app.status == PlanStatus::kInSync;
  std::string heading = style.Bold(parts.names.App(app.app)) + ": " +
                        Coloured(app.status, PlanStatusName(app.status), style) + ", " +
                        ReleaseMove(app, parts.names);
  if (quiet) heading += ", " + Plural(app.services.size(), "service");
  page.Heading(heading);
  WriteGaps(app, parts.names, true, page);
  if (!quiet) {
    WriteHolders(app, parts.plan.made_for, page);
    WriteChanges(app, parts.names, parts.options.values, page);
  }
  WriteGaps(app, parts.names, false, page);
  if (!steps.empty()) page.Blank();
  WriteOrder(parts.plan, steps, parts.waits, parts.names, page);
}

void WriteDevice(const std::vector<std::uint32_t>& steps, const Parts& parts, Page& page) {
  const auto& config = parts.plan.config;
  const bool configures = std::any_of(config.begin(), config.end(), [](const ConfigPlan& each) {
    return each.action != ConfigAction::kNone || !each.message.empty();
  });
  if (!configures && steps.empty()) return;
  page.Blank();
  page.Heading(parts.options.style.Bold("device"));
  WriteConfig(parts.plan, page);
  WriteOrder(parts.plan, steps, parts.waits, parts.names, page);
}

// The apps with a gap that blocks, one that the release failed before (or another one).
std::string BlockedApps(const Plan& plan, const PlanNames& names, bool failed_before) {
  constexpr std::size_t kMostNames = 4;
  std::vector<std::string> blocked;
  for (const AppPlan& app : plan.apps) {
    const bool blocks = std::any_of(app.gaps.begin(), app.gaps.end(), [&](const Gap& gap) {
      return gap.blocks && (gap.code == "release-failed") == failed_before;
    });
    if (blocks) blocked.push_back(names.App(app.app));
  }
  return ListNames(blocked, kMostNames);
}

bool HidesValues(const Plan& plan) {
  return std::any_of(plan.apps.begin(), plan.apps.end(), [](const AppPlan& app) {
    return std::any_of(app.services.begin(), app.services.end(), [](const ServicePlan& service) {
      return std::any_of(service.why.begin(), service.why.end(),
                         [](const Reason& reason) { return reason.secret; });
    });
  });
}

// None where nothing is to be done for the device as a whole.
std::optional<PlanStatus> DeviceStatus(const Plan& plan) {
  std::optional<PlanStatus> status;
  for (const Step& step : plan.steps) {
    if (step.phase != Phase::kConfig) continue;
    if (step.status == StepStatus::kDeferred) return PlanStatus::kHeld;
    status = PlanStatus::kReady;
  }
  return status;
}

// "Held: shop. Ready: zoo, bank."
std::string Verdict(const Plan& plan, const PlanNames& names, Style style) {
  constexpr std::size_t kMostNames = 4;
  constexpr std::array<std::string_view, 4> kWords = {"Blocked", "Held", "Ready", "In sync"};
  std::string text;
  for (std::size_t i = 0; i < kByImportance.size(); ++i) {
    std::size_t count = 0;
    std::string list;
    for (const AppPlan& app : plan.apps) {
      if (app.status != kByImportance[i]) continue;
      if (++count <= kMostNames) list += (list.empty() ? "" : ", ") + names.App(app.app);
    }
    if (count > kMostNames) list = std::to_string(count) + " apps";
    if (DeviceStatus(plan) == kByImportance[i]) {
      list += count == 0 ? "device" : ", device";
    } else if (count == 0) {
      continue;
    }
    text += (text.empty() ? "" : ". ") + Coloured(kByImportance[i], kWords[i], style) + ": " + list;
  }
  return text + '.';
}

// What a person can do, each with the command for it.
void WriteNext(const Plan& plan, const PlanNames& names, const PlanViewOptions& options,
               Page& page) {
  const auto propose = [&](std::string_view what, std::string_view command) {
    page.Heading(what);
    page.Heading("  " + std::string(command));
  };
  if (const std::string apps = BlockedApps(plan, names, false); !apps.empty()) {
    page.Heading("To unblock " + apps +
                 ": mend the target where it says so above, and plan again.");
  }
  if (options.apply.empty()) return;
  if (options.elsewhere) page.Heading("On the device that the snapshot is of:");
  if (const std::string apps = BlockedApps(plan, names, true); !apps.empty()) {
    propose("To try the failed release of " + apps + " again:", options.apply);
  }
  if (plan.status == PlanStatus::kHeld) {
    // Force runs over no lock for a reboot.
    const bool app_held = std::any_of(plan.apps.begin(), plan.apps.end(), [](const AppPlan& app) {
      return app.status == PlanStatus::kHeld;
    });
    propose(app_held ? "To prepare now, and cut over the moment the lock is gone:"
                     : "To do it the moment the lock is gone:",
            options.apply);
    if (!options.forced && app_held) {
      propose("To run over the lock instead:", options.apply + " --force");
    }
  } else if (plan.status == PlanStatus::kReady) {
    propose(options.forced ? "To do it, over the locks:" : "To do it:", options.apply);
  } else {
    return;
  }
  propose("To do exactly this, or nothing if anything has changed:",
          options.apply + " --if-fingerprint " + Printable(plan.fingerprint));
}

}  // namespace

std::string DescribeStep(const Step& step) {
  if (step.kind != StepKind::kCommitRelease || ForgetsApp(step))
    return ShortenHashes(Printable(Explain(step)));
  Step cut = step;
  cut.subject = ShortCommit(step.subject);
  return Explain(cut);
}

std::string DescribeHolder(const LockHolder& holder, WallTime now) {
  if (holder.IsPause()) return Printable(holder.holder);
  std::string text = Printable(holder.service) + ": ";
  if (!holder.path.empty()) text += Printable(holder.path) + ' ';
  text += '(' + std::string(LockKindName(holder.kind));
  if (holder.since) text += ", for " + ExplainAge(now - *holder.since);
  text += ')';
  for (const std::string& note : holder.notes) text += "; " + Printable(note);
  return text;
}

std::string SummarizeChanges(const AppPlan& app) {
  std::string text;
  for (const ServiceChange change :
       {ServiceChange::kCreate, ServiceChange::kRecreate, ServiceChange::kRestart,
        ServiceChange::kReconnect, ServiceChange::kRename, ServiceChange::kStart,
        ServiceChange::kStop, ServiceChange::kRemove}) {
    std::string names;
    for (const ServicePlan& service : app.services) {
      if (service.change != change) continue;
      names += (names.empty() ? "" : ", ") + Printable(service.service);
    }
    if (names.empty()) continue;
    text += (text.empty() ? "" : "; ") + std::string(ServiceChangeName(change)) + ' ' + names;
  }
  return text;
}

std::string RenderPlan(const Plan& plan, const PlanViewOptions& options) {
  const Parts parts{plan, options, PlanNames(plan), ExplainWaits(plan)};
  StepsByApp steps = SortSteps(plan);
  bool in_list = false;
  Page page(options.style, options.width);
  for (const PlanStatus status : kByImportance) {
    for (const AppPlan& app : plan.apps) {
      if (app.status != status) continue;
      // A paragraph for each app, and one for all those with nothing to do.
      if (status != PlanStatus::kInSync || !std::exchange(in_list, true)) page.Blank();
      WriteApp(app, steps[app.app], parts, page);
    }
  }
  WriteDevice(steps[""], parts, page);
  if (plan.status == PlanStatus::kInSync) {
    const auto refused = static_cast<std::size_t>(std::count_if(
        plan.config.begin(), plan.config.end(),
        [](const ConfigPlan& config) { return config.action == ConfigAction::kRefuse; }));
    if (refused == 0) {
      page.Heading(options.style.Green("In sync") + ": nothing to do.");
    } else {
      page.Heading(options.style.Yellow("In sync but for " + Plural(refused, "key")) +
                   ": mend the target where it says so above.");
    }
    return page.text();
  }
  page.Blank();
  page.Heading(Verdict(plan, parts.names, options.style));
  WriteNext(plan, parts.names, options, page);
  if (options.values == ShowValues::kNo && HidesValues(plan)) {
    page.Heading("--show-values shows what is hidden.");
  }
  return page.text();
}

}  // namespace lockstep
