// The command that applies what was planned, so that nobody has to put it together.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "command.h"
#include "text.h"

namespace lockstep {
namespace {

// What is about one run of a command, not about what it would do.
constexpr std::array<std::string_view, 4> kLeftOut = {"--help", "--json", "--dry-run",
                                                      "--if-fingerprint"};

// A word as a shell reads it; empty where it cannot be shown on a terminal as it is.
std::string Quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  if (Printable(word) != word) return {};
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// " --engine memory:", " --force"; none where a value cannot be written.
std::optional<std::string> Written(const CLI::Option& option) {
  const std::string name = option.get_positional() ? "" : ' ' + option.get_name();
  if (option.get_items_expected_max() == 0) return name;  // A flag.
  std::string text;
  for (const std::string& value : option.results()) {
    const std::string word = Quoted(value);
    if (word.empty()) return std::nullopt;
    text += name + ' ' + word;
  }
  return text;
}

}  // namespace

std::string ApplyCommandFor(const CLI::App& command) {
  std::string text = "lockstep apply";
  const CLI::App* root = command.get_parent();
  const CLI::App* apply = root->get_subcommand("apply");
  const auto add = [&](const CLI::App& from, const CLI::Option& wanted) {
    const CLI::Option* given = from.get_option_no_throw(wanted.get_name());
    const bool left_out =
        std::find(kLeftOut.begin(), kLeftOut.end(), wanted.get_name()) != kLeftOut.end();
    if (given == nullptr || given->count() == 0 || left_out) return true;
    const auto written = Written(*given);
    text += written.value_or("");
    return written.has_value();
  };
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : apply->get_options()) {
      if (option->get_positional() == positional && !add(command, *option)) return {};
    }
  }
  for (const CLI::Option* option : root->get_options()) {
    if (!add(*root, *option)) return {};
  }
  return text;
}

}  // namespace lockstep
