#include "plan_view.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace lockstep {
namespace {

std::string Indented(int by, std::string_view text) {
  return std::string(static_cast<std::size_t>(by), ' ') + std::string(text) + '\n';
}

std::string StatusWord(PlanStatus status, Style style) {
  const auto name = PlanStatusName(status);
  switch (status) {
    case PlanStatus::kInSync:
      return style.Green(name);
    case PlanStatus::kReady:
      return std::string(name);
    case PlanStatus::kHeld:
      return style.Yellow(name);
    case PlanStatus::kBlocked:
      return style.Red(name);
  }
  return std::string(name);
}

std::string ReleaseMove(const AppPlan& app) {
  const std::string from = app.from ? ShortCommit(*app.from) : "nothing";
  const std::string to = app.to ? ShortCommit(*app.to) : "nothing";
  return from == to ? "release " + to : "release " + from + " -> " + to;
}

std::string NameOf(const AppPlan& app) { return Printable(app.name.empty() ? app.app : app.name); }

std::string RenderServices(const AppPlan& app, ShowValues values) {
  std::vector<std::vector<std::string>> rows;
  std::size_t unchanged = 0;
  for (const ServicePlan& service : app.services) {
    if (service.change == ServiceChange::kNone) {
      ++unchanged;
      continue;
    }
    std::string change(ServiceChangeName(service.change));
    if (service.strategy != Strategy::kDownloadThenKill) {
      change += " (" + std::string(StrategyName(service.strategy)) + ')';
    }
    std::vector<std::string> row = {Printable(service.service), std::move(change)};
    if (service.why.empty()) rows.push_back(row);
    for (const Reason& reason : service.why) {
      row.resize(2);
      const std::string why = Printable(Explain(reason, values));
      row.push_back(reason.code == ReasonCode::kImageChanged ? ShortenHashes(why) : why);
      rows.push_back(row);
      row = {"", ""};
    }
  }
  std::string text = Table(rows, 2);
  if (unchanged > 0) {
    const std::string rest = rows.empty() ? "" : "other ";
    text += Indented(2, Plural(unchanged, rest + "service") +
                            (unchanged == 1 ? " stays as it is" : " stay as they are"));
  }
  return text;
}

std::string RenderApp(const AppPlan& app, const Plan& plan, ShowValues values, Style style) {
  std::string text = style.Bold(NameOf(app)) + ": " + StatusWord(app.status, style) + ", " +
                     ReleaseMove(app) + '\n';
  text += RenderServices(app, values);
  const bool held = app.status == PlanStatus::kHeld;
  bool first = true;
  for (const LockHolder& holder : app.holders) {
    if (holder.ours || !holder.held) continue;
    if (first) text += Indented(2, held ? style.Yellow("held by") : "locked by");
    first = false;
    text += Indented(4, DescribeHolder(holder, plan.made_for));
  }
  for (const Gap& gap : app.gaps) {
    text += Indented(2, (gap.blocks ? style.Red("blocked") : "note") + ": " +
                            Printable(gap.message) + " (" + Printable(gap.code) + ')');
  }
  return text;
}

std::string RenderConfig(const Plan& plan, ShowValues values) {
  std::vector<std::vector<std::string>> rows;
  for (const ConfigPlan& config : plan.config) {
    if (config.action == ConfigAction::kNone) continue;
    const auto shown = [&](const std::optional<std::string>& value) {
      if (!value) return std::string("(unset)");
      return values == ShowValues::kYes ? Printable(*value) : std::string("(hidden)");
    };
    std::string note = config.needs_reboot ? "needs a reboot" : "";
    if (!config.message.empty()) note += (note.empty() ? "" : "; ") + Printable(config.message);
    rows.push_back({Printable(config.key), std::string(ConfigActionName(config.action)),
                    shown(config.from) + " -> " + shown(config.to), note});
  }
  return rows.empty() ? std::string() : "\nConfiguration\n" + Table(rows, 2);
}

// The steps of an app stay together, in their order; those of the device come last.
std::vector<std::size_t> PrintOrder(const Plan& plan) {
  const auto rank = [&](std::size_t step) {
    const auto found = std::find_if(plan.apps.begin(), plan.apps.end(), [&](const AppPlan& app) {
      return app.app == plan.steps[step].app;
    });
    return found - plan.apps.begin();
  };
  std::vector<std::size_t> order(plan.steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<std::ptrdiff_t> ranks(order.size());
  std::transform(order.begin(), order.end(), ranks.begin(), rank);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
  return order;
}

// What comes before a step, without what comes before one of these already.
std::vector<std::size_t> NumbersBefore(const Plan& plan, const Step& step,
                                       const std::vector<std::size_t>& numbers) {
  std::set<std::uint32_t> implied;
  for (const std::uint32_t index : step.after) {
    const auto& before = plan.steps[index].after;
    implied.insert(before.begin(), before.end());
  }
  std::set<std::size_t> shown;
  for (const std::uint32_t index : step.after) {
    if (!implied.contains(index)) shown.insert(numbers[index]);
  }
  return {shown.begin(), shown.end()};
}

std::string StepNote(const Plan& plan, const Step& step, const std::vector<std::size_t>& numbers,
                     Style style) {
  std::string note;
  for (const std::size_t number : NumbersBefore(plan, step, numbers)) {
    note += (note.empty() ? "after " : ", ") + std::to_string(number);
  }
  if (!note.empty()) note = style.Dim(note);
  if (step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred) {
    note += (note.empty() ? "" : "; ") + style.Yellow(StepStatusName(step.status));
  }
  if (step.disruptive) note += std::string(note.empty() ? "" : "; ") + "interrupts";
  return note;
}

std::string RenderSteps(const Plan& plan, Style style) {
  const auto order = PrintOrder(plan);
  std::vector<std::size_t> numbers(plan.steps.size());
  for (std::size_t i = 0; i < order.size(); ++i) numbers[order[i]] = i + 1;
  const auto digits = static_cast<int>(std::to_string(order.size()).size());
  int widest = 0;
  for (const Step& step : plan.steps) {
    widest = std::max(widest, DisplayWidth(DescribeStep(step)));
  }
  std::string text = "\nSteps\n";
  const Step* previous = nullptr;
  for (const std::size_t index : order) {
    const Step& step = plan.steps[index];
    if (previous == nullptr || previous->app != step.app || previous->phase != step.phase) {
      std::string title(PhaseName(step.phase));
      if (plan.apps.size() > 1 && !step.app.empty()) {
        const auto app = std::find_if(plan.apps.begin(), plan.apps.end(),
                                      [&](const AppPlan& each) { return each.app == step.app; });
        if (app != plan.apps.end()) title = NameOf(*app) + ": " + title;
      }
      text += Indented(2, style.Bold(title));
    }
    previous = &step;
    const std::string number = std::to_string(numbers[index]);
    std::string line(static_cast<std::size_t>(4 + digits) - number.size(), ' ');
    line += number + ". " + PadRight(DescribeStep(step), std::min(widest, 60) + 2) +
            StepNote(plan, step, numbers, style);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string Conclusion(const Plan& plan, Style style) {
  const std::string steps = Plural(plan.steps.size(), "step");
  switch (plan.status) {
    case PlanStatus::kInSync:
      return style.Green("In sync") + ": nothing to do.\n";
    case PlanStatus::kReady:
      return "Ready: " + steps + ", none waits for a lock.\n";
    case PlanStatus::kHeld:
      return style.Yellow("Held") + ": " + steps +
             "; the cutover waits until the locks above are gone.\n";
    case PlanStatus::kBlocked:
      return style.Red("Blocked") + ": mend what is said above in the target.\n";
  }
  return {};
}

}  // namespace

std::string DescribeStep(const Step& step) {
  if (step.kind != StepKind::kCommitRelease) return ShortenHashes(Printable(Explain(step)));
  Step cut = step;
  cut.subject = ShortCommit(step.subject);
  return Explain(cut);
}

std::string DescribeHolder(const LockHolder& holder, WallTime now) {
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
        ServiceChange::kRename, ServiceChange::kStart, ServiceChange::kStop,
        ServiceChange::kRemove}) {
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

std::string RenderPlan(const Plan& plan, ShowValues values, Style style) {
  std::string text;
  for (const AppPlan& app : plan.apps) text += RenderApp(app, plan, values, style);
  text += RenderConfig(plan, values);
  if (!plan.steps.empty()) text += RenderSteps(plan, style);
  return text + (text.empty() ? "" : "\n") + Conclusion(plan, style);
}

}  // namespace lockstep
