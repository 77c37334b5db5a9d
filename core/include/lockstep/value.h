// A tree of plain values: what a JSON or YAML document holds, without either library. Readers turn
// documents into it, the field table (service_field.h) turns it into its canonical form.
#ifndef LOCKSTEP_VALUE_H_
#define LOCKSTEP_VALUE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {

class Value {
 public:
  struct Member;
  using List = std::vector<Value>;
  using Map = std::vector<Member>;  // Sorted by key, each key once: see MapOf().

  Value() = default;  // null
  Value(bool value);
  Value(int value);
  Value(std::int64_t value);
  Value(double value);
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value);
  Value(List value);
  Value(Map value);  // Sorts; of two members with one key the later wins.

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  // Each returns null where the value is of another type.
  const bool* AsBool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* AsInt() const { return std::get_if<std::int64_t>(&data_); }
  const double* AsDouble() const { return std::get_if<double>(&data_); }
  const std::string* AsString() const { return std::get_if<std::string>(&data_); }
  const List* AsList() const { return std::get_if<List>(&data_); }
  const Map* AsMap() const { return std::get_if<Map>(&data_); }

  // The member `key` of a map; null where this is no map or has no such member.
  const Value* Find(std::string_view key) const;

  // A total order: by type, then by content. Equal trees are equal values.
  friend bool operator==(const Value& a, const Value& b);
  friend std::strong_ordering operator<=>(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
};

struct Value::Member {
  std::string key;
  Value value;
};

// Here, since Clang wants to know what a Member is.
inline Value::Value(bool value) : data_(value) {}
inline Value::Value(int value) : data_(std::int64_t{value}) {}
inline Value::Value(std::int64_t value) : data_(value) {}
inline Value::Value(double value) : data_(value) {}
inline Value::Value(std::string value) : data_(std::move(value)) {}
inline Value::Value(std::string_view value) : data_(std::string(value)) {}
inline Value::Value(const char* value) : data_(std::string(value)) {}
inline Value::Value(List value) : data_(std::move(value)) {}

// Compact text in the form of JSON: for messages, reasons and hashes. Not escaped for people. Left
// unfinished where it becomes longer than `limit`, however large or deep the value is.
std::string ToText(const Value& value, std::size_t limit = static_cast<std::size_t>(-1));

}  // namespace lockstep

#endif  // LOCKSTEP_VALUE_H_
