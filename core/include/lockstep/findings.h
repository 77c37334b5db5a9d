// Findings: what is to be found out about a container that does not do what it should.
#ifndef LOCKSTEP_FINDINGS_H_
#define LOCKSTEP_FINDINGS_H_

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// Every text is fit to be shown: see OutputTail.
struct Findings {
  std::optional<int> exit_code;         // Of the run that ended last; none: it runs, or never ran.
  bool out_of_memory = false;           // It, or a process in it, was killed for want of memory.
  int restarts = 0;                     // How often its engine started it again, by its policy.
  std::string engine_error;             // Why the engine could not run it, in the engine's words.
  std::string health_output;            // What its health check said last, where that fails.
  std::vector<std::string> last_lines;  // Of what it printed, the last one last.
  std::string lines_missing;            // Why `last_lines` could not be read; empty: they were.

  bool empty() const { return *this == Findings(); }
  friend bool operator==(const Findings&, const Findings&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_FINDINGS_H_
