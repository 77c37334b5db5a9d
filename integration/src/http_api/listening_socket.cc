#include "http_api/listening_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "private_file.h"

namespace lockstep {
namespace {

constexpr mode_t kSocketMode = 0660;

Error SocketError(int errno_value, const std::string& address) {
  const std::string what = "listen on " + address;
  if (errno_value == EADDRINUSE) {
    return WithContext(MakeError(ErrorCode::kConflict, "another process listens there",
                                 "end it, or choose another address"),
                       what);
  }
  if (errno_value == EACCES || errno_value == EPERM) {
    return WithContext(MakeError(ErrorCode::kPermissionDenied, std::strerror(errno_value),
                                 "run as root, or choose another address"),
                       what);
  }
  return WithContext(MakeError(ErrorCode::kUnavailable, std::strerror(errno_value)), what);
}

sockaddr* Raw(auto& address) { return reinterpret_cast<sockaddr*>(&address); }

// Removes what an earlier process left. A socket that nobody listens on refuses connections.
Result<void> RemoveStale(const std::string& path, sockaddr_un address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Ok();
    return FileError(errno, "listen on", path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return WithContext(MakeError(ErrorCode::kConflict, "what is there is no socket",
                                 "remove it, or choose another path"),
                       "listen on " + path);
  }
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return SocketError(errno, path);
  const bool answers = connect(probe.get(), Raw(address), sizeof(address)) == 0;
  if (answers || errno == EAGAIN) return SocketError(EADDRINUSE, path);
  if (errno == ENOENT) return Ok();
  if (errno != ECONNREFUSED) return SocketError(errno, path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(errno, "listen on", path);
  return Ok();
}

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<TcpAddress> ParseTcp(std::string_view text) {
  const auto none = [&] {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "this is no address with a port",
                                 "write it as 127.0.0.1:48484 or [::1]:48484"),
                       "listen on " + std::string(text));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return none();
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end) return none();
  std::string host(text.substr(0, colon));
  TcpAddress address;
  if (host.starts_with('[') && host.ends_with(']')) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
      return none();
    }
    std::memcpy(&address.storage, &v6, sizeof(v6));
    address.size = sizeof(v6);
    return address;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return none();
  std::memcpy(&address.storage, &v4, sizeof(v4));
  address.size = sizeof(v4);
  return address;
}

std::string AddressText(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, address, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

}  // namespace

Result<ListeningSocket> ListeningSocket::Unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path.starts_with('/') || path.size() >= sizeof(address.sun_path)) {
    return WithContext(MakeError(ErrorCode::kInvalidInput,
                                 "the path of a socket is absolute and shorter than 108 bytes"),
                       "listen on " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  LOCKSTEP_TRYV(RemoveStale(path, address));
  ListeningSocket made(Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  // The mode before bind() bounds the file's; what the umask took away comes back before listen().
  if (made.fd() < 0 || fchmod(made.fd(), kSocketMode) != 0) return SocketError(errno, path);
  if (bind(made.fd(), Raw(address), sizeof(address)) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileError(errno, "listen on", path);
    return SocketError(errno, path);
  }
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return FileError(errno, "listen on", path);
  made.path_ = path;
  made.device_ = info.st_dev;
  made.inode_ = info.st_ino;
  if (chmod(path.c_str(), kSocketMode) != 0) return FileError(errno, "listen on", path);
  if (listen(made.fd(), SOMAXCONN) != 0) return SocketError(errno, path);
  return made;
}

Result<void> CheckTcpAddress(std::string_view address) {
  LOCKSTEP_TRYV(ParseTcp(address));
  return Ok();
}

Result<ListeningSocket> ListeningSocket::Tcp(std::string_view text) {
  const std::string shown(text);
  LOCKSTEP_TRY(TcpAddress address, ParseTcp(text));
  const int family = address.storage.ss_family;
  ListeningSocket made(Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (made.fd() < 0) return SocketError(errno, shown);
  const int on = 1;
  setsockopt(made.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // An address may come later, such as that of a bridge that the engine makes.
  setsockopt(made.fd(), IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
  if (family == AF_INET6) setsockopt(made.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (bind(made.fd(), Raw(address.storage), address.size) != 0 ||
      listen(made.fd(), SOMAXCONN) != 0) {
    return SocketError(errno, shown);
  }
  sockaddr_in6 bound{};  // The port is at the same place in both families.
  socklen_t size = sizeof(bound);
  if (getsockname(made.fd(), Raw(bound), &size) != 0) return SocketError(errno, shown);
  made.port_ = ntohs(bound.sin6_port);
  return made;
}

ListeningSocket::~ListeningSocket() {
  if (!fd_.valid() || path_.empty()) return;
  struct stat info {};
  if (lstat(path_.c_str(), &info) != 0) return;
  if (info.st_dev == device_ && info.st_ino == inode_) (void)unlink(path_.c_str());
}

ApiPeer PeerOf(int fd, const sockaddr_storage& address) {
  ApiPeer peer;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    peer.kind = ApiPeer::Kind::kTcp;
    peer.address = peer.limit_key = AddressText(AF_INET, &v4.sin_addr);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof(v6));
    peer.kind = ApiPeer::Kind::kTcp;
    peer.address = AddressText(AF_INET6, &v6.sin6_addr);
    // Whoever has one address of IPv6 has all of its network.
    std::memset(&v6.sin6_addr.s6_addr[8], 0, 8);
    peer.limit_key = AddressText(AF_INET6, &v6.sin6_addr) + "/64";
  } else {
    ucred who{};
    socklen_t size = sizeof(who);
    // Nobody's uid where the kernel does not say: never root's.
    const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
    peer.uid = known ? who.uid : static_cast<uid_t>(-1);
  }
  return peer;
}

}  // namespace lockstep
