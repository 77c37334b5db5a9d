#include "state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "private_file.h"

namespace lockstep {
namespace {

// What the holder wrote into the file, if it is a process id.
std::string HolderOf(int fd) {
  std::array<char, 16> text{};
  const ssize_t size = pread(fd, text.data(), text.size() - 1, 0);
  const std::string_view pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto digits = pid.substr(0, std::min(pid.find('\n'), pid.size()));
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return " (process " + std::string(digits) + ')';
}

void WritePid(int fd) {
  const std::string pid = std::to_string(getpid()) + '\n';
  // For people only: a full disk must not stand in the way.
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) return;
}

}  // namespace

Result<StateLock> StateLock::Take(const std::string& state_dir) {
  std::error_code error;
  const auto parent = std::filesystem::path(state_dir).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (mkdir(state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileError(errno, "make the state directory", state_dir);
  }
  const std::string path = state_dir + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return FileError(errno, "open", path);
  StateLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError(errno, "lock", path);
    return WithContext(
        MakeError(ErrorCode::kAnotherOrchestrator,
                  "another Lockstep" + HolderOf(fd) + " is at work with this state directory",
                  "wait for it to end, or stop it"),
        "lock " + path);
  }
  WritePid(fd);
  return lock;
}

StateLock::~StateLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace lockstep
