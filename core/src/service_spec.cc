#include "lockstep/service_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "lockstep/identity.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lockstep {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

auto LowerBound(auto& fields, Field field) {
  return std::lower_bound(
      fields.begin(), fields.end(), field,
      [](const FieldValue& candidate, Field wanted) { return candidate.field < wanted; });
}

// Whether `mode` is another way than a network of the app: "host", "service:web", ...
bool ReplacesNetworks(std::string_view mode) {
  return mode == "host" || mode == "none" || mode == "bridge" || mode.starts_with("service:") ||
         mode.starts_with("container:");
}

// Bounded, so that sums and products of a few of them cannot overflow; rounded up.
milliseconds Milliseconds(const Value* nanoseconds, milliseconds otherwise) {
  constexpr std::int64_t kLongest = 1'000'000'000'000;  // 31 years.
  const auto* count = nanoseconds == nullptr ? nullptr : nanoseconds->AsInt();
  if (count == nullptr || *count < 0) return otherwise;
  const std::int64_t whole = *count / kNanosecondsPerMillisecond;
  const std::int64_t rest = *count % kNanosecondsPerMillisecond;
  return milliseconds(std::min(whole + (rest != 0 ? 1 : 0), kLongest));
}

bool IsDisabled(const Value& healthcheck) {
  const Value* test = healthcheck.Find("test");
  return test != nullptr && *test == Value(Value::List{"NONE"});
}

// Every part says its type and length, so that two different trees never give the same bytes.
void Append(std::string& out, char type, std::string_view bytes) {
  out += type;
  out += std::to_string(bytes.size());
  out += ':';
  out += bytes;
}

void Append(std::string& out, const Value& value) {
  if (const bool* flag = value.AsBool()) {
    Append(out, 'b', *flag ? "1" : "0");
  } else if (const auto* number = value.AsInt()) {
    Append(out, 'i', std::to_string(*number));
  } else if (const std::string* text = value.AsString()) {
    Append(out, 's', *text);
  } else if (const Value::List* list = value.AsList()) {
    Append(out, 'l', std::to_string(list->size()));
    for (const Value& item : *list) Append(out, item);
  } else if (const Value::Map* map = value.AsMap()) {
    Append(out, 'm', std::to_string(map->size()));
    for (const auto& [key, member] : *map) {
      Append(out, 's', key);
      Append(out, member);
    }
  } else {
    Append(out, 'o', ToText(value));  // Null or a double: never canonical, yet told apart.
  }
}

void Append(std::string& out, const std::map<std::string, std::string>& texts) {
  Append(out, 'm', std::to_string(texts.size()));
  for (const auto& [key, text] : texts) {
    Append(out, 's', key);
    Append(out, 's', text);
  }
}

}  // namespace

const Value* ServiceSpec::Find(Field field) const {
  const auto& list = RowOf(field).of_container ? fields : other_fields;
  const auto it = LowerBound(list, field);
  return it != list.end() && it->field == field ? &it->value : nullptr;
}

void ServiceSpec::Set(Field field, Value value) {
  auto& list = RowOf(field).of_container ? fields : other_fields;
  const auto it = LowerBound(list, field);
  const bool present = it != list.end() && it->field == field;
  if (value.is_null() || value == RowOf(field).neutral) {
    if (present) list.erase(it);
  } else if (present) {
    it->value = std::move(value);
  } else {
    list.insert(it, {field, std::move(value)});
  }
}

std::string RestartPolicyOf(const ServiceSpec& spec) {
  const Value* policy = spec.Find(Field::kRestart);
  const std::string* text = policy == nullptr ? nullptr : policy->AsString();
  return text == nullptr ? "no" : *text;
}

std::vector<std::string> NetworksOf(const ServiceSpec& spec) {
  std::vector<std::string> names;
  const Value* mode_value = spec.Find(Field::kNetworkMode);
  const std::string* mode = mode_value == nullptr ? nullptr : mode_value->AsString();
  if (mode != nullptr && ReplacesNetworks(*mode)) return names;
  if (mode != nullptr) names.push_back(*mode);
  const Value* networks = spec.Find(Field::kNetworks);
  if (const Value::Map* map = networks == nullptr ? nullptr : networks->AsMap()) {
    for (const Value::Member& member : *map) {
      if (mode == nullptr || member.key != *mode) names.push_back(member.key);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> VolumesOf(const ServiceSpec& spec) {
  std::vector<std::string> names;
  const Value* volumes = spec.Find(Field::kVolumes);
  const Value::List* list = volumes == nullptr ? nullptr : volumes->AsList();
  if (list == nullptr) return names;
  for (const Value& volume : *list) {
    const Value* type = volume.Find("type");
    const Value* source = volume.Find("source");
    if (type == nullptr || *type != Value("volume") || source == nullptr) continue;
    if (const std::string* name = source->AsString()) names.push_back(*name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> SharedServicesOf(const ServiceSpec& spec) {
  constexpr std::string_view kService = "service:";
  std::vector<std::string> names;
  for (const Field field : {Field::kNetworkMode, Field::kPid, Field::kIpc}) {
    const Value* mode = spec.Find(field);
    const std::string* text = mode == nullptr ? nullptr : mode->AsString();
    if (text != nullptr && text->starts_with(kService)) {
      names.push_back(text->substr(kService.size()));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

milliseconds StopGraceOf(const ServiceSpec& spec) {
  return Milliseconds(spec.Find(Field::kStopGracePeriod), std::chrono::seconds(10));
}

milliseconds HandOverTimeoutOf(const ServiceSpec& spec) {
  constexpr milliseconds kDefault{60'000};
  constexpr std::int64_t kLongest = 1'000'000'000'000;
  const auto label = spec.labels.find(std::string(kLabelHandOverTimeout));
  if (label == spec.labels.end()) return kDefault;
  std::int64_t count = -1;
  const char* end = label->second.data() + label->second.size();
  const auto [stop, fault] = std::from_chars(label->second.data(), end, count);
  if (fault != std::errc() || stop != end || count < 0) return kDefault;
  return milliseconds(std::min(count, kLongest));
}

PullPolicy PullPolicyOf(const ServiceSpec& spec) {
  const Value* policy = spec.Find(Field::kPullPolicy);
  if (policy != nullptr && *policy == Value("always")) return PullPolicy::kAlways;
  if (policy != nullptr && *policy == Value("never")) return PullPolicy::kNever;
  return PullPolicy::kMissing;
}

bool HasHealthCheck(const ServiceSpec& spec) {
  const Value* healthcheck = spec.Find(Field::kHealthcheck);
  return healthcheck != nullptr && !IsDisabled(*healthcheck);
}

milliseconds HealthBudgetOf(const ServiceSpec& spec) {
  constexpr std::int64_t kRetries = 3;
  constexpr std::int64_t kMostRetries = 1'000'000;
  const Value* healthcheck = spec.Find(Field::kHealthcheck);
  const Value check = healthcheck == nullptr ? Value(Value::Map{}) : *healthcheck;
  if (IsDisabled(check)) return milliseconds(0);
  const Value* retries_value = check.Find("retries");
  const auto* retries = retries_value == nullptr ? nullptr : retries_value->AsInt();
  const auto start_period = Milliseconds(check.Find("start_period"), milliseconds(0));
  const auto interval = Milliseconds(check.Find("interval"), std::chrono::seconds(30));
  const auto timeout = Milliseconds(check.Find("timeout"), std::chrono::seconds(30));
  const std::int64_t count =
      retries == nullptr ? kRetries : std::clamp<std::int64_t>(*retries, 1, kMostRetries);
  return start_period + (interval + timeout) * count;
}

std::string ConfigHash(const ServiceSpec& spec) {
  // By name: the numbers of the enumeration change when rows are added.
  std::vector<std::pair<std::string_view, const Value*>> fields;
  fields.reserve(spec.fields.size());
  for (const FieldValue& field : spec.fields) {
    fields.emplace_back(RowOf(field.field).name, &field.value);
  }
  std::sort(fields.begin(), fields.end());
  std::string bytes;
  bytes.reserve(512);
  Append(bytes, spec.environment);
  Append(bytes, spec.labels);
  Append(bytes, 'm', std::to_string(fields.size()));
  for (const auto& [name, value] : fields) {
    Append(bytes, 's', name);
    Append(bytes, *value);
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  std::string text = "c1:";
  for (int shift = 60; shift >= 0; shift -= 4) text += kHex[(hash >> shift) & 0xf];
  return text;
}

}  // namespace lockstep
