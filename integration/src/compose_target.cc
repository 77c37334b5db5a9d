#include "compose_target.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "compose_commit.h"
#include "compose_env_file.h"
#include "compose_refusals.h"
#include "compose_service.h"
#include "compose_variables.h"
#include "composition.h"
#include "document_place.h"
#include "release_checks.h"

namespace lockstep {
namespace {

const std::vector<std::string_view> kFields = {"name", "version", "services", "networks",
                                               "volumes"};

Error Refuse(const Place& place, std::string message, std::string hint) {
  return ErrorAt(ErrorCode::kInvalidTarget, place, std::move(message), std::move(hint));
}

Result<void> CheckFields(const Value& document) {
  for (const Value::Member& member : *document.AsMap()) {
    const Place here{nullptr, member.key};
    if (member.key.starts_with("x-")) continue;
    if (std::find(kFields.begin(), kFields.end(), member.key) != kFields.end()) continue;
    if (auto refused = RefusedField(ComposePart::kFile, here)) return *std::move(refused);
    // Without services it is something else, or they stand at the top; else a slip of the pen.
    if (document.Find("services") != nullptr || !NearestWord(member.key, kFields).empty()) {
      return UnknownFieldError(here, kFields);
    }
  }
  if (document.Find("services") != nullptr) return Ok();
  return Refuse({nullptr, "services"}, "is missing",
                "write down what the app should run, under `services`");
}

// Names that are active, from "a, b".
std::vector<std::string> SplitProfiles(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    name.remove_prefix(std::min(name.find_first_not_of(kBlanks), name.size()));
    name = name.substr(0, name.find_last_not_of(kBlanks) + 1);
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class FileReader {
 public:
  explicit FileReader(const ComposeOptions& options) : options_(options) {
    environment_.own = options.environment;
    variables_.before = &environment_;
  }

  Result<Target> Read(const Value& document) {
    LOCKSTEP_TRYV(CheckFields(document));
    LOCKSTEP_TRYV(ReadEnvFiles());
    LOCKSTEP_TRYV(ReadName(document));
    auto read = ReadApp(document);
    if (!read) return WithContext(std::move(read).assume_error(), "app " + app_.uuid);
    Target target;
    target.whole_device = false;
    target.apps.push_back(std::move(app_));
    return target;
  }

 private:
  void Add(std::string_view code, const Place& place, std::string message) {
    problems_.push_back({std::string(code), place.ToString(), std::move(message)});
  }

  // A later file wins over an earlier one, and may use its variables.
  Result<void> ReadEnvFiles() {
    for (const EnvFile& file : options_.env_files) {
      const Place here{nullptr, file.path};
      LOCKSTEP_TRYV(
          ReadEnvFile(file.text, EnvFileFormat::kDotenv, here, interpolation_, variables_));
    }
    return Ok();
  }

  Result<void> ReadName(const Value& document) {
    const Place here{nullptr, "name"};
    const Value* given = document.Find("name");
    std::string name = options_.app;
    if (name.empty() && given != nullptr && !given->is_null()) {
      const std::string* text = given->AsString();
      if (text == nullptr) return Refuse(here, "must be a text", "write it in quotes");
      LOCKSTEP_TRY(name, interpolation_.Replace(*text, variables_, here));
    } else if (name.empty()) {
      return Refuse(here, "is missing: it says which app this is",
                    "write `name: ...` into the file, or give --app NAME");
    }
    if (const std::string wrong = WrongAppName(name); !wrong.empty()) {
      if (options_.app.empty()) return Refuse(here, '`' + name + "` " + wrong, "name it otherwise");
      return MakeError(ErrorCode::kInvalidInput, '`' + name + "` " + wrong, "correct --app");
    }
    environment_.own["COMPOSE_PROJECT_NAME"] = name;
    app_.uuid = name;
    app_.name = name;
    return Ok();
  }

  Result<void> ReadApp(const Value& document) {
    ChooseProfiles();
    TargetRelease release;
    LOCKSTEP_TRY(release.networks, ReadResources(document, "networks", ResourceKind::kNetwork));
    LOCKSTEP_TRY(release.volumes, ReadResources(document, "volumes", ResourceKind::kVolume));
    LOCKSTEP_TRYV(ReadServices(document, release));
    const Place services{nullptr, "services"};
    for (const TargetService& service : release.services) {
      CheckReferences(service, release, {&services, service.name});
    }
    LOCKSTEP_TRY(release.commit, Commit(release));
    app_.release = std::move(release);
    app_.gaps = GapsOf(std::move(problems_), {});
    AddNotes();
    return Ok();
  }

  Result<std::string> Commit(const TargetRelease& release) const {
    if (options_.release.empty()) return CommitOf(app_.name, release);
    const std::string wrong = WrongReleaseName(options_.release);
    if (wrong.empty()) return options_.release;
    return MakeError(ErrorCode::kInvalidInput, '`' + options_.release + "` " + wrong,
                     "correct --release");
  }

  void ChooseProfiles() {
    const std::string* named = variables_.Find("COMPOSE_PROFILES");
    profiles_ = options_.profiles;
    if (profiles_.empty() && named != nullptr) profiles_ = SplitProfiles(*named);
  }

  // Those of a map at the top of the file; an empty one where nothing is said.
  Result<Value> ReadSection(const Value& document, std::string_view key) const {
    const Value* section = document.Find(key);
    if (section == nullptr || section->is_null()) return Value(Value::Map());
    if (section->AsMap() != nullptr) return *section;
    return Refuse({nullptr, key}, "must be a map of names", "see the Compose Specification");
  }

  Result<std::map<std::string, Value>> ReadResources(const Value& document, std::string_view key,
                                                     ResourceKind kind) {
    const auto part = kind == ResourceKind::kNetwork ? ComposePart::kNetwork : ComposePart::kVolume;
    const Place here{nullptr, key};
    LOCKSTEP_TRY(const Value raw, ReadSection(document, key));
    LOCKSTEP_TRY(const Value section, interpolation_.ReplaceIn(raw, variables_, here));
    Value::Map definitions;
    for (const auto& [name, definition] : *section.AsMap()) {
      if (name.starts_with("x-")) continue;
      const Place place{&here, name};
      Value::Map members;
      for (const Value::Member& member :
           definition.AsMap() == nullptr ? Value::Map() : *definition.AsMap()) {
        if (member.key == "external" && FlagOf(member.value) == false) continue;
        if (auto refused = RefusedField(part, {&place, member.key})) return *std::move(refused);
        members.push_back(member);
      }
      definitions.push_back(
          {name, definition.AsMap() == nullptr ? definition : Value(std::move(members))});
    }
    return ReadDefinitions(definitions, kind, here, problems_);
  }

  Result<void> ReadServices(const Value& document, TargetRelease& release) {
    const Place here{nullptr, "services"};
    LOCKSTEP_TRY(const Value services, ReadSection(document, "services"));
    ComposeReading reading{options_, variables_, interpolation_, problems_};
    for (const auto& [name, raw] : *services.AsMap()) {  // A map's members are sorted.
      if (name.starts_with("x-")) continue;
      const Place place{&here, name};
      LOCKSTEP_TRY(std::vector<std::string> profiles, ProfilesOf(raw, place));
      if (!IsActive(profiles)) {
        left_out_.emplace(name, std::move(profiles));
        continue;
      }
      LOCKSTEP_TRY(TargetService service, ReadComposeService(name, raw, place, reading));
      release.services.push_back(std::move(service));
    }
    if (!release.services.empty()) return Ok();
    // Taken at its word it would stop all that runs: more likely something was forgotten.
    if (left_out_.empty()) {
      return Refuse(here, "names no service", "write down what the app should run");
    }
    return Refuse(here, "are all left out by their profiles: " + Joined(AllProfiles()),
                  "say with --profile NAME which to take");
  }

  Result<std::vector<std::string>> ProfilesOf(const Value& service, const Place& place) {
    std::vector<std::string> profiles;
    const Place here{&place, "profiles"};
    const Value* given = service.Find("profiles");
    if (given == nullptr || given->is_null()) return profiles;
    LOCKSTEP_TRY(const Value value, interpolation_.ReplaceIn(*given, variables_, here));
    const Value::List* list = value.AsList();
    for (const Value& item : list == nullptr ? Value::List() : *list) {
      if (const std::string* name = item.AsString()) {
        profiles.push_back(*name);
        known_profiles_.insert(*name);
      }
    }
    if (list == nullptr || profiles.size() != list->size()) {
      Add("invalid-value", here, "must be a list of names");
      profiles.clear();
    }
    return profiles;
  }

  bool IsActive(const std::vector<std::string>& profiles) const {
    const auto active = [&](const std::string& name) {
      return std::any_of(profiles_.begin(), profiles_.end(), [&](const std::string& chosen) {
        return chosen == "*" || chosen == name;
      });
    };
    return profiles.empty() || std::any_of(profiles.begin(), profiles.end(), active);
  }

  std::vector<std::string> AllProfiles() const {
    return {known_profiles_.begin(), known_profiles_.end()};
  }

  void CheckReferences(const TargetService& service, TargetRelease& release, const Place& place) {
    CheckResources(service.spec, place, release, problems_);
    for (const std::string& missing : MissingDependencies(service.spec, release)) {
      const auto left_out = left_out_.find(missing);
      std::string message = '`' + missing + "` is no service of the app";
      if (left_out != left_out_.end()) {
        message = '`' + missing + "` is left out by its profiles (" + Joined(left_out->second) +
                  "); choose one with --profile, or say `required: false`";
      }
      Add("unknown-dependency", {&place, "depends_on"}, std::move(message));
    }
  }

  // What a person should know, and what blocks nothing.
  void AddNotes() {
    for (const auto& [name, where] : interpolation_.unset()) {
      app_.gaps.push_back({.code = "unset-variable",
                           .message = where + ": `" + name + "` is not set and counts as empty",
                           .blocks = false});
    }
    for (const std::string& name : options_.profiles) {
      if (name == "*" || known_profiles_.contains(name)) continue;
      app_.gaps.push_back({.code = "unknown-profile",
                           .message = "no service has the profile `" + name + '`',
                           .blocks = false});
    }
  }

  const ComposeOptions& options_;
  Variables environment_;
  Variables variables_;
  Interpolation interpolation_;
  Problems problems_;
  TargetApp app_;
  std::vector<std::string> profiles_;  // Active ones.
  std::set<std::string> known_profiles_;
  std::map<std::string, std::vector<std::string>> left_out_;  // Service, and its profiles.
};

bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<Target> ReadComposeTarget(const Value& document, const ComposeOptions& options) {
  if (document.AsMap() == nullptr) {
    return Refuse({}, "it is no map with `services`", "give a compose file");
  }
  return FileReader(options).Read(document);
}

bool LooksLikeCompose(const Value& document) {
  constexpr std::array<std::string_view, 5> kOwn = {"services", "version", "include", "networks",
                                                    "volumes"};
  return std::any_of(kOwn.begin(), kOwn.end(),
                     [&](std::string_view key) { return document.Find(key) != nullptr; });
}

std::string WrongAppName(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  const auto part = [](char c) { return IsLowerAlnum(c) || c == '_' || c == '-'; };
  if (name.empty() || name.size() > kLongest || !IsLowerAlnum(name.front()) ||
      !std::all_of(name.begin(), name.end(), part)) {
    return "is no name of an app: it has small letters, digits, `_` and `-`, a letter or digit "
           "first, and at most 128 of them";
  }
  if (name.find_first_not_of("0123456789") == std::string_view::npos) {
    return "is no name of an app: all digits would be the number of another app";
  }
  return {};
}

std::string WrongReleaseName(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  constexpr std::size_t kHexLength = 8;
  const auto part = [](char c) {
    return IsLowerAlnum(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
  };
  if (!IsName(name) || name.size() > kLongest || !std::all_of(name.begin(), name.end(), part)) {
    return "is no name of a release: it has letters, digits, `.` and `-`, a letter or digit first, "
           "and at most 128 of them";
  }
  // A container that waits for its name to be free has such an ending.
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && name.size() - dot - 1 == kHexLength &&
      name.find_first_not_of("0123456789abcdef", dot + 1) == std::string_view::npos) {
    return "is no name of a release: it ends in a dot and eight hexadecimal digits, which mark a "
           "container that is being replaced";
  }
  return {};
}

}  // namespace lockstep
