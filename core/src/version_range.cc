#include "version_range.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

constexpr std::size_t kLongest = 256;    // Of a version or a range: nobody writes more.
constexpr std::size_t kMostDigits = 15;  // So that numbers fit, and can be counted up.

struct Version {
  std::array<std::uint64_t, 3> numbers{};
  std::vector<std::string_view> pre_release;  // Into the text it was read from.
};

// A version whose last numbers may be missing or wild: "6", "6.1.x", "*".
struct Partial {
  Version version;
  std::size_t given = 0;  // Numbers that are given, from the left.
};

enum class Strict { kYes, kNo };  // No: zeros may lead.

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::optional<std::uint64_t> NumberOf(std::string_view text, Strict strict) {
  if (!AllDigits(text) || text.size() > kMostDigits) return std::nullopt;
  if (strict == Strict::kYes && text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

std::string_view CutAt(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

bool ReadPreRelease(std::string_view text, std::vector<std::string_view>& parts) {
  const auto allowed = [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || !std::all_of(part.begin(), part.end(), allowed)) return false;
    if (AllDigits(part) && !NumberOf(part, Strict::kYes)) return false;
    parts.push_back(part);
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// "v1.2.3-beta.1+build", "1.2.x", "1", "*".
std::optional<Partial> ReadPartial(std::string_view text, Strict strict) {
  Partial partial;
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  text = text.substr(0, text.find('+'));
  const std::size_t dash = text.find('-');
  std::string_view numbers = text.substr(0, dash);
  bool wild = false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0 && numbers.empty()) break;
    if (numbers.ends_with('.')) return std::nullopt;
    const std::string_view part = CutAt(numbers, '.');
    if (part == "x" || part == "X" || part == "*") {
      wild = true;
      continue;
    }
    const auto number = NumberOf(part, strict);
    if (!number || wild) return std::nullopt;
    partial.version.numbers[i] = *number;
    partial.given = i + 1;
  }
  if (!numbers.empty()) return std::nullopt;
  if (dash == std::string_view::npos) return partial;
  if (partial.given < 3) return std::nullopt;
  if (!ReadPreRelease(text.substr(dash + 1), partial.version.pre_release)) return std::nullopt;
  return partial;
}

// Numbers before words; of two lists that begin alike the longer one is later.
int ComparePreRelease(const std::vector<std::string_view>& a,
                      const std::vector<std::string_view>& b) {
  if (a.empty() || b.empty()) return static_cast<int>(a.empty()) - static_cast<int>(b.empty());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto x = NumberOf(a[i], Strict::kYes);
    const auto y = NumberOf(b[i], Strict::kYes);
    if (x && y && *x != *y) return *x < *y ? -1 : 1;
    if (x.has_value() != y.has_value()) return x ? -1 : 1;
    if (const int order = a[i].compare(b[i]); order != 0) return order;
  }
  return static_cast<int>(a.size() > b.size()) - static_cast<int>(a.size() < b.size());
}

int Compare(const Version& a, const Version& b) {
  if (a.numbers != b.numbers) return a.numbers < b.numbers ? -1 : 1;
  return ComparePreRelease(a.pre_release, b.pre_release);
}

// From `least` (in) to `end`: a part of a range. Where `end` comes from a version that leaves
// numbers out, no pre-release of it is in.
struct Bounds {
  enum class End { kNone, kOut, kIn };
  Version least;
  bool least_is_in = true;
  Version end;
  End end_is = End::kNone;
  bool nothing = false;  // "<*"
};

// The first version behind all that begin with the first `count` numbers of `version`.
Version Behind(const Version& version, std::size_t count) {
  Version behind;
  std::copy_n(version.numbers.begin(), count, behind.numbers.begin());
  ++behind.numbers[count - 1];
  behind.pre_release = {"0"};  // The lowest of all: its pre-releases are behind as well.
  return behind;
}

Bounds UpTo(const Partial& partial, std::size_t count) {
  Bounds bounds;
  bounds.least = partial.version;
  if (count == 0) return bounds;
  bounds.end = Behind(partial.version, count);
  bounds.end_is = Bounds::End::kOut;
  return bounds;
}

Bounds Exactly(const Partial& partial) {
  if (partial.given < 3) return UpTo(partial, partial.given);
  return {partial.version, true, partial.version, Bounds::End::kIn, false};
}

// Numbers that must stay the same: up to the first that is not 0.
Bounds Caret(const Partial& partial) {
  std::size_t count = 1;
  while (count < partial.given && partial.version.numbers[count - 1] == 0) ++count;
  return UpTo(partial, std::min(count, partial.given));
}

Bounds Tilde(const Partial& partial) {
  return UpTo(partial, std::min<std::size_t>(2, partial.given));
}

Bounds GreaterThan(const Partial& partial) {
  Bounds bounds;
  if (partial.given == 0) {
    bounds.nothing = true;
  } else if (partial.given == 3) {
    bounds.least = partial.version;
    bounds.least_is_in = false;
  } else {
    bounds.least = Behind(partial.version, partial.given);
    bounds.least.pre_release.clear();
  }
  return bounds;
}

Bounds AtLeast(const Partial& partial) {
  Bounds bounds;
  bounds.least = partial.version;
  return bounds;
}

Bounds LessThan(const Partial& partial) {
  Bounds bounds;
  bounds.nothing = partial.given == 0;
  bounds.end = partial.version;
  if (partial.given < 3) bounds.end.pre_release = {"0"};
  bounds.end_is = Bounds::End::kOut;
  return bounds;
}

Bounds AtMost(const Partial& partial) {
  Bounds bounds;
  if (partial.given == 0) return bounds;
  const bool whole = partial.given == 3;
  bounds.end = whole ? partial.version : Behind(partial.version, partial.given);
  bounds.end_is = whole ? Bounds::End::kIn : Bounds::End::kOut;
  return bounds;
}

struct Operator {
  std::string_view sign;
  Bounds (*bounds)(const Partial&);
};
// Longer signs before those that they begin with.
constexpr std::array kOperators = {
    Operator{">=", AtLeast},    Operator{"<=", AtMost},  Operator{"~>", Tilde},
    Operator{">", GreaterThan}, Operator{"<", LessThan}, Operator{"^", Caret},
    Operator{"~", Tilde},       Operator{"=", Exactly},  Operator{"", Exactly},
};

bool Within(const Version& version, const Bounds& bounds) {
  if (bounds.nothing) return false;
  // From 0.0.0 on is everything, its pre-releases too.
  const bool from_start = bounds.least_is_in && Compare(bounds.least, Version()) == 0;
  const int low = Compare(version, bounds.least);
  if (!from_start && (low < 0 || (low == 0 && !bounds.least_is_in))) return false;
  if (bounds.end_is == Bounds::End::kNone) return true;
  const int high = Compare(version, bounds.end);
  return high < 0 || (high == 0 && bounds.end_is == Bounds::End::kIn);
}

// A pre-release is asked for by naming one of the same numbers.
bool AsksForPreRelease(const std::vector<Bounds>& all, const Version& version) {
  const auto names_it = [&](const Version& bound) {
    return !bound.pre_release.empty() && bound.numbers == version.numbers;
  };
  return std::any_of(all.begin(), all.end(), [&](const Bounds& bounds) {
    return names_it(bounds.least) || (bounds.end_is != Bounds::End::kNone && names_it(bounds.end));
  });
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    std::size_t start = 0;
    while (start < text.size() && IsBlank(text[start])) ++start;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::optional<Bounds> ReadHyphen(std::string_view from, std::string_view to) {
  const auto least = ReadPartial(from, Strict::kYes);
  const auto end = ReadPartial(to, Strict::kYes);
  if (!least || !end) return std::nullopt;
  Bounds bounds = AtMost(*end);
  bounds.least = least->version;
  return bounds;
}

// What blanks join; none where it is no range. An operator may stand apart from its version.
std::optional<std::vector<Bounds>> ReadAll(std::string_view text) {
  const std::vector<std::string_view> words = Words(text);
  std::vector<Bounds> all;
  if (words.size() == 3 && words[1] == "-") {
    const auto bounds = ReadHyphen(words[0], words[2]);
    if (!bounds) return std::nullopt;
    all.push_back(*bounds);
    return all;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    const auto op = std::find_if(kOperators.begin(), kOperators.end(),
                                 [word](const Operator& o) { return word.starts_with(o.sign); });
    word.remove_prefix(op->sign.size());
    if (word.empty() && ++i < words.size()) word = words[i];
    const auto partial = ReadPartial(word, Strict::kYes);
    if (!partial) return std::nullopt;
    all.push_back(op->bounds(*partial));
  }
  return all;
}

}  // namespace

bool VersionMatches(std::string_view version, std::string_view range) {
  if (version.size() > kLongest || range.size() > kLongest) return version == range;
  const auto have = ReadPartial(version, Strict::kNo);
  if (!have || have->given == 0) return version == range;
  bool matches = false;
  for (std::string_view rest = range;;) {
    const std::size_t bars = rest.find("||");
    const auto all = ReadAll(rest.substr(0, bars));
    if (!all) return version == range;
    const bool in = std::all_of(all->begin(), all->end(), [&](const Bounds& bounds) {
      return Within(have->version, bounds);
    });
    matches |= in && (have->version.pre_release.empty() || AsksForPreRelease(*all, have->version));
    if (bars == std::string_view::npos) return matches;
    rest.remove_prefix(bars + 2);
  }
}

}  // namespace lockstep
