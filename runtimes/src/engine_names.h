// How things of an app are called and labelled on the engine.
#ifndef LOCKSTEP_RUNTIMES_ENGINE_NAMES_H_
#define LOCKSTEP_RUNTIMES_ENGINE_NAMES_H_

#include <string>
#include <string_view>

#include "lockstep/identity.h"

namespace lockstep::docker {

// Set beside an address range that was asked for: else the engine's own choice looks the same.
inline constexpr std::string_view kLabelCustomIpam = "io.balena.private.ipam.config";

// Where the lock directory of a service is bound in its container.
inline bool IsLockMount(std::string_view container_path) {
  return container_path == "/tmp/balena" || container_path == "/tmp/resin";
}

struct AppNames {
  std::string app;     // Uuid, or a compose app's name.
  std::string app_id;  // May be empty.

  std::string Network(std::string_view name) const { return app + "_" + std::string(name); }
  std::string Volume(std::string_view name) const {
    return (app_id.empty() ? app : app_id) + "_" + std::string(name);
  }

  // The name in the target's words of what the engine calls `engine_name`; as it is where it is
  // not this app's.
  std::string Logical(std::string_view engine_name) const {
    for (const std::string& prefix : {app, app_id}) {
      if (!prefix.empty() && engine_name.size() > prefix.size() + 1 &&
          engine_name.starts_with(prefix) && engine_name[prefix.size()] == '_') {
        return std::string(engine_name.substr(prefix.size() + 1));
      }
    }
    return std::string(engine_name);
  }
  bool Owns(std::string_view engine_name) const { return Logical(engine_name) != engine_name; }
};

// The labels of a network or volume of an app.
Labels ResourceLabels(const AppNames& names);

// The app of one that has these labels and this name in the engine; `app` is empty where it is not
// an app's. balena-supervisor labels a network with the numeric id alone, and begins its name with
// the uuid; a volume it labels with the uuid, if at all, and begins its name with the id.
AppNames AppOfNetwork(const Labels& labels, std::string_view engine_name);
AppNames AppOfVolume(const Labels& labels, std::string_view engine_name);

// `labels` without those that Lockstep or balena-supervisor adds.
Labels WithoutAmbient(Labels labels);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_ENGINE_NAMES_H_
