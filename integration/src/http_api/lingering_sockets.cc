#include "http_api/lingering_sockets.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace lockstep {
namespace {

constexpr std::size_t kMost = 64;
constexpr std::size_t kMostBytes = 1U << 20;
constexpr std::chrono::seconds kLongest{2};

}  // namespace

bool LingeringSockets::Add(Descriptor fd, Time now) {
  if (!fd.valid() || sockets_.size() >= kMost) return false;
  const int number = fd.get();
  sockets_.emplace(number, Socket{std::move(fd), now + kLongest, kMostBytes});
  return true;
}

bool LingeringSockets::Read(int fd) {
  const auto socket = sockets_.find(fd);
  if (socket == sockets_.end()) return false;
  std::array<char, 16384> dropped;
  const ssize_t got = recv(fd, dropped.data(), dropped.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got > 0 && static_cast<std::size_t>(got) < socket->second.left_bytes) {
    socket->second.left_bytes -= static_cast<std::size_t>(got);
    return true;
  }
  sockets_.erase(socket);
  return false;
}

void LingeringSockets::Expire(Time now) {
  std::erase_if(sockets_, [&](const auto& entry) { return entry.second.until <= now; });
}

std::optional<LingeringSockets::Time> LingeringSockets::NextDeadline() const {
  const auto next = std::min_element(
      sockets_.begin(), sockets_.end(),
      [](const auto& a, const auto& b) { return a.second.until < b.second.until; });
  if (next == sockets_.end()) return std::nullopt;
  return next->second.until;
}

}  // namespace lockstep
