// Who this device is to a balena or openBalena backend, and where that is.
#ifndef LOCKSTEP_INTEGRATION_BALENA_API_BALENA_DEVICE_H_
#define LOCKSTEP_INTEGRATION_BALENA_API_BALENA_DEVICE_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lockstep/result.h"

namespace lockstep {

struct BalenaDevice {
  std::string api_endpoint;  // "https://api.example", without a slash at the end.
  std::string uuid;
  std::string api_key;  // Secret: never logged, never in an error.
  std::chrono::milliseconds poll_interval = std::chrono::minutes(15);
  std::string ca_file = {};  // PEM; empty: the authorities of the system.
};

// What `given` has set goes first; its poll_interval where it is not the default. The rest comes
// from balenaOS's config.json at `path`: apiEndpoint, uuid, deviceApiKey, and appUpdatePollInterval
// in milliseconds, which is passed over where it is wrong. Errors: kInvalidInput, with what is
// missing or wrong; kNotFound, kPermissionDenied, kUnavailable about the file, where it is needed.
Result<BalenaDevice> ReadBalenaDevice(const std::string& path, BalenaDevice given = {});

// A poll interval in milliseconds, as config.json and a target's configuration have it: 10 s to a
// day. None where the text is no number, or not above 0.
std::optional<std::chrono::milliseconds> PollIntervalOf(std::string_view text);

// What is wrong with an endpoint; empty where nothing is. http:// is for this machine alone.
std::string WrongEndpoint(const std::string& endpoint);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_BALENA_API_BALENA_DEVICE_H_
