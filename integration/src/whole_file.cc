#include "whole_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace lockstep {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error ReadError(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return MakeError(ErrorCode::kNotFound, "there is no such file", "check the name");
    case EACCES:
    case EPERM:
      return MakeError(ErrorCode::kPermissionDenied, "you may not read it",
                       "run as a user who may, or change its mode");
    case EISDIR:
      return MakeError(ErrorCode::kInvalidInput, "it is a directory", "name a file");
    default:
      return MakeError(ErrorCode::kUnavailable, std::strerror(errno_value));
  }
}

// Until there is something to read, or its end.
Result<void> Await(int fd, int stopped) {
  std::array<pollfd, 2> wait = {pollfd{fd, POLLIN, 0}, pollfd{stopped, POLLIN, 0}};
  while (poll(wait.data(), wait.size(), -1) < 0) {
    if (errno != EINTR) return ReadError(errno);
  }
  if (wait[1].revents == 0) return Ok();
  return MakeError(ErrorCode::kCancelled, "interrupted while waiting for it");
}

// `stopped` becomes readable when it is to wait no longer; negative: there is nothing to wait for.
Result<std::string> ReadAll(int fd, int stopped, std::size_t max_bytes) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    if (stopped >= 0) {
      LOCKSTEP_TRYV(Await(fd, stopped));
    }
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || (errno == EAGAIN && stopped >= 0))) continue;
    if (count < 0) return ReadError(errno);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > max_bytes) {
      return MakeError(ErrorCode::kInvalidInput,
                       "it is larger than " + std::to_string(max_bytes >> 20) + " MiB",
                       "check that it is the right file");
    }
  }
}

// Its mode is looked at before it is opened: opening a device can do something.
Result<std::string> ReadRegular(const std::string& path, std::size_t max_bytes) {
  const Error other = MakeError(ErrorCode::kInvalidInput, "it is no regular file", "name a file");
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return ReadError(errno);
  if (S_ISDIR(status.st_mode)) return ReadError(EISDIR);
  if (!S_ISREG(status.st_mode)) return other;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return ReadError(errno);
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return other;
  return ReadAll(file.get(), -1, max_bytes);
}

Result<std::string> ReadAny(const std::string& path, const std::stop_token& stop,
                            std::size_t max_bytes) {
  // Opening a pipe is no wait either.
  const Descriptor file(path == "-" ? STDIN_FILENO
                                    : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return ReadError(errno);
  const Descriptor stopped(eventfd(0, EFD_CLOEXEC));
  if (stopped.get() < 0) return ReadError(errno);
  const std::stop_callback on_stop(stop, [&] {
    const std::uint64_t one = 1;
    while (write(stopped.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
  });
  return ReadAll(file.get(), stopped.get(), max_bytes);
}

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path, const std::stop_token& stop,
                                  std::size_t max_bytes) {
  auto text = ReadAny(path, stop, max_bytes);
  if (text) return text;
  return WithContext(std::move(text).assume_error(),
                     "read " + (path == "-" ? std::string("standard input") : path));
}

Result<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes) {
  auto text = ReadRegular(path, max_bytes);
  if (text) return text;
  return WithContext(std::move(text).assume_error(), "read " + path);
}

}  // namespace lockstep
