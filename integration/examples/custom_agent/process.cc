#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // That of glibc 2.36 does not say so itself.
#include <sys/pidfd.h>
}

#include <fstream>
#include <sstream>
#include <utility>

#include "refused.h"

namespace custom {
namespace {

using lockstep::ErrorCode;
using lockstep::MakeError;
using lockstep::Result;

// Empty where there is no such process.
std::string IdentityOf(pid_t pid) {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id") >> std::ws, boot);
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  if (!std::getline(file, stat)) return {};
  // proc(5): the second field is a name in brackets, which may have blanks and brackets itself; the
  // 22nd is when it started.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string start;
  for (int field = 3; field <= 22; ++field) fields >> start;
  return boot + " " + std::to_string(pid) + " " + start;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn and not fork: between fork and exec a program with threads may do next to nothing.
int Spawn(const Process::Program& program, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addchdir_np(&files, program.directory.c_str());
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "output", O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // The agent blocks or ignores signals that its services are to be stopped with.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = {program.file};
  words.insert(words.end(), program.arguments.begin(), program.arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : program.environment) variables.push_back(name + "=" + value);
  const int error = posix_spawn(&pid, program.file.c_str(), &files, &attributes,
                                Pointers(words).data(), Pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

Result<Process> Process::Start(const Program& program) {
  pid_t pid = -1;
  const int error = Spawn(program, pid);
  if (error == ENOEXEC || error == ENOENT || error == EACCES) {
    return MakeError(ErrorCode::kInvalidInput, program.file + " is nothing that can be run",
                     "check its first line, and that what it names is here");
  }
  if (error != 0) return Refused("start " + program.file, error);
  const int fd = pidfd_open(pid, 0);
  if (fd < 0) {
    const int reason = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return Refused("watch " + program.file, reason);
  }
  return Process(fd, pid, true, IdentityOf(pid));
}

Result<Process> Process::Find(const std::string& identity) {
  std::istringstream words(identity);
  std::string boot;
  pid_t pid = -1;
  const auto gone = MakeError(ErrorCode::kNotFound, "the process has ended");
  if (!(words >> boot >> pid) || pid <= 0) return gone;
  const int fd = pidfd_open(pid, 0);
  if (fd < 0) return gone;
  Process found(fd, pid, false, identity);  // Looked at after it was opened: it cannot change now.
  if (IdentityOf(pid) != identity) return gone;
  return found;
}

Process::Process(int fd, pid_t pid, bool is_child, std::string identity)
    : fd_(fd), pid_(pid), is_child_(is_child), identity_(std::move(identity)) {}

Process::Process(Process&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      pid_(other.pid_),
      is_child_(other.is_child_),
      identity_(std::move(other.identity_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(fd_, other.fd_);
  pid_ = other.pid_;
  is_child_ = other.is_child_;
  identity_ = std::move(other.identity_);
  return *this;
}

Process::~Process() {
  if (fd_ >= 0) close(fd_);
}

// To all of its session, as a shell may have children that know nothing of its end.
void Process::Signal(int signal) const {
  if (!HasEnded()) kill(-pid_, signal);
}

bool Process::HasEnded() const {
  pollfd wait{fd_, POLLIN, 0};
  return poll(&wait, 1, 0) > 0;
}

int Process::ExitCode() {
  constexpr int kUnknown = 255;
  if (!is_child_) return kUnknown;
  kill(-pid_, SIGKILL);  // Until it is waited for, nobody else can have its number.
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(fd_), &info, WEXITED | WNOHANG) != 0) return kUnknown;
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace custom
