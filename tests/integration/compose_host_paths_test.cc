#include "compose_host_paths.h"

#include <gmock/gmock.h>

#include <string>

#include "yaml_value.h"

namespace lockstep {
namespace {

struct PathCase {
  std::string volumes;  // As YAML.
  std::string outcome;  // As JSON.
};

TEST(ComposeHostPathsTest, PathsOfTheHostBecomeAbsolute) {
  const PathCase cases[] = {
      {"[./a:/x, ../b:/x:ro, .:/x, ./c/../d/:/x]",
       R"(["/srv/shop/a:/x","/srv/b:/x:ro","/srv/shop:/x","/srv/shop/d:/x"])"},
      {"[~/a:/x, '~:/x']", R"(["/home/ada/a:/x","/home/ada:/x"])"},
      {"[/etc/a:/x, data:/x, /only, da.ta:/x:ro]",
       R"(["/etc/a:/x","data:/x","/only","da.ta:/x:ro"])"},
      {"[{type: bind, source: a, target: /x}, {type: bind, source: ~/a}, {type: bind, source: /a}]",
       R"([{"source":"/srv/shop/a","target":"/x","type":"bind"},)"
       R"({"source":"/home/ada/a","type":"bind"},{"source":"/a","type":"bind"}])"},
      // Not ours to judge.
      {"[{type: volume, source: a}, {type: bind}, {type: bind, source: 5}, {source: ./a}, 5, "
       "~user:/x]",
       R"([{"source":"a","type":"volume"},{"type":"bind"},{"source":5,"type":"bind"},)"
       R"({"source":"./a"},5,"~user:/x"])"},
      {"./a:/x", R"("./a:/x")"},
      {"{a: ./b}", R"({"a":"./b"})"},
  };
  for (const PathCase& c : cases) {
    const Value volumes = ParseYaml(c.volumes).assume_value();
    EXPECT_EQ(ToText(WithHostPaths(volumes, "/srv/shop", "/home/ada")), c.outcome) << c.volumes;
  }
}

TEST(ComposeHostPathsTest, WithoutAHomeATildeStays) {
  const Value volumes = ParseYaml("[~/a:/x]").assume_value();
  EXPECT_EQ(ToText(WithHostPaths(volumes, "/srv", "")), R"(["~/a:/x"])");
}

}  // namespace
}  // namespace lockstep
