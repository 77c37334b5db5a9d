#include "helper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace lockstep {
namespace {

using Steady = std::chrono::steady_clock;

// An end that left its pipes to others shows only when one looks.
constexpr std::chrono::milliseconds kLookInterval{20};

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Close(); }
  int get() const { return fd_; }
  void Set(int fd) {
    Close();
    fd_ = fd;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read;
  Fd write;

  // Above the standard ones, so that making these of it in the child overwrites none of the others.
  bool Open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    const Fd first(ends[0]);
    const Fd second(ends[1]);
    read.Set(fcntl(ends[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    write.Set(fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    return read.get() >= 0 && write.get() >= 0;
  }
};

Error CannotStart(int errno_value) {
  const bool denied = errno_value == EACCES || errno_value == EPERM;
  return MakeError(denied ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable,
                   std::string("it cannot be started: ") + std::strerror(errno_value));
}

// A child that runs. It is reaped when this goes, killed first where it has not ended.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      (void)Reap();
    }
  }

  int Spawn(const std::vector<std::string>& arguments, int in, int out, int err) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    // What this process blocks or ignores is no business of another program.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int failed = posix_spawn(&pid_, argv[0], &files, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) pid_ = -1;
    return failed;
  }

  bool HasEnded() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
  }

  int Reap() {
    int status = 0;
    pid_t reaped = -1;
    while ((reaped = waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    // Where this process was started with SIGCHLD ignored, nobody tells.
    if (reaped < 0) return 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
};

// Takes what there is. False where there is more than `limit`.
bool Drain(Fd& fd, std::string& text, std::size_t limit) {
  std::array<char, 4096> buffer;
  while (fd.get() >= 0) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) {
      fd.Close();
      return true;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) return false;
  }
  return true;
}

Result<void> Collect(const Child& child, Fd& out, Fd& err, ProcessEnd& end,
                     const ProcessLimits& limits, const std::stop_token& stop) {
  const Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(stop, [&wake] { eventfd_write(wake.get(), 1); });
  const auto deadline = Steady::now() + limits.time;
  while (true) {
    // In this order: what it wrote before it ended is not missed.
    const bool ended = child.HasEnded();
    if (!Drain(out, end.output, limits.output_bytes) ||
        !Drain(err, end.complaint, limits.output_bytes)) {
      return MakeError(ErrorCode::kBadReply,
                       "it prints more than " + std::to_string(limits.output_bytes >> 10) + " KiB");
    }
    if (ended) return Ok();
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    if (left.count() <= 0) {
      return MakeError(
          ErrorCode::kDeadlineExceeded,
          "it did not end within " +
              std::to_string(std::chrono::ceil<std::chrono::seconds>(limits.time).count()) + " s");
    }
    std::array<pollfd, 3> fds = {
        {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(std::min(left, kLookInterval).count()));
  }
}

}  // namespace

Result<std::string> FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view places = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!places.empty()) {
    const std::size_t end = std::min(places.find(':'), places.size());
    const std::string file = std::string(places.substr(0, end)) + '/' + name;
    places.remove_prefix(std::min(end + 1, places.size()));
    struct stat status {};
    // One that is not absolute means another file wherever one stands.
    if (file.starts_with('/') && stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return MakeError(ErrorCode::kNotFound, "there is no " + name + " in PATH", "install it");
}

Result<ProcessEnd> RunProgram(const std::vector<std::string>& arguments, const std::string& input,
                              const ProcessLimits& limits, std::stop_token stop) {
  // Then a pipe takes it whole at once, and nobody need wait until it is read, if it ever is.
  if (input.size() > PIPE_BUF) {
    return MakeError(ErrorCode::kInvalidInput, "what it is to be asked is too long");
  }
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
  Pipe in;
  Pipe out;
  Pipe err;
  if (!in.Open() || !out.Open() || !err.Open()) return CannotStart(errno);
  if (write(in.write.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    return CannotStart(errno);
  }
  in.write.Close();
  Child child;
  const int failed = child.Spawn(arguments, in.read.get(), out.write.get(), err.write.get());
  if (failed != 0) return CannotStart(failed);
  out.write.Close();
  err.write.Close();
  for (const Fd* fd : {&out.read, &err.read}) fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  ProcessEnd end;
  LOCKSTEP_TRYV(Collect(child, out.read, err.read, end, limits, stop));
  end.status = child.Reap();
  return end;
}

}  // namespace lockstep
