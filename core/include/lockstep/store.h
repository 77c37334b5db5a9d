// Port to what must outlive the process and cannot be seen on the device.
#ifndef LOCKSTEP_STORE_H_
#define LOCKSTEP_STORE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/config_backend.h"
#include "lockstep/observed_state.h"
#include "lockstep/reboot_record.h"
#include "lockstep/result.h"
#include "lockstep/service_spec.h"

namespace lockstep {

struct StoreState {
  std::vector<AppRecord> apps;  // Sorted by app.
  // By app, what its services were made from: those of the release that was committed last.
  std::map<std::string, std::vector<ServiceSpec>> specs;
  std::map<std::string, std::string> settings;  // Of Lockstep itself (config_key.h).
  std::vector<std::string> config_keys;         // Of backends, that Lockstep set. Sorted.
  std::optional<RebootRecord> reboot;
  std::map<std::string, std::string> saved_restart;  // Container id -> policy (ObservedState).
  std::string last_target;  // The last target that was accepted, as read; empty: none known.
};

// Every Put is durable when it returns: it survives a power cut. Losing the store loses no service.
// Thread-safety: every method may be called from several threads at once. Blocking: disk only.
// Errors of every method: kNoSpace, kPermissionDenied, kUnavailable (the disk refuses).
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  virtual Result<StoreState> Load() = 0;
  virtual Result<void> PutApp(const AppRecord& record) = 0;  // Replaces the app's record.
  virtual Result<void> EraseApp(std::string_view app) = 0;   // Its specifications, too.
  // Replaces the app's. One that comes back as another one is passed over: its container is looked
  // into, then.
  virtual Result<void> PutSpecs(std::string_view app, const std::vector<ServiceSpec>& specs) = 0;
  virtual Result<void> PutSavedRestart(std::string_view container, std::string_view policy) = 0;
  virtual Result<void> EraseSavedRestart(std::string_view container) = 0;
  // None: the setting is no more.
  virtual Result<void> PutSetting(std::string_view key,
                                  const std::optional<std::string>& value) = 0;
  // Remembers as set by Lockstep the keys of backends that have a value here, and the others no
  // more.
  virtual Result<void> PutConfigKeys(const ConfigChanges& changes) = 0;
  virtual Result<void> PutReboot(const RebootRecord& record) = 0;
  virtual Result<void> PutLastTarget(std::string_view text) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_STORE_H_
