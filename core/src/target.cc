#include "lockstep/target.h"

#include <algorithm>

namespace lockstep {

const TargetApp* Target::FindApp(std::string_view uuid) const {
  const auto it = std::find_if(apps.begin(), apps.end(),
                               [&](const TargetApp& app) { return app.uuid == uuid; });
  return it == apps.end() ? nullptr : &*it;
}

}  // namespace lockstep
