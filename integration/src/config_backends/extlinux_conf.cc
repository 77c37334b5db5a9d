#include "config_backends/extlinux_conf.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config_backends/extlinux_options.h"
#include "config_backends/kernel_words.h"

namespace lockstep {
namespace {

constexpr std::string_view kAdded = "# Lockstep added the line below.";
constexpr std::string_view kReplaced = "# Lockstep set the line below, which was:";

struct Parts {
  std::string keyword;  // In small letters, as boot loaders read it in any.
  std::size_t value_begin;
  std::size_t value_end;
};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Parts Split(const std::string& line) {
  const std::string_view text = TrimEnd(line);
  std::size_t at = text.size() - TrimStart(text).size();
  const std::size_t begin = at;
  while (at < text.size() && !IsLineBlank(text[at])) ++at;
  std::string keyword = Lower(text.substr(begin, at - begin));
  if (keyword.starts_with('#')) keyword.clear();
  while (at < text.size() && IsLineBlank(text[at])) ++at;
  return {std::move(keyword), at, text.size()};
}

Error InDoubt(std::string message) {
  return MakeError(ErrorCode::kInvalidInput, std::move(message),
                   "name one label of the file in a line DEFAULT");
}

// The line of the default label.
Result<std::size_t> FindDefaultLabel(const TextLines& lines) {
  std::set<std::string> names;  // Of what is to boot.
  std::vector<std::pair<std::string, std::size_t>> labels;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Parts parts = Split(lines[i].text);
    std::string value =
        lines[i].text.substr(parts.value_begin, parts.value_end - parts.value_begin);
    if (parts.keyword == "label") {
      labels.emplace_back(std::move(value), i);
    } else if (parts.keyword == "default" || parts.keyword == "ontimeout") {
      names.insert(std::move(value));
    } else if (parts.keyword == "menu" && Lower(value) == "default" && !labels.empty()) {
      names.insert(labels.back().first);
    }
  }
  if (names.size() > 1) return InDoubt("it names more than one default label");
  if (names.empty()) {
    if (labels.size() == 1) return labels[0].second;
    return InDoubt(labels.empty() ? "it has no label" : "it names none of its labels the default");
  }
  const auto is_default = [&](const auto& label) { return label.first == *names.begin(); };
  const auto first = std::find_if(labels.begin(), labels.end(), is_default);
  if (first == labels.end()) return InDoubt("its default label is not in it");
  if (std::find_if(first + 1, labels.end(), is_default) != labels.end()) {
    return InDoubt("it has its default label more than once");
  }
  return first->second;
}

Error SeveralLines(std::string_view keyword) {
  return MakeError(ErrorCode::kInvalidInput,
                   "the default label has several lines " + std::string(keyword),
                   "leave one of them");
}

}  // namespace

Result<ExtlinuxConf> ExtlinuxConf::Parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput, "it is no text",
                     "put an extlinux.conf in its place");
  }
  ExtlinuxConf parsed(text);
  LOCKSTEP_TRYV(parsed.Look());
  return parsed;
}

Result<void> ExtlinuxConf::Look() {
  kernels_.clear();
  appends_.clear();
  fdts_.clear();
  LOCKSTEP_TRY(const std::size_t label, FindDefaultLabel(lines_));
  for (std::size_t i = label + 1; i < lines_.size(); ++i) {
    const std::string& text = lines_[i].text;
    const Parts parts = Split(text);
    if (parts.keyword == "label") break;
    Directive directive = {i, text.substr(0, parts.value_begin),
                           text.substr(parts.value_begin, parts.value_end - parts.value_begin)};
    if (parts.keyword == "append") appends_.push_back(std::move(directive));
    if (parts.keyword == "fdt" || parts.keyword == "devicetree") {
      fdts_.push_back(std::move(directive));
    }
    if (parts.keyword == "kernel" || parts.keyword == "linux") {
      kernels_.push_back(std::move(directive));
    }
  }
  return Ok();
}

Result<void> ExtlinuxConf::Apply(const LineEdits& edits) {
  lines_ = edits.ApplyTo(lines_);
  return Look();
}

std::optional<std::string> ExtlinuxConf::LineBeforeFdt() const {
  if (fdts_.size() != 1) return std::nullopt;
  // There is a line above, that of the label at least.
  const std::string_view above = TrimStart(lines_[fdts_[0].line - 1].text);
  if (TrimEnd(above) == kAdded) return "";
  if (!above.starts_with(kReplaced)) return std::nullopt;
  return std::string(above.substr(kReplaced.size()));
}

ConfigValues ExtlinuxConf::Values() const {
  ConfigValues values;
  if (LineBeforeFdt()) values[std::string(kFdt)] = fdts_[0].value;
  if (!appends_.empty()) {
    auto word = FindKernelWord(appends_.back().value, kIsolcpus);
    if (word) values[std::string(kIsolcpus)] = *std::move(word);
  }
  return values;
}

std::string ExtlinuxConf::Rest() const {
  const auto line_before_fdt = LineBeforeFdt();
  std::string rest;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (line_before_fdt && i + 1 == fdts_[0].line) continue;
    if (line_before_fdt && i == fdts_[0].line) {
      if (!line_before_fdt->empty()) rest += *line_before_fdt + '\n';
    } else if (!appends_.empty() && i == appends_.back().line) {
      rest += appends_.back().before + WithoutKernelWord(appends_.back().value, kIsolcpus) + '\n';
    } else {
      rest += lines_[i].text + '\n';
    }
  }
  return rest;
}

Result<void> ExtlinuxConf::Set(const std::string& key, std::string_view value) {
  if (const std::string why = ExtlinuxRefusal(key, value); !why.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + why);
  }
  const auto values = Values();
  if (const auto now = values.find(key); now != values.end() && now->second == value) return Ok();
  return key == kFdt ? SetFdt(value) : SetIsolcpus(value);
}

Result<void> ExtlinuxConf::SetAppend(std::string words) {
  const Directive& append = appends_.back();
  LineEdits edits;
  const std::string& old = lines_[append.line].text;
  const std::string blanks_behind = old.substr(append.before.size() + append.value.size());
  edits.Replace(append.line, append.before + std::move(words) + blanks_behind);
  return Apply(edits);
}

Result<void> ExtlinuxConf::SetIsolcpus(std::string_view value) {
  if (appends_.size() > 1) return SeveralLines("APPEND");
  if (appends_.empty() || appends_[0].value.empty() || appends_[0].value == "-") {
    return MakeError(ErrorCode::kInvalidInput, "the default label has no kernel command line",
                     "give it a line APPEND with all that the kernel needs");
  }
  std::string words = WithKernelWord(appends_[0].value, kIsolcpus, value);
  if (words.size() > kLongestCommandLine) {
    return MakeError(ErrorCode::kInvalidInput, "the kernel command line would get too long",
                     "take other words out of APPEND");
  }
  return SetAppend(std::move(words));
}

Result<void> ExtlinuxConf::SetFdt(std::string_view value) {
  if (fdts_.size() > 1) return SeveralLines("FDT");
  LineEdits edits;
  if (!fdts_.empty()) {
    const Directive& fdt = fdts_[0];
    const std::string& text = lines_[fdt.line].text;
    const std::string indent = text.substr(0, text.size() - TrimStart(text).size());
    if (!LineBeforeFdt()) edits.Insert(fdt.line, indent + std::string(kReplaced) + text);
    // A keyword alone, as someone may have left it, has no blank behind it.
    const bool has_blank = IsLineBlank(fdt.before.back());
    edits.Replace(fdt.line, fdt.before + (has_blank ? "" : " ") + std::string(value));
    return Apply(edits);
  }
  if (kernels_.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the default label has no kernel",
                     "give it a line LINUX");
  }
  const Directive& kernel = kernels_.back();
  const std::string_view keyword = TrimStart(kernel.before);
  const std::string indent = kernel.before.substr(0, kernel.before.size() - keyword.size());
  const bool is_small = keyword == Lower(keyword);
  edits.Insert(kernel.line + 1, indent + std::string(kAdded));
  edits.Insert(kernel.line + 1, indent + (is_small ? "fdt " : "FDT ") + std::string(value));
  return Apply(edits);
}

Result<void> ExtlinuxConf::Erase(const std::string& key) {
  if (!Values().contains(key)) return Ok();
  if (key == kFdt) {
    const std::optional<std::string> before = LineBeforeFdt();
    const std::size_t line = fdts_[0].line;
    LineEdits edits;
    edits.Remove(line - 1);
    if (before->empty()) {
      edits.Remove(line);
    } else {
      edits.Replace(line, *before);
    }
    return Apply(edits);
  }
  if (appends_.size() > 1) return SeveralLines("APPEND");
  std::string words = WithoutKernelWord(appends_[0].value, kIsolcpus);
  if (TrimEnd(words).empty()) {
    return MakeError(ErrorCode::kInvalidInput, "no word of the kernel command line would be left",
                     "give APPEND what the kernel needs");
  }
  return SetAppend(std::move(words));
}

}  // namespace lockstep
