#include "config_backends/extra_uenv.h"

#include <utility>

#include "config_backends/extlinux_options.h"
#include "config_backends/kernel_words.h"

namespace lockstep {
namespace {

constexpr std::string_view kFdtVariable = "custom_fdt_file";
constexpr std::string_view kCommandLineVariable = "extra_os_cmdline";

// U-Boot takes a backslash as escape, also of the end of a line.
bool GoesOn(const TextLine& line) {
  std::size_t count = 0;
  while (count < line.text.size() && line.text[line.text.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

Error GoesOnError(std::string_view name) {
  return MakeError(ErrorCode::kInvalidInput,
                   std::string(name) + " goes on in the next line, behind a backslash",
                   "write it on one line");
}

}  // namespace

Result<ExtraUEnv> ExtraUEnv::Parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput, "it is no text",
                     "put an extra_uEnv.txt, or an empty file, in its place");
  }
  return ExtraUEnv(text);
}

void ExtraUEnv::Look() {
  fdts_.clear();
  command_lines_.clear();
  goes_on_at_end_ = false;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const std::string& text = lines_[i].text;
    const bool is_more = goes_on_at_end_;
    const std::string_view name_on = TrimStart(text);
    const std::size_t equals = name_on.find('=');
    if (!is_more && (name_on.starts_with('#') || equals == std::string_view::npos)) continue;
    goes_on_at_end_ = GoesOn(lines_[i]);
    if (is_more) continue;
    const std::string_view name = name_on.substr(0, equals);
    const std::size_t value_at = text.size() - name_on.size() + equals + 1;
    Variable variable = {i, text.substr(0, value_at), text.substr(value_at), goes_on_at_end_};
    if (name == kFdtVariable) fdts_.push_back(std::move(variable));
    if (name == kCommandLineVariable) command_lines_.push_back(std::move(variable));
  }
}

ConfigValues ExtraUEnv::Values() const {
  ConfigValues values;
  if (!fdts_.empty()) values[std::string(kFdt)] = TrimEnd(fdts_.back().value);
  if (!command_lines_.empty()) {
    auto word = FindKernelWord(command_lines_.back().value, kIsolcpus);
    if (word) values[std::string(kIsolcpus)] = *std::move(word);
  }
  return values;
}

std::string ExtraUEnv::Rest() const {
  std::string rest;
  auto fdt = fdts_.begin();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (fdt != fdts_.end() && fdt->line == i) {
      ++fdt;
    } else if (!command_lines_.empty() && command_lines_.back().line == i) {
      const std::string words = WithoutKernelWord(command_lines_.back().value, kIsolcpus);
      if (!TrimEnd(words).empty()) rest += command_lines_.back().before + words + '\n';
    } else {
      rest += lines_[i].text + '\n';
    }
  }
  return rest;
}

Result<void> ExtraUEnv::Set(const std::string& key, std::string_view value) {
  if (const std::string why = ExtlinuxRefusal(key, value); !why.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + why);
  }
  const bool is_fdt = key == kFdt;
  const std::string_view name = is_fdt ? kFdtVariable : kCommandLineVariable;
  const std::vector<Variable>& variables = is_fdt ? fdts_ : command_lines_;
  if (variables.empty() ? goes_on_at_end_ : variables.back().goes_on) {
    return GoesOnError(variables.empty() ? "the last line" : name);
  }
  const auto values = Values();
  if (const auto now = values.find(key); now != values.end() && now->second == value) return Ok();
  const std::string before = variables.empty() ? std::string(name) + '=' : variables.back().before;
  std::string text(value);
  if (!is_fdt) {
    text = WithKernelWord(variables.empty() ? "" : variables.back().value, kIsolcpus, value);
    if (text.size() > kLongestCommandLine) {
      return MakeError(ErrorCode::kInvalidInput, "the kernel command line would get too long",
                       "take other words out of " + std::string(name));
    }
  }
  LineEdits edits;
  if (variables.empty()) {
    edits.Insert(lines_.size(), before + text);
  } else {
    edits.Replace(variables.back().line, before + text);
  }
  lines_ = edits.ApplyTo(lines_);
  Look();
  return Ok();
}

Result<void> ExtraUEnv::Erase(const std::string& key) {
  if (!Values().contains(key)) return Ok();
  LineEdits edits;
  if (key == kFdt) {
    for (const Variable& variable : fdts_) {
      if (variable.goes_on) return GoesOnError(kFdtVariable);
      edits.Remove(variable.line);
    }
  } else {
    const Variable& variable = command_lines_.back();
    if (variable.goes_on) return GoesOnError(kCommandLineVariable);
    const std::string words = WithoutKernelWord(variable.value, kIsolcpus);
    if (TrimEnd(words).empty() && command_lines_.size() == 1) {
      edits.Remove(variable.line);
    } else {
      // Not even an empty one goes: a line above would come in force.
      edits.Replace(variable.line, variable.before + words);
    }
  }
  lines_ = edits.ApplyTo(lines_);
  Look();
  return Ok();
}

}  // namespace lockstep
