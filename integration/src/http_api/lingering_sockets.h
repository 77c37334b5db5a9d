// Connections that are answered and over, while their clients still send.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_LINGERING_SOCKETS_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_LINGERING_SOCKETS_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>

#include "http_api/descriptor.h"

namespace lockstep {

// To close a socket that has unread data resets the connection, and the client may lose the answer
// over it (RFC 9112, section 9.6). So what still comes is read and dropped for a moment: 2 s and
// 1 MiB at most, of 64 clients. Not thread-safe.
class LingeringSockets {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `fd`, non-blocking and shut down for writing, is nobody else's. False: there are too many.
  bool Add(Descriptor fd, Time now);
  // It has become readable. False where it is over, and closed.
  bool Read(int fd);
  void Expire(Time now);
  std::optional<Time> NextDeadline() const;

 private:
  struct Socket {
    Descriptor fd;
    Time until;
    std::size_t left_bytes;
  };
  std::map<int, Socket> sockets_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_LINGERING_SOCKETS_H_
