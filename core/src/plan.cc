#include "lockstep/plan.h"

#include <algorithm>

namespace lockstep {

const AppPlan* Plan::FindApp(std::string_view app) const {
  const auto it =
      std::find_if(apps.begin(), apps.end(), [&](const AppPlan& plan) { return plan.app == app; });
  return it == apps.end() ? nullptr : &*it;
}

}  // namespace lockstep
