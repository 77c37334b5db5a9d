#include "target_sources/target_set.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "json_value.h"

namespace lockstep {
namespace {

constexpr std::string_view kFormat = "lockstep.target-set/1";

}  // namespace

std::string WriteTargetSet(const std::map<std::string, std::string>& files) {
  return Dump({{"format", std::string(kFormat)}, {"files", files}}) + '\n';
}

const Value* FilesOfTargetSet(const Value& document) {
  const Value* format = document.Find("format");
  if (format == nullptr || format->AsString() == nullptr || *format->AsString() != kFormat) {
    return nullptr;
  }
  return document.Find("files");
}

Result<void> AddApps(Target from, Target& to) {
  for (TargetApp& app : from.apps) {
    const auto place =
        std::lower_bound(to.apps.begin(), to.apps.end(), app.uuid,
                         [](const TargetApp& a, const std::string& uuid) { return a.uuid < uuid; });
    if (place != to.apps.end() && place->uuid == app.uuid) {
      return MakeError(ErrorCode::kInvalidTarget,
                       "the app " + app.uuid + " is in another file, too",
                       "take it out of one of them, or give it another name");
    }
    to.apps.insert(place, std::move(app));
  }
  return Ok();
}

}  // namespace lockstep
