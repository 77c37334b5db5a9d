#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array kTimeUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"\u00b5s", 1'000},  // Micro sign.
    Unit{"\u03bcs", 1'000},  // Greek mu.
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"h", 3'600'000'000'000},
};

constexpr std::array kByteUnits = {
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", std::int64_t{1} << 10},
    Unit{"m", std::int64_t{1} << 20},
    Unit{"g", std::int64_t{1} << 30},
    Unit{"t", std::int64_t{1} << 40},
};

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::int64_t kMostCpus = 1'000'000;

std::optional<std::int64_t> SizeOf(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.size;
  }
  return std::nullopt;
}

std::size_t NumberLength(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789."), text.size());
}

std::optional<std::int64_t> ParseBytes(std::string_view text) {
  const std::size_t length = NumberLength(text);
  std::string unit = Lower(std::string(text.substr(length)));
  while (!unit.empty() && unit.front() == ' ') unit.erase(0, 1);
  if (unit.size() > 1 && unit.back() == 'b') unit.pop_back();  // "kb" and "kib" are "k".
  if (unit.size() > 1 && unit.back() == 'i') unit.pop_back();
  const auto size = SizeOf(kByteUnits, unit);
  return size ? Scaled(text.substr(0, length), *size) : std::nullopt;
}

std::optional<std::int64_t> ParseDuration(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::size_t length = NumberLength(text);
    const std::string_view number = text.substr(0, length);
    text.remove_prefix(length);
    const std::size_t unit_length = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = SizeOf(kTimeUnits, text.substr(0, unit_length));
    text.remove_prefix(unit_length);
    const auto part = unit ? Scaled(number, *unit) : std::nullopt;
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) return std::nullopt;
    total += *part;
  }
  return total;
}

}  // namespace

Result<Value> Text(const Value& raw) {
  LOCKSTEP_TRY(std::string text, TextOf(raw));
  return Value(std::move(text));
}

Result<Value> Bool(const Value& raw) {
  if (const bool* flag = raw.AsBool()) return Value(*flag);
  if (const std::string* text = raw.AsString()) {
    if (*text == "true") return Value(true);
    if (*text == "false") return Value(false);
  }
  return WrongValue(raw, "truth value; write true or false");
}

Result<Value> Integer(const Value& raw) {
  LOCKSTEP_TRY(const std::int64_t number, IntOf(raw));
  return Value(number);
}

Result<Value> Limit(const Value& raw) {
  LOCKSTEP_TRY(const std::int64_t number, IntOf(raw));
  if (number < -1) return WrongValue(raw, "limit; write a positive number, or -1 for no limit");
  return Value(std::max<std::int64_t>(number, 0));
}

Result<Value> Bytes(const Value& raw) {
  constexpr std::string_view kAllowed = "size; write a number of bytes, or such as 512k, 64m, 1.5g";
  if (const std::string* text = raw.AsString()) {
    if (const auto bytes = ParseBytes(*text)) return Value(*bytes);
    return WrongValue(raw, kAllowed);
  }
  const auto bytes = IntOf(raw);
  if (!bytes || bytes.assume_value() < 0) return WrongValue(raw, kAllowed);
  return Value(bytes.assume_value());
}

Result<Value> SwapLimit(const Value& raw) {
  constexpr std::int64_t kNoLimit = -1;
  if (const auto number = IntOf(raw); number && number.assume_value() == kNoLimit) {
    return Value(kNoLimit);
  }
  return Bytes(raw);
}

Result<Value> Duration(const Value& raw) {
  if (const std::string* text = raw.AsString()) {
    if (const auto duration = ParseDuration(*text)) return Value(*duration);
  } else if (const auto* number = raw.AsInt(); number != nullptr && *number == 0) {
    return Value(0);
  }
  return WrongValue(raw, "duration; write it with units (h, m, s, ms, us), such as 1m30s");
}

Result<Value> Seconds(const Value& raw) {
  LOCKSTEP_TRY(const Value duration, Duration(raw));
  const std::int64_t nanoseconds = *duration.AsInt();
  const std::int64_t part = nanoseconds % kBillion;
  if (part == 0) return duration;
  if (nanoseconds > std::numeric_limits<std::int64_t>::max() - kBillion) {
    return WrongValue(raw, "duration; it is too long");
  }
  return Value(nanoseconds - part + kBillion);
}

Result<Value> CpuCount(const Value& raw) {
  std::optional<std::int64_t> billionths;
  if (const std::string* text = raw.AsString()) {
    billionths = Scaled(*text, kBillion);
  } else if (const auto* whole = raw.AsInt()) {
    if (*whole >= 0 && *whole <= kMostCpus) billionths = *whole * kBillion;
  } else if (const double* number = raw.AsDouble()) {
    // Written so that NaN fails.
    if (*number >= 0 && *number <= static_cast<double>(kMostCpus)) {
      billionths = std::llround(*number * static_cast<double>(kBillion));
    }
  }
  if (!billionths || *billionths > kMostCpus * kBillion) {
    return WrongValue(raw, "number of processors; write such as 0.5 or 2");
  }
  return Value(*billionths);
}

Result<Value> Restart(const Value& raw) {
  constexpr std::string_view kAllowed =
      "restart policy; write no, always, unless-stopped or on-failure[:<times>]";
  constexpr std::string_view kOnFailure = "on-failure:";
  // A YAML 1.1 reader takes an unquoted `no` for false.
  if (const bool* flag = raw.AsBool(); flag != nullptr && !*flag) return Value("no");
  const std::string* text = raw.AsString();
  if (text == nullptr) return WrongValue(raw, kAllowed);
  if (*text == "no" || *text == "always" || *text == "unless-stopped" || *text == "on-failure") {
    return raw;
  }
  if (!text->starts_with(kOnFailure)) return WrongValue(raw, kAllowed);
  const auto times = IntOf(text->substr(kOnFailure.size()));
  if (!times || times.assume_value() < 0 ||
      times.assume_value() > std::numeric_limits<std::int32_t>::max()) {
    return WrongValue(raw, kAllowed);
  }
  if (times.assume_value() == 0) return Value("on-failure");
  return Value(std::string(kOnFailure) + std::to_string(times.assume_value()));
}

Value DurationText(const Value& canonical) {
  const auto* duration = canonical.AsInt();
  if (duration == nullptr) return canonical;
  for (const Unit unit : {Unit{"s", kBillion}, Unit{"ms", 1'000'000}, Unit{"us", 1'000}}) {
    if (*duration % unit.size == 0) {
      return std::to_string(*duration / unit.size) + std::string(unit.name);
    }
  }
  return std::to_string(*duration) + "ns";
}

Value CpuCountNumber(const Value& canonical) {
  const auto* billionths = canonical.AsInt();
  if (billionths == nullptr) return canonical;
  if (*billionths % kBillion == 0) return *billionths / kBillion;
  return static_cast<double>(*billionths) / static_cast<double>(kBillion);
}

}  // namespace lockstep::fields
