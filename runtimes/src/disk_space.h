// How much room the engine has for images.
#ifndef LOCKSTEP_RUNTIMES_DISK_SPACE_H_
#define LOCKSTEP_RUNTIMES_DISK_SPACE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "lockstep/error.h"
#include "lockstep/pull_progress.h"

namespace lockstep::docker {

// Bytes that are free at `data_root`, as the process sees it that answers on the unix socket: it
// may live in another container, or in a mount namespace of its own. None where that cannot be
// known: its process is not visible from here, or may not be looked at.
std::optional<std::int64_t> FreeBytes(const std::string& socket_path, const std::string& data_root);

// Why there is no room for what is still to come of a pull, with `reserve` bytes left over; none
// where there may be. Layers take more room unpacked than they are counted with: what is refused
// could not have fitted, and what is not may still turn out not to.
std::optional<Error> LacksRoom(const PullProgress& progress, std::int64_t free,
                               std::int64_t reserve);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_DISK_SPACE_H_
