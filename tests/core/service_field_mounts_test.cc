// Paths of the host, for a reader that may name them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "lockstep/service_field.h"

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

Result<Value> Normalize(const Value& raw) {
  return NormalizeField(RowOf(Field::kVolumes), raw, HostPaths::kAllowed);
}

struct BindCase {
  std::string name;  // Letters and digits: part of the test's name.
  Value raw;
  Value canonical;
};

void PrintTo(const BindCase& row, std::ostream* out) { *out << ToText(row.raw); }

class BindTest : public ::testing::TestWithParam<BindCase> {};

TEST_P(BindTest, GivesTheCanonicalFormThereAndBack) {
  const auto result = Normalize(GetParam().raw);
  ASSERT_TRUE(result) << result.assume_error().message;
  EXPECT_EQ(ToText(result.assume_value()), ToText(GetParam().canonical));
  const Value words = DenormalizeField(RowOf(Field::kVolumes), result.assume_value());
  const auto again = Normalize(words);
  ASSERT_TRUE(again) << ToText(words) << ": " << again.assume_error().message;
  EXPECT_EQ(ToText(again.assume_value()), ToText(GetParam().canonical));
}

TEST_P(BindTest, IsRefusedWhereHostPathsAre) {
  const auto result = NormalizeField(RowOf(Field::kVolumes), GetParam().raw);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.assume_error().message, HasSubstr("bind mounts are not allowed"));
}

Map Bind(Map more = {}) {
  more.push_back({"type", "bind"});
  more.push_back({"source", "/etc/app"});
  more.push_back({"target", "/etc"});
  return more;
}

const std::vector<BindCase> kBinds = {
    {"Short", List{"/etc/app:/etc"}, List{Bind()}},
    {"ShortWritable", List{"/etc/app:/etc:rw"}, List{Bind()}},
    {"ShortReadOnly", List{"/etc/app:/etc:ro"}, List{Bind({{"read_only", true}})}},
    {"ShortShared", List{"/etc/app:/etc:z"}, List{Bind({{"selinux", "z"}})}},
    {"ShortPrivate", List{"/etc/app:/etc:ro,Z"},
     List{Bind({{"read_only", true}, {"selinux", "Z"}})}},
    {"ShortPropagation", List{"/etc/app:/etc:rslave"}, List{Bind({{"propagation", "rslave"}})}},
    {"PathsAreCleaned", List{"/etc//x/../app/:/etc/"}, List{Bind()}},
    {"TheWholeHost", List{"/:/host:ro"},
     List{Map{{"read_only", true}, {"source", "/"}, {"target", "/host"}, {"type", "bind"}}}},
    {"Long", List{Bind({{"bind", Map{{"propagation", "shared"}}}, {"read_only", true}})},
     List{Bind({{"propagation", "shared"}, {"read_only", true}})}},
    {"LongSelinux", List{Bind({{"bind", Map{{"selinux", "Z"}, {"create_host_path", true}}}})},
     List{Bind({{"selinux", "Z"}})}},
    {"LongMustExist", List{Bind({{"bind", Map{{"create_host_path", false}}}})},
     List{Bind({{"must_exist", true}})}},
    {"ColonWhereItMustExist",
     List{Map{{"type", "bind"},
              {"source", "/a:b"},
              {"target", "/c"},
              {"bind", Map{{"create_host_path", false}}}}},
     List{Map{{"must_exist", true}, {"source", "/a:b"}, {"target", "/c"}, {"type", "bind"}}}},
    {"BesideAVolume", List{"v:/v", "/etc/app:/etc", "/anonymous"},
     List{Map{{"source", "/etc/app"}, {"target", "/etc"}, {"type", "bind"}},
          Map{{"source", "v"}, {"target", "/v"}, {"type", "volume"}},
          Map{{"target", "/anonymous"}, {"type", "volume"}}}},
};

constexpr auto kNameOf = [](const auto& param_info) { return param_info.param.name; };
INSTANTIATE_TEST_SUITE_P(Cases, BindTest, ::testing::ValuesIn(kBinds), kNameOf);

struct RefusedBind {
  std::string name;
  Value raw;
  std::string message;  // A part of it.
};

void PrintTo(const RefusedBind& row, std::ostream* out) { *out << ToText(row.raw); }

class RefusedBindTest : public ::testing::TestWithParam<RefusedBind> {};

TEST_P(RefusedBindTest, SaysWhatIsWrong) {
  const auto result = Normalize(GetParam().raw);
  ASSERT_FALSE(result) << ToText(result.assume_value());
  EXPECT_EQ(result.assume_error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(result.assume_error().message, HasSubstr(GetParam().message));
}

constexpr const char* kRelative =
    "mounts a path that is relative or of another home; write an absolute path of the host";

const std::vector<RefusedBind> kRefusedBinds = {
    {"Relative", List{"./a:/a"}, std::string("\"./a:/a\" ") + kRelative},
    {"Parent", List{"../a:/a"}, kRelative},
    {"Home", List{"~/a:/a"}, kRelative},
    {"Folder", List{"a/b:/a"}, kRelative},
    {"Drive", List{"C:\\data:/a"}, kRelative},
    {"LongRelative", List{Map{{"type", "bind"}, {"source", "a"}, {"target", "/a"}}}, kRelative},
    {"WithoutSource", List{Map{{"type", "bind"}, {"target", "/a"}}},
     "has no source; write source: /path/on/host"},
    {"WithoutTarget", List{Map{{"type", "bind"}, {"source", "/a"}}}, "has no target"},
    {"OntoRoot", List{"/a:/"}, "is no volume; write name:/path[:ro] or /host:/path[:ro]"},
    {"OptionOfVolume", List{"/a:/a:nocopy"},
     "\"nocopy\" is no option of a bind mount; allowed are ro, rw, z, Z and those of propagation"},
    {"OptionOfBind", List{"v:/a:z"},
     "\"z\" is no option of a volume; allowed are ro, rw and nocopy"},
    {"Consistency", List{"/a:/a:cached"}, "\"cached\" is no option of a bind mount"},
    {"LongConsistency", List{Bind({{"consistency", "cached"}})},
     "consistency: \"cached\" is not supported; leave it out"},
    {"Recursive", List{Bind({{"bind", Map{{"recursive", "disabled"}}}})},
     "bind: recursive: \"disabled\" is not supported; leave it out"},
    {"Propagation", List{Bind({{"bind", Map{{"propagation", "all"}}}})},
     "bind: propagation: \"all\" is no propagation; write shared, slave, private"},
    {"Selinux", List{Bind({{"bind", Map{{"selinux", "x"}}}})},
     "bind: selinux: \"x\" is no label of SELinux; write z or Z"},
    {"SelinuxOfWhatMustExist",
     List{Bind({{"bind", Map{{"selinux", "z"}, {"create_host_path", false}}}})},
     "selinux does not go with create_host_path: false"},
    {"ColonWhereItIsMade", List{Map{{"type", "bind"}, {"source", "/a:b"}, {"target", "/c"}}},
     "\"/a:b\" has a \":\" in it; write the long form with create_host_path: false"},
    {"BindOptionsOfAVolume",
     List{Map{{"type", "volume"}, {"target", "/a"}, {"bind", Map{{"selinux", "z"}}}}},
     "\"bind\" does not go with type volume"},
    {"PathAsVolume", List{Map{{"type", "volume"}, {"source", "/a"}, {"target", "/a"}}},
     "\"/a\" is no name of a volume"},
    {"Type", List{Map{{"type", "npipe"}, {"target", "/a"}}},
     "\"npipe\" is no type of a volume; write volume, bind or tmpfs"},
    {"TwoOnOneTarget", List{"/a:/d", "b:/d"}, "two volumes are mounted at \"/d\""},
};

INSTANTIATE_TEST_SUITE_P(Cases, RefusedBindTest, ::testing::ValuesIn(kRefusedBinds), kNameOf);

TEST(HostPathsTest, ChangeNothingElse) {
  for (const FieldRow& row : ServiceFields()) {
    for (const Value& raw : {Value("a"), Value(List{"a:/b"}), Value(Map{{"a", "b"}}), Value(5)}) {
      const auto refused = NormalizeField(row, raw);
      const auto allowed = NormalizeField(row, raw, HostPaths::kAllowed);
      ASSERT_EQ(refused.has_value(), allowed.has_value()) << row.name << ToText(raw);
      if (refused) {
        EXPECT_EQ(refused.assume_value(), allowed.assume_value()) << row.name;
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
