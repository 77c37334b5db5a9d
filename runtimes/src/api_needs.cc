#include "api_needs.h"

#include <array>
#include <string>

#include "engine_api.h"

namespace lockstep::docker {
namespace {

// A field, or a member of one, that came with a version of the API. None is newer than what this
// adapter speaks.
struct Need {
  Field field;
  std::string_view member;  // Empty: the whole field.
  int minor;
};

constexpr std::array kNeeds = {
    Need{Field::kAnnotations, "", 43},
    Need{Field::kHealthcheck, "start_interval", 44},
};

}  // namespace

Result<void> CheckNeeds(const ServiceSpec& spec, std::string_view api_version) {
  const int minor = MinorOf(api_version);
  for (const Need& need : kNeeds) {
    const Value* value = spec.Find(need.field);
    if (value == nullptr || minor >= need.minor) continue;
    if (!need.member.empty() && value->Find(need.member) == nullptr) continue;
    std::string name(RowOf(need.field).name);
    if (!need.member.empty()) name.append(".").append(need.member);
    return MakeError(ErrorCode::kUnsupported,
                     name + " needs API 1." + std::to_string(need.minor) +
                         ", and the engine speaks " + std::string(api_version),
                     "take it out, or update the engine");
  }
  return Ok();
}

}  // namespace lockstep::docker
