#include "unix_http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace lockstep::test {
namespace {

std::string Decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "POST /v1.41/a/b?c=d HTTP/1.1"
HttpCall ReadRequestLine(const std::string& line) {
  HttpCall call;
  std::istringstream words(line);
  words >> call.method >> call.target;
  if (call.target.starts_with("/v1.")) call.target.erase(0, call.target.find('/', 1));
  const auto question = call.target.find('?');
  call.path = Decoded(call.target.substr(0, question));
  if (question == std::string::npos) return call;
  std::istringstream pairs(call.target.substr(question + 1));
  for (std::string pair; std::getline(pairs, pair, '&');) {
    const auto equals = pair.find('=');
    call.query[Decoded(pair.substr(0, equals))] =
        equals == std::string::npos ? std::string() : Decoded(pair.substr(equals + 1));
  }
  return call;
}

std::size_t BodySize(const std::string& head) {
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const auto at = head.find(kLength);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + kLength.size()));
}

// Reads until `text` has `size` bytes, or, where that is 0, the end of a head.
bool Fill(int connection, std::string& text, std::size_t size) {
  char buffer[4096];
  while (size == 0 ? text.find("\r\n\r\n") == std::string::npos : text.size() < size) {
    const auto got = read(connection, buffer, sizeof buffer);
    if (got <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return true;
}

std::string Head(int status, const HttpHeaders& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Text\r\n";
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(value) += "\r\n";
  return head;
}

}  // namespace

bool HttpAnswer::Put(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void HttpAnswer::Send(int status, const HttpHeaders& headers, std::string_view body) {
  std::string text = Head(status, headers);
  const bool empty = status == 204 || status == 304;
  if (!empty) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  if (!empty) text += body;
  Put(text);
}

bool HttpAnswer::Open(int status, const HttpHeaders& headers) {
  return Put(Head(status, headers) + "Transfer-Encoding: chunked\r\n\r\n");
}

bool HttpAnswer::Write(std::string_view piece) {
  std::ostringstream size;
  size << std::hex << piece.size();
  return Put(size.str() + "\r\n" + std::string(piece) + "\r\n");
}

void HttpAnswer::Finish() { Put("0\r\n\r\n"); }

bool HttpAnswer::AwaitHangUp(const std::stop_token& stop) {
  pollfd peer = {connection_, POLLRDHUP, 0};
  while (poll(&peer, 1, -1) < 0) {
  }
  return !stop.stop_requested();
}

UnixHttpServer::UnixHttpServer(Handler handler) : handler_(std::move(handler)) {
  (void)mkdtemp(directory_);
  path_ = std::string(directory_) + "/e.sock";
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  (void)bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  (void)listen(listener_, 16);
  accepting_ = std::thread([this] { Accept(); });
}

UnixHttpServer::~UnixHttpServer() {
  stop_.request_stop();
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
  for (std::thread& thread : serving_) thread.join();
  for (const int connection : connections_) close(connection);
  close(listener_);
  unlink(path_.c_str());
  rmdir(directory_);
}

void UnixHttpServer::Accept() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    connections_.push_back(connection);
    serving_.emplace_back([this, connection] { Serve(connection); });
  }
}

void UnixHttpServer::Serve(int connection) {
  std::string text;
  while (Fill(connection, text, 0)) {
    const auto end = text.find("\r\n\r\n") + 4;
    const std::string head = text.substr(0, end);
    const std::size_t size = BodySize(head);
    if (!Fill(connection, text, end + size)) break;
    HttpCall call = ReadRequestLine(head.substr(0, head.find("\r\n")));
    if (size > 0) call.body = docker::ParseJson(text.substr(end, size)).value_or(docker::Json());
    text.erase(0, end + size);
    HttpAnswer answer(connection);
    handler_(call, answer, stop_.get_token());
  }
  shutdown(connection, SHUT_RDWR);
}

}  // namespace lockstep::test
