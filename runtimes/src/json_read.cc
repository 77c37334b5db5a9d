#include "json_read.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace lockstep::docker {
namespace {

// Never destroyed: a thread may still read them while the process ends.
const Json& kNull = *new Json();
const Json& kEmptyList = *new Json(Json::array());
const Json& kEmptyMap = *new Json(Json::object());

// Copies and conversions recurse: depth is stack. The parser itself does not, but only what it made
// of the text could be asked, so the brackets are counted in the text. Values are counted there,
// too: what takes three bytes of text takes a hundred of memory.
bool IsTooMuch(std::string_view text, int max_values) {
  int depth = 0;
  int values = 1;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth || ++values > max_values) return true;
    } else if (c == ',') {
      if (++values > max_values) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::string WithoutNul(const std::string& text) {
  std::string clean;
  for (const char c : text) c == '\0' ? clean += kReplacement : clean += c;
  return clean;
}

void ReplaceNul(Json& json) {
  if (auto* text = json.get_ptr<std::string*>()) *text = WithoutNul(*text);
  if (json.is_object()) {
    Json clean = Json::object();
    for (auto& [key, value] : json.items()) clean[WithoutNul(key)] = std::move(value);
    json = std::move(clean);
  }
  if (json.is_structured()) {
    for (Json& item : json) ReplaceNul(item);
  }
}

}  // namespace

std::optional<Json> ParseJson(std::string_view text, int max_values) {
  if (IsTooMuch(text, max_values)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  if (text.find("\\u0000") != std::string_view::npos) ReplaceNul(json);
  return json;
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string CleanText(std::string_view text, std::size_t size) {
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
  };
  if (size < text.size()) {
    std::size_t end = size;
    while (end > 0 && size - end < 4 && continues(end)) --end;
    text = text.substr(0, end);
  }
  const std::string quoted = DumpJson(WithoutNul(std::string(text)));
  return Json::parse(quoted, nullptr, false).get<std::string>();
}

const Json& At(const Json& object, const char* key) {
  const auto it = object.find(key);  // end() for what is no object.
  return it == object.end() ? kNull : *it;
}

const Json& At(const Json& object, const char* key, const char* inner) {
  return At(At(object, key), inner);
}

const Json& List(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_array() ? value : kEmptyList;
}

const Json& Map(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_object() ? value : kEmptyMap;
}

std::string Text(const Json& object, const char* key) {
  const auto* text = At(object, key).get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

std::int64_t Number(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool Flag(const Json& object, const char* key) {
  const auto* flag = At(object, key).get_ptr<const bool*>();
  return flag != nullptr && *flag;
}

std::vector<std::string> TextList(const Json& value) {
  std::vector<std::string> list;
  if (!value.is_array()) return list;
  for (const Json& item : value) {
    if (const auto* text = item.get_ptr<const std::string*>()) list.push_back(*text);
  }
  return list;
}

Labels TextMap(const Json& value) {
  Labels map;
  if (!value.is_object()) return map;
  for (const auto& [key, item] : value.items()) {
    if (const auto* text = item.get_ptr<const std::string*>()) map[key] = *text;
  }
  return map;
}

Value ToValue(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (const auto* text = json.get_ptr<const std::string*>()) return *text;
  if (json.is_array()) {
    Value::List list;
    for (const Json& item : json) list.push_back(ToValue(item));
    return list;
  }
  if (json.is_object()) {
    Value::Map map;
    for (const auto& [key, item] : json.items()) map.push_back({key, ToValue(item)});
    return map;
  }
  return {};
}

Json FromValue(const Value& value) {
  if (const bool* flag = value.AsBool()) return *flag;
  if (const auto* number = value.AsInt()) return *number;
  if (const double* number = value.AsDouble()) return *number;
  if (const std::string* text = value.AsString()) return *text;
  if (const Value::List* list = value.AsList()) {
    Json json = Json::array();
    for (const Value& item : *list) json.push_back(FromValue(item));
    return json;
  }
  if (const Value::Map* map = value.AsMap()) {
    Json json = Json::object();
    for (const auto& [key, item] : *map) json[key] = FromValue(item);
    return json;
  }
  return {};
}

WallTime TimeOf(std::int64_t seconds) {
  constexpr std::int64_t kLast = 253'402'300'799;  // Further ones have no date to write down.
  return WallTime(std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLast)));
}

std::optional<WallTime> ParseTime(std::string_view text) {
  // yyyy-mm-ddThh:mm:ss[.fraction]Z; the engine always writes UTC.
  if (text.size() < 20 || text.back() != 'Z' || text[10] != 'T') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t length) {
    int number = -1;
    const char* end = text.data() + at + length;
    const auto parsed = std::from_chars(text.data() + at, end, number);
    return parsed.ptr == end ? number : -1;
  };
  const int hour = part(11, 2);
  const int minute = part(14, 2);
  const int second = part(17, 2);
  const std::chrono::year_month_day date{std::chrono::year(part(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  const auto within = [](int number, int most) { return number >= 0 && number <= most; };
  if (!date.ok() || static_cast<int>(date.year()) < 1970 || !within(hour, 23) ||
      !within(minute, 59) || !within(second, 59)) {
    return std::nullopt;
  }
  int milliseconds = 0;
  if (text[19] == '.') {
    int weight = 100;
    for (std::size_t i = 20; i + 1 < text.size() && weight > 0; ++i, weight /= 10) {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      milliseconds += (text[i] - '0') * weight;
    }
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::milliseconds(milliseconds);
}

}  // namespace lockstep::docker
