#include "json_value.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "text.h"

namespace lockstep {
namespace {

using nlohmann::json;

// Builds a Value while the text is read. Going by events, not over a finished document, is what
// bounds the nesting before anything deep exists, and what sees a key that is named twice.
class ValueBuilder final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return Add(Value()); }
  bool boolean(bool value) override { return Add(Value(value)); }
  bool number_integer(number_integer_t value) override { return Add(Value(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kMax = static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    return value <= kMax ? Add(Value(static_cast<std::int64_t>(value)))
                         : Add(Value(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return Add(Value(value)); }
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) {
      problem_ = "a text in it has a NUL character";  // It would be cut off there further on.
      return false;
    }
    return Add(Value(std::move(value)));
  }
  bool binary(binary_t&) override { return false; }  // Not in JSON.

  bool start_object(std::size_t) override { return Open(/*is_map=*/true); }
  bool key(string_t& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool end_object() override {
    Frame frame = Close();
    std::vector<std::string_view> keys;
    keys.reserve(frame.map.size());
    for (const Value::Member& member : frame.map) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
      problem_ = "the key \"" + std::string(*twice) + "\" is there twice in one object";
      return false;
    }
    return Add(Value(std::move(frame.map)));
  }
  bool start_array(std::size_t) override { return Open(/*is_map=*/false); }
  bool end_array() override {
    Frame frame = Close();
    return Add(Value(std::move(frame.list)));
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    position_ = position;
    return false;
  }

  std::size_t position() const { return position_; }  // 1 for the first byte; 0: not known.
  const std::string& problem() const { return problem_; }
  Value Take() { return std::move(root_); }

 private:
  struct Frame {
    bool is_map = false;
    Value::Map map;
    Value::List list;
    std::string key;
  };

  bool Open(bool is_map) {
    if (open_.size() >= static_cast<std::size_t>(kMaxJsonDepth)) {
      problem_ = "it is nested more than " + std::to_string(kMaxJsonDepth) + " levels deep";
      return false;
    }
    open_.push_back({.is_map = is_map, .map = {}, .list = {}, .key = {}});
    return true;
  }
  Frame Close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    return frame;
  }
  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_map) {
      open_.back().map.push_back({std::move(open_.back().key), std::move(value)});
    } else {
      open_.back().list.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Frame> open_;
  Value root_;
  std::size_t position_ = 0;
  std::string problem_;
};

std::string PlaceOf(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, position == 0 ? 0 : position - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (line == 1 ? 0 : before.rfind('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string WhatIsWrong(std::string_view text, const ValueBuilder& builder) {
  if (!builder.problem().empty()) return builder.problem();
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return "it is empty";
  if (builder.position() > text.size()) {
    return "it is no JSON: it ends in the middle, at " + PlaceOf(text, text.size());
  }
  return "it is no JSON: see " + PlaceOf(text, builder.position());
}

}  // namespace

Result<Value> ParseJson(std::string_view text) {
  // The parser takes one for the end, and what follows for nothing.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput,
                     "it is no JSON: it has a NUL byte at " + PlaceOf(text, nul + 1));
  }
  ValueBuilder builder;
  if (!json::sax_parse(text, &builder)) {
    return MakeError(ErrorCode::kInvalidInput, WhatIsWrong(text, builder));
  }
  return builder.Take();
}

nlohmann::ordered_json ToJson(const Value& value) {
  if (const bool* b = value.AsBool()) return *b;
  if (const std::int64_t* i = value.AsInt()) return *i;
  if (const double* d = value.AsDouble()) return *d;
  if (const std::string* s = value.AsString()) return *s;
  if (const Value::List* list = value.AsList()) {
    auto out = nlohmann::ordered_json::array();
    for (const Value& item : *list) out.push_back(ToJson(item));
    return out;
  }
  if (const Value::Map* map = value.AsMap()) {
    auto out = nlohmann::ordered_json::object();
    for (const Value::Member& member : *map) out[member.key] = ToJson(member.value);
    return out;
  }
  return nullptr;
}

std::string Dump(const nlohmann::ordered_json& value, int indent) {
  const std::string text =
      value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  // JSON is looked at on terminals too. Below U+0020 all is escaped already; what else could steer
  // one stands in strings alone, where it may be written as an escape.
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto character = FirstCharacter(std::string_view(text).substr(i));
    const std::size_t bytes = character ? character->bytes : 1;
    const bool in_string = static_cast<unsigned char>(text[i]) >= 0x7f;
    if (in_string && character && character->code < 0x10000 && !IsHarmless(character->code)) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", unsigned{character->code});
      out += escape.data();
    } else {
      out.append(text, i, bytes);
    }
    i += bytes;
  }
  return out;
}

}  // namespace lockstep
