// A server on a port of this machine that behaves on each connection as a test tells it to.
#ifndef LOCKSTEP_TESTS_RUNTIMES_LOCAL_SERVER_H_
#define LOCKSTEP_TESTS_RUNTIMES_LOCAL_SERVER_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep::test {

class LocalServer {
 public:
  // Told of each connection, in a thread of its own; the connection is closed when it returns.
  // Reading and writing fail when the server ends.
  using Behaviour = std::function<void(int connection)>;

  explicit LocalServer(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    (void)listen(listener_, 16);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~LocalServer() {
    ended_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int connection : connections_) close(connection);
    close(listener_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& host = "127.0.0.1") const {
    return "tcp://" + host + ":" + std::to_string(port_);
  }
  std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  // The head of a request; empty where none comes.
  static std::string ReadHead(int connection) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (read(connection, &byte, 1) != 1) return {};
      head += byte;
    }
    return head;
  }
  static bool Send(int connection, std::string_view text) {
    while (!text.empty()) {
      const auto sent = send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Ends it as a peer does that was killed.
  static void Reset(int connection) {
    const sockaddr unspecified{AF_UNSPEC, {}};
    (void)connect(connection, &unspecified, sizeof unspecified);
  }
  // Waits until the other side closes, or the server ends.
  static void AwaitEnd(int connection) {
    char bytes[4096];
    while (read(connection, bytes, sizeof bytes) > 0) {
    }
  }

 private:
  void Accept() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0 || ended_) {
        if (connection >= 0) close(connection);
        return;
      }
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] {
        behaviour_(connection);
        shutdown(connection, SHUT_RDWR);
      });
    }
  }

  const Behaviour behaviour_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_LOCAL_SERVER_H_
