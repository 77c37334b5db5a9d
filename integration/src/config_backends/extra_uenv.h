// The format of extra_uEnv.txt: variables that U-Boot takes over before it boots the host OS. Text
// in, text out.
#ifndef LOCKSTEP_INTEGRATION_EXTRA_UENV_H_
#define LOCKSTEP_INTEGRATION_EXTRA_UENV_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config_backends/text_lines.h"
#include "lockstep/config_backend.h"
#include "lockstep/result.h"

namespace lockstep {

// An extra_uEnv.txt that keeps to the byte what is not changed. Keys: "isolcpus", a word of
// `extra_os_cmdline`; "fdt", the value of `custom_fdt_file`. Of a variable that is set twice the
// last line is in force, as for U-Boot.
class ExtraUEnv {
 public:
  // Errors: kInvalidInput (no text).
  static Result<ExtraUEnv> Parse(std::string_view text);
  std::string ToText() const { return JoinLines(lines_); }

  ConfigValues Values() const;
  // All that is no value: no change of values changes it.
  std::string Rest() const;

  // Errors: kInvalidInput (ExtlinuxRefusal(); the command line would get too long; the line goes on
  // behind a backslash, so that what it says is not in one place).
  Result<void> Set(const std::string& key, std::string_view value);
  Result<void> Erase(const std::string& key);

  static std::string Canonical(const std::string&, const std::string& value) { return value; }

 private:
  struct Variable {
    std::size_t line;
    std::string before;  // "  custom_fdt_file="
    std::string value;
    bool goes_on;  // The next line is part of the value.
  };

  explicit ExtraUEnv(std::string_view text) : lines_(SplitLines(text)) { Look(); }
  void Look();

  TextLines lines_;
  std::vector<Variable> fdts_;
  std::vector<Variable> command_lines_;
  bool goes_on_at_end_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXTRA_UENV_H_
