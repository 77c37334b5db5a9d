#include "plan_changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "value_change.h"

namespace lockstep {
namespace {

constexpr int kWidestName = 16;
constexpr int kWidestField = 24;
constexpr int kLeastValue = 24;  // Columns; with fewer a value goes on a line of its own.

constexpr std::array kOrder = {ServiceChange::kRecreate, ServiceChange::kRemove,
                               ServiceChange::kStop,     ServiceChange::kRestart,
                               ServiceChange::kStart,    ServiceChange::kReconnect,
                               ServiceChange::kCreate,   ServiceChange::kRename};
static_assert(kOrder.size() + 1 == kServiceChangeCount, "each but kNone");

// One line of why: a field with its values, or a reason in words.
struct Fact {
  std::string field;
  ValueChange change;
};

ValueChange ChangeOf(const Reason& reason, const Difference& difference, const PlanNames& names) {
  ValueChange change{difference.from, difference.to, difference.hidden};
  if (reason.code == ReasonCode::kImageChanged && change.from && change.to) {
    auto [from, to] = names.Images(*change.from, *change.to);
    return {std::move(from), std::move(to), false};
  }
  // Two hashes, where one of the specifications is not known.
  const bool hashes = difference.field == "specification";
  for (auto* text : {&change.from, &change.to}) {
    if (*text) *text = hashes ? names.Short(**text) : Printable(**text);
  }
  return change;
}

std::vector<Fact> FactsOf(const ServicePlan& service, const PlanNames& names, ShowValues values) {
  std::vector<Fact> facts;
  for (const Reason& reason : service.why) {
    const auto differences = Differences(reason, values);
    for (const Difference& difference : differences) {
      facts.push_back({Printable(difference.field), ChangeOf(reason, difference, names)});
    }
  }
  if (!facts.empty() && service.strategy != Strategy::kDownloadThenKill) {
    facts.push_back(
        {"update strategy", {std::nullopt, std::string(StrategyName(service.strategy))}});
  }
  return facts;
}

// What is to be said of a service besides the fields that differ. Empty where its change says all.
std::string WordsOf(const ServicePlan& service) {
  std::vector<std::string> words;
  for (const Reason& reason : service.why) {
    if (reason.code == ReasonCode::kMissing || reason.code == ReasonCode::kReleaseChanged) continue;
    if (Differences(reason).empty()) words.push_back(Printable(Explain(reason)));
  }
  if (service.change == ServiceChange::kRename) words.push_back("unchanged, not restarted");
  if (service.change != ServiceChange::kNone && service.strategy != Strategy::kDownloadThenKill) {
    words.push_back("update strategy " + std::string(StrategyName(service.strategy)));
  }
  return ListNames(words, words.size());
}

struct Detailed {
  const ServicePlan* service;
  std::vector<Fact> facts;
};

class ChangeWriter {
 public:
  ChangeWriter(const AppPlan& app, const PlanNames& names, ShowValues values, Page& page)
      : page_(page) {
    for (const ServicePlan& service : app.services) {
      if (service.change == ServiceChange::kNone) {
        unchanged_[WordsOf(service)].push_back(Printable(service.service));
        continue;
      }
      auto facts = FactsOf(service, names, values);
      if (facts.empty()) {
        by_words_[service.change][WordsOf(service)].push_back(Printable(service.service));
        continue;
      }
      Widen(name_width_, Printable(service.service), kWidestName);
      for (const Fact& fact : facts) Widen(field_width_, fact.field, kWidestField);
      detailed_[service.change].push_back({&service, std::move(facts)});
    }
  }

  void Write() {
    for (const ServiceChange change : kOrder) {
      const std::string keyword(ServiceChangeName(change));
      for (const Detailed& each : detailed_[change]) WriteDetailed(keyword, each);
      for (const auto& [words, services] : by_words_[change]) {
        WriteAlike(keyword, words, services);
      }
    }
    for (const auto& [words, services] : unchanged_) WriteAlike("unchanged", words, services);
  }

 private:
  static void Widen(int& width, const std::string& text, int most) {
    const int wide = DisplayWidth(text);
    if (wide <= most) width = std::max(width, wide);
  }

  static std::string Counted(const std::vector<std::string>& names) {
    constexpr std::size_t kMostNames = 60;
    const std::string count = names.size() > 5 ? Plural(names.size(), "service") + ": " : "";
    return count + ListNames(names, kMostNames);
  }

  void WriteAlike(const std::string& keyword, const std::string& words,
                  const std::vector<std::string>& services) {
    page_.Entry(keyword, Counted(services) + (words.empty() ? "" : " (" + words + ')'));
  }

  void WriteDetailed(const std::string& keyword, const Detailed& each) {
    const std::string name = Printable(each.service->service);
    const std::string margin(static_cast<std::size_t>(name_width_ + 2), ' ');
    std::string lead = PadRight(name, name_width_) + "  ";
    if (DisplayWidth(name) > name_width_) {
      page_.Row(keyword, name);
      lead = margin;
    }
    for (const Fact& fact : each.facts) {
      const int left = page_.room() - name_width_ - 2;
      const int beside = left - field_width_ - 2;
      const bool fits = DisplayWidth(fact.field) <= field_width_ && beside >= kLeastValue;
      const auto lines =
          RenderValueChange(fact.change, page_.cuts() ? std::max(fits ? beside : left - 2, 8) : 0);
      std::string before = lead + PadRight(fact.field, field_width_) + "  ";
      if (!fits && !page_.cuts()) before = lead + fact.field + "  ";
      if (!fits && page_.cuts()) {
        page_.Row(keyword, lead + Fit(fact.field, left));
        before = margin + "  ";
      }
      for (const std::string& line : lines) {
        page_.Row(keyword, before + line);
        before.assign(static_cast<std::size_t>(DisplayWidth(before)), ' ');
      }
      lead = margin;
    }
    if (const std::string words = WordsOf(*each.service);
        !words.empty() && each.service->strategy == Strategy::kDownloadThenKill) {
      page_.Entry(keyword, words, margin);
    }
  }

  Page& page_;
  int name_width_ = 0;
  int field_width_ = 0;
  std::map<ServiceChange, std::vector<Detailed>> detailed_;
  // The names of those that are changed for the same reason in words.
  std::map<ServiceChange, std::map<std::string, std::vector<std::string>>> by_words_;
  std::map<std::string, std::vector<std::string>> unchanged_;  // By what is to be said of them.
};

}  // namespace

void WriteChanges(const AppPlan& app, const PlanNames& names, ShowValues values, Page& page) {
  ChangeWriter(app, names, values, page).Write();
}

void WriteConfig(const Plan& plan, Page& page) {
  constexpr int kMostOfValue = 120;  // A picture is a value, too.
  for (const ConfigPlan& config : plan.config) {
    if (config.action == ConfigAction::kNone) {
      if (!config.message.empty()) {
        page.Entry("written", Printable(config.key) + ": " + Printable(config.message));
      }
      continue;
    }
    ValueChange change{config.from, config.to, false};
    for (auto* text : {&change.from, &change.to}) {
      if (*text) *text = Fit(Printable(**text), kMostOfValue);
    }
    std::string text = Printable(config.key) + "  " + RenderValueChange(change, 0).front();
    const bool refused = config.action == ConfigAction::kRefuse;
    if (config.needs_reboot && !refused) text += ", needs a reboot";
    if (!config.message.empty()) text += ": " + Printable(config.message);
    page.Entry(ConfigActionName(config.action), text);
  }
}

}  // namespace lockstep
