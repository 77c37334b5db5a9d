#include "mount_json.h"

#include <set>
#include <string_view>
#include <utility>

#include "field_reading.h"

namespace lockstep::docker {
namespace {

// "source:target[:options]", what Binds holds.
std::string BindText(const Value& bind) {
  std::string text = TextOf(bind.Find("source")) + ':' + TextOf(bind.Find("target"));
  char separator = ':';
  const auto add = [&](const std::string& option) {
    if (option.empty()) return;
    text += std::exchange(separator, ',') + option;
  };
  if (FlagOf(bind.Find("read_only"))) add("ro");
  add(TextOf(bind.Find("selinux")));
  add(TextOf(bind.Find("propagation")));
  return text;
}

Json MountOf(const Value& volume, const std::string& type, const AppNames& names) {
  Json mount = {{"Type", type}, {"Target", TextOf(volume.Find("target"))}};
  if (FlagOf(volume.Find("read_only"))) mount["ReadOnly"] = true;
  const std::string source = TextOf(volume.Find("source"));
  if (type == "volume") {
    if (!source.empty()) mount["Source"] = names.Volume(source);
    if (FlagOf(volume.Find("nocopy"))) mount["VolumeOptions"] = {{"NoCopy", true}};
  } else if (type == "tmpfs") {
    if (const auto size = IntOf(volume.Find("size")); size != 0) {
      mount["TmpfsOptions"]["SizeBytes"] = size;
    }
    if (const auto mode = IntOf(volume.Find("mode")); mode != 0) {
      mount["TmpfsOptions"]["Mode"] = mode;
    }
  } else {
    mount["Source"] = source;
    if (const std::string how = TextOf(volume.Find("propagation")); !how.empty()) {
      mount["BindOptions"] = {{"Propagation", how}};
    }
  }
  return mount;
}

// As the table of fields has it; one that it does not know stays as it is: no target asks for it.
Value Known(Value raw) {
  const auto canonical =
      NormalizeField(RowOf(Field::kVolumes), Value::List{raw}, HostPaths::kAllowed);
  return canonical ? canonical.assume_value().AsList()->front() : std::move(raw);
}

// None for a lock directory.
Value ReadBind(const std::string& text, const AppNames& names) {
  const auto target_at = text.find(":/");
  if (target_at == std::string::npos) return {};
  const std::string rest = text.substr(target_at + 1);
  const std::string target = rest.substr(0, rest.find(':'));
  if (IsLockMount(target)) return {};
  const std::string source = text.substr(0, target_at);
  Value volume = Known(source.starts_with('/') ? text : names.Logical(source) + ':' + rest);
  if (volume.AsMap() != nullptr) return volume;
  return Value::Map{{"source", source}, {"target", target}, {"options", rest}};
}

Value ReadMount(const Json& mount, const AppNames& names) {
  const std::string type = Text(mount, "Type");
  const std::string source = Text(mount, "Source");
  Value::Map volume{{"target", Text(mount, "Target")}, {"type", type}};
  if (Flag(mount, "ReadOnly")) volume.push_back({"read_only", true});
  if (!source.empty()) {
    volume.push_back({"source", type == "volume" ? names.Logical(source) : source});
  }
  Value::Map options;
  if (type == "volume" && Flag(At(mount, "VolumeOptions"), "NoCopy")) {
    options.push_back({"nocopy", true});
  } else if (type == "bind") {
    // Unlike one of Binds it is not made where it is missing, unless that is asked for.
    const Json& bind = At(mount, "BindOptions");
    options.push_back({"create_host_path", Flag(bind, "CreateMountpoint")});
    const std::string how = Text(bind, "Propagation");
    if (!how.empty()) options.push_back({"propagation", how});
  } else if (type == "tmpfs") {
    const Json& tmpfs = At(mount, "TmpfsOptions");
    if (const auto size = Number(tmpfs, "SizeBytes"); size != 0) options.push_back({"size", size});
    if (const auto mode = Number(tmpfs, "Mode"); mode != 0) options.push_back({"mode", mode});
  }
  if (!options.empty()) volume.push_back({type, std::move(options)});
  return Known(std::move(volume));
}

}  // namespace

void AddMounts(const ContainerSpec& spec, const AppNames& names, Json& host) {
  for (const Value& volume : ListOf(spec.spec.Find(Field::kVolumes))) {
    const std::string type = TextOf(volume.Find("type"));
    // As binds, where they can be: a mount would fail for ever where the path is gone after a power
    // cut, a bind makes the directory.
    if (type == "bind" && !FlagOf(volume.Find("must_exist"))) {
      host["Binds"].push_back(BindText(volume));
    } else {
      host["Mounts"].push_back(MountOf(volume, type, names));
    }
  }
  for (const Bind& bind : spec.binds) {
    host["Binds"].push_back(bind.host_path + ":" + bind.container_path);
  }
  for (const Value& entry : ListOf(spec.spec.Find(Field::kTmpfs))) {
    const std::string text = TextOf(&entry);
    const auto colon = text.find(':');
    host["Tmpfs"][text.substr(0, colon)] =
        colon == std::string::npos ? std::string() : text.substr(colon + 1);
  }
}

Value::List AnonymousVolumes(const Json& config) {
  Value::List volumes;
  for (const auto& [target, nothing] : Map(config, "Volumes").items()) {
    if (!target.starts_with('/')) continue;  // No engine starts it.
    volumes.push_back(Known(Value::Map{{"target", target}, {"type", "volume"}}));
  }
  return volumes;
}

void ReadMounts(const Json& config, const Json& host, const AppNames& names, ServiceSpec& spec) {
  Value::List volumes;
  std::set<std::string> targets;
  // Where several name one target, the engine goes by the first of these.
  const auto add = [&](Value volume) {
    const Value* target = volume.Find("target");
    if (!TextOf(target).starts_with('/') || !targets.insert(TextOf(target)).second) return;
    volumes.push_back(std::move(volume));
  };
  for (const std::string& bind : TextList(At(host, "Binds"))) add(ReadBind(bind, names));
  for (const Json& mount : List(host, "Mounts")) add(ReadMount(mount, names));
  for (Value& volume : AnonymousVolumes(config)) add(std::move(volume));
  std::sort(volumes.begin(), volumes.end());
  spec.Set(Field::kVolumes, std::move(volumes));
  Value::List tmpfs;
  for (const auto& [target, options] : TextMap(At(host, "Tmpfs"))) {
    tmpfs.push_back(options.empty() ? target : target + ":" + options);
  }
  SetNormalized(spec, Field::kTmpfs, std::move(tmpfs));
}

}  // namespace lockstep::docker
