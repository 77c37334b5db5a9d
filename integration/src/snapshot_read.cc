#include <algorithm>
#include <utility>

#include "balena_target.h"
#include "composition.h"
#include "device_facts.h"
#include "json_value.h"
#include "lockstep/identity.h"
#include "lockstep/resource_definition.h"
#include "object_reader.h"
#include "snapshot.h"

namespace lockstep {
namespace {

const Value kEmptyObject{Value::Map()};

const Labels* LabelsOfImage(const EngineState& engine, const std::string& image_id) {
  const auto image = std::lower_bound(
      engine.images.begin(), engine.images.end(), image_id,
      [](const ObservedImage& candidate, const std::string& id) { return candidate.id < id; });
  return image != engine.images.end() && image->id == image_id ? &image->labels : nullptr;
}

// What is left of a container's labels when those of Lockstep and of the image are taken out.
Labels OwnLabels(const Labels& labels, const Labels* of_image) {
  Labels own;
  for (const auto& [name, text] : labels) {
    if (IsAmbientLabel(name)) continue;
    const bool inherited =
        of_image != nullptr && of_image->contains(name) && of_image->find(name)->second == text;
    if (!inherited) own.emplace(name, text);
  }
  return own;
}

std::optional<ServiceSpec> ReadSpec(ObjectReader& reader, const ObservedContainer& container,
                                    const Labels* image_labels) {
  const Value* composition = reader.Find("composition");
  const Value* environment = reader.Find("environment");
  const bool given = composition != nullptr || environment != nullptr;
  if (!given && !container.config_hash.empty()) return std::nullopt;  // The hash says it all.

  Problems problems;
  const Place here{&reader.place(), "composition"};
  auto read = ReadComposition(composition == nullptr ? kEmptyObject : *composition, here,
                              CompositionOf::kContainer, problems);
  if (!read) {
    reader.Fail(here, read.assume_error().message);
    return std::nullopt;
  }
  ServiceSpec spec = std::move(read).assume_value();
  spec.image = container.image;
  if (environment != nullptr) {
    const Place place{&reader.place(), "environment"};
    for (auto& [name, text] : ReadTexts(*environment, place, problems)) {
      spec.environment[name] = std::move(text);
    }
  }
  const bool own_words = composition != nullptr && composition->Find("labels") != nullptr;
  if (!own_words) spec.labels = OwnLabels(container.labels, image_labels);
  if (!problems.empty()) {
    reader.Fail({nullptr, problems.front().where}, problems.front().message);
  }
  return spec;
}

// Absent: as the specification has it. Null: not looked at.
void ReadLiveState(ObjectReader& reader, ObservedContainer& container) {
  const auto& spec = container.spec;
  container.restart_policy = reader.OptionalText("restart_policy");
  if (!container.restart_policy && !reader.IsNull("restart_policy") && spec) {
    container.restart_policy = RestartPolicyOf(*spec);
  }
  if (reader.Find("networks_attached") != nullptr) {
    container.networks = reader.Texts("networks_attached");
  } else if (!reader.IsNull("networks_attached") && spec) {
    container.networks = NetworksOf(*spec);
  }
  container.lock_dir = reader.OptionalText("lock_dir");
  container.settled = reader.Flag("settled");
  container.lost = reader.Flag("lost");
}

template <typename E>
E ReadWord(ObjectReader& reader, std::string_view key, E fallback,
           std::optional<E> (*from_name)(std::string_view)) {
  const auto word = reader.OptionalText(key);
  if (!word) return fallback;
  if (const auto value = from_name(*word)) return *value;
  reader.Wrong(key, "`" + *word + "` is not known");
  return fallback;
}

void ReadContainer(ObjectReader reader, EngineState& engine) {
  ObservedContainer container;
  container.id = reader.Text("id");
  if (container.id.empty()) reader.Wrong("id", "must name the container");
  container.name = reader.Text("name");
  container.image = reader.Text("image");
  container.image_id = reader.Text("image_id");
  container.state = ReadWord(reader, "state", ContainerState::kCreated, &ContainerStateFromName);
  container.health = ReadWord(reader, "health", Health::kNone, &HealthFromName);
  container.exit_code = reader.Integer<int>("exit_code");
  container.restart_count = reader.Integer<int>("restart_count");
  container.created_at = reader.Time("created_at");
  container.started_at = reader.Time("started_at");
  container.labels = reader.TextMap("labels");
  const Labels* image_labels = LabelsOfImage(engine, container.image_id);
  const ContainerIdentity identity =
      IdentityOf(container.labels, image_labels == nullptr ? Labels() : *image_labels);
  container.app = reader.Text("app", identity.app);
  container.app_id = reader.Text("app_id", identity.app_id);
  container.service = reader.Text("service", identity.service);
  container.commit = reader.Text("commit", CommitOfName(container.name));
  container.owned = reader.Flag("owned", identity.owned);
  const auto hash = container.labels.find(std::string(kLabelConfigHash));
  if (hash != container.labels.end()) container.config_hash = hash->second;
  container.spec = ReadSpec(reader, container, image_labels);
  if (const Value* implied = reader.Find("implied")) {
    const Place here{&reader.place(), "implied"};
    ObjectReader members(*implied, here, reader.slot());
    container.implied = ReadSpec(members, container, image_labels);
  }
  ReadLiveState(reader, container);
  engine.containers.push_back(std::move(container));
}

void ReadImage(ObjectReader reader, EngineState& engine) {
  engine.images.push_back({.id = reader.Text("id"),
                           .references = reader.Texts("references"),
                           .labels = reader.TextMap("labels")});
}

Value ReadDefinition(ObjectReader& reader, Result<Value> (*normalize)(const Value&)) {
  const Value* config = reader.Find("config");
  auto definition = normalize(config == nullptr ? kEmptyObject : *config);
  if (definition) return std::move(definition).assume_value();
  reader.Wrong("config", definition.assume_error().message);
  return kEmptyObject;
}

void ReadNetwork(ObjectReader reader, EngineState& engine) {
  engine.networks.push_back({.id = reader.Text("id"),
                             .name = reader.Text("name"),
                             .app = reader.Text("app"),
                             .app_id = reader.Text("app_id"),
                             .owned = reader.Flag("owned"),
                             .config = ReadDefinition(reader, &NormalizeNetworkDefinition)});
}

void ReadVolume(ObjectReader reader, EngineState& engine) {
  engine.volumes.push_back({.name = reader.Text("name"),
                            .app = reader.Text("app"),
                            .app_id = reader.Text("app_id"),
                            .owned = reader.Flag("owned"),
                            .config = ReadDefinition(reader, &NormalizeVolumeDefinition)});
}

// The lock directory of an app is named by its numeric id, which its containers know.
std::string LockDirOf(const std::string& app, const EngineState& engine) {
  for (const ObservedContainer& container : engine.containers) {
    if (container.app == app && !container.app_id.empty()) return container.app_id;
  }
  return app;
}

void ReadLock(ObjectReader reader, ObservedState& state) {
  LockHolder lock;
  lock.app = reader.Text("app");
  lock.app_dir = reader.Text("app_dir", LockDirOf(lock.app, state.engine));
  lock.service = reader.Text("service");
  lock.path = reader.Text("path");
  lock.kind = LockKindFromName(reader.Text("kind", "exclusive-file"));
  lock.since = reader.Time("since");
  lock.owner_uid = reader.Integer<std::int64_t>("owner_uid", -1);
  lock.ours = reader.Flag("ours");
  lock.held = reader.Flag("held", true);
  lock.notes = reader.Texts("notes");
  state.locks.push_back(std::move(lock));
}

std::map<std::string, std::vector<std::string>> ReadUnhealthy(ObjectReader& reader) {
  std::map<std::string, std::vector<std::string>> unhealthy;
  const Value* given = reader.Find("unhealthy");
  if (given == nullptr || given->AsMap() == nullptr) return unhealthy;
  const Place here{&reader.place(), "unhealthy"};
  ObjectReader releases(*given, here, reader.slot());
  for (const auto& [release, services] : *given->AsMap()) {
    unhealthy[release] = releases.Texts(release);
  }
  return unhealthy;
}

void ReadApp(ObjectReader reader, ObservedState& state) {
  std::map<std::string, Value> networks;
  if (const Value* given = reader.Find("networks"); given != nullptr && given->AsMap() != nullptr) {
    for (const auto& [name, config] : *given->AsMap()) networks[name] = config;
  }
  state.apps.push_back({.app = reader.Text("app"),
                        .committed = reader.OptionalText("committed"),
                        .cutover = reader.OptionalText("cutover"),
                        .failed = reader.Texts("failed"),
                        .stopped = reader.Texts("stopped"),
                        .purge = reader.Texts("purge"),
                        .retired = reader.Texts("retired"),
                        .networks = std::move(networks),
                        .interrupted = reader.Texts("interrupted"),
                        .retries = {},
                         .restart = reader.Texts("restart"),
                         .remove = reader.Flag("remove"),
                         .paused = reader.Flag("paused"),
                         .renamed = reader.TextMap("renamed"),
                         .unhealthy = ReadUnhealthy(reader)});
}

void ReadEngine(ObjectReader& reader, EngineState& engine) {
  ErrorSlot& slot = reader.slot();
  if (const Value* info = reader.Find("engine")) {
    const Place here{&reader.place(), "engine"};
    ObjectReader about(*info, here, slot);
    engine.engine = {.kind = about.Text("kind"),
                     .version = about.Text("version"),
                     .api_version = about.Text("api_version"),
                     .arch = about.Text("arch")};
  }
  // Images first: a container's labels are read beside its image's.
  const auto each = [&](std::string_view key, void (*read)(ObjectReader, EngineState&)) {
    reader.Each(key, [&](const Value& item, const Place& place) {
      read(ObjectReader(item, place, slot), engine);
    });
  };
  each("images", &ReadImage);
  std::sort(engine.images.begin(), engine.images.end(),
            [](const ObservedImage& a, const ObservedImage& b) { return a.id < b.id; });
  each("containers", &ReadContainer);
  each("networks", &ReadNetwork);
  each("volumes", &ReadVolume);
}

void ReadReboot(ObjectReader& reader, ObservedState& state) {
  const bool pending = reader.Flag("reboot_pending");
  state.boot_id = reader.Text("boot_id", pending ? "unknown" : "");
  if (const Value* given = reader.Find("reboot")) {
    const Place here{&reader.place(), "reboot"};
    ObjectReader record(*given, here, reader.slot());
    state.reboot = RebootRecord{.boot_id = record.Text("boot_id"),
                                .configuration = record.Text("configuration"),
                                .reboots = record.Integer<int>("reboots"),
                                .changes = {}};
    for (auto& [key, value] : record.TextMap("set")) state.reboot->changes[key] = std::move(value);
    for (const std::string& key : record.Texts("unset")) state.reboot->changes[key] = std::nullopt;
  } else if (pending) {
    state.reboot = RebootRecord{.boot_id = state.boot_id, .configuration = {}, .changes = {}};
  }
}

void ReadState(ObjectReader& reader, ObservedState& state) {
  state.taken_at = reader.Time("taken_at").value_or(WallTime{});
  ReadEngine(reader, state.engine);
  const auto each = [&](std::string_view key, void (*read)(ObjectReader, ObservedState&)) {
    reader.Each(key, [&](const Value& item, const Place& place) {
      read(ObjectReader(item, place, reader.slot()), state);
    });
  };
  each("locks", &ReadLock);
  each("apps", &ReadApp);
  state.spans = reader.Texts("spans");
  state.reboot_spans = reader.Texts("reboot_spans");
  for (auto& [key, text] : reader.TextMap("config")) {
    state.config.try_emplace(CanonicalConfigKey(key), std::move(text));
  }
  for (const std::string& key : reader.Texts("config_set")) {
    state.config_set.push_back(CanonicalConfigKey(key));
  }
  state.saved_restart = reader.TextMap("saved_restart");
  if (reader.Find("config_backends") != nullptr) {
    state.config_backends = reader.Texts("config_backends");
  }
  state.config_unreadable = reader.TextMap("config_unreadable");
  ReadReboot(reader, state);
}

DeviceInfo ReadDevice(ObjectReader& reader) {
  DeviceInfo device;
  const Value* given = reader.Find("device");
  if (given == nullptr) return device;
  const Place here{&reader.place(), "device"};
  ObjectReader facts(*given, here, reader.slot());
  for (const DeviceFact& fact : DeviceFacts()) device.*fact.member = facts.Text(fact.name);
  return device;
}

}  // namespace

Result<ObservedState> ReadSnapshot(std::string_view text, DeviceInfo* device) {
  constexpr std::string_view kHint = "give what `lockstep snapshot` prints";
  auto parsed = ParseJson(text);
  if (!parsed) {
    Error error = std::move(parsed).assume_error();
    error.hint = kHint;
    return error;
  }
  const Value document = std::move(parsed).assume_value();
  ErrorSlot slot;
  const Place root;
  ObjectReader reader(document, root, slot);
  if (!slot && reader.Text("format") != "lockstep.snapshot/1") {
    reader.Wrong("format", "must be \"lockstep.snapshot/1\"");
  }
  ObservedState state;
  if (!slot) ReadState(reader, state);
  const DeviceInfo said = slot ? DeviceInfo() : ReadDevice(reader);
  if (slot) {
    slot->hint = kHint;
    return *std::move(slot);
  }
  Sort(state);
  if (device != nullptr) *device = said;
  return state;
}

}  // namespace lockstep
