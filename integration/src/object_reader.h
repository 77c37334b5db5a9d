// Reads the fields of one object of a document. A field that is absent gives its fallback; one of
// the wrong type gives its fallback too, and leaves word of the first such in an ErrorSlot: so a
// reader reads on in a straight line and looks once, at its end.
#ifndef LOCKSTEP_INTEGRATION_OBJECT_READER_H_
#define LOCKSTEP_INTEGRATION_OBJECT_READER_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document_place.h"
#include "lockstep/error.h"
#include "lockstep/lock.h"
#include "lockstep/value.h"
#include "rfc3339.h"

namespace lockstep {

using ErrorSlot = std::optional<Error>;

class ObjectReader {
 public:
  // All three outlive this.
  ObjectReader(const Value& object, const Place& place, ErrorSlot& slot)
      : object_(object), place_(place), slot_(slot) {
    if (object.AsMap() == nullptr) Fail(place_, "must be an object");
  }

  const Place& place() const { return place_; }
  ErrorSlot& slot() { return slot_; }

  // Null where the field is absent or null.
  const Value* Find(std::string_view key) const {
    const Value* value = object_.Find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  bool IsNull(std::string_view key) const {
    const Value* value = object_.Find(key);
    return value != nullptr && value->is_null();
  }

  std::string Text(std::string_view key, std::string fallback = {}) {
    return OptionalText(key).value_or(std::move(fallback));
  }
  std::optional<std::string> OptionalText(std::string_view key) {
    const Value* value = Find(key);
    if (value == nullptr) return std::nullopt;
    if (const std::string* text = value->AsString()) return *text;
    return Wrong(key, "must be a text");
  }
  bool Flag(std::string_view key, bool fallback = false) {
    const Value* value = Find(key);
    if (value == nullptr) return fallback;
    if (const bool* flag = value->AsBool()) return *flag;
    Wrong(key, "must be true or false");
    return fallback;
  }
  template <typename T>
  T Integer(std::string_view key, T fallback = 0) {
    const Value* value = Find(key);
    if (value == nullptr) return fallback;
    const std::int64_t* number = value->AsInt();
    if (number != nullptr && std::in_range<T>(*number)) return static_cast<T>(*number);
    Wrong(key, "must be a whole number");
    return fallback;
  }
  std::optional<WallTime> Time(std::string_view key) {
    const std::optional<std::string> text = OptionalText(key);
    if (!text || text->empty()) return std::nullopt;
    if (const auto time = ParseTime(*text)) return time;
    return Wrong(key, "must be a time such as 2026-01-01T00:00:00Z");
  }
  std::vector<std::string> Texts(std::string_view key) {
    std::vector<std::string> texts;
    Each(key, [&](const Value& item, const Place& place) {
      if (const std::string* text = item.AsString()) {
        texts.push_back(*text);
      } else {
        Fail(place, "must be a text");
      }
    });
    return texts;
  }
  std::map<std::string, std::string> TextMap(std::string_view key) {
    std::map<std::string, std::string> texts;
    const Value* value = Find(key);
    if (value == nullptr) return texts;
    if (value->AsMap() == nullptr) return Wrong(key, "must be an object"), texts;
    for (const auto& [name, item] : *value->AsMap()) {
      const std::string* text = item.AsString();
      if (text == nullptr) return Wrong(key, "must hold texts only"), texts;
      texts[name] = *text;
    }
    return texts;
  }
  // Calls `read(item, its place)` for each item of a list.
  template <typename Read>
  void Each(std::string_view key, const Read& read) {
    const Value* value = Find(key);
    if (value == nullptr) return;
    const Value::List* list = value->AsList();
    if (list == nullptr) return static_cast<void>(Wrong(key, "must be a list"));
    const Place here{&place_, key};
    for (std::size_t i = 0; i < list->size() && !slot_; ++i) {
      const std::string index = std::to_string(i);
      read((*list)[i], Place{&here, index});
    }
  }

  void Fail(const Place& place, std::string message) {
    if (!slot_) slot_ = ErrorAt(ErrorCode::kInvalidInput, place, std::move(message));
  }
  std::nullopt_t Wrong(std::string_view key, std::string message) {
    Fail({&place_, key}, std::move(message));
    return std::nullopt;
  }

 private:
  const Value& object_;
  const Place& place_;
  ErrorSlot& slot_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_OBJECT_READER_H_
