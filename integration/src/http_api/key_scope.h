// What an API key opens.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_KEY_SCOPE_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_KEY_SCOPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

// The whole device, or one app, which clients name by its uuid or by its numeric id. A scope of
// neither opens nothing.
struct KeyScope {
  bool device = false;
  std::string app_uuid;
  std::optional<std::int64_t> app_id;

  // Whether it opens the app that a client named so.
  bool Covers(std::string_view app) const {
    if (device) return true;
    if (app.empty()) return false;
    return app == app_uuid || (app_id && app == std::to_string(*app_id));
  }
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_KEY_SCOPE_H_
