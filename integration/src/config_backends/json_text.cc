#include "config_backends/json_text.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "json_value.h"

namespace lockstep {
namespace {

using Path = std::span<const std::string>;

// All places are offsets into the text; an end is one past the last byte.
struct MemberPlace {
  std::string key;
  std::size_t begin = 0;  // Of the key.
  std::size_t key_end = 0;
  std::size_t value_begin = 0;
  std::size_t value_end = 0;
};
struct ObjectPlace {
  std::size_t begin = 0;
  std::vector<MemberPlace> members;
};

// Notes where the objects on a path and their members are. Other libraries do not tell places;
// this one tells how far it has read when it reports a key or a scalar.
class PlaceFinder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, PlaceFinder> {
 public:
  PlaceFinder(std::string_view text, const rapidjson::MemoryStream& stream, const JsonPath& path)
      : text_(text), stream_(stream), path_(path) {}

  // The outermost first, as far as the path leads through objects.
  const std::vector<ObjectPlace>& objects() const { return objects_; }

  bool Default() {  // Any scalar but a string.
    BeginValue(NextToken());
    return EndValue(stream_.Tell());
  }
  bool String(const char*, rapidjson::SizeType, bool) { return Default(); }
  bool Key(const char* key, rapidjson::SizeType size, bool) {
    const std::size_t begin = NextToken();
    end_ = stream_.Tell();
    if (open_.back()) {
      objects_[open_.size() - 1].members.push_back({.key = std::string(key, size),
                                                    .begin = begin,
                                                    .key_end = end_,
                                                    .value_begin = 0,
                                                    .value_end = 0});
    }
    return true;
  }
  bool StartObject() { return Open(/*is_object=*/true); }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool StartArray() { return Open(/*is_object=*/false); }
  bool EndArray(rapidjson::SizeType) { return Close(); }

 private:
  // Between two tokens there is nothing but this.
  std::size_t NextToken() const { return text_.find_first_not_of(" \t\r\n,:", end_); }

  bool Open(bool is_object) {
    const std::size_t begin = NextToken();
    BeginValue(begin);
    end_ = begin + 1;
    const std::size_t level = open_.size();
    const bool leads_here =
        level == 0 || (open_.back() && level < path_.size() &&
                       objects_[level - 1].members.back().key == path_[level - 1]);
    open_.push_back(is_object && leads_here);
    if (open_.back()) objects_.push_back({.begin = begin, .members = {}});
    return true;
  }
  bool Close() {
    open_.pop_back();
    return EndValue(NextToken() + 1);
  }
  void BeginValue(std::size_t begin) {
    if (!open_.empty() && open_.back()) {
      objects_[open_.size() - 1].members.back().value_begin = begin;
    }
  }
  bool EndValue(std::size_t end) {
    end_ = end;
    if (!open_.empty() && open_.back()) {
      objects_[open_.size() - 1].members.back().value_end = end;
    }
    return true;
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  const JsonPath& path_;
  std::size_t end_ = 0;     // Of the last token.
  std::vector<bool> open_;  // Objects and arrays around the place; true: an object on the path.
  std::vector<ObjectPlace> objects_;
};

// None where the library does not take what ParseJson() took.
std::optional<std::vector<ObjectPlace>> FindPlaces(std::string_view text, const JsonPath& path) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  PlaceFinder finder(text, stream, path);
  rapidjson::Reader reader;
  // As strings, since a number is only passed over here.
  const auto parsed =
      reader.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(stream,
                                                                                           finder);
  if (parsed.IsError() || finder.objects().empty()) return std::nullopt;
  return finder.objects();
}

std::string Text(const Value& value) { return Dump(ToJson(value)); }

// How a key is parted from its value where the new member goes: as close by as there is an example.
std::string_view Colon(std::string_view text, const std::vector<ObjectPlace>& objects) {
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    if (object->members.empty()) continue;
    const MemberPlace& first = object->members.front();
    return text.substr(first.key_end, first.value_begin - first.key_end);
  }
  return ": ";
}

// What is between the start of a member and the start of the one before it, less that one itself.
std::string_view Gap(std::string_view text, const ObjectPlace& object) {
  const MemberPlace& first = object.members.front();
  if (object.members.size() == 1) {
    return text.substr(object.begin + 1, first.begin - object.begin - 1);
  }
  const std::size_t comma = text.find(',', first.value_end);
  return text.substr(comma + 1, object.members[1].begin - comma - 1);
}

std::string Inserted(std::string_view text, const std::vector<ObjectPlace>& objects, Path missing,
                     const Value& value) {
  const std::string colon(Colon(text, objects));
  std::string member = Text(value);
  for (auto key = missing.rbegin(); key != missing.rend(); ++key) {
    if (key != missing.rbegin()) member = '{' + member + '}';
    member = Text(*key) + colon + member;
  }
  const ObjectPlace& object = objects.back();
  std::string result(text);
  if (object.members.empty()) return result.insert(object.begin + 1, member);
  member += ',';
  member += Gap(text, object);
  return result.insert(object.members.front().begin, member);
}

std::string Removed(std::string_view text, const ObjectPlace& object, std::size_t index) {
  const std::vector<MemberPlace>& members = object.members;
  std::size_t begin = object.begin + 1;
  std::size_t end = members[index].value_end;
  if (index + 1 < members.size()) {
    begin = members[index].begin;
    end = members[index + 1].begin;
  } else if (index > 0) {
    begin = members[index - 1].value_end;
  }
  return std::string(text).erase(begin, end - begin);
}

std::size_t IndexOf(const ObjectPlace& object, std::string_view key) {
  const auto found = std::find_if(object.members.begin(), object.members.end(),
                                  [key](const MemberPlace& member) { return member.key == key; });
  return static_cast<std::size_t>(found - object.members.begin());
}

std::string Spliced(std::string_view text, const std::vector<ObjectPlace>& objects,
                    const JsonPath& path, const std::optional<Value>& value) {
  std::size_t level = objects.size() - 1;
  if (!value) {
    while (level > 0 && objects[level].members.size() == 1) --level;
    return Removed(text, objects[level], IndexOf(objects[level], path[level]));
  }
  const std::size_t index = IndexOf(objects[level], path[level]);
  if (index == objects[level].members.size()) {
    return Inserted(text, objects, Path(path).subspan(level), *value);
  }
  const MemberPlace& member = objects[level].members[index];
  return std::string(text).replace(member.value_begin, member.value_end - member.value_begin,
                                   Text(*value));
}

// The document that is to come out. None: an object that is left empty.
std::optional<Value> Intended(const Value* now, Path path, const std::optional<Value>& value) {
  if (path.empty()) return value;
  Value::Map members;
  if (now != nullptr) members = *now->AsMap();
  std::optional<Value> inner =
      Intended(now == nullptr ? nullptr : now->Find(path.front()), path.subspan(1), value);
  std::erase_if(members, [&](const Value::Member& member) { return member.key == path.front(); });
  if (inner) members.push_back({path.front(), std::move(*inner)});
  if (members.empty()) return std::nullopt;
  return Value(std::move(members));
}

Result<Value> ParseObject(std::string_view text) {
  // A parser may take it for the end, and what follows would be lost from sight.
  if (text.find('\0') != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput, "it has a NUL byte",
                     "put the file back from a copy, it was probably cut short");
  }
  LOCKSTEP_TRY(Value document, ParseJson(text));
  if (document.AsMap() == nullptr) {
    return MakeError(ErrorCode::kInvalidInput, "it is no JSON object", "see that it is in {}");
  }
  return document;
}

// Null where there is none.
Result<const Value*> Find(const Value& document, const JsonPath& path) {
  const Value* value = &document;
  std::string way;
  for (const std::string& key : path) {
    if (value->AsMap() == nullptr) {
      return MakeError(ErrorCode::kInvalidInput, "\"" + way + "\" in it is no object",
                       "make it one, or remove it");
    }
    way += (way.empty() ? "" : ".") + key;
    value = value->Find(key);
    if (value == nullptr) return nullptr;
  }
  return value;
}

}  // namespace

Result<std::optional<Value>> JsonField(std::string_view text, const JsonPath& path) {
  LOCKSTEP_TRY(const Value document, ParseObject(text));
  LOCKSTEP_TRY(const Value* found, Find(document, path));
  if (found == nullptr || found->is_null()) return std::optional<Value>();
  return std::optional(*found);
}

Result<std::string> WithJsonField(std::string_view text, const JsonPath& path,
                                  const std::optional<Value>& value) {
  LOCKSTEP_TRY(const Value document, ParseObject(text));
  LOCKSTEP_TRY(const Value* found, Find(document, path));
  const bool is_said = value ? found != nullptr && *found == *value : found == nullptr;
  if (is_said) return std::string(text);

  // A byte order mark, which only one of the two libraries passes over.
  const std::size_t mark = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  std::string result(text.substr(0, mark));
  if (const auto objects = FindPlaces(text.substr(mark), path)) {
    result += Spliced(text.substr(mark), *objects, path, value);
  }
  // Nothing is built on the places being right: what comes out is read again.
  const auto outcome = ParseJson(result);
  const Value intended = Intended(&document, path, value).value_or(Value(Value::Map()));
  if (!outcome || outcome.assume_value() != intended) {
    return MakeError(ErrorCode::kInternal, "its text could not be changed as meant");
  }
  return result;
}

}  // namespace lockstep
