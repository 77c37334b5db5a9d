#include "lockstep/feature_labels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answer.h"
#include "lockstep/device_info.h"

namespace lockstep {
namespace {

struct Bind {
  std::string_view source;
  std::string_view target;
  bool read_only = false;
  bool must_exist = false;  // Else the engine makes a directory there.
};

struct Feature {
  std::string_view label;
  std::array<Bind, 3> binds = {};  // Up to the first without a source.
  std::string_view variable = {};  // "NAME=value"
  std::int64_t gpus = 0;
  std::string_view unsupported = {};  // Why Lockstep cannot give it.
};

constexpr std::string_view kPrefix = "io.balena.features.";
constexpr std::string_view kRequiresPrefix = "io.balena.features.requires.";

// A requirement by label: the label's value is a version, or else the slug.
struct Requiring {
  std::string_view name;  // Behind the prefix.
  std::string_view type;
  std::string_view slug = {};
  bool asks_version = true;
};
constexpr std::array kRequiring = {
    Requiring{"sw.supervisor", "sw.supervisor"},
    Requiring{"sw.l4t", "sw.l4t"},
    Requiring{"sw.balena-os", "sw.os", "balena-os"},
    Requiring{"sw.linux", "sw.kernel", "linux"},
    Requiring{"hw.device-type", "hw.device-type", {}, false},
    Requiring{"arch.sw", "arch.sw", {}, false},
};

constexpr std::array kFeatures = {
    Feature{kFeatureBalenaSocket,
            {Bind{kBalenaEngineSocket, "/host/run/balena-engine.sock", false, true},
             Bind{kBalenaEngineSocket, kBalenaEngineSocket, false, true},
             Bind{kBalenaEngineSocket, "/var/run/balena.sock", false, true}},
            "DOCKER_HOST=unix:///host/run/balena-engine.sock"},
    Feature{"io.balena.features.dbus", {Bind{"/run/dbus", "/host/run/dbus"}}},
    Feature{"io.balena.features.sysfs", {Bind{"/sys", "/sys"}}},
    Feature{"io.balena.features.procfs", {Bind{"/proc", "/proc"}}},
    Feature{"io.balena.features.kernel-modules", {Bind{"/lib/modules", "/lib/modules"}}},
    Feature{"io.balena.features.firmware", {Bind{"/lib/firmware", "/lib/firmware"}}},
    Feature{"io.balena.features.journal-logs",
            {Bind{"/var/log/journal", "/var/log/journal", true},
             Bind{"/run/log/journal", "/run/log/journal", true},
             Bind{"/etc/machine-id", "/etc/machine-id", true}}},
    Feature{kFeatureSupervisorApi},
    Feature{kFeatureBalenaApi},
    Feature{kFeatureHostOsBoardRev},
    Feature{kFeatureOptional},
    Feature{.label = "io.balena.features.gpu", .gpus = 1},
    Feature{.label = "io.balena.features.extra-firmware",
            .unsupported = "its volume belongs to the host's configuration, not to an app"},
};

const Feature* FindFeature(std::string_view label) {
  const auto it = std::find_if(kFeatures.begin(), kFeatures.end(),
                               [label](const Feature& feature) { return feature.label == label; });
  return it == kFeatures.end() ? nullptr : &*it;
}

const Requiring* FindRequiring(std::string_view label) {
  if (!label.starts_with(kRequiresPrefix)) return nullptr;
  const std::string_view name = label.substr(kRequiresPrefix.size());
  const auto it = std::find_if(kRequiring.begin(), kRequiring.end(),
                               [name](const Requiring& row) { return row.name == name; });
  return it == kRequiring.end() ? nullptr : &*it;
}

void RenameOldLabels(Labels& labels) {
  constexpr std::string_view kOld = "resin";
  constexpr std::string_view kNew = "balena";
  constexpr std::string_view kOldPrefix = "io.resin.";
  for (auto it = labels.lower_bound(std::string(kOldPrefix));
       it != labels.end() && it->first.starts_with(kOldPrefix);) {
    std::string name = it->first;
    for (auto at = name.find(kOld); at != std::string::npos; at = name.find(kOld, at)) {
      name.replace(at, kOld.size(), kNew);
    }
    labels.emplace(std::move(name), std::move(it->second));
    it = labels.erase(it);
  }
}

Value ToVolume(const Bind& bind) {
  Value::Map volume{{"source", bind.source}, {"target", bind.target}, {"type", Value("bind")}};
  if (bind.read_only) volume.push_back({"read_only", true});
  if (bind.must_exist) volume.push_back({"must_exist", true});
  return Value(std::move(volume));
}

Value::List ListIn(const ServiceSpec& spec, Field field) {
  const Value* value = spec.Find(field);
  const Value::List* list = value == nullptr ? nullptr : value->AsList();
  return list == nullptr ? Value::List() : *list;
}

class Adder {
 public:
  explicit Adder(ServiceSpec& spec) : spec_(spec), volumes_(ListIn(spec, Field::kVolumes)) {}

  std::vector<Gap> Add() {
    for (const auto& [label, text] : spec_.labels) {
      if (label.starts_with(kPrefix) && FindRequiring(label) == nullptr) Look(label, text);
    }
    std::sort(volumes_.begin(), volumes_.end());
    spec_.Set(Field::kVolumes, Value(std::move(volumes_)));
    return std::move(gaps_);
  }

 private:
  void Say(std::string code, const std::string& label, const std::string& what, bool blocks) {
    gaps_.push_back({std::move(code), "`" + label + "` " + what, blocks});
  }

  void Look(const std::string& label, const std::string& text) {
    const Feature* feature = FindFeature(label);
    if (feature == nullptr) {
      return Say("unknown-feature", label, "is no feature that Lockstep knows, and adds nothing",
                 false);
    }
    const Answer answer = AnswerOf(text);
    if (answer == Answer::kNeither) {
      Say("unknown-feature", label, "is neither 1, true, on nor 0, false, off: it is taken as off",
          false);
    }
    if (answer != Answer::kYes) return;
    if (!feature->unsupported.empty()) {
      return Say("unsupported-feature", label,
                 "is not supported: " + std::string(feature->unsupported), true);
    }
    for (const Bind& bind : feature->binds) {
      if (!bind.source.empty()) Mount(label, bind);
    }
    if (feature->gpus != 0) AddGpus(feature->gpus);
    if (const auto equals = feature->variable.find('='); equals != std::string_view::npos) {
      spec_.environment.emplace(feature->variable.substr(0, equals),
                                feature->variable.substr(equals + 1));
    }
  }

  // Beside what the service asks for itself.
  void AddGpus(std::int64_t count) {
    auto gpus = NormalizeField(RowOf(Field::kGpus), Value::List{Value::Map{{"count", count}}});
    if (!gpus) return;
    Value::List list = ListIn(spec_, Field::kGpus);
    const Value::List& added = *gpus.assume_value().AsList();
    list.insert(list.end(), added.begin(), added.end());
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    spec_.Set(Field::kGpus, Value(std::move(list)));
  }

  void Mount(const std::string& label, const Bind& bind) {
    Value volume = ToVolume(bind);
    const Value target(bind.target);
    const auto same_place = [&](const Value& other) {
      const Value* there = other.Find("target");
      return there != nullptr && *there == target;
    };
    const auto there = std::find_if(volumes_.begin(), volumes_.end(), same_place);
    if (there == volumes_.end()) {
      volumes_.push_back(std::move(volume));
    } else if (!(*there == volume)) {
      Say("invalid-value", label,
          "mounts something at " + std::string(bind.target) + ", and so do the service's volumes",
          true);
    }
  }

  ServiceSpec& spec_;
  Value::List volumes_;
  std::vector<Gap> gaps_;
};

}  // namespace

bool HasFeature(const Labels& labels, std::string_view feature) {
  const auto it = labels.find(std::string(feature));
  return it != labels.end() && AnswerOf(it->second) == Answer::kYes;
}

std::vector<Gap> AddFeatures(ServiceSpec& spec) {
  RenameOldLabels(spec.labels);
  return Adder(spec).Add();
}

std::vector<Alternatives> RequirementsOf(const Labels& labels) {
  std::vector<Alternatives> requirements;
  for (auto it = labels.lower_bound(std::string(kRequiresPrefix));
       it != labels.end() && it->first.starts_with(kRequiresPrefix); ++it) {
    const Requiring* row = FindRequiring(it->first);
    if (row == nullptr) continue;
    Requirement requirement{std::string(row->type), std::string(row->slug), {}};
    (row->asks_version ? requirement.version : requirement.slug) = it->second;
    requirements.push_back({std::move(requirement)});
  }
  return requirements;
}

void PlaceEngineSocket(const std::string& path, ServiceSpec& spec) {
  if (path.empty() || path == kBalenaEngineSocket) return;
  if (!HasFeature(spec.labels, kFeatureBalenaSocket)) return;
  const Value usual(kBalenaEngineSocket);
  Value::List volumes = ListIn(spec, Field::kVolumes);
  for (Value& volume : volumes) {
    const Value* source = volume.Find("source");
    if (source == nullptr || *source != usual) continue;
    Value::Map members = *volume.AsMap();
    for (Value::Member& member : members) {
      if (member.value == usual) member.value = path;
    }
    volume = Value(std::move(members));
  }
  std::sort(volumes.begin(), volumes.end());
  // Where the socket has one of the names that it is mounted at.
  volumes.erase(std::unique(volumes.begin(), volumes.end()), volumes.end());
  spec.Set(Field::kVolumes, Value(std::move(volumes)));
}

}  // namespace lockstep
