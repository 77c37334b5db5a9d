#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

Result<Value> HealthTest(const Value& raw) {
  if (const std::string* text = raw.AsString()) {
    if (text->empty()) return Value();
    LOCKSTEP_TRYV(TextOf(raw));
    return Value(Value::List{"CMD-SHELL", *text});
  }
  if (raw.AsList() == nullptr) return WrongValue(raw, "health test; write text or a list");
  LOCKSTEP_TRY(std::vector<std::string> words, TextsOf(raw));
  if (words.empty()) return Value();
  const std::string& first = words.front();
  const bool right = (first == "NONE" && words.size() == 1) ||
                     (first == "CMD" && words.size() > 1) ||
                     (first == "CMD-SHELL" && words.size() == 2);
  if (!right) {
    return WrongValue(
        raw, R"(health test; a list is ["NONE"], ["CMD", <words>] or ["CMD-SHELL", <text>])");
  }
  return ListOf(std::move(words));
}

Result<Value> HealthDuration(const Value& raw) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  LOCKSTEP_TRY(const Value duration, Duration(raw));
  if (*duration.AsInt() != 0 && *duration.AsInt() < kMillisecond) {
    return WrongValue(raw, "duration for a health check; at least 1ms is needed");
  }
  return duration;
}

Result<Value> Retries(const Value& raw) {
  constexpr std::int64_t kMost = 1'000'000;
  LOCKSTEP_TRY(const std::int64_t number, IntOf(raw));
  if (number < 0 || number > kMost) return WrongValue(raw, "number from 0 to 1000000");
  return Value(number);
}

}  // namespace

Result<Value> Healthcheck(const Value& raw) {
  constexpr std::array kRules = {
      MemberRule{"test", HealthTest},        MemberRule{"interval", HealthDuration},
      MemberRule{"timeout", HealthDuration}, MemberRule{"start_period", HealthDuration},
      MemberRule{"retries", Retries},        MemberRule{"start_interval", HealthDuration},
      MemberRule{"disable", Bool},
  };
  const Value none(Value::List{"NONE"});
  LOCKSTEP_TRY(Value::Map map, Members(raw, kRules));
  const Value members(std::move(map));
  const Value* test = members.Find("test");
  if (members.Find("disable") != nullptr || (test != nullptr && *test == none)) {
    return Value(Value::Map{{"test", none}});
  }
  return members;
}

Value HealthcheckText(const Value& canonical) {
  const Value::Map* members = canonical.AsMap();
  if (members == nullptr) return canonical;
  Value::Map result;
  for (const auto& [key, value] : *members) {
    const bool is_duration = key == "interval" || key == "timeout" || key.starts_with("start_");
    result.push_back({key, is_duration ? DurationText(value) : value});
  }
  return result;
}

}  // namespace lockstep::fields
