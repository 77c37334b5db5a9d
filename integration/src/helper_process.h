// Another program, run for what it prints.
#ifndef LOCKSTEP_INTEGRATION_HELPER_PROCESS_H_
#define LOCKSTEP_INTEGRATION_HELPER_PROCESS_H_

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "lockstep/result.h"

namespace lockstep {

struct ProcessLimits {
  std::chrono::milliseconds time = std::chrono::seconds(30);
  std::size_t output_bytes = std::size_t{64} << 10;  // Of its output, and of what it complains.
};

struct ProcessEnd {
  int status = 0;  // Its exit status; 128 and the signal that ended it.
  std::string output;
  std::string complaint;  // What it wrote to standard error.
};

// The first file of that name in the absolute directories of PATH that may be run. kNotFound.
Result<std::string> FindProgram(const std::string& name);

// Runs `arguments[0]`, a path, with `input` (4096 bytes at most) as its standard input; no shell is
// in between, and it gets no other file of this process. It runs in a process group of its own,
// which is killed whole where it is stopped, takes too long or prints too much. Nothing of it is
// left when this returns, but for what it started itself and left running.
// Errors: kCancelled, kDeadlineExceeded, kBadReply (too much), kUnavailable (cannot be started),
// kPermissionDenied (may not be run), kInvalidInput (too long an input). None holds what it
// printed.
Result<ProcessEnd> RunProgram(const std::vector<std::string>& arguments, const std::string& input,
                              const ProcessLimits& limits, std::stop_token stop);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HELPER_PROCESS_H_
