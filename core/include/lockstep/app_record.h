// AppRecord: what outlives the process of one app.
#ifndef LOCKSTEP_APP_RECORD_H_
#define LOCKSTEP_APP_RECORD_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/lock.h"
#include "lockstep/value.h"

namespace lockstep {

// A step that failed, and is to be tried again.
struct Retry {
  static constexpr int kMostFailures = 1'000'000;

  int failures = 0;  // In a row; a store may be spoilt, so whoever reads one bounds it.
  WallTime due{};
  friend bool operator==(const Retry&, const Retry&) = default;
};

// What the store remembers of one app because it cannot be seen.
struct AppRecord {
  std::string app;
  std::optional<std::string> committed;  // The release that is known to have settled.
  std::optional<std::string> cutover;    // A cutover to this release began and has not ended.
  std::vector<std::string> failed;       // Releases not to be tried again.
  std::vector<std::string> stopped;      // Services stopped by a person.
  std::vector<std::string> purge;        // Volumes to be purged.
  // Ids of images whose containers went: removed as soon as nobody uses or wants them.
  std::vector<std::string> retired;
  // The networks that the cutover remakes, as they were before it: for going back.
  std::map<std::string, Value> networks;
  // Ids of the containers that ran until the cutover stopped them: they start again if they are to
  // run, whatever their restart policy makes of their end. Sorted.
  std::vector<std::string> interrupted;
  std::map<std::string, Retry> retries;  // By step id.
  // Ids of containers that a person asked to restart, until they have been. Sorted.
  std::vector<std::string> restart = {};
  bool remove = false;  // A person asked for the app to go.
  bool paused = false;  // Nothing of it that runs is changed until a person lets it go on.
  // Containers that the cutover takes over as they are: their names before it, by id. For going
  // back.
  std::map<std::string, std::string> renamed = {};
  // By release in `failed`: its services that did not become healthy.
  std::map<std::string, std::vector<std::string>> unhealthy = {};

  // Somebody asks for this release again; false where it has not failed.
  bool ForgetFailed(const std::string& release) {
    unhealthy.erase(release);
    return std::erase(failed, release) != 0;
  }
  bool empty() const {  // Nothing worth remembering.
    return !committed && !cutover && failed.empty() && stopped.empty() && purge.empty() &&
           retired.empty() && networks.empty() && interrupted.empty() && retries.empty() &&
           restart.empty() && !remove && !paused && renamed.empty() && unhealthy.empty();
  }
  friend bool operator==(const AppRecord&, const AppRecord&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_APP_RECORD_H_
