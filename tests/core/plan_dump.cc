#include "plan_dump.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

namespace lockstep::test {
namespace {

constexpr const char* kConditions[] = {"started", "healthy", "completed"};

std::string List(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return "[" + text + "]";
}

void WriteSpec(std::ostream& out, const ServiceSpec& spec) {
  if (!spec.running) out << " running=false";
  for (const auto& [name, text] : spec.environment) out << " env." << name << "=" << text;
  for (const auto& [name, text] : spec.labels) out << " label." << name << "=" << text;
  for (const FieldValue& field : spec.fields) {
    out << " " << RowOf(field.field).name << "=" << ToText(field.value);
  }
  for (const Dependency& on : spec.depends_on) {
    out << " on:" << on.service << ":" << kConditions[static_cast<int>(on.condition)]
        << (on.restart ? ":restart" : "") << (on.required ? "" : ":optional");
  }
}

void WriteTarget(std::ostream& out, const Target& target) {
  out << "target" << (target.whole_device ? ", whole device" : "") << "\n";
  for (const TargetApp& app : target.apps) {
    out << "  app " << app.uuid << " id=" << app.id << (app.is_host ? " host" : "");
    for (const Gap& gap : app.gaps) out << " gap=" << gap.code << (gap.blocks ? "" : "(warns)");
    if (!app.release) {
      out << " without release\n";
      continue;
    }
    out << " release " << app.release->commit << " (" << app.release->id << ")";
    for (const auto& [name, config] : app.release->networks) {
      out << " network " << name << ToText(config);
    }
    for (const auto& [name, config] : app.release->volumes) {
      out << " volume " << name << ToText(config);
    }
    out << "\n";
    for (const TargetService& service : app.release->services) {
      out << "    " << service.name << " image=" << service.spec.image << " (" << service.image_id
          << ") " << StrategyName(service.strategy);
      WriteSpec(out, service.spec);
      out << "\n";
    }
  }
}

void WriteContainer(std::ostream& out, const ObservedContainer& c) {
  out << "  " << c.id << " " << c.name << (c.owned ? "" : " NOT OURS") << " " << c.app << "/"
      << c.service << " " << c.commit << " " << ContainerStateName(c.state) << "(" << c.exit_code
      << ") " << HealthName(c.health) << " image=" << c.image_id
      << " policy=" << c.restart_policy.value_or("?")
      << " networks=" << (c.networks ? List(*c.networks) : "?")
      << (c.config_hash.empty() ? " adopted" : "") << (c.settled ? " settled" : "")
      << (c.start_failed ? " start failed" : "");
  if (c.spec) WriteSpec(out, *c.spec);
  out << "\n";
}

void WriteDevice(std::ostream& out, const ObservedState& state) {
  out << "device\n";
  for (const AppRecord& record : state.apps) {
    out << "  record " << record.app << " committed=" << record.committed.value_or("-")
        << " cutover=" << record.cutover.value_or("-") << " failed=" << List(record.failed)
        << " stopped=" << List(record.stopped) << " purge=" << List(record.purge)
        << " retired=" << List(record.retired) << " interrupted=" << List(record.interrupted)
        << " restart=" << List(record.restart) << (record.remove ? " remove" : "")
        << (record.paused ? " paused" : "");
    for (const auto& [name, config] : record.networks) out << " network " << name << ToText(config);
    for (const auto& [id, name] : record.renamed) out << " " << id << " was " << name;
    out << "\n";
  }
  for (const std::string& app : state.spans) out << "  span of " << app << "\n";
  for (const LockHolder& lock : state.locks) {
    out << "  lock " << lock.app << "/" << lock.service << " " << lock.path
        << (lock.held ? "" : " not held") << (lock.ours ? " ours" : "") << "\n";
  }
  for (const auto& [id, policy] : state.saved_restart) {
    out << "  saved policy of " << id << ": " << policy << "\n";
  }
  for (const ObservedContainer& container : state.engine.containers) WriteContainer(out, container);
  for (const ObservedImage& image : state.engine.images) {
    out << "  image " << image.id << " " << List(image.references) << "\n";
  }
  for (const ObservedNetwork& network : state.engine.networks) {
    out << "  network " << network.app << "/" << network.name << (network.owned ? "" : " NOT OURS")
        << " " << ToText(network.config) << "\n";
  }
  for (const ObservedVolume& volume : state.engine.volumes) {
    out << "  volume " << volume.app << "/" << volume.name << (volume.owned ? "" : " NOT OURS")
        << " " << ToText(volume.config) << "\n";
  }
}

void WritePlan(std::ostream& out, const Plan& plan) {
  out << "plan, " << PlanStatusName(plan.status) << "\n";
  for (const AppPlan& app : plan.apps) {
    out << "  app " << app.app << " " << PlanStatusName(app.status);
    for (const ServicePlan& service : app.services) {
      out << " " << service.service << ":" << ServiceChangeName(service.change);
    }
    for (const Gap& gap : app.gaps) out << " gap=" << gap.code << (gap.blocks ? "" : "(warns)");
    out << "\n";
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    out << "  " << i << " " << StepKindName(step.kind) << " " << step.app << "/" << step.service
        << " [" << step.subject << "]" << (step.detail.empty() ? "" : " (" + step.detail + ")")
        << " " << StepStatusName(step.status) << " after";
    for (const std::uint32_t before : step.after) out << " " << before;
    out << "\n";
  }
}

using Cutter = std::function<void(Scenario&)>;

template <typename List>
void CutList(const List& list, std::vector<Cutter>& cutters,
             const std::function<List&(Scenario&)>& of) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    cutters.push_back([of, i](Scenario& scenario) {
      List& mine = of(scenario);
      mine.erase(std::next(mine.begin(), static_cast<std::ptrdiff_t>(i)));
    });
  }
}

// Everything that could be left out next, the largest first.
std::vector<Cutter> CuttersFor(const Scenario& scenario) {
  std::vector<Cutter> cutters;
  const EngineState& engine = scenario.observed.engine;
  const auto cut = [&]<typename List>(const List& list, auto of) {
    CutList<List>(list, cutters, std::function<List&(Scenario&)>(of));
  };
  cut(
      scenario.target.apps, [](Scenario & s) -> auto& { return s.target.apps; });
  cut(
      engine.containers, [](Scenario & s) -> auto& { return s.observed.engine.containers; });
  cut(
      engine.networks, [](Scenario & s) -> auto& { return s.observed.engine.networks; });
  cut(
      engine.volumes, [](Scenario & s) -> auto& { return s.observed.engine.volumes; });
  cut(
      engine.images, [](Scenario & s) -> auto& { return s.observed.engine.images; });
  cut(
      scenario.observed.locks, [](Scenario & s) -> auto& { return s.observed.locks; });
  cut(
      scenario.observed.spans, [](Scenario & s) -> auto& { return s.observed.spans; });
  cut(
      scenario.observed.apps, [](Scenario & s) -> auto& { return s.observed.apps; });
  for (std::size_t a = 0; a < scenario.target.apps.size(); ++a) {
    const TargetApp& app = scenario.target.apps[a];
    if (!app.release) continue;
    cut(
        app.release->services, [a](Scenario & s) -> auto& {
          return s.target.apps[a].release->services;
        });
    for (std::size_t i = 0; i < app.release->services.size(); ++i) {
      const auto of = [a, i](Scenario& s) -> ServiceSpec& {
        return s.target.apps[a].release->services[i].spec;
      };
      const ServiceSpec& spec = app.release->services[i].spec;
      cut(
          spec.depends_on, [of](Scenario & s) -> auto& { return of(s).depends_on; });
    }
  }
  cutters.push_back([](Scenario& s) { s.listed = false; });
  cutters.push_back([](Scenario& s) { s.options = {}; });
  return cutters;
}

std::size_t SizeOf(const Scenario& scenario) {
  const std::size_t cutters = CuttersFor(scenario).size();
  return cutters * 4 + (scenario.listed ? 1 : 0) + (scenario.options.force ? 1 : 0);
}

}  // namespace

std::string Describe(const Scenario& scenario) {
  std::ostringstream out;
  out << "seed " << scenario.seed << (scenario.natural ? "" : ", meddled with")
      << (scenario.listed ? ", listed" : "") << (scenario.options.force ? ", force " : "")
      << (scenario.options.force ? List(scenario.options.force_apps) : "") << "\n";
  WriteTarget(out, scenario.target);
  WriteDevice(out, scenario.observed);
  WritePlan(out, MakePlan(Seen(scenario, scenario.observed), scenario.target, scenario.options));
  return out.str();
}

Scenario Shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = 0; i < CuttersFor(scenario).size(); ++i) {
      Scenario less = scenario;
      CuttersFor(scenario)[i](less);
      if (SizeOf(less) >= SizeOf(scenario) || !fails(less)) continue;
      scenario = std::move(less);
      smaller = true;
      --i;
    }
  }
  return scenario;
}

}  // namespace lockstep::test
