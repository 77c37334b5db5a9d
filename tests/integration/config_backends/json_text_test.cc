#include "config_backends/json_text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

struct EditCase {
  std::string name;
  std::string before;
  JsonPath path;
  std::optional<Value> value;
  std::string after;
};
class JsonTextTest : public ::testing::TestWithParam<EditCase> {};

TEST_P(JsonTextTest, ChangesThatFieldAndNoOtherByte) {
  const EditCase& edit = GetParam();
  EXPECT_THAT(WithJsonField(edit.before, edit.path, edit.value), IsOkAndHolds(edit.after));
}

TEST_P(JsonTextTest, SaysNothingTwice) {
  const EditCase& edit = GetParam();
  EXPECT_THAT(WithJsonField(edit.after, edit.path, edit.value), IsOkAndHolds(edit.after));
}

const JsonPath kMode = {"os", "power", "mode"};
const std::vector<EditCase> kEdits = {
    {"ReplacesInAMinifiedText",
     R"({"a":1,"hostname":"x","b":2})",
     {"hostname"},
     Value("y"),
     R"({"a":1,"hostname":"y","b":2})"},
    {"ReplacesAnObjectByAText",
     R"({"a":{"b":[1,{"c":2}]},"d":3})",
     {"a"},
     Value("x"),
     R"({"a":"x","d":3})"},
    {"ReplacesNull", R"({"a": null})", {"a"}, Value(true), R"({"a": true})"},
    {"ReplacesTheLastNumber", "{\"a\":1.50e1}", {"a"}, Value(2), "{\"a\":2}"},
    {"KeepsHowNumbersAreWritten",
     R"({"n":1.0E+2, "z":-0, "a":true, "big":12345678901234567890})",
     {"a"},
     Value(false),
     R"({"n":1.0E+2, "z":-0, "a":false, "big":12345678901234567890})"},
    {"KeepsCrLf",
     "{\r\n\t\"a\" : \"x\",\r\n\t\"b\" : 2\r\n}\r\n",
     {"a"},
     Value("y"),
     "{\r\n\t\"a\" : \"y\",\r\n\t\"b\" : 2\r\n}\r\n"},
    {"AddsALineOfTheSameKind",
     "{\r\n\t\"a\" : \"x\"\r\n}",
     {"n"},
     Value(true),
     "{\r\n\t\"n\" : true,\r\n\t\"a\" : \"x\"\r\n}"},
    {"AddsToAMinifiedText", R"({"a":1})", {"n"}, Value("v"), R"({"n":"v","a":1})"},
    {"AddsToOneLineWithBlanks",
     R"({ "a": 1, "b": 2 })",
     {"n"},
     Value("v"),
     R"({ "n": "v", "a": 1, "b": 2 })"},
    {"AddsToNothing", "{}", {"n"}, Value("v"), R"({"n": "v"})"},
    {"AddsToBlanks", "{\n}\n", {"n"}, Value("v"), "{\"n\": \"v\"\n}\n"},
    {"AddsInsideAnObject", R"({"os":{"fan":{"profile":"cool"}}})", kMode, Value("low"),
     R"({"os":{"power":{"mode":"low"},"fan":{"profile":"cool"}}})"},
    {"AddsTheWholePath", "{\n  \"a\": 1\n}", kMode, Value("low"),
     "{\n  \"os\": {\"power\": {\"mode\": \"low\"}},\n  \"a\": 1\n}"},
    {"AddsToAnEmptyObjectInside", R"({"os":{}})", kMode, Value("low"),
     R"({"os":{"power":{"mode":"low"}}})"},
    {"FindsItBesideTheSameNamesElsewhere",
     R"({"x":{"os":{"power":{"mode":"no"}}},"l":[{"os":1}],"os":{"mode":1,"power":{"mode":"a"}}})",
     kMode, Value("b"),
     R"({"x":{"os":{"power":{"mode":"no"}}},"l":[{"os":1}],"os":{"mode":1,"power":{"mode":"b"}}})"},
    {"FindsAKeyThatIsWrittenWithEscapes", R"({"\u006fs":{"power":{"m\u006fde":"a"}}})", kMode,
     Value("b"), R"({"\u006fs":{"power":{"m\u006fde":"b"}}})"},
    {"IsNotMisledByTextThatLooksLikeJson",
     R"({"u":"\\\"os\":{\"power\":{","os":{"power":{"mode":"a"}}})", kMode, Value("b"),
     R"({"u":"\\\"os\":{\"power\":{","os":{"power":{"mode":"b"}}})"},
    {"EscapesWhatItWrites",
     R"({"a":1})",
     {"a"},
     Value("q\"\\\n\x01$(x)`"),
     R"({"a":"q\"\\\n\u0001$(x)`"})"},
    {"KeepsAByteOrderMark", "\xef\xbb\xbf{\"a\":1}", {"a"}, Value(2), "\xef\xbb\xbf{\"a\":2}"},
    {"RemovesTheFirst", "{\n  \"a\": 1,\n  \"b\": 2\n}", {"a"}, std::nullopt, "{\n  \"b\": 2\n}"},
    {"RemovesOneInTheMiddle",
     "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}",
     {"b"},
     std::nullopt,
     "{\n  \"a\": 1,\n  \"c\": 3\n}"},
    {"RemovesTheLast", "{\n  \"a\": 1,\n  \"b\": 2\n}", {"b"}, std::nullopt, "{\n  \"a\": 1\n}"},
    {"RemovesTheOnlyOne", "{\n  \"a\": 1\n}", {"a"}, std::nullopt, "{\n}"},
    {"RemovesObjectsThatItEmpties", R"({"a":1,"os":{"power":{"mode":"x"}},"b":2})", kMode,
     std::nullopt, R"({"a":1,"b":2})"},
    {"KeepsObjectsThatHoldMore", R"({"os":{"power":{"mode":"x"},"fan":{}}})", kMode, std::nullopt,
     R"({"os":{"fan":{}}})"},
    {"RemovesNull", R"({"a":null,"b":1})", {"a"}, std::nullopt, R"({"b":1})"},
    {"RemovesWhatIsNotThere", "{ \"b\" : 1 }\n\n", {"a"}, std::nullopt, "{ \"b\" : 1 }\n\n"},
    {"WritesWhatIsSaidAlreadyAsItIs",
     R"({"a":"\u0078"  })",
     {"a"},
     Value("x"),
     R"({"a":"\u0078"  })"},
};
INSTANTIATE_TEST_SUITE_P(Cases, JsonTextTest, ::testing::ValuesIn(kEdits),
                         [](const auto& param_info) { return param_info.param.name; });

struct BadTextCase {
  std::string name;
  std::string text;
  std::string complaint;
};
class BadJsonTextTest : public ::testing::TestWithParam<BadTextCase> {};

TEST_P(BadJsonTextTest, IsRefused) {
  const auto changed = WithJsonField(GetParam().text, kMode, Value("low"));
  ASSERT_THAT(changed, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Describe(changed.assume_error()), HasSubstr(GetParam().complaint));
  EXPECT_THAT(JsonField(GetParam().text, kMode), IsError(ErrorCode::kInvalidInput));
}

std::string Repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

const std::vector<BadTextCase> kBadTexts = {
    {"Empty", "", "empty"},
    {"Blank", " \n", "empty"},
    {"CutOff", R"({"os":{"power")", "ends in the middle"},
    {"AList", "[1]", "no JSON object"},
    {"AText", R"("os")", "no JSON object"},
    {"Null", "null", "no JSON object"},
    {"TwoDocuments", "{}{}", "no JSON"},
    {"ACommentInIt", "{/* x */}", "no JSON"},
    {"ACommaTooMany", R"({"a":1,})", "no JSON"},
    {"NotANumber", R"({"a":NaN})", "no JSON"},
    {"AHalfSurrogate", R"({"a":"\ud800"})", "no JSON"},
    {"BytesThatAreNotUtf8", "{\"a\":\"\xff\"}", "no JSON"},
    {"ALineEndInAText", "{\"a\":\"\n\"}", "no JSON"},
    {"AKeyThere", R"({"a":1,"b":2,"a":3})", "twice"},
    {"AKeyThereWithEscapes", R"({"os":{},"\u006fs":{}})", "twice"},
    {"NulAtTheEnd", std::string("{}\0\0", 4), "NUL"},
    {"NulBetween", std::string("{\"a\":1,\0\"b\":2}", 14), "NUL"},
    {"NulInAText", std::string("{\"a\":\"\0\"}", 9), "NUL"},
    {"DeepLists", R"({"a":)" + Repeated("[", 100000) + Repeated("]", 100000) + "}", "deep"},
    {"DeepObjects", Repeated(R"({"os":)", 100000) + "1" + Repeated("}", 100000), "deep"},
    {"DeepAndCutOff", Repeated("[", 100000), "deep"},
    {"ATextOnThePath", R"({"os":"secret"})", "\"os\" in it is no object"},
    {"AListOnThePath", R"({"os":{"power":["secret"]}})", "\"os.power\" in it is no object"},
    {"NullOnThePath", R"({"os":null})", "\"os\" in it is no object"},
};
INSTANTIATE_TEST_SUITE_P(Cases, BadJsonTextTest, ::testing::ValuesIn(kBadTexts),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(JsonFieldTest, SaysWhatIsThere) {
  const std::string text = R"({"a":{"b":"\u00e9\ud83d\ude00"},"n":null,"l":[1]})";
  EXPECT_THAT(JsonField(text, {"a", "b"}), IsOkAndHolds(std::optional(Value("\u00e9\U0001f600"))));
  EXPECT_THAT(JsonField(text, {"l"}), IsOkAndHolds(std::optional(Value(Value::List{Value(1)}))));
  EXPECT_THAT(JsonField(text, {"n"}), IsOkAndHolds(std::optional<Value>()));
  EXPECT_THAT(JsonField(text, {"a", "c"}), IsOkAndHolds(std::optional<Value>()));
  EXPECT_THAT(JsonField(text, {"x", "y"}), IsOkAndHolds(std::optional<Value>()));
}

TEST(JsonTextSizeTest, LinesOfMegabytesAreKept) {
  const std::string line = "{\"key\": \"" + std::string(1U << 20, 'k') + "\",\n\"a\": 1}";
  std::string after = line;
  after.replace(after.size() - 2, 1, "\"b\"");
  EXPECT_THAT(WithJsonField(line, {"a"}, Value("b")), IsOkAndHolds(after));
}

// Writes documents in every way that people and programs write them.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string Document() {
    const int style = Pick(4);
    line_ = style == 0 ? "" : Pick(2) == 0 ? "\n" : "\r\n";
    indent_ = style == 1 ? "\t" : std::string(static_cast<std::size_t>(style), ' ');
    colon_ = Pick(3) == 0 ? " : " : style == 0 ? ":" : ": ";
    std::string text = Object(0);
    if (Pick(2) == 0) text += Pick(2) == 0 ? "\n" : "\r\n\r\n";
    return text;
  }
  JsonPath Path() {
    JsonPath path;
    for (int i = Pick(3); i >= 0; --i) path.push_back(Name());
    return path;
  }
  Value Scalar() {
    return Pick(2) == 0 ? Value(Pick(2) == 0) : Value("v" + std::to_string(Pick(9)));
  }

 private:
  int Pick(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  std::string Name() {
    return std::vector<std::string>{"a", "os", "mode", "k\u00e9y", "x.y"}[Pick5()];
  }
  std::size_t Pick5() { return static_cast<std::size_t>(Pick(5)); }
  std::string Break(int depth) const { return line_.empty() ? "" : line_ + RepeatedIndent(depth); }
  std::string RepeatedIndent(int depth) const { return Repeated(indent_, depth); }

  std::string Object(int depth) {
    std::vector<std::string> names;
    for (int i = Pick(5); i > 0; --i) {
      if (std::string name = Name(); std::count(names.begin(), names.end(), name) == 0) {
        names.push_back(std::move(name));
      }
    }
    std::string text = "{";
    for (const std::string& name : names) {
      if (text.size() > 1) text += ",";
      text += Break(depth + 1) + '"' + name + '"' + colon_ + Any(depth + 1);
    }
    return text + (names.empty() && Pick(2) == 0 ? "" : Break(depth)) + "}";
  }
  std::string Any(int depth) {
    static const std::vector<std::string> kScalars = {"true",
                                                      "false",
                                                      "null",
                                                      "0",
                                                      "-1.50e+3",
                                                      "12345678901234567890",
                                                      R"("")",
                                                      R"("v1")",
                                                      R"("a \"}{][,:\\ b")",
                                                      R"("\u00e9\ud83d\ude00")",
                                                      R"("\/")",
                                                      "[]",
                                                      R"([1, {"os" : [ ]}])"};
    if (depth < 4 && Pick(5) < 3) return Object(depth);
    return kScalars[static_cast<std::size_t>(Pick(static_cast<int>(kScalars.size())))];
  }

  std::mt19937 random_;
  std::string line_;
  std::string indent_;
  std::string colon_;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}
// How many lines of `a` are not, in the same order, in `b`.
std::size_t LinesLost(const std::string& a, const std::string& b) {
  const std::vector<std::string> before = Lines(a);
  const std::vector<std::string> after = Lines(b);
  std::size_t head = 0;
  while (head < before.size() && head < after.size() && before[head] == after[head]) ++head;
  std::size_t tail = 0;
  while (tail < before.size() - head && tail < after.size() - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  return before.size() - head - tail;
}

json::json_pointer Pointer(const JsonPath& path) {
  json::json_pointer pointer;
  for (const std::string& key : path) pointer /= key;
  return pointer;
}
bool IsBlocked(const json& document, const JsonPath& path) {
  const json* value = &document;
  for (const std::string& key : path) {
    if (!value->is_object()) return true;
    const auto found = value->find(key);
    if (found == value->end()) return false;
    value = &*found;
  }
  return false;
}

TEST(GeneratedJsonTextTest, ComesOutAsAnotherLibraryWouldChangeIt) {
  int changed = 0;
  int added = 0;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    Author author(seed);
    const std::string before = author.Document();
    const JsonPath path = author.Path();
    const Value value = author.Scalar();
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ": " << before);
    json document = json::parse(before, nullptr, false);
    ASSERT_FALSE(document.is_discarded());
    const auto after = WithJsonField(before, path, value);
    if (IsBlocked(document, path)) {
      ASSERT_THAT(after, IsError(ErrorCode::kInvalidInput));
      continue;
    }
    ASSERT_THAT(after, IsOk());
    const bool was_there = document.contains(Pointer(path));
    document[Pointer(path)] =
        value.AsBool() != nullptr ? json(*value.AsBool()) : json(*value.AsString());
    ASSERT_EQ(json::parse(after.assume_value(), nullptr, false), document);
    if (was_there) {
      ++changed;
      continue;
    }
    ++added;
    // Only the line that an object on one line shares with the new member is another.
    ASSERT_LE(LinesLost(before, after.assume_value()), 1U);
    const auto back = WithJsonField(after.assume_value(), path, std::nullopt);
    ASSERT_THAT(back, IsOk());
    // Objects that were empty go with the field that was put into them.
    if (!std::regex_search(before, std::regex("\\{\\s*\\}"))) {
      ASSERT_EQ(back.assume_value(), before);
    }
  }
  EXPECT_GT(changed, 300);
  EXPECT_GT(added, 1000);
}

TEST(GeneratedJsonTextTest, AScalarThatIsReplacedChangesItsLineAlone) {
  int replaced = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Author author(seed);
    const std::string before = author.Document();
    const JsonPath path = author.Path();
    const json document = json::parse(before, nullptr, false);
    if (IsBlocked(document, path) || !document.contains(Pointer(path)) ||
        document[Pointer(path)].is_structured()) {
      continue;
    }
    ++replaced;
    const auto after = WithJsonField(before, path, Value("another"));
    ASSERT_THAT(after, IsOk());
    EXPECT_EQ(LinesLost(before, after.assume_value()), 1U) << before;
    EXPECT_EQ(LinesLost(after.assume_value(), before), 1U) << before;
    // The bytes beside the value are the same.
    const std::size_t at = after.assume_value().find("\"another\"");
    EXPECT_EQ(after.assume_value().substr(0, at), before.substr(0, at));
    const std::string rest = after.assume_value().substr(at + 9);
    EXPECT_TRUE(before.ends_with(rest)) << before;
  }
  EXPECT_GT(replaced, 100);
}

TEST(GeneratedJsonTextTest, TextsThatAreCutOffOrDamagedNeverCrash) {
  std::mt19937 random(1);
  for (unsigned seed = 0; seed < 300; ++seed) {
    Author author(seed);
    const std::string whole = author.Document();
    const JsonPath path = author.Path();
    for (std::size_t size = 0; size < whole.size(); size += 3) {
      (void)WithJsonField(whole.substr(0, size), path, Value("x"));
      std::string damaged = whole;
      damaged[size] = static_cast<char>(random() & 0xff);
      const auto after = WithJsonField(damaged, path, Value("x"));
      ASSERT_TRUE(after || after.assume_error().code == ErrorCode::kInvalidInput) << damaged;
    }
  }
}

}  // namespace
}  // namespace lockstep::test
