#include "compose_refusals.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace lockstep {
namespace {

using Part = ComposePart;

struct Refusal {
  Part part;
  std::string_view name;
  std::string_view why;
  std::string_view instead;
};

constexpr std::string_view kNoSecrets = "a device has nothing that keeps them";
constexpr std::string_view kNoSecretsInstead =
    "give them as variables (`env_file`), or put them into a volume";
constexpr std::string_view kNoConfigs = "a device has nothing that keeps them";
constexpr std::string_view kNoConfigsInstead =
    "put the file into the image or into a volume, or mount it from the host under `volumes`";
constexpr std::string_view kNoModels = "Lockstep runs containers only";
constexpr std::string_view kOneContainer = "a device runs one container of each service";
constexpr std::string_view kTakeOut = "take it out";
constexpr std::string_view kNoHooks = "Lockstep runs no commands in containers";
constexpr std::string_view kNoHooksInstead =
    "make it part of the image's entrypoint, or a service of its own";
constexpr std::string_view kNotSet = "Lockstep does not set it";
constexpr std::string_view kWindows = "it is for Windows containers";

constexpr Refusal kRefusals[] = {
    {Part::kFile, "include", "an app is one file",
     "put all services into this file; `docker compose config` prints them as one"},
    {Part::kFile, "secrets", kNoSecrets, kNoSecretsInstead},
    {Part::kFile, "configs", kNoConfigs, kNoConfigsInstead},
    {Part::kFile, "models", kNoModels, kTakeOut},

    {Part::kService, "build", "Lockstep runs images and builds none",
     "build and push it beforehand, take `build` out and name the result in `image`"},
    {Part::kService, "extends", "a service is written in one place",
     "write its fields here, or share them by an anchor: `<<: *name`"},
    {Part::kService, "deploy", kOneContainer,
     "take it out; limits are `cpus`, `mem_limit`, `mem_reservation` and `pids_limit` of the "
     "service, and its restart policy is `restart`"},
    {Part::kService, "scale", kOneContainer, "take it out, or write the service twice"},
    {Part::kService, "secrets", kNoSecrets, kNoSecretsInstead},
    {Part::kService, "configs", kNoConfigs, kNoConfigsInstead},
    {Part::kService, "develop", "it is for a developer's machine", kTakeOut},
    {Part::kService, "provider", kNoModels, kTakeOut},
    {Part::kService, "models", kNoModels, kTakeOut},
    {Part::kService, "post_start", kNoHooks, kNoHooksInstead},
    {Part::kService, "pre_stop", kNoHooks, kNoHooksInstead},
    {Part::kService, "container_name",
     "names of containers belong to Lockstep: during an update there are two of a service",
     "take it out; other services reach it by the service's name or by an alias under `networks`"},
    {Part::kService, "links", "services of an app reach each other by name",
     "take it out; write other names as aliases under `networks`, and the order as `depends_on`"},
    {Part::kService, "external_links", "an app reaches its own services only",
     "take it out; publish a port of the other one"},
    {Part::kService, "volumes_from", "a volume is named where it is used",
     "name the volume under `volumes` of both services"},
    {Part::kService, "platform", "the engine pulls what fits the device", kTakeOut},
    {Part::kService, "attach", "it is about what `docker compose up` shows", kTakeOut},
    {Part::kService, "label_file", "labels are written in the file", "write them under `labels`"},
    {Part::kService, "use_api_socket", "it hands on a developer's credentials", kTakeOut},
    {Part::kService, "blkio_config", kNotSet, kTakeOut},
    {Part::kService, "cgroup", kNotSet, kTakeOut},
    {Part::kService, "cpu_rt_period", kNotSet, kTakeOut},
    {Part::kService, "cpu_rt_runtime", kNotSet, kTakeOut},
    {Part::kService, "credential_spec", kWindows, kTakeOut},
    {Part::kService, "isolation", kWindows, kTakeOut},
    {Part::kService, "cpu_count", kWindows, "write `cpus`"},
    {Part::kService, "cpu_percent", kWindows, "write `cpus`"},

    {Part::kNetwork, "external", "a network belongs to its app, and comes and goes with it",
     "take it out: it is made for the app"},
    {Part::kNetwork, "name", "names of networks on the engine belong to Lockstep",
     "take it out: services know it by the name it has here"},
    {Part::kVolume, "external", "a volume belongs to its app",
     "take it out: it is made for the app"},
    {Part::kVolume, "name", "names of volumes on the engine belong to Lockstep",
     "take it out: services know it by the name it has here"},
};

}  // namespace

std::optional<Error> RefusedField(ComposePart part, const Place& place) {
  const auto found = std::find_if(std::begin(kRefusals), std::end(kRefusals), [&](const auto& row) {
    return row.part == part && row.name == place.key;
  });
  if (found == std::end(kRefusals)) return std::nullopt;
  return ErrorAt(ErrorCode::kInvalidTarget, place,
                 '`' + std::string(place.key) + "` is refused: " + std::string(found->why),
                 std::string(found->instead));
}

}  // namespace lockstep
