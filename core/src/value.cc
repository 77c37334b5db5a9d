#include "lockstep/value.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace lockstep {

Value::Value(Map value) {
  std::stable_sort(value.begin(), value.end(),
                   [](const Member& a, const Member& b) { return a.key < b.key; });
  // Of equal keys the last one stays, as in a document that names a key twice.
  Map unique;
  unique.reserve(value.size());
  for (Member& member : value) {
    if (!unique.empty() && unique.back().key == member.key) {
      unique.back().value = std::move(member.value);
    } else {
      unique.push_back(std::move(member));
    }
  }
  data_ = std::move(unique);
}

const Value* Value::Find(std::string_view key) const {
  const Map* map = AsMap();
  if (map == nullptr) return nullptr;
  const auto it = std::lower_bound(
      map->begin(), map->end(), key,
      [](const Member& member, std::string_view wanted) { return member.key < wanted; });
  return it != map->end() && it->key == key ? &it->value : nullptr;
}

std::strong_ordering operator<=>(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return a.data_.index() <=> b.data_.index();
  if (const bool* x = a.AsBool()) return *x <=> *b.AsBool();
  if (const auto* x = a.AsInt()) return *x <=> *b.AsInt();
  if (const double* x = a.AsDouble()) return std::strong_order(*x, *b.AsDouble());
  if (const std::string* x = a.AsString()) return *x <=> *b.AsString();
  if (const Value::List* x = a.AsList()) {
    const Value::List& y = *b.AsList();
    for (std::size_t i = 0; i < std::min(x->size(), y.size()); ++i) {
      if (const auto order = (*x)[i] <=> y[i]; order != 0) return order;
    }
    return x->size() <=> y.size();
  }
  if (const Value::Map* x = a.AsMap()) {
    const Value::Map& y = *b.AsMap();
    for (std::size_t i = 0; i < std::min(x->size(), y.size()); ++i) {
      if (const auto order = (*x)[i].key <=> y[i].key; order != 0) return order;
      if (const auto order = (*x)[i].value <=> y[i].value; order != 0) return order;
    }
    return x->size() <=> y.size();
  }
  return std::strong_ordering::equal;
}

bool operator==(const Value& a, const Value& b) { return (a <=> b) == 0; }

namespace {

void AppendQuoted(std::string& out, std::string_view text, std::size_t limit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (out.size() > limit) return;
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += c;
    }
  }
  out += '"';
}

void Append(std::string& out, const Value& value, std::size_t limit) {
  if (out.size() > limit) return;
  if (value.is_null()) {
    out += "null";
  } else if (const bool* b = value.AsBool()) {
    out += *b ? "true" : "false";
  } else if (const auto* number = value.AsInt()) {
    out += std::to_string(*number);
  } else if (const double* d = value.AsDouble()) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, *d).ptr;
    out.append(buffer, end);
  } else if (const std::string* s = value.AsString()) {
    AppendQuoted(out, *s, limit);
  } else if (const Value::List* list = value.AsList()) {
    out += '[';
    for (std::size_t i = 0; i < list->size() && out.size() <= limit; ++i) {
      if (i != 0) out += ',';
      Append(out, (*list)[i], limit);
    }
    if (out.size() <= limit) out += ']';
  } else if (const Value::Map* map = value.AsMap()) {
    out += '{';
    for (std::size_t i = 0; i < map->size() && out.size() <= limit; ++i) {
      if (i != 0) out += ',';
      AppendQuoted(out, (*map)[i].key, limit);
      out += ':';
      Append(out, (*map)[i].value, limit);
    }
    if (out.size() <= limit) out += '}';
  }
}

}  // namespace

std::string ToText(const Value& value, std::size_t limit) {
  std::string out;
  Append(out, value, limit);
  return out;
}

}  // namespace lockstep
