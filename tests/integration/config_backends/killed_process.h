// Runs something in a process of its own and kills it right after one of its system calls, or makes
// one of them fail.
#ifndef LOCKSTEP_TESTS_KILLED_PROCESS_H_
#define LOCKSTEP_TESTS_KILLED_PROCESS_H_

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>

namespace lockstep::test {

enum class Ended { kKilled, kDone, kFailed, kNotAllowed };

// Kills it when `calls` system calls of those in `counted` have returned; it is done where it makes
// fewer. kFailed: `run` says false. kNotAllowed: nobody may trace here.
inline Ended RunAndKill(const std::set<long>& counted, int calls,
                        const std::function<bool()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    ::_exit(run() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return Ended::kNotAllowed;
  if (!WIFSTOPPED(status)) return Ended::kNotAllowed;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  bool is_counted = false;  // The call that it is in.
  for (int done = 0; done < calls;) {
    if (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) return Ended::kNotAllowed;
    if (::waitpid(child, &status, 0) != child) return Ended::kNotAllowed;
    if (WIFEXITED(status)) {
      const int code = WEXITSTATUS(status);
      return code == 0 ? Ended::kDone : code == 1 ? Ended::kFailed : Ended::kNotAllowed;
    }
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info = {};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) break;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      is_counted = counted.count(static_cast<long>(info.entry.nr)) > 0;
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && is_counted) {
      ++done;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return Ended::kKilled;
}

// Runs it where every pwrite() to that place of a file fails (EIO). kDone: `run` says true.
inline Ended RunWithFailingWrite(std::uint32_t place, const std::function<bool()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::array<sock_filter, 6> filter = {{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[3])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, place, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog program = {.len = filter.size(), .filter = filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(2);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(2);
    ::_exit(run() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    return Ended::kNotAllowed;
  }
  const int code = WEXITSTATUS(status);
  return code == 0 ? Ended::kDone : code == 1 ? Ended::kFailed : Ended::kNotAllowed;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_KILLED_PROCESS_H_
