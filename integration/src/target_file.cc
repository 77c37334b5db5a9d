#include "target_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
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

Result<std::string> ReadAll(int fd, std::size_t max_bytes) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
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

// JSON opens with a bracket; a compose file has a top-level key at the start of some line.
bool LooksLikeCompose(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] == '{' || text[first] == '[') return false;
  constexpr std::string_view kKeys[] = {"services:", "version:", "name:", "include:"};
  for (std::size_t line = 0; line < text.size();) {
    const std::string_view rest = text.substr(line);
    if (std::any_of(std::begin(kKeys), std::end(kKeys),
                    [&](std::string_view key) { return rest.starts_with(key); })) {
      return true;
    }
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    line += end + 1;
  }
  return false;
}

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes) {
  const bool standard_input = path == "-";
  const Descriptor file(standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto text =
      file.get() < 0 ? Result<std::string>(ReadError(errno)) : ReadAll(file.get(), max_bytes);
  if (text) return text;
  return WithContext(std::move(text).assume_error(),
                     "read " + (standard_input ? std::string("standard input") : path));
}

Result<LoadedTarget> ReadTargetFile(const std::string& path, const ReadTargetOptions& options) {
  LoadedTarget loaded;
  LOCKSTEP_TRY(loaded.text, ReadWholeFile(path));
  const std::string what = "read the target " + (path == "-" ? "from standard input" : path);
  if (LooksLikeCompose(loaded.text)) {
    return WithContext(MakeError(ErrorCode::kInvalidTarget, "compose files are not supported yet",
                                 "give a balena state (version 3) as JSON"),
                       what);
  }
  auto target = ReadBalenaTarget(loaded.text, options);
  if (!target) return WithContext(std::move(target).assume_error(), what);
  loaded.target = std::move(target).assume_value();
  return loaded;
}

}  // namespace lockstep
