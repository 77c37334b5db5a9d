#include "image_calls.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/image_reference.h"
#include "registry_access.h"

namespace lockstep::docker {
namespace {

// `image` is an id or a name.
Result<HttpReply> Remove(EngineApi& api, const std::string& image, std::string_view what,
                         std::stop_token stop) {
  HttpRequest request;
  request.method = "DELETE";
  request.path = ImagePath(image);
  request.timeout = api.options().remove_image_timeout;
  return api.Send(std::move(request), what, stop);
}

// An image with several names goes with the last of them. Each name that goes is lost for good: so
// first it is made sure that nobody uses the image, and that nobody else named it.
Result<void> RemoveReferences(EngineApi& api, const std::string& image_id, const HttpReply& refusal,
                              std::string_view what, std::stop_token stop) {
  const Json filters = {{"ancestor", {image_id}}};
  LOCKSTEP_TRY(
      const Json users,
      api.Get("/containers/json?all=1&filters=" + EscapeQuery(DumpJson(filters)), what, stop));
  if (!users.empty()) return FailureOf(refusal, what);
  auto image = api.Get(ImagePath(image_id, "/json"), what, stop);
  if (!image && image.assume_error().code == ErrorCode::kNotFound) return Ok();
  LOCKSTEP_TRY(const Json json, std::move(image));
  std::vector<std::string> names = TextList(At(json, "RepoTags"));
  const bool tagged = !names.empty();
  const auto digests = TextList(At(json, "RepoDigests"));
  names.insert(names.end(), digests.begin(), digests.end());
  // A tag may be a person's. Digests alone cannot: they come from pulls by digest.
  const bool foreign = tagged && std::any_of(names.begin(), names.end(), [&](const auto& name) {
                         return PartsOf(name).name != PartsOf(names.front()).name;
                       });
  if (foreign) {
    return WithContext(MakeError(ErrorCode::kConflict, "it has names in several repositories",
                                 "untag the name that is not Lockstep's, if it is not needed"),
                       what);
  }
  for (const std::string& name : names) {
    LOCKSTEP_TRYV(RemoveImageName(api, name, what, stop));
  }
  return Ok();
}

}  // namespace

Result<void> CheckImage(EngineApi& api, const std::string& reference, std::stop_token stop) {
  const std::string what = "ask the registry for image " + reference;
  auto access = RegistryAccess::To(reference, api.options().credentials, stop);
  if (!access) return WithContext(std::move(access).assume_error(), what);
  const auto found = api.Get("/distribution/" + EscapeQuery(reference) + "/json",
                             access.assume_value().Headers(), what, stop);
  if (!found && found.assume_error().message.ends_with("/json is not supported")) {
    return WithContext(MakeError(ErrorCode::kUnsupported, "this engine cannot ask a registry"),
                       what);
  }
  if (!found) return access.assume_value().Explain(found.assume_error());
  auto machine = api.Machine(stop);
  if (!machine) return WithContext(std::move(machine).assume_error(), what);
  const auto others = OnlyForOthers(At(found.assume_value(), "Platforms"), machine.assume_value());
  if (!others) return Ok();
  return WithContext(
      MakeError(ErrorCode::kNotFound,
                "the registry has it for " + *others + ", and not for this machine (" +
                    NameOf(machine.assume_value()) + ")",
                "build the image for this machine, too"),
      what);
}

Result<void> RemoveImageName(EngineApi& api, const std::string& name, std::string_view what,
                             std::stop_token stop) {
  return Done(Remove(api, name, what, stop), {200, 404}, what);
}

Result<void> RemoveImage(EngineApi& api, const std::string& image_id, std::stop_token stop) {
  const std::string what = "remove image " + image_id;
  const auto reply = Remove(api, image_id, what, stop);
  if (reply && reply.assume_value().status == 409 &&
      Says(reply.assume_value(), "referenced in multiple repositories")) {
    return RemoveReferences(api, image_id, reply.assume_value(), what, stop);
  }
  return Done(reply, {200, 404}, what);
}

}  // namespace lockstep::docker
