// Process: a program that runs, and is not mistaken for another one that has its number later.
#ifndef CUSTOM_AGENT_PROCESS_H_
#define CUSTOM_AGENT_PROCESS_H_

#include <lockstep/result.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace custom {

// Linux 5.4 or newer (pidfd). The agent must leave SIGCHLD alone: ignored, exit codes are lost.
class Process {
 public:
  struct Program {
    std::string file;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  // All of it.
    std::string directory;  // Where it starts; what it prints goes to "output" in there.
  };

  // In a session of its own, with signals as they are by default and no descriptor of the agent's.
  // Error besides: kInvalidInput (nothing that can be run).
  static lockstep::Result<Process> Start(const Program& program);
  // One that an agent before this one has started. Error besides: kNotFound.
  static lockstep::Result<Process> Find(const std::string& identity);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // It runs on.

  int fd() const { return fd_; }  // Can be read from once it has ended.
  const std::string& identity() const { return identity_; }
  void Signal(int signal) const;  // Does nothing where it has ended.
  bool HasEnded() const;
  // Of one that has ended, once. What it has started itself and left behind is killed. 255 where
  // the code is not known, since another agent was its parent.
  int ExitCode();

 private:
  Process(int fd, pid_t pid, bool is_child, std::string identity);

  int fd_ = -1;
  pid_t pid_ = -1;
  bool is_child_ = false;
  std::string identity_;  // Boot, number and start: together they are never given again.
};

}  // namespace custom

#endif  // CUSTOM_AGENT_PROCESS_H_
