#include "compose_variables.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "compose_env_file.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const Place kServices{nullptr, "services"};
const Place kPlace{&kServices, "web"};

Variables SomeVariables() {
  return {.before = nullptr,
          .own = {{"FOO", "first"}, {"EMPTY", ""}, {"_x9", "odd"}, {"D", "$FOO"}}};
}

Result<std::string> Replace(std::string_view text) {
  Interpolation interpolation;
  return interpolation.Replace(text, SomeVariables(), kPlace);
}

struct ReplaceCase {
  std::string text;
  std::string outcome;
};

TEST(ComposeVariablesTest, PutsValuesInTheirPlace) {
  const ReplaceCase cases[] = {
      {"plain", "plain"},
      {"", ""},
      {"$FOO", "first"},
      {"${FOO}", "first"},
      {"a$FOO-b", "afirst-b"},
      {"$FOO$FOO", "firstfirst"},
      {"$_x9.", "odd."},
      {"${FOO}bar", "firstbar"},
      {"$FOObar", ""},
      {"$EMPTY|${EMPTY}", "|"},
      // Not looked at a second time.
      {"$D", "$FOO"},
      {"${D:-x}", "$FOO"},
      {"$$FOO", "$FOO"},
      {"$${FOO}", "${FOO}"},
      {"$$$FOO", "$first"},
      {"$$$$", "$$"},
      // Before anything else a dollar sign is one.
      {"$", "$"},
      {"a$", "a$"},
      {"$1 $@ $} $ $-", "$1 $@ $} $ $-"},
      {"^a$|b", "^a$|b"},
      {"${FOO:-x}", "first"},
      {"${EMPTY:-x}", "x"},
      {"${NONE:-x}", "x"},
      {"${FOO-x}", "first"},
      {"${EMPTY-x}", ""},
      {"${NONE-x}", "x"},
      {"${FOO:?x}", "first"},
      {"${FOO?x}", "first"},
      {"${EMPTY?x}", ""},
      {"${FOO:+x}", "x"},
      {"${EMPTY:+x}", ""},
      {"${NONE:+x}", ""},
      {"${FOO+x}", "x"},
      {"${EMPTY+x}", "x"},
      {"${NONE+x}", ""},
      {"${NONE:-}", ""},
      {"${NONE-}|", "|"},
      {"${NONE:-/a:-b?c+d}", "/a:-b?c+d"},
      {"${NONE-a?b}", "a?b"},
      {"${NONE:-$FOO}", "first"},
      {"${NONE:-${FOO}}", "first"},
      {"${NONE:-<${FOO} ${EMPTY:-${NONE:-deep}}>}!", "<first deep>!"},
      {"${NONE:-$$FOO}", "$FOO"},
      {"${FOO:+${EMPTY:-y}}", "y"},
      // The first brace closes, as in a shell.
      {"${NONE:-{a}}", "{a}"},
      {"{${FOO}}", "{first}"},
      {"}${FOO}{", "}first{"},
      // Nobody asks for what is not taken.
      {"${FOO:-${NONE:?must be set}}", "first"},
      {"${NONE:+${NONE:?must be set}}", ""},
      {"${NONE:-\xc3\xa4}", "\xc3\xa4"},
      {"${NONE:-a\nb}", "a\nb"},
  };
  for (const ReplaceCase& c : cases)
    EXPECT_THAT(Replace(c.text), IsOkAndHolds(c.outcome)) << c.text;
}

struct WrongCase {
  std::string text;
  std::string message;
};

TEST(ComposeVariablesTest, RefusesWhatIsNoVariableOrMustBeSet) {
  const WrongCase cases[] = {
      {"${", "`${` has no brace"},
      {"a ${FOO", "`${FOO` has no brace"},
      {"${FOO:-x", "has no brace"},
      {"${NONE:-${FOO}", "has no brace"},
      {"${}", "`${}` is no variable"},
      {"${ FOO}", "`${ FOO}` is no variable"},
      {"${FOO }", "is no variable"},
      {"${1A}", "is no variable"},
      {"${FOO!}", "is no variable"},
      {"${FOO/a/b}", "is no variable"},
      {"${FOO:=x}", "is no variable"},
      {"${FOO:x}", "is no variable"},
      {"${FOO-${}}", "is no variable"},
      {"${NONE?}", "`NONE` is not set"},
      {"${NONE:?say which}", "`NONE` is not set: say which"},
      {"${NONE?say $FOO}", "`NONE` is not set: say first"},
      {"${EMPTY:?say which}", "`EMPTY` is empty: say which"},
      {"${NONE:-${EMPTY:?inner}}", "`EMPTY` is empty: inner"},
  };
  for (const WrongCase& c : cases) {
    const auto outcome = Replace(c.text);
    ASSERT_THAT(outcome, IsError(ErrorCode::kInvalidTarget)) << c.text;
    EXPECT_THAT(outcome.assume_error().message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(outcome.assume_error().where, "services.web");
  }
}

TEST(ComposeVariablesTest, RemembersWhatWasNotSetWhereItWasNeeded) {
  Interpolation interpolation;
  const Variables variables = SomeVariables();
  for (const char* text : {"$A ${B} ${FOO:-$C} ${A:-$D1} ${E+$F} ${G:-x} $EMPTY", "$A"}) {
    ASSERT_THAT(interpolation.Replace(text, variables, kPlace), IsOk());
  }
  EXPECT_THAT(interpolation.unset(),
              ElementsAre(Pair("A", "services.web"), Pair("B", "services.web"),
                          Pair("D1", "services.web")));
}

TEST(ComposeVariablesTest, ReplacesInValuesAndNotInKeys) {
  Interpolation interpolation;
  const Value value = Value::Map{{"$FOO", Value(Value::List{"$FOO", 1, true, Value(), 2.5})},
                                 {"m", Value(Value::Map{{"k", "${NONE}"}})}};
  const auto replaced = interpolation.ReplaceIn(value, SomeVariables(), kPlace);
  ASSERT_THAT(replaced, IsOk());
  EXPECT_EQ(ToText(replaced.assume_value()), R"({"$FOO":["first",1,true,null,2.5],"m":{"k":""}})");
  EXPECT_THAT(interpolation.unset(), ElementsAre(Pair("NONE", "services.web.m.k")));
  const auto wrong = interpolation.ReplaceIn(Value(Value::List{"a", "${"}), {}, kPlace);
  ASSERT_THAT(wrong, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(wrong.assume_error().where, "services.web.1");
}

TEST(ComposeVariablesTest, WhatGoesFirstWins) {
  const Variables first{.before = nullptr, .own = {{"A", "1"}, {"E", ""}}};
  const Variables second{.before = &first, .own = {{"A", "2"}, {"B", "2"}, {"E", "2"}}};
  EXPECT_EQ(*second.Find("A"), "1");
  EXPECT_EQ(*second.Find("B"), "2");
  EXPECT_EQ(*second.Find("E"), "");
  EXPECT_EQ(second.Find("C"), nullptr);
}

TEST(ComposeVariablesTest, HostileTextsAndValuesAreBounded) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${A:-";
  EXPECT_THAT(Replace(deep), IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(Replace(deep + std::string(100'000, '}')), IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(Replace(std::string(1'000'000, '$')), IsOk());

  const Variables large{.before = nullptr, .own = {{"A", std::string(1 << 20, 'x')}}};
  std::string often;
  for (int i = 0; i < 100'000; ++i) often += "$A";
  Interpolation interpolation;
  const auto outcome = interpolation.Replace(often, large, kPlace);
  ASSERT_THAT(outcome, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(outcome.assume_error().message, HasSubstr("larger than 64 MiB"));

  const Variables bytes{.before = nullptr, .own = {{"A", "\xff"}}};
  EXPECT_THAT(Interpolation().Replace("$A", bytes, kPlace), IsError(ErrorCode::kInvalidTarget));
}

// --- Files of variables ---

using Names = std::map<std::string, std::string, std::less<>>;

Result<Names> ReadFile(std::string_view text, EnvFileFormat format = EnvFileFormat::kDotenv) {
  Interpolation interpolation;
  const Variables outer = SomeVariables();
  Variables variables{.before = &outer, .own = {}};
  if (auto read = ReadEnvFile(text, format, kPlace, interpolation, variables); !read) {
    return std::move(read).assume_error();
  }
  return variables.own;
}

struct LineCase {
  std::string name;
  std::string text;
  Names variables;
};

TEST(ComposeEnvFileTest, ReadsLines) {
  const LineCase cases[] = {
      {"Nothing", "", {}},
      {"BlankAndComment", "\n  \n# A=1\n  # B=2\n\t\n", {}},
      {"Plain", "A=1\nB=two words \n", {{"A", "1"}, {"B", "two words"}}},
      {"NoNewlineAtTheEnd", "A=1", {{"A", "1"}}},
      {"CarriageReturns", "A=1\r\nB=\"x\r\ny\"\r\n", {{"A", "1"}, {"B", "x\ny"}}},
      {"ByteOrderMark",
       "\xef\xbb\xbf"
       "A=1\n",
       {{"A", "1"}}},
      {"Empty", "A=\nB=''\nC=\"\"\nD= \n", {{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""}}},
      {"BlanksAround", "  A = 1  \n", {{"A", "1"}}},
      {"Export",
       "export A=1\nexport\tB=2\nexportC=3\nexport.D=4\nexport=5\n",
       {{"A", "1"}, {"B", "2"}, {"exportC", "3"}, {"export.D", "4"}, {"export", "5"}}},
      {"Colon", "A: 1\nB:x=y\nC=x:y\n", {{"A", "1"}, {"B", "x=y"}, {"C", "x:y"}}},
      {"EqualsInValue", "A=x=y=\n", {{"A", "x=y="}}},
      {"CommentBehindABlank",
       "A=x # c\nB=x#y\nC= # c\nD=#x\n",
       {{"A", "x"}, {"B", "x#y"}, {"C", ""}, {"D", "#x"}}},
      {"CommentBehindQuotes", "A=\"x # y\" # c\nB='x # y'#c\n", {{"A", "x # y"}, {"B", "x # y"}}},
      {"SingleQuotes", "A='$FOO \\n \\' \"x\"'\n", {{"A", "$FOO \\n ' \"x\""}}},
      {"DoubleQuotes",
       R"(A="$FOO \n\r\t \" \\ \$FOO $$ \d 'x'")",
       {{"A", "first \n\r\t \" \\ $FOO $ \\d 'x'"}}},
      {"ManyLines", "A=\"x\n# y\nB=z\"\nC='1\n2'\n", {{"A", "x\n# y\nB=z"}, {"C", "1\n2"}}},
      {"QuotesInTheMiddle", "A=x\"y\"\n", {{"A", "x\"y\""}}},
      {"Interpolated", "A=$FOO-${NONE:-d}\nB=${A}!\n", {{"A", "first-d"}, {"B", "first-d!"}}},
      {"EnvironmentGoesFirstInValues", "FOO=2\nA=$FOO\n", {{"A", "first"}, {"FOO", "2"}}},
      {"LaterLineWins", "A=1\nA=2\n", {{"A", "2"}}},
      {"BareName", "FOO\nNONE\nexport EMPTY\n", {{"EMPTY", ""}, {"FOO", "first"}}},
      {"OddNames", "a.b=1\na-b=2\n9=3\n", {{"a.b", "1"}, {"a-b", "2"}, {"9", "3"}}},
  };
  for (const LineCase& c : cases)
    EXPECT_THAT(ReadFile(c.text), IsOkAndHolds(c.variables)) << c.name;
}

TEST(ComposeEnvFileTest, RawValuesAreTakenAsTheyAre) {
  EXPECT_THAT(ReadFile("A= \"x\" # $FOO\n# c\n\nB:1=2\n", EnvFileFormat::kRaw),
              IsError(ErrorCode::kInvalidTarget));  // No name has a colon.
  EXPECT_THAT(ReadFile("A= \"x\" # $FOO\n# c\n\nB=\\n\r\nFOO\n", EnvFileFormat::kRaw),
              IsOkAndHolds(Names{{"A", " \"x\" # $FOO"}, {"B", "\\n"}, {"FOO", "first"}}));
}

TEST(ComposeEnvFileTest, RefusesAndNamesTheLine) {
  const WrongCase cases[] = {
      {"A=1\nnot a name=2\n", "line 2: `not a name` cannot be the name"},
      {"=x\n", "line 1: `` cannot be the name"},
      {"A$B=1\n", "line 1"},
      {"\n\nA=\"x\nB=2\n", "line 3: a quote is not closed"},
      {"A='x\\'\n", "line 1: a quote is not closed"},
      {"A=\"x\"y\n", "line 1: something stands behind the quote"},
      {"A=1\nB=${\n", "has no brace"},
      {"A=${NONE:?say}\n", "`NONE` is not set: say"},
      {"A=\xff\n", "not text in UTF-8"},
      {std::string("A=1\0\n", 5), "not text in UTF-8"},
  };
  for (const WrongCase& c : cases) {
    const auto outcome = ReadFile(c.text);
    ASSERT_THAT(outcome, IsError(ErrorCode::kInvalidTarget)) << c.text;
    EXPECT_THAT(outcome.assume_error().message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(outcome.assume_error().where, "services.web");
  }
}

TEST(ComposeEnvFileTest, NothingGoesBeforeWhereThereIsNothing) {
  Interpolation interpolation;
  Variables variables;
  ASSERT_THAT(ReadEnvFile("A\nB=1\n", EnvFileFormat::kDotenv, kPlace, interpolation, variables),
              IsOk());
  EXPECT_THAT(variables.own, ElementsAre(Pair("B", "1")));
  EXPECT_THAT(interpolation.unset(), IsEmpty());
}

}  // namespace
}  // namespace lockstep
