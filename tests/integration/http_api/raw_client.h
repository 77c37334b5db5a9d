// A client of sockets and bytes, for servers that must stand what no library sends.
#ifndef LOCKSTEP_TESTS_INTEGRATION_HTTP_API_RAW_CLIENT_H_
#define LOCKSTEP_TESTS_INTEGRATION_HTTP_API_RAW_CLIENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http_api/descriptor.h"

namespace lockstep::test {

struct RawResponse {
  int status = 0;  // 0: the connection ended, or nothing came for kPatience.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// Every wait ends after kPatience, which only a broken server needs.
class RawClient {
 public:
  static constexpr int kPatienceMs = 20'000;

  static RawClient Unix(const std::string& path);
  static RawClient Tcp(std::uint16_t port, const char* address = "127.0.0.1");

  bool connected() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }

  // False where the server does not take it any more.
  bool Send(std::string_view bytes);
  // "GET /path HTTP/1.1" with a Host field and these, each with its "\r\n".
  bool Get(const std::string& path, const std::string& headers = {});
  bool Post(const std::string& path, const std::string& body, const std::string& headers = {});
  void EndSending();
  bool IsRead() const;  // The server has read all of it. For unix sockets.

  RawResponse Read();  // One response, its body by Content-Length.
  // What has come, once `text` is in it (what follows stays); empty where it never comes.
  std::string ReadUntil(std::string_view text);
  bool ReadToEnd();  // True where the server ended the connection.
  const std::string& unread() const { return buffer_; }
  void Close() { fd_ = Descriptor(); }

 private:
  explicit RawClient(Descriptor fd) : fd_(std::move(fd)) {}
  enum class More { kGot, kEnd, kNothing };
  More ReadMore();

  Descriptor fd_;
  std::string buffer_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_HTTP_API_RAW_CLIENT_H_
