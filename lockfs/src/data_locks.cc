#include "lockstep/lockfs/data_locks.h"

#include <utility>

namespace lockstep {
namespace {

constexpr const char* kDirectory = "resin-data";

}  // namespace

LockPlacement DataLockPlacement() {
  return {[](const ServiceRef& service) {
            return ServiceRef{service.app, kDirectory, service.app_dir};
          },
          [](const ServiceRef& place) -> std::optional<ServiceRef> {
            if (place.app_dir != kDirectory) return std::nullopt;
            return ServiceRef{place.service, place.service, ""};
          }};
}

HostLockFsOptions DataLockOptions(HostLockFsOptions options, std::string data) {
  options.locks_root = std::move(data);
  options.journal_dir += "-data";
  options.lock_files = {"resin-updates.lock"};
  options.container_dirs = {"/data"};
  return options;
}

}  // namespace lockstep
