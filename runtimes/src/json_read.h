// Reading JSON that somebody else wrote: whatever is missing or of another type reads as empty.
#ifndef LOCKSTEP_RUNTIMES_JSON_READ_H_
#define LOCKSTEP_RUNTIMES_JSON_READ_H_

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/lock.h"
#include "lockstep/value.h"

namespace lockstep::docker {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 64;  // An engine's own replies have less than ten.

inline constexpr int kMaxJsonValues = 1'000'000;  // Of ten thousand containers, a hundred each.

// None for text that is no JSON, nested deeper than kMaxJsonDepth, or of more values than
// `max_values`. NUL characters are replaced: what is said goes on to where they end a text.
std::optional<Json> ParseJson(std::string_view text, int max_values = kMaxJsonValues);
// For the wire; bytes that are no UTF-8 are replaced, never thrown over.
std::string DumpJson(const Json& json);
// The first `size` bytes of what claims to be text, as far as they are whole characters; bytes that
// are no UTF-8 are replaced.
std::string CleanText(std::string_view text, std::size_t size);

// A member of an object, or an empty value of its type.
const Json& At(const Json& object, const char* key);  // null
const Json& At(const Json& object, const char* key, const char* inner);
const Json& List(const Json& object, const char* key);  // []
const Json& Map(const Json& object, const char* key);   // {}
std::string Text(const Json& object, const char* key);
std::int64_t Number(const Json& object, const char* key);
bool Flag(const Json& object, const char* key);

std::vector<std::string> TextList(const Json& value);
Labels TextMap(const Json& value);

// Numbers, text, lists and maps one to one.
Value ToValue(const Json& json);
Json FromValue(const Value& value);

// Seconds of Unix time; the nearest one where it is before 1970 or after 9999.
WallTime TimeOf(std::int64_t seconds);
// "2026-11-22T22:59:42.637364106Z"; none for anything else, and for Go's zero time.
std::optional<WallTime> ParseTime(std::string_view text);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_JSON_READ_H_
