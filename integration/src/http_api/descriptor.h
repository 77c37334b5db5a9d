// A file descriptor that somebody owns.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_DESCRIPTOR_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace lockstep {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_DESCRIPTOR_H_
