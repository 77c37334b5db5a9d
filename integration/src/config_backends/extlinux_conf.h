// The format of extlinux.conf, from which U-Boot takes what it boots. Text in, text out.
#ifndef LOCKSTEP_INTEGRATION_EXTLINUX_CONF_H_
#define LOCKSTEP_INTEGRATION_EXTLINUX_CONF_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config_backends/text_lines.h"
#include "lockstep/config_backend.h"
#include "lockstep/result.h"

namespace lockstep {

// An extlinux.conf that keeps to the byte what is not changed. Keys: "isolcpus", a word of the
// default label's APPEND; "fdt", its FDT.
//
// The default label is the one that DEFAULT, ONTIMEOUT or MENU DEFAULT name, all of them the same;
// without any of them, the only label there is. What boot loaders could see differently is not
// guessed at.
//
// An FDT line is a value only where Lockstep wrote it, which a comment above it says. Any other is
// the host OS's: no target that leaves the key out may take away the device tree that the board
// boots with. The comment has the line that was there before, and Erase() puts that back.
class ExtlinuxConf {
 public:
  // Errors: kInvalidInput (no text, or its default label is in doubt).
  static Result<ExtlinuxConf> Parse(std::string_view text);
  std::string ToText() const { return JoinLines(lines_); }

  ConfigValues Values() const;
  // All that is no value: no change of values changes it.
  std::string Rest() const;

  // Errors: kInvalidInput (ExtlinuxRefusal(); the label has no APPEND to which a word could be
  // added: a new one would take the place of the boot loader's own command line, and not even the
  // root file system would be found; it has several APPEND or FDT; the command line would get too
  // long, or be empty, which U-Boot cannot read).
  Result<void> Set(const std::string& key, std::string_view value);
  Result<void> Erase(const std::string& key);

  static std::string Canonical(const std::string&, const std::string& value) { return value; }

 private:
  // A line of the default label.
  struct Directive {
    std::size_t line;
    std::string before;  // "  APPEND "
    std::string value;
  };

  explicit ExtlinuxConf(std::string_view text) : lines_(SplitLines(text)) {}
  Result<void> Look();
  Result<void> Apply(const LineEdits& edits);
  // The line that was there before Lockstep's FDT, empty where there was none. None: there is no
  // FDT of Lockstep's.
  std::optional<std::string> LineBeforeFdt() const;
  Result<void> SetIsolcpus(std::string_view value);
  Result<void> SetFdt(std::string_view value);
  Result<void> SetAppend(std::string words);

  TextLines lines_;
  std::vector<Directive> kernels_;
  std::vector<Directive> appends_;
  std::vector<Directive> fdts_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EXTLINUX_CONF_H_
