// The keys of the API: made once, kept in the state directory, one for each app.
#ifndef LOCKSTEP_INTEGRATION_AGENT_API_SECRETS_H_
#define LOCKSTEP_INTEGRATION_AGENT_API_SECRETS_H_

#include <string>
#include <string_view>

#include "lockstep/result.h"

namespace lockstep {

// Every key is HMAC-SHA-256 (RFC 2104) of one secret, in hexadecimal: the same for as long as the
// state directory lives, and none tells another.
class ApiSecrets {
 public:
  // Reads STATE-DIR/api-secret, or makes it (mode 0600, by chance). Writes the device's key to
  // STATE-DIR/api-key, for whoever may read it. Errors: kUnavailable, kNoSpace, kPermissionDenied.
  static Result<ApiSecrets> Open(const std::string& state_dir);

  std::string DeviceKey() const { return KeyFor("device"); }
  std::string AppKey(std::string_view uuid) const { return KeyFor("app " + std::string(uuid)); }

 private:
  explicit ApiSecrets(std::string secret) : secret_(std::move(secret)) {}
  std::string KeyFor(const std::string& whom) const;

  std::string secret_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_API_SECRETS_H_
