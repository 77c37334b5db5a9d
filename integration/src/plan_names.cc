#include "plan_names.h"

#include <algorithm>
#include <functional>

#include "text.h"

namespace lockstep {
namespace {

constexpr std::size_t kHash = 32;  // Digits from which on a run of them is a hash.
constexpr std::size_t kShort = 8;
constexpr std::size_t kLongest = 12;  // A prefix that must be longer is no help to a reader.

// `text`, and of each run of hexadecimal digits that is a hash what `shorten` makes of it.
std::string ForEachHash(std::string_view text,
                        const std::function<std::string(std::string_view)>& shorten) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const auto run = std::min(text.find_first_not_of(kDigits), text.size());
    out += run >= kHash ? shorten(text.substr(0, run)) : std::string(text.substr(0, run));
    text.remove_prefix(run);
    const auto rest = std::min(text.find_first_of(kDigits), text.size());
    out += text.substr(0, rest);
    text.remove_prefix(rest);
  }
  return out;
}

bool IsHash(std::string_view text) {
  return text.size() >= kHash && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// How many characters of `text` tell it from all others in `sorted`.
std::size_t Telling(const std::vector<std::string>& sorted, std::string_view text) {
  std::size_t needed = 0;
  const auto differ_from = [&](std::string_view other) {
    const auto end = std::mismatch(text.begin(), text.end(), other.begin(), other.end()).first;
    needed = std::max(needed, static_cast<std::size_t>(end - text.begin()) + 1);
  };
  auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
  if (at != sorted.begin()) differ_from(*std::prev(at));
  if (at != sorted.end() && *at == text) ++at;
  if (at != sorted.end()) differ_from(*at);
  return std::max(needed, kShort);
}

std::string Reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }

struct Reference {
  std::string_view repository;
  std::string_view name;    // The repository's last part.
  std::string_view suffix;  // ":2", "@sha256:..."; may be empty.
};

Reference Split(std::string_view image) {
  Reference parts;
  const auto slash = image.rfind('/');
  const auto name_at = slash == std::string_view::npos ? 0 : slash + 1;
  const auto suffix_at = std::min(image.find_first_of("@:", name_at), image.size());
  parts.repository = image.substr(0, suffix_at);
  parts.name = image.substr(name_at, suffix_at - name_at);
  parts.suffix = image.substr(suffix_at);
  return parts;
}

}  // namespace

PlanNames::PlanNames(const Plan& plan) {
  const auto learn = [&](std::string_view text) {
    ForEachHash(text, [&](std::string_view hash) {
      hashes_.emplace_back(hash);
      return std::string();
    });
  };
  for (const AppPlan& app : plan.apps) {
    apps_.emplace(app.app, Printable(app.name.empty() ? app.app : app.name));
    learn(app.from.value_or(""));
    learn(app.to.value_or(""));
    for (const ServicePlan& service : app.services) {
      for (const Reason& reason : service.why) {
        if (reason.from.AsString() != nullptr) learn(*reason.from.AsString());
        if (reason.to.AsString() != nullptr) learn(*reason.to.AsString());
      }
    }
  }
  for (const Step& step : plan.steps) learn(step.subject);
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
  for (const std::string& hash : hashes_) reversed_.push_back(Reversed(hash));
  std::sort(reversed_.begin(), reversed_.end());
}

std::string PlanNames::App(std::string_view app) const {
  const auto found = apps_.find(app);
  return found == apps_.end() ? Printable(app) : found->second;
}

std::string PlanNames::ShortHash(std::string_view hash) const {
  if (const auto first = Telling(hashes_, hash); first <= kLongest) {
    return std::string(hash.substr(0, first));
  }
  // Hashes that begin alike are made up. They may still end differently.
  if (const auto last = Telling(reversed_, Reversed(hash)); last <= kLongest) {
    return ".." + std::string(hash.substr(hash.size() - last));
  }
  return std::string(hash);
}

std::string PlanNames::Short(std::string_view text) const {
  return Printable(ForEachHash(text, [&](std::string_view hash) { return ShortHash(hash); }));
}

std::string PlanNames::Image(std::string_view reference) const {
  const Reference parts = Split(reference);
  if (IsHash(parts.name) && !parts.suffix.empty()) return Short(parts.suffix.substr(1));
  const auto digest = parts.suffix.find("@sha256:");
  if (digest == std::string_view::npos)
    return Short(reference.substr(parts.repository.size() - parts.name.size()));
  return Short(parts.name) + '@' + Short(parts.suffix.substr(digest + 8));
}

std::string PlanNames::Download(const Step& step) const {
  const bool nameless = IsHash(Split(step.subject).name) && !step.service.empty();
  return nameless ? Printable(step.service) : Image(step.subject);
}

std::pair<std::string, std::string> PlanNames::Images(std::string_view from,
                                                      std::string_view to) const {
  if (Split(from).repository != Split(to).repository) return {Short(from), Short(to)};
  return {Image(from), Image(to)};
}

}  // namespace lockstep
