#include "yaml_value.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <optional>
#include <streambuf>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lockstep/utf8.h"

namespace lockstep {
namespace {

using YAML::Mark;

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kMergeKey = "<<";

std::string PlaceOf(std::size_t line, std::size_t column) {
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string PlaceOf(const Mark& mark) {
  if (mark.is_null()) return "somewhere";
  return PlaceOf(static_cast<std::size_t>(mark.line) + 1,
                 static_cast<std::size_t>(mark.column) + 1);
}

std::string_view LineOf(std::string_view text, const Mark& mark) {
  for (int line = 0; line < mark.line; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// What ends the reading from within the library, which knows exceptions only. Never leaves here.
struct Refusal {
  Mark mark;
  std::string message;
};

// Builds a Value while the text is read. Going by events, not over a finished document, is what
// bounds the nesting before the library goes deep, and what sees a key that is there twice.
class YamlBuilder final : public YAML::EventHandler {
 public:
  explicit YamlBuilder(std::string_view text) : text_(text) {}

  Value Take() { return std::move(root_); }
  std::size_t values() const { return values_; }

  void OnDocumentStart(const Mark& mark) override {
    if (!std::exchange(begun_, true)) return;
    // What is indented less than the first line is a document of its own to the library.
    if (LineOf(text_, mark).starts_with("---")) throw Refusal{mark, "it has a second document"};
    throw Refusal{mark, "this does not belong to what is above it; check how far it is indented"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const Mark& mark, YAML::anchor_t anchor) override {
    if (AtKey()) throw Refusal{mark, "a key is empty"};
    AddScalar(mark, Value(), anchor);
  }

  void OnScalar(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (text.find('\0') != std::string::npos) {  // It would be cut off there further on.
      throw Refusal{mark, "a text in it has a NUL character"};
    }
    if (!AtKey()) return AddScalar(mark, Tagged(mark, tag, text), anchor);
    AddKey(mark, text, tag == "?");
    if (anchor != YAML::NullAnchor) Keep(mark, anchor, Value(text), 0, 1, text.size());
  }

  void OnAlias(const Mark& mark, YAML::anchor_t anchor) override {
    if (anchor > anchors_.size() || !anchors_[anchor - 1]) {
      throw Refusal{mark, "an alias stands inside of what it names"};
    }
    const Anchored& known = *anchors_[anchor - 1];
    if (AtKey()) {
      const std::string* key = known.value.AsString();
      if (key == nullptr) throw Refusal{mark, "a key must be text"};
      return AddKey(mark, *key, false);
    }
    CheckDepth(mark, open_.size() + known.height);
    Spend(mark, known.values, known.bytes);
    Add(mark, known.value, known.height);
  }

  void OnSequenceStart(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, "seq", anchor, /*is_map=*/false);
  }
  void OnSequenceEnd() override {
    Frame frame = Close();
    Finish(frame, Value(std::move(frame.list)));
  }
  void OnMapStart(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, "map", anchor, /*is_map=*/true);
  }
  void OnMapEnd() override {
    Frame frame = Close();
    for (Value::Map& merged : frame.merged) {
      for (Value::Member& member : merged) {
        if (frame.keys.insert(member.key).second) frame.map.push_back(std::move(member));
      }
    }
    Finish(frame, Value(std::move(frame.map)));
  }

 private:
  struct Frame {
    Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool is_map = false;
    bool has_key = false;
    bool merges = false;  // The key at hand is `<<`.
    std::string key;
    Value::Map map;
    Value::List list;
    std::unordered_set<std::string> keys;
    std::vector<Value::Map> merged;  // The first wins.
    std::size_t height = 1;          // Levels, its own among them.
    std::size_t values_before = 0;
    std::size_t bytes_before = 0;
  };
  struct Anchored {
    Value value;
    std::size_t height;
    std::size_t values;
    std::size_t bytes;
  };

  bool AtKey() const { return !open_.empty() && open_.back().is_map && !open_.back().has_key; }

  static void CheckDepth(const Mark& mark, std::size_t depth) {
    if (depth <= kMaxYamlDepth) return;
    throw Refusal{mark, "it is nested more than " + std::to_string(kMaxYamlDepth) + " levels deep"};
  }

  void Spend(const Mark& mark, std::size_t values, std::size_t bytes) {
    values_ += values;
    bytes_ += bytes;
    if (values_ <= kMaxYamlValues && bytes_ <= kMaxYamlText) return;
    throw Refusal{mark, "it is too large, with its aliases written out: more than " +
                            std::to_string(kMaxYamlValues) + " values or " +
                            std::to_string(kMaxYamlText >> 20) + " MiB of text"};
  }

  static Value Tagged(const Mark& mark, std::string_view tag, const std::string& text) {
    if (tag == "?") return ResolvePlainScalar(text);
    if (tag == "!") return text;
    if (!tag.starts_with(kTagPrefix)) return RefuseTag(mark, tag);
    tag.remove_prefix(kTagPrefix.size());
    if (tag == "str") return text;
    Value value = ResolvePlainScalar(text);
    const bool whole = value.AsInt() != nullptr;
    const bool fits = (tag == "int" && whole) || (tag == "bool" && value.AsBool() != nullptr) ||
                      (tag == "float" && (whole || value.AsDouble() != nullptr)) ||
                      (tag == "null" && value.is_null());
    return fits ? value : RefuseTag(mark, tag);
  }

  [[noreturn]] static Value RefuseTag(const Mark& mark, std::string_view tag) {
    throw Refusal{mark, "the tag `" + std::string(tag) + "` does not go with this here"};
  }

  void AddScalar(const Mark& mark, Value value, YAML::anchor_t anchor) {
    const std::string* text = value.AsString();
    const std::size_t bytes = text == nullptr ? 0 : text->size();
    Spend(mark, 1, bytes);
    if (anchor != YAML::NullAnchor) Keep(mark, anchor, value, 0, 1, bytes);
    Add(mark, std::move(value), 0);
  }

  void AddKey(const Mark& mark, const std::string& key, bool plain) {
    Frame& frame = open_.back();
    Spend(mark, 0, key.size());
    if (!frame.keys.insert(key).second) {
      const std::string hint = key == kMergeKey ? "; give it a list" : "";
      throw Refusal{mark, "the key `" + key + "` is there twice in one map" + hint};
    }
    frame.key = key;
    frame.has_key = true;
    frame.merges = plain && key == kMergeKey;
  }

  void Open(const Mark& mark, std::string_view tag, std::string_view kind, YAML::anchor_t anchor,
            bool is_map) {
    if (AtKey()) throw Refusal{mark, "a key must be text"};
    const bool plain = tag == "?" || tag == "!";
    if (!plain && tag != std::string(kTagPrefix).append(kind)) RefuseTag(mark, tag);
    CheckDepth(mark, open_.size() + 1);
    Spend(mark, 1, 0);
    open_.emplace_back();
    Frame& frame = open_.back();
    frame.mark = mark;
    frame.anchor = anchor;
    frame.is_map = is_map;
    frame.values_before = values_ - 1;
    frame.bytes_before = bytes_;
  }

  Frame Close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    return frame;
  }

  void Finish(const Frame& frame, Value value) {
    if (frame.anchor != YAML::NullAnchor) {
      Keep(frame.mark, frame.anchor, value, frame.height, values_ - frame.values_before,
           bytes_ - frame.bytes_before);
    }
    Add(frame.mark, std::move(value), frame.height);
  }

  // A copy: it is paid for like any other part of the document.
  void Keep(const Mark& mark, YAML::anchor_t anchor, Value value, std::size_t height,
            std::size_t values, std::size_t bytes) {
    Spend(mark, values, bytes);
    if (anchors_.size() < anchor) anchors_.resize(anchor);
    anchors_[anchor - 1] = Anchored{std::move(value), height, values, bytes};
  }

  void Add(const Mark& mark, Value value, std::size_t height) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = open_.back();
    frame.height = std::max(frame.height, height + 1);
    if (!frame.is_map) {
      frame.list.push_back(std::move(value));
      return;
    }
    frame.has_key = false;
    if (frame.merges) return Merge(mark, value, frame);
    frame.map.push_back({std::move(frame.key), std::move(value)});
  }

  static void Merge(const Mark& mark, const Value& value, Frame& frame) {
    const Value::List* list = value.AsList();
    const auto add = [&](const Value& part) {
      if (part.AsMap() == nullptr) throw Refusal{mark, "`<<` takes a map or a list of maps"};
      frame.merged.push_back(*part.AsMap());
    };
    if (list == nullptr) return add(value);
    for (const Value& part : *list) add(part);
  }

  std::string_view text_;
  bool begun_ = false;
  std::vector<Frame> open_;
  std::vector<std::optional<Anchored>> anchors_;  // By number, from 1; empty until it is complete.
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
  Value root_;
};

// Hands the text to the library bit by bit. A bracket may open the key of a map, so the library
// reads on to the one that closes before it tells of either, and needs a hundred times the memory.
class MeteredSource final : public std::streambuf {
 public:
  MeteredSource(std::string& text, const YamlBuilder& builder) : text_(text), builder_(builder) {}

 protected:
  int_type underflow() override {
    constexpr std::size_t kPart = 4096;
    if (builder_.values() != values_) {
      values_ = builder_.values();
      told_ = given_;
    }
    if (given_ - told_ > kMaxYamlPiece) {
      throw Refusal{Mark::null_mark(),
                    "a text or what stands in one pair of brackets is longer than " +
                        std::to_string(kMaxYamlPiece >> 20) + " MiB"};
    }
    const std::size_t part = std::min(kPart, text_.size() - given_);
    if (part == 0) return traits_type::eof();
    setg(text_.data() + given_, text_.data() + given_, text_.data() + given_ + part);
    given_ += part;
    return traits_type::to_int_type(*gptr());
  }

 private:
  std::string& text_;
  const YamlBuilder& builder_;
  std::size_t given_ = 0;
  std::size_t told_ = 0;    // How much was given when the builder last heard of a value.
  std::size_t values_ = 0;  // How many it had heard of then.
};

// The library's words for what happens most, in words that help.
std::string Explain(std::string_view text, const YAML::Exception& error) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWords = {{
      {"end of map not found", "this does not fit what is above it; check how far it is indented"},
      {"end of sequence not found",
       "this does not fit the list above it; check how far it is indented"},
      {"illegal map value", "a second `: ` on one line; put the text in quotes"},
      {"illegal block entry", "a list of lines begins on a line of its own"},
      {"unknown token", "a text cannot begin like this; put it in quotes"},
      {"illegal document indicator in scalar", "a quote above is not closed"},
      {"end of map flow not found", "a `{` is not closed, or a comma is missing"},
      {"end of sequence flow not found", "a `[` is not closed, or a comma is missing"},
  }};
  if (LineOf(text, error.mark).starts_with('\t')) {
    return "the line is indented with a tab; use blanks";
  }
  for (const auto& [theirs, ours] : kWords) {
    if (error.msg == theirs) return std::string(ours);
  }
  return error.msg;
}

Error Invalid(std::string message) {
  return MakeError(ErrorCode::kInvalidInput, std::move(message));
}

// What the library takes for the end, skips or passes on.
Result<void> CheckText(std::string_view text) {
  if (text.size() > kMaxYamlBytes) {
    return Invalid("it is larger than " + std::to_string(kMaxYamlBytes >> 20) + " MiB");
  }
  std::size_t line = 1;
  std::size_t column = 1;
  while (!text.empty()) {
    const std::size_t length = Utf8CharacterLength(text);
    const auto byte = static_cast<unsigned char>(text.front());
    const bool control =
        byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r');
    if (length == 0 || control) {
      return Invalid(std::string(control ? "a control character" : "a byte that is not UTF-8") +
                     " at " + PlaceOf(line, column));
    }
    column = byte == '\n' ? 1 : column + 1;
    if (byte == '\n') ++line;
    text.remove_prefix(length);
  }
  return Ok();
}

}  // namespace

Result<Value> ParseYaml(std::string_view text) {
  LOCKSTEP_TRYV(CheckText(text));
  YamlBuilder builder(text);
  try {
    // At the end of the text the library forgives a quote that is open, and what it swallowed;
    // before the mark of a document's end it does not.
    std::string marked = std::string(text) + (text.ends_with('\n') ? "" : "\n") + "...\n";
    MeteredSource source(marked, builder);
    std::istream stream(&source);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return Invalid(refusal.message + " (" + PlaceOf(refusal.mark) + ")");
  } catch (const YAML::Exception& error) {
    const bool at_end =
        !error.mark.is_null() && static_cast<std::size_t>(error.mark.pos) >= text.size();
    return Invalid("it is no YAML: " + Explain(text, error) + " (" +
                   (at_end ? "seen at the end" : PlaceOf(error.mark)) + ")");
  }
  Value value = builder.Take();
  if (value.is_null()) return Invalid("it is empty");
  return value;
}

}  // namespace lockstep
