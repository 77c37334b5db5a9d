// What people and programs ask of a device beside its target.
#ifndef LOCKSTEP_REQUESTS_H_
#define LOCKSTEP_REQUESTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/observed_state.h"
#include "lockstep/result.h"
#include "lockstep/target.h"

namespace lockstep {

// Look and go on now, whatever backs off. An app named here is its uuid.
struct UpdateRequest {
  // Run over app locks, once: until each app has passed its gate or its target changes. A release
  // that has failed is tried again.
  bool force = false;
  // Downloads under way are dropped (and begun anew where they are still wanted), and so is a force
  // that waits.
  bool cancel = false;
  std::vector<std::string> apps = {};  // Empty: all.

  friend bool operator==(const UpdateRequest&, const UpdateRequest&) = default;
};

enum class AppRequestKind {
  kStop,  // Services: they stay stopped until they are started by request.
  // Services: they run again. A service that is named runs again also where it has ended by itself;
  // of a whole app only those that were stopped by request. Takes a kRemove back.
  kStart,
  kRestart,  // Services: those that run are stopped and started, those that ended are started.
  kPurge,    // Volumes: removed, and made anew.
  kRemove,   // The app goes, but for its named volumes. Not where the target names it.
  kPause,    // Downloads and prepares, and changes nothing that runs.
  kResume,
};

struct AppRequest {
  AppRequestKind kind{};
  std::string app;                      // Uuid.
  std::vector<std::string> names = {};  // Services or volumes; empty: all of the app.
  bool force = false;                   // Over app locks, once.

  friend bool operator==(const AppRequest&, const AppRequest&) = default;
};

// The uuid of the app that a person calls `name`: its uuid, its numeric id, or its name. Errors:
// kNotFound, with the one that was probably meant; kInvalidInput (several have that name).
Result<std::string> FindAppCalled(std::string_view name, const ObservedState& observed,
                                  const Target& target);

// What is to be remembered of the app for `request` to be carried out; the plan does the rest.
// Asking again for what was asked changes nothing. Errors: kNotFound (no such app, service or
// volume, with the one that was probably meant), kConflict (to remove what the target names, to
// restart what is stopped), kUnsupported (a host app).
Result<AppRecord> RecordAfter(const AppRequest& request, const ObservedState& observed,
                              const Target& target);

}  // namespace lockstep

#endif  // LOCKSTEP_REQUESTS_H_
