// An engine that answers what a test tells it to, on a unix socket of its own.
#ifndef LOCKSTEP_TESTS_RUNTIMES_STUB_ENGINE_H_
#define LOCKSTEP_TESTS_RUNTIMES_STUB_ENGINE_H_

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep::test {

class StubEngine {
 public:
  // From "GET /path?query" to the raw bytes of the reply; empty: says nothing, ever.
  using Handler = std::function<std::string(const std::string& request_line)>;

  explicit StubEngine(Handler handler) : handler_(std::move(handler)) {
    (void)mkdtemp(directory_);
    path_ = std::string(directory_) + "/e.sock";
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    (void)bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    (void)listen(listener_, 16);
    (void)pipe(wake_);
    thread_ = std::thread([this] { Serve(); });
  }
  ~StubEngine() {
    (void)!write(wake_[1], "x", 1);
    thread_.join();
    for (const int fd : {listener_, wake_[0], wake_[1]}) close(fd);
    unlink(path_.c_str());
    rmdir(directory_);
  }
  StubEngine(const StubEngine&) = delete;
  StubEngine& operator=(const StubEngine&) = delete;

  std::string url() const { return "unix://" + path_; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // With their headers, as they came.
  std::vector<std::string> heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

  static std::string Reply(const std::string& body, int status = 200) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Text\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  }
  // The head of a stream that says nothing yet.
  static std::string OpenStream() {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  }
  // A stream that says `text`, and then nothing more.
  static std::string OpenStream(const std::string& text) {
    std::ostringstream size;
    size << std::hex << text.size();
    return OpenStream() + size.str() + "\r\n" + text + "\r\n";
  }
  static std::string Version() {
    return Reply(R"({"Version":"20.10","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
  }

 private:
  void Serve() {
    std::vector<int> silent;
    while (true) {
      pollfd fds[] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 || fds[1].revents != 0) break;
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      if (Answer(connection)) {
        shutdown(connection, SHUT_WR);
        close(connection);
      } else {
        silent.push_back(connection);
      }
    }
    for (const int connection : silent) close(connection);
  }

  bool Answer(int connection) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto size = read(connection, buffer, sizeof buffer);
      if (size <= 0) return true;
      head.append(buffer, static_cast<std::size_t>(size));
    }
    const std::string line = head.substr(0, head.find(" HTTP/"));
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(line);
      heads_.push_back(head.substr(0, head.find("\r\n\r\n") + 2));
    }
    const std::string reply = handler_(line);
    for (std::size_t sent = 0; sent < reply.size();) {
      const auto size = send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return true;
      sent += static_cast<std::size_t>(size);
    }
    return !reply.empty() && !reply.starts_with(OpenStream());
  }

  Handler handler_;
  char directory_[32] = "/tmp/lockstep-stub-XXXXXX";
  std::string path_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_STUB_ENGINE_H_
