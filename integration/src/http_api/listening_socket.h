// Sockets that clients connect to.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_LISTENING_SOCKET_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_LISTENING_SOCKET_H_

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "http_api/api_message.h"
#include "http_api/descriptor.h"
#include "lockstep/result.h"

namespace lockstep {

class ListeningSocket {
 public:
  // A unix socket at `path`, with mode 0660 from its first moment on; its directory must exist. A
  // socket that is there is replaced where nobody listens on it. Errors: kInvalidInput (no absolute
  // path, or too long), kConflict (somebody listens there, or what is there is no socket),
  // kNotFound (its directory), kPermissionDenied, kUnavailable.
  static Result<ListeningSocket> Unix(const std::string& path);

  // "127.0.0.1:48484", "0.0.0.0:48484", "[::]:48484": an address as numbers, and a port; port 0 is
  // one that is free. An IPv6 address takes no IPv4 clients: for both, listen on both. An address
  // that this machine does not have is listened on from when it has it. Errors:
  // kInvalidInput, kConflict (in use), kPermissionDenied, kUnavailable.
  static Result<ListeningSocket> Tcp(std::string_view address);

  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) = delete;
  ~ListeningSocket();  // Removes the socket's file, where it is still this one's.

  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }  // Of TCP: where it really is.

 private:
  explicit ListeningSocket(Descriptor fd) : fd_(std::move(fd)) {}

  Descriptor fd_;
  std::uint16_t port_ = 0;
  std::string path_;  // Of a unix socket.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Whether this can be listened on at all, as Tcp() says it. Errors: kInvalidInput.
Result<void> CheckTcpAddress(std::string_view address);

// Who is at the other end of a connection that was accepted from such a socket.
ApiPeer PeerOf(int fd, const sockaddr_storage& address);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_LISTENING_SOCKET_H_
