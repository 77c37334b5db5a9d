// Logging of the command, by spdlog.
#ifndef LOCKSTEP_INTEGRATION_LOG_H_
#define LOCKSTEP_INTEGRATION_LOG_H_

#include <ostream>
#include <string>

namespace lockstep {

// While it lives, what is logged goes to `out`; silence after.
class LogScope {
 public:
  // `level`: debug, info, warning, error, off; `format`: text, or json (one object a line).
  LogScope(std::ostream& out, const std::string& level, const std::string& format);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_LOG_H_
