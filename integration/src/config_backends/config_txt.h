// The format of config.txt, with which a Raspberry Pi boots. Text in, text out.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_TXT_H_
#define LOCKSTEP_INTEGRATION_CONFIG_TXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/config_txt_lines.h"
#include "config_backends/text_lines.h"
#include "lockstep/config_backend.h"
#include "lockstep/result.h"

namespace lockstep {

// A config.txt that keeps to the byte what is not changed: comments, filters and what is under
// them, line ends, lines nobody knows. Keys are the file's ("gpu_mem").
//
// - Only lines that hold for every board count, so those before any filter and under `[all]`. A
//   line under another filter is never a value and never touched, even where it wins on its board.
// - The last line of a key is in force; that one is changed. All of them go with the key.
// - dtparam, dtoverlay, device_tree_param, device_tree_overlay and gpio are lists (config_list.h),
//   one entry a line; of dtparam and dtoverlay see config_txt_device_tree.h.
// - What a file named by an `include` says is not read, and may win where the `include` is below.
// - A blank at the end of a line is no part of the value; one behind `=` is.
class ConfigTxt {
 public:
  // Errors: kInvalidInput (no text).
  static Result<ConfigTxt> Parse(std::string_view text);
  std::string ToText() const;

  ConfigValues Values() const;
  // All that is no value: no change of values changes it, except for blank space and `[all]`s.
  std::string Rest() const;

  // A new key goes to the end, a new entry of a list behind the one before it. Errors:
  // kInvalidInput (ConfigTxtRefusal()).
  Result<void> Set(const std::string& key, std::string_view value);
  Result<void> Erase(const std::string& key);

  // `value` in the words of Values(): of a list CanonicalConfigTxtList(), else as it is.
  static std::string Canonical(const std::string& key, const std::string& value);

 private:
  explicit ConfigTxt(std::string_view text);
  std::vector<std::string> List(std::string_view key) const;
  void SetList(std::string_view key, const std::vector<std::string>& list);
  void Apply(const LineEdits& edits);

  std::string mark_;  // The byte order mark that an editor may have put in front.
  TextLines lines_;
  std::vector<ConfigTxtLine> read_;
};

// The keys that are lists.
const std::vector<std::string>& ConfigTxtLists();
// Why `value` cannot be written ("is longer than ..."); empty where it can.
std::string ConfigTxtRefusal(std::string_view key, std::string_view value);
// `value` of a list as Values() has it; as it is where it is no list at all. Parameters joined by
// commas are as many entries of dtparam.
std::string CanonicalConfigTxtList(std::string_view key, std::string_view value);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_TXT_H_
