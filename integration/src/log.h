// Logging of the command, by spdlog.
#ifndef LOCKSTEP_INTEGRATION_LOG_H_
#define LOCKSTEP_INTEGRATION_LOG_H_

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Name ("app", "step") and value.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

// A line with fields: members of its own in JSON, LOCKSTEP_APP and so on in the journal, and left
// out of text, whose message says them.
void Log(LogLevel level, const std::string& message, const LogFields& fields = {});

// While it lives, what is logged goes to `out`; afterwards to where it went before.
class LogScope {
 public:
  // `level`: debug, info, warning, error, off; `format`: text, json (one object a line), or journal
  // (systemd's, not `out`).
  LogScope(std::ostream& out, const std::string& level, const std::string& format);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  struct Before;
  std::unique_ptr<const Before> before_;
};

// True where what this process writes to standard error goes to the journal anyway.
bool IsLoggedToJournal();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_LOG_H_
