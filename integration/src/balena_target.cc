#include "balena_target.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "composition.h"
#include "composition_from_elsewhere.h"
#include "document_place.h"
#include "json_value.h"
#include "lockstep/identity.h"
#include "release_checks.h"
#include "service_needs.h"

namespace lockstep {
namespace {

constexpr std::string_view kShapeHint = "give a balena state (version 3) as the device receives it";

std::string_view TypeName(const Value& value) {
  if (value.AsMap() != nullptr) return "an object";
  if (value.AsList() != nullptr) return "a list";
  if (value.AsString() != nullptr) return "a text";
  if (value.AsBool() != nullptr) return "true or false";
  return value.is_null() ? "null" : "a number";
}

Error Refuse(const Place& place, std::string message, std::string hint = std::string(kShapeHint)) {
  return ErrorAt(ErrorCode::kInvalidTarget, place, std::move(message), std::move(hint));
}

Result<const Value*> Required(const Value& parent, std::string_view key, const Place& place) {
  const Value* value = parent.Find(key);
  if (value == nullptr || value->is_null()) return Refuse({&place, key}, "is missing");
  return value;
}

Result<const Value::Map*> AsObject(const Value& value, const Place& place) {
  if (const Value::Map* map = value.AsMap()) return map;
  return Refuse(place, "must be an object, not " + std::string(TypeName(value)));
}

Result<const Value::Map*> RequiredObject(const Value& parent, std::string_view key,
                                         const Place& place) {
  LOCKSTEP_TRY(const Value* value, Required(parent, key, place));
  return AsObject(*value, {&place, key});
}

// An empty one where the key is missing. A null is none: it may be half of something.
Result<const Value::Map*> OptionalObject(const Value& parent, std::string_view key,
                                         const Place& place) {
  static const Value::Map kEmpty;
  const Value* value = parent.Find(key);
  if (value == nullptr) return &kEmpty;
  return AsObject(*value, {&place, key});
}

std::optional<std::int64_t> IdOf(const Value& value) {
  std::int64_t id = -1;
  if (const std::int64_t* number = value.AsInt()) {
    id = *number;
  } else if (const std::string* text = value.AsString()) {
    const char* end = text->data() + text->size();
    const auto [stop, fault] = std::from_chars(text->data(), end, id);
    if (fault != std::errc() || stop != end) return std::nullopt;
  }
  return id < 0 ? std::nullopt : std::optional(id);
}

enum class Unknown { kAny, kNearMiss };

// The first error about a member that is not known; of near misses alone, where others may be.
std::optional<Error> FindUnknown(const Value::Map& members, const Place& place, Unknown which,
                                 const std::vector<std::string_view>& known) {
  for (const Value::Member& member : members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    if (member.key.starts_with("x-")) continue;
    if (which == Unknown::kAny || !NearestWord(member.key, known).empty()) {
      return UnknownFieldError({&place, member.key}, known);
    }
  }
  return std::nullopt;
}

// Reads one app. What is wrong with its shape is an error, a wrong value a gap.
class AppReader {
 public:
  AppReader(std::string_view uuid, const Place& place, UnknownFields unknown)
      : place_(place), unknown_(unknown) {
    app_.uuid = uuid;
  }

  Result<TargetApp> Read(const Value& raw) {
    LOCKSTEP_TRY(const Value::Map* members, AsObject(raw, place_));
    LOCKSTEP_TRYV(CheckSpelling(
        *members, place_,
        {"id", "name", "class", "type", "uuid", "is_host", "parent_app", "releases"}));
    LOCKSTEP_TRY(const std::int64_t id, ReadId(raw, "id", place_));
    app_.id = std::to_string(id);
    LOCKSTEP_TRY(app_.name, ReadText(raw, "name", place_));
    app_.is_host = ReadFlag(raw, "is_host", place_, false);
    CheckName(app_.uuid, place_, problems_);
    LOCKSTEP_TRY(const Value::Map* releases, OptionalObject(raw, "releases", place_));
    const Place here{&place_, "releases"};
    for (const auto& [commit, release] : *releases) {
      LOCKSTEP_TRY(TargetRelease read, ReadRelease(commit, release, {&here, commit}));
      if (!app_.release) app_.release = std::move(read);
    }
    if (releases->size() > 1) {
      Add("several-releases", here,
          "must name one release, not " + std::to_string(releases->size()));
    }
    std::vector<std::string> prefixes{place_.ToString() + "."};
    if (!release_place_.empty()) prefixes.insert(prefixes.begin(), release_place_ + ".");
    app_.gaps = GapsOf(std::move(problems_), prefixes);
    return std::move(app_);
  }

 private:
  void Add(std::string_view code, const Place& place, std::string message) {
    problems_.push_back({std::string(code), place.ToString(), std::move(message)});
  }

  Result<void> Judge(std::optional<Error> about_unknown) {
    if (!about_unknown) return Ok();
    if (unknown_ == UnknownFields::kRefused) return *std::move(about_unknown);
    problems_.push_back({std::string(kUnknownField), about_unknown->where, about_unknown->message});
    return Ok();
  }

  // Above its services a state may have fields that a later API added. A slip of the pen is another
  // matter: it would read as "nothing is to run".
  Result<void> CheckSpelling(const Value::Map& members, const Place& place,
                             const std::vector<std::string_view>& known) {
    return Judge(FindUnknown(members, place, Unknown::kNearMiss, known));
  }

  Result<std::int64_t> ReadId(const Value& parent, std::string_view key, const Place& place) {
    LOCKSTEP_TRY(const Value* value, Required(parent, key, place));
    const auto id = IdOf(*value);
    if (!id) Add("invalid-value", {&place, key}, "must be a number, 0 or more");
    return id.value_or(0);
  }

  Result<std::string> ReadText(const Value& parent, std::string_view key, const Place& place) {
    LOCKSTEP_TRY(const Value* value, Required(parent, key, place));
    const std::string* text = value->AsString();
    if (text != nullptr && !text->empty()) return *text;
    Add("invalid-value", {&place, key}, "must be a text");
    return std::string();
  }

  bool ReadFlag(const Value& parent, std::string_view key, const Place& place, bool fallback) {
    const Value* value = parent.Find(key);
    if (value == nullptr) return fallback;
    if (const bool* flag = value->AsBool()) return *flag;
    Add("invalid-value", {&place, key}, "must be true or false");
    return fallback;
  }

  Result<TargetRelease> ReadRelease(const std::string& commit, const Value& raw,
                                    const Place& place) {
    TargetRelease release;
    release.commit = commit;
    release_place_ = place.ToString();
    CheckName(commit, place, problems_);
    LOCKSTEP_TRY(const Value::Map* members, AsObject(raw, place));
    LOCKSTEP_TRYV(CheckSpelling(*members, place, {"id", "services", "networks", "volumes"}));
    LOCKSTEP_TRY(release.id, ReadId(raw, "id", place));
    LOCKSTEP_TRY(const Value::Map* services, OptionalObject(raw, "services", place));
    if (app_.is_host) return release;  // Never planned: the host's services follow other rules.
    LOCKSTEP_TRY(const Value::Map* networks, OptionalObject(raw, "networks", place));
    LOCKSTEP_TRY(const Value::Map* volumes, OptionalObject(raw, "volumes", place));
    release.networks =
        ReadDefinitions(*networks, ResourceKind::kNetwork, {&place, "networks"}, problems_);
    release.volumes =
        ReadDefinitions(*volumes, ResourceKind::kVolume, {&place, "volumes"}, problems_);
    const Place here{&place, "services"};
    for (const auto& [name, service] : *services) {  // A map's members are sorted.
      LOCKSTEP_TRY(TargetService read, ReadService(name, service, {&here, name}));
      release.services.push_back(std::move(read));
    }
    for (const TargetService& service : release.services) {
      CheckReferences(service, release, {&here, service.name});
    }
    return release;
  }

  Result<TargetService> ReadService(const std::string& name, const Value& raw, const Place& place) {
    TargetService service;
    service.name = name;
    CheckName(name, place, problems_);
    LOCKSTEP_TRY(const Value::Map* members, AsObject(raw, place));
    LOCKSTEP_TRYV(CheckKnown(*members, place));
    LOCKSTEP_TRY(service.id, ReadId(raw, "id", place));
    LOCKSTEP_TRY(service.image_id, ReadId(raw, "image_id", place));
    LOCKSTEP_TRY(const std::string image, ReadText(raw, "image", place));
    LOCKSTEP_TRYV(RequiredObject(raw, "environment", place));
    LOCKSTEP_TRYV(RequiredObject(raw, "labels", place));
    LOCKSTEP_TRY(service.spec, ReadCompositionOf(raw, {&place, "composition"}));
    if (!image.empty()) CheckImage(image, {&place, "image"}, problems_);
    service.spec.image = image;
    service.spec.running = ReadFlag(raw, "running", place, true);
    Override(service.spec.environment, *raw.Find("environment"), {&place, "environment"});
    Override(service.spec.labels, *raw.Find("labels"), {&place, "labels"});
    const Value* contract = raw.Find("contract");
    service.requirements =
        ReadContract(contract == nullptr ? Value() : *contract, {&place, "contract"}, problems_);
    AddNeedsOfLabels({&place, "labels"}, service, problems_);
    CheckLabels(service.spec.labels, {&place, "labels"}, problems_);
    service.strategy = ReadStrategy(service.spec.labels, {&place, "labels"}, problems_);
    CheckRollback(service.spec.labels, {&place, "labels"}, problems_);
    return service;
  }

  Result<ServiceSpec> ReadCompositionOf(const Value& service, const Place& place) {
    const Value* given = service.Find("composition");
    Value composition = given == nullptr ? Value() : *given;
    if (unknown_ == UnknownFields::kGaps) DropUnknownFields(composition, place, problems_);
    return ReadComposition(composition, place, CompositionOf::kBalenaTarget, problems_);
  }

  Result<void> CheckKnown(const Value::Map& members, const Place& place) {
    static const std::vector<std::string_view> kKnown = {
        "id", "image_id", "image", "running", "environment", "labels", "contract", "composition"};
    return Judge(FindUnknown(members, place, Unknown::kAny, kKnown));
  }

  // What a service says beside its composition wins over what it says in it.
  void Override(std::map<std::string, std::string>& texts, const Value& raw, const Place& place) {
    for (auto& [name, text] : ReadTexts(raw, place, problems_)) texts[name] = std::move(text);
  }

  void CheckReferences(const TargetService& service, TargetRelease& release, const Place& place) {
    const Place composition{&place, "composition"};
    CheckResources(service.spec, composition, release, problems_);
    for (const std::string& missing : MissingDependencies(service.spec, release)) {
      Add("unknown-dependency", {&composition, "depends_on"},
          "`" + missing + "` is no service of the release");
    }
  }

  Place place_;
  UnknownFields unknown_;
  TargetApp app_;
  std::string release_place_;
  Problems problems_;
};

Result<const Value::Member*> SelectDevice(const Value::Map& devices, const std::string& wanted) {
  if (wanted.empty()) {
    if (devices.size() == 1) return &devices.front();
    if (devices.empty()) return Refuse({}, "it is an empty object, and so names no device");
    return Refuse({}, "it is for " + std::to_string(devices.size()) + " devices",
                  "say with --device UUID for which one to plan");
  }
  for (const Value::Member& device : devices) {
    if (device.key == wanted) return &device;
  }
  return Refuse({}, "it does not name the device " + wanted);
}

Result<std::map<std::string, std::string>> ReadConfig(const Value::Map& given, const Place& place) {
  std::map<std::string, std::string> config;
  std::map<std::string, int> ranks;  // Of BALENA_X, RESIN_X and X the first wins.
  for (const auto& [key, value] : given) {
    if (value.AsMap() != nullptr || value.AsList() != nullptr || value.is_null()) {
      return Refuse({&place, key}, "must be a text, not " + std::string(TypeName(value)));
    }
    const std::string* text = value.AsString();
    const std::string canonical = CanonicalConfigKey(key);
    const int rank = key.starts_with("BALENA_") ? 0 : key.starts_with("RESIN_") ? 1 : 2;
    const auto [known, is_new] = ranks.try_emplace(canonical, rank);
    if (!is_new && known->second <= rank) continue;
    known->second = rank;
    config[canonical] = text != nullptr ? *text : ToText(value);
  }
  return config;
}

}  // namespace

std::string CanonicalConfigKey(std::string_view key) {
  constexpr std::string_view kResin = "RESIN_";
  constexpr std::string_view kBalena = "BALENA_";
  if (key.starts_with(kResin)) {
    key.remove_prefix(kResin.size());
  } else if (key.starts_with(kBalena)) {
    key.remove_prefix(kBalena.size());
  } else if (!key.starts_with("HOST_") && !key.starts_with("SUPERVISOR_")) {
    return std::string(key);  // No key of balena's.
  }
  // Other names of the same, that balena's API has.
  constexpr std::string_view kSplash = "HOST_SPLASH_image";
  const bool splash = std::equal(
      key.begin(), key.end(), kSplash.begin(), kSplash.end(),
      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  if (splash) key = kSplash;
  if (key == "OVERRIDE_LOCK") key = "SUPERVISOR_OVERRIDE_LOCK";
  return std::string(kBalena).append(key);
}

Result<Target> ReadBalenaState(const Value& document, const ReadTargetOptions& options) {
  LOCKSTEP_TRY(const Value::Map* devices, AsObject(document, {}));
  LOCKSTEP_TRY(const Value::Member* device, SelectDevice(*devices, options.device_uuid));
  const Place root;
  LOCKSTEP_TRY(const Value::Map* members, AsObject(device->value, {&root, device->key}));
  if (auto error = FindUnknown(*members, root, Unknown::kNearMiss, {"name", "config", "apps"})) {
    return *std::move(error);
  }
  Target target;
  target.device_uuid = device->key;
  LOCKSTEP_TRY(const Value* name, Required(device->value, "name", root));
  if (name->AsString() == nullptr) return Refuse({&root, "name"}, "must be a text");
  target.device_name = *name->AsString();
  LOCKSTEP_TRY(const Value::Map* config, RequiredObject(device->value, "config", root));
  LOCKSTEP_TRY(target.config, ReadConfig(*config, {&root, "config"}));
  LOCKSTEP_TRY(const Value::Map* apps, RequiredObject(device->value, "apps", root));
  const Place here{&root, "apps"};
  for (const auto& [uuid, raw] : *apps) {
    LOCKSTEP_TRY(TargetApp app, AppReader(uuid, {&here, uuid}, options.unknown_fields).Read(raw));
    target.apps.push_back(std::move(app));
  }
  return target;
}

Result<Target> ReadBalenaTarget(std::string_view text, const ReadTargetOptions& options) {
  auto document = ParseJson(text);
  if (!document) {
    Error error = std::move(document).assume_error();
    error.code = ErrorCode::kInvalidTarget;
    error.hint = kShapeHint;
    return error;
  }
  return ReadBalenaState(document.assume_value(), options);
}

}  // namespace lockstep
