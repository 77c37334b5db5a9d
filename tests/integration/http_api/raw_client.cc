#include "raw_client.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "http_api/api_message.h"

namespace lockstep::test {
namespace {

template <typename Address>
Descriptor Connect(int family, const Address& address) {
  Descriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address);
  if (connect(fd.get(), raw, sizeof(address)) != 0) return Descriptor();
  return fd;
}

}  // namespace

RawClient RawClient::Unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return RawClient(Connect(AF_UNIX, address));
}

RawClient RawClient::Tcp(std::uint16_t port, const char* text) {
  if (std::strchr(text, ':') != nullptr) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    inet_pton(AF_INET6, text, &v6.sin6_addr);
    return RawClient(Connect(AF_INET6, v6));
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  inet_pton(AF_INET, text, &v4.sin_addr);
  return RawClient(Connect(AF_INET, v4));
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::Get(const std::string& path, const std::string& headers) {
  return Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
}

bool RawClient::Post(const std::string& path, const std::string& body, const std::string& headers) {
  return Send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
}

void RawClient::EndSending() { shutdown(fd_.get(), SHUT_WR); }

bool RawClient::IsRead() const {
  int unread = 1;
  return ioctl(fd_.get(), SIOCOUTQ, &unread) == 0 && unread == 0;
}

RawClient::More RawClient::ReadMore() {
  pollfd wait{fd_.get(), POLLIN, 0};
  if (poll(&wait, 1, kPatienceMs) <= 0) return More::kNothing;
  std::array<char, 65536> bytes;
  const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (got <= 0) return More::kEnd;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return More::kGot;
}

std::string RawClient::ReadUntil(std::string_view text) {
  std::size_t at = 0;
  while ((at = buffer_.find(text)) == std::string::npos) {
    if (ReadMore() != More::kGot) return {};
  }
  std::string read = buffer_.substr(0, at + text.size());
  buffer_.erase(0, at + text.size());
  return read;
}

bool RawClient::ReadToEnd() {
  More more = More::kGot;
  while (more == More::kGot) more = ReadMore();
  return more == More::kEnd;
}

RawResponse RawClient::Read() {
  RawResponse response;
  const std::string head = ReadUntil("\r\n\r\n");
  if (head.size() < 12) return response;
  std::size_t begin = head.find("\r\n") + 2;
  while (begin + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", begin);
    const std::string line = head.substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    response.headers[LowerCase(line.substr(0, colon))] = line.substr(colon + 2);
    begin = end + 2;
  }
  const auto length = response.headers.find("content-length");
  const std::size_t size = length == response.headers.end() ? 0 : std::stoul(length->second);
  while (buffer_.size() < size) {
    if (ReadMore() != More::kGot) return response;
  }
  response.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  response.status = std::atoi(head.c_str() + 9);
  return response;
}

}  // namespace lockstep::test
