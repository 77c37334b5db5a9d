// AppRecord: what outlives the process of one app.
#ifndef LOCKSTEP_APP_RECORD_H_
#define LOCKSTEP_APP_RECORD_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/value.h"

namespace lockstep {

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

  bool empty() const {  // Nothing worth remembering.
    return !committed && !cutover && failed.empty() && stopped.empty() && purge.empty() &&
           retired.empty() && networks.empty() && interrupted.empty();
  }
  friend bool operator==(const AppRecord&, const AppRecord&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_APP_RECORD_H_
