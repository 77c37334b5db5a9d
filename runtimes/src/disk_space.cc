#include "disk_space.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

namespace lockstep::docker {
namespace {

// The process that listens; 0 where it cannot be told.
pid_t ListenerOf(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) return 0;
  socket_path.copy(address.sun_path, socket_path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return 0;
  ucred peer{};
  socklen_t size = sizeof(peer);
  const bool known =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  close(fd);
  return known ? peer.pid : 0;
}

std::string Megabytes(std::int64_t bytes) {
  constexpr std::int64_t kMega = 1'000'000;
  return std::to_string((bytes + kMega - 1) / kMega) + " MB";
}

}  // namespace

std::optional<std::int64_t> FreeBytes(const std::string& socket_path,
                                      const std::string& data_root) {
  if (socket_path.empty() || !data_root.starts_with('/')) return std::nullopt;
  const pid_t pid = ListenerOf(socket_path);
  if (pid <= 0) return std::nullopt;
  struct statvfs disk {};
  const std::string path = "/proc/" + std::to_string(pid) + "/root" + data_root;
  if (statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
}

std::optional<Error> LacksRoom(const PullProgress& progress, std::int64_t free,
                               std::int64_t reserve) {
  const std::int64_t to_come =
      std::max<std::int64_t>(progress.total_bytes - progress.current_bytes, 0);
  if (free >= reserve && free - reserve >= to_come) return std::nullopt;
  std::string message = "the engine's disk has " + Megabytes(free) + " free, of which " +
                        Megabytes(reserve) + " are kept for what runs";
  if (to_come > 0) message += ", and " + Megabytes(to_come) + " are still to come";
  return MakeError(ErrorCode::kNoSpace, std::move(message), "free some space on the engine's disk");
}

}  // namespace lockstep::docker
