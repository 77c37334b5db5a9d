#include "yaml_value.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::IsError;
using test::IsOk;
using ::testing::HasSubstr;

struct ScalarCase {
  std::string text;
  Value value;
};

TEST(YamlScalarTest, PlainScalarsAreOfTheCoreSchema) {
  const ScalarCase cases[] = {
      {"", Value()},
      {"~", Value()},
      {"null", Value()},
      {"NULL", Value()},
      {"nULL", "nULL"},
      {"true", true},
      {"True", true},
      {"FALSE", false},
      {"tRue", "tRue"},
      {"yes", "yes"},
      {"no", "no"},
      {"on", "on"},
      {"off", "off"},
      {"y", "y"},
      {"0", 0},
      {"-0", 0},
      {"+12", 12},
      {"-7", -7},
      {"0x1F", 31},
      {"0o17", 15},
      {"0b11", "0b11"},
      {"-0x1", "-0x1"},
      {"0x", "0x"},
      {"0x-1", "0x-1"},
      {"1_000", "1_000"},
      {"22:22", "22:22"},
      {"0777", "0777"},
      {"-01", "-01"},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"9223372036854775808", "9223372036854775808"},
      {"0xffffffffffffffffff", "0xffffffffffffffffff"},
      {"1.5", 1.5},
      {"1.", 1.0},
      {".5", 0.5},
      {"-.5e1", -5.0},
      {"1e3", 1000.0},
      {"+1E+3", 1000.0},
      {"1e999", "1e999"},
      {".", "."},
      {"-", "-"},
      {"+", "+"},
      {"1e", "1e"},
      {"e1", "e1"},
      {"1.2.3", "1.2.3"},
      {"1.5 ", "1.5 "},
      {"++1", "++1"},
      {"2024-01-01", "2024-01-01"},
      {"-.inf", -std::numeric_limits<double>::infinity()},
      {".INF", std::numeric_limits<double>::infinity()},
      {"inf", "inf"},
      {"-.nan", "-.nan"},
  };
  for (const ScalarCase& c : cases) EXPECT_EQ(ResolvePlainScalar(c.text), c.value) << c.text;
  EXPECT_TRUE(std::isnan(*ResolvePlainScalar(".NaN").AsDouble()));
}

struct DocumentCase {
  std::string name;
  std::string yaml;
  std::string text;  // As ToText gives it.
};

const DocumentCase kDocuments[] = {
    {"QuotedIsText", R"({a: "1", b: 'true', c: "", d: '~'})",
     R"({"a":"1","b":"true","c":"","d":"~"})"},
    {"BlockScalarIsText", "a: |\n  1\n  2\nb: >-\n  x\n  y\n",
     R"({"a":"1\u000a2\u000a","b":"x y"})"},
    {"EmptyIsNull", "a:\nb: [x, ]\nc: {d}\n", R"({"a":null,"b":["x"],"c":{"d":null}})"},
    {"KeysAreText", "80: a\ntrue: b\n1.10: c\n", R"({"1.10":"c","80":"a","true":"b"})"},
    {"ListInMapWithoutIndent", "a:\n- 1\n- x: 2\n  y: 3\n", R"({"a":[1,{"x":2,"y":3}]})"},
    {"Comments", "# one\na: 1 # two\n\n#three\n", R"({"a":1})"},
    {"OneDocumentWithMarks", "---\na: 1\n...\n", R"({"a":1})"},
    {"ByteOrderMark",
     "\xef\xbb\xbf"
     "a: 1",
     R"({"a":1})"},
    {"CarriageReturns", "a: 1\r\nb:\r\n  - x\r\n", R"({"a":1,"b":["x"]})"},
    {"Json", R"({"a": [1, 2.5, "x", null, true], "b": {"c": "\u00e4\n"}})",
     "{\"a\":[1,2.5,\"x\",null,true],\"b\":{\"c\":\"\xc3\xa4\\u000a\"}}"},
    {"TagsOfTheSchema",
     "a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: ! 4\ne: !!map {}\nf: !!null ''",
     R"({"a":"1","b":2,"c":3,"d":"4","e":{},"f":null})"},
    {"AliasIsWrittenOut", "a: &x {k: [1]}\nb: *x\n", R"({"a":{"k":[1]},"b":{"k":[1]}})"},
    {"AliasOfScalarAndKey", "&k a: &v 1\n*k : x\n", ""},
    {"AliasAsKey", "list: [&k a]\nmap: {*k : 1}\n", R"({"list":["a"],"map":{"a":1}})"},
    {"AnchorTakenAgain", "a: &x 1\nb: &x 2\nc: *x\n", R"({"a":1,"b":2,"c":2})"},
    {"MergeBringsWhatIsNotThere", "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n",
     R"({"a":{"p":1,"q":2},"b":{"p":1,"q":3}})"},
    {"OwnKeysWinWhereverTheyStand", "a: &x {p: 1}\nb:\n  p: 2\n  <<: *x\n",
     R"({"a":{"p":1},"b":{"p":2}})"},
    {"FirstOfAListWins", "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
     R"({"a":{"p":1},"b":{"p":2,"q":2},"c":{"p":1,"q":2}})"},
    {"MergeOfAMerge", "a: &x {p: 1}\nb: &y {<<: *x, q: 2}\nc: {<<: *y}\n",
     R"({"a":{"p":1},"b":{"p":1,"q":2},"c":{"p":1,"q":2}})"},
    {"MergeIsNotDeep", "a: &x {m: {p: 1}}\nb: {<<: *x, m: {q: 2}}\n",
     R"({"a":{"m":{"p":1}},"b":{"m":{"q":2}}})"},
    {"MergeWrittenInPlace", "a: {<<: {p: 1}, q: 2}\n", R"({"a":{"p":1,"q":2}})"},
    {"QuotedMergeKeyIsAKey", "a: {\"<<\": 1}\n", R"({"a":{"<<":1}})"},
    {"Scalar", "just text", R"("just text")"},
};

TEST(YamlValueTest, ReadsDocuments) {
  for (const DocumentCase& c : kDocuments) {
    const auto value = ParseYaml(c.yaml);
    if (c.text.empty()) {
      EXPECT_THAT(value, IsError(ErrorCode::kInvalidInput)) << c.name;
      continue;
    }
    ASSERT_THAT(value, IsOk()) << c.name;
    EXPECT_EQ(ToText(value.assume_value()), c.text) << c.name;
  }
}

struct RefusedCase {
  std::string name;
  std::string yaml;
  std::string message;
};

const RefusedCase kRefused[] = {
    {"Nothing", "", "it is empty"},
    {"NothingButComments", "# x\n", "it is empty"},
    {"NothingButNull", "---\n~\n", "it is empty"},
    {"SecondDocument", "a: 1\n---\nb: 2\n", "second document (line 2"},
    {"SecondDocumentThatIsEmpty", "a: 1\n---\n", "second document"},
    {"LessIndentThanTheFirstLine", "  a: 1\nb: 2\n", "how far it is indented (line 2, column 1)"},
    {"DifferentIndent", "a:\n    b: 1\n  c: 2\n", "how far it is indented (line 3, column 3)"},
    {"ListThenMap", "- a\nb: 1\n", "indented (line 2, column 1)"},
    {"Tab", "a:\n\tb: 1\n", "indented with a tab; use blanks (line 2"},
    {"TwoColons", "a: b: c\n", "put the text in quotes (line 1, column 5)"},
    {"OpenBrace", "a: {b: 1\n", "`{` is not closed"},
    {"OpenBracket", "a: [b, c\n", "`[` is not closed, or a comma is missing (seen at the end)"},
    {"OpenQuote", "a: \"b\n", "a quote above is not closed"},
    {"OpenQuoteAtTheEnd", "a: 'b", "a quote above is not closed"},
    {"OpenQuoteThatSwallowsTheRest", "a: \"b\nc: d\n", "a quote above is not closed"},
    {"TextThatBeginsLikeSomethingElse", "a: @b\n", "put it in quotes (line 1, column 4)"},
    {"ListBesideItsKey", "a: - b\n", "a line of its own"},
    {"KeyTwice", "a:\n  b: 1\n  c: 2\n  b: 3\n",
     "the key `b` is there twice in one map (line 4, column 3)"},
    {"KeyTwiceInTwoForms", "{1: a, \"1\": b}", "the key `1` is there twice"},
    {"MergeKeyTwice", "a: &x {}\nb: {<<: *x, <<: *x}\n",
     "`<<` is there twice in one map; give it a list"},
    {"MergeOfText", "a: {<<: text}\n", "`<<` takes a map or a list of maps"},
    {"MergeOfListOfText", "a: {<<: [text]}\n", "`<<` takes a map or a list of maps"},
    {"KeyThatIsAList", "? [a]\n: b\n", "a key must be text (line 1"},
    {"KeyThatIsAMap", "{{a: 1}: b}", "a key must be text"},
    {"KeyThatIsAnAliasOfAList", "a: &x [1]\nb: {*x : 1}\n", "a key must be text"},
    {"KeyThatIsNothing", ": a\n", "a key is empty"},
    {"KeyThatIsNull", "~: a\n", "a key is empty"},
    {"UnknownAlias", "a: *nobody\n", "it is no YAML"},
    {"AliasOfWhatIsAround", "a: &x [*x]\n",
     "an alias stands inside of what it names (line 1, column 8)"},
    {"TagOfComposeMerging", "a: !reset null\n", "the tag `!reset`"},
    {"TagForBytes", "a: !!binary aGk=\n", "the tag `binary`"},
    {"TagThatDoesNotFit", "a: !!int x\n", "the tag `int`"},
    {"NotUtf8", "a: 1\nb: \xff\n", "not UTF-8 at line 2, column 4"},
    {"CutOffCharacter", "a: \xc3", "not UTF-8 at line 1, column 4"},
    {"OverlongCharacter", "a: \xc0\xaf", "not UTF-8"},
    {"Surrogate", "a: \xed\xa0\x80", "not UTF-8"},
    {"Utf16", std::string("a\0:\0 \0b\0", 8), "a control character at line 1, column 2"},
    // The library takes this byte for the end of the text.
    {"EndOfTransmission",
     "a: 1\n\x04"
     "b: 2\n",
     "a control character at line 2, column 1"},
    {"NulInQuotes", "a: \"x\\0y\"\n", "NUL character"},
    {"NulInKey", "\"x\\0y\": 1\n", "NUL character"},
    {"NewerVersion", "%YAML 3.0\n---\na: 1\n", "it is no YAML"},
};

TEST(YamlValueTest, RefusesAndNamesThePlace) {
  for (const RefusedCase& c : kRefused) {
    const auto value = ParseYaml(c.yaml);
    ASSERT_THAT(value, IsError(ErrorCode::kInvalidInput)) << c.name;
    EXPECT_THAT(value.assume_error().message, HasSubstr(c.message)) << c.name;
  }
}

std::string Repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(YamlValueTest, NestingIsBoundedWhateverItIsMadeOf) {
  constexpr int kDeep = 10'000;
  std::string indented;
  for (int i = 0; i < 2000; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  for (const std::string& text :
       {Repeat("[", kDeep), Repeat("[", kDeep) + Repeat("]", kDeep), Repeat("{a: ", kDeep),
        Repeat("- ", kDeep), Repeat("? ", kDeep), Repeat("[{", kDeep), indented}) {
    const auto value = ParseYaml(text);
    ASSERT_THAT(value, IsError(ErrorCode::kInvalidInput));
  }
  EXPECT_THAT(ParseYaml(Repeat("[", kMaxYamlDepth) + Repeat("]", kMaxYamlDepth)), IsOk());
  const auto deeper = ParseYaml(Repeat("[", kMaxYamlDepth + 1) + Repeat("]", kMaxYamlDepth + 1));
  ASSERT_THAT(deeper, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(deeper.assume_error().message, HasSubstr("more than 64 levels deep"));
}

// Each anchor holds the one before: no line is deep, all of them together are.
TEST(YamlValueTest, NestingByAliasesIsBoundedToo) {
  const auto chain = [](int length) {
    std::string text = "a0: &a0 [x]\n";
    for (int i = 1; i < length; ++i) {
      const std::string name = "a" + std::to_string(i);
      text += name + ": &" + name + " [*a" + std::to_string(i - 1) + "]\n";
    }
    return text;
  };
  EXPECT_THAT(ParseYaml(chain(kMaxYamlDepth - 1)), IsOk());
  const auto deeper = ParseYaml(chain(kMaxYamlDepth));
  ASSERT_THAT(deeper, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(deeper.assume_error().message, HasSubstr("levels deep"));
}

TEST(YamlValueTest, WhatAliasesMultiplyIsBounded) {
  std::string values = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  std::string text = "a0: &a0 [" + std::string(1 << 20, 'x') + "]\n";
  std::string merged = "a0: &a0 {k: " + std::string(1 << 20, 'x') + "}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string name = "a" + std::to_string(i);
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string list = before + Repeat(", " + before, 8) + "]\n";
    values += name + ": &" + name + " [" + list;
    text += name + ": &" + name + " [" + list;
    merged += name + ": &" + name + " {<<: [" + before + ", " + before + "], n: " + before + "}\n";
  }
  for (const std::string& bomb : {values, text, merged}) {
    const auto value = ParseYaml(bomb);
    ASSERT_THAT(value, IsError(ErrorCode::kInvalidInput));
    EXPECT_THAT(value.assume_error().message, HasSubstr("too large, with its aliases"));
  }
}

// They are read as a whole before anything is known of them, at many times their size.
TEST(YamlValueTest, APieceIsBounded) {
  constexpr int kMany = static_cast<int>(kMaxYamlPiece);
  for (const std::string& text :
       {"[" + Repeat("~,", kMany) + "]", "[" + Repeat("b,\n", kMany) + "]",
        "a: {" + Repeat("\"\"", kMany) + "}", "a: |\n" + Repeat("  x\n", kMany)}) {
    const auto value = ParseYaml(text);
    ASSERT_THAT(value, IsError(ErrorCode::kInvalidInput));
    EXPECT_THAT(value.assume_error().message, HasSubstr("longer than 1 MiB"));
  }
  EXPECT_THAT(ParseYaml(Repeat("- [a, b, c, d, e, f, g]\n", 20'000)), IsOk());
}

TEST(YamlValueTest, SizeIsBounded) {
  const auto value = ParseYaml("a: " + std::string(kMaxYamlBytes, 'x'));
  ASSERT_THAT(value, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(value.assume_error().message, HasSubstr("larger than 16 MiB"));
  EXPECT_THAT(ParseYaml(Repeat("-\n", static_cast<int>(kMaxYamlValues))),
              IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep
