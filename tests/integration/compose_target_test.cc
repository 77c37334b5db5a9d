#include "compose_target.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "balena_target.h"
#include "compose_reading.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::ComposeWorld;
using test::IsError;
using test::IsOk;
using test::ReadCompose;
using test::ReadComposeApp;
using test::ReadComposeService;
using test::WebWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::string_view kShop = R"(
name: shop
version: "3.8"
x-common: &common
  restart: unless-stopped
  logging: !!str ignored
services:
  web:
    image: registry.example/web:2
    depends_on: [db]
    networks: [front]
    environment: {A: "1"}
    x-note: 1
  db:
    image: registry.example/db:1
    volumes: [data:/var/data]
    restart: always
networks:
  front:
volumes:
  data:
)";

std::vector<std::string> NamesOf(const TargetApp& app) {
  std::vector<std::string> names;
  if (!app.release) return names;
  for (const TargetService& service : app.release->services) names.push_back(service.name);
  return names;
}

// Each as "code: message", those that block nothing with "note" before.
std::vector<std::string> GapTexts(const TargetApp& app) {
  std::vector<std::string> texts;
  for (const Gap& gap : app.gaps) {
    texts.push_back((gap.blocks ? "" : "note ") + gap.code + ": " + gap.message);
  }
  return texts;
}

std::string FieldOf(const TargetService& service, Field field) {
  const Value* value = service.spec.Find(field);
  return value == nullptr ? "-" : ToText(*value);
}

TEST(ComposeTargetTest, ReadsWhatAFileSays) {
  const auto target = ReadCompose(kShop);
  ASSERT_THAT(target, IsOk());
  EXPECT_FALSE(target.assume_value().whole_device);
  EXPECT_EQ(target.assume_value().device_uuid, "");
  EXPECT_THAT(target.assume_value().config, IsEmpty());
  ASSERT_THAT(target.assume_value().apps, SizeIs(1));
  const TargetApp& app = target.assume_value().apps[0];
  EXPECT_EQ(app.uuid, "shop");
  EXPECT_EQ(app.name, "shop");
  EXPECT_EQ(app.id, "");
  EXPECT_EQ(app.lock_dir(), "shop");
  EXPECT_THAT(app.gaps, IsEmpty());
  ASSERT_THAT(NamesOf(app), ElementsAre("db", "web"));
  EXPECT_THAT(app.release->commit, ::testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(app.release->networks, ElementsAre(Pair("default", Value(Value::Map())),
                                                 Pair("front", Value(Value::Map()))));
  EXPECT_THAT(app.release->volumes, ElementsAre(Pair("data", Value(Value::Map()))));
  const TargetService& web = app.release->services[1];
  EXPECT_EQ(web.spec.image, "registry.example/web:2");
  EXPECT_TRUE(web.spec.running);
  EXPECT_THAT(web.spec.environment, ElementsAre(Pair("A", "1")));
  ASSERT_THAT(web.spec.depends_on, SizeIs(1));
  EXPECT_EQ(web.spec.depends_on[0], Dependency{.service = "db"});
  EXPECT_EQ(FieldOf(web, Field::kNetworks), R"({"front":{}})");
}

TEST(ComposeTargetTest, DefaultsAreThoseOfTheComposeSpecification) {
  const TargetService web = ReadComposeService(WebWith(""));
  ASSERT_THAT(web.spec.fields, SizeIs(1));
  EXPECT_EQ(FieldOf(web, Field::kNetworks), R"({"default":{}})");
  EXPECT_EQ(RestartPolicyOf(web.spec), "no");
  EXPECT_EQ(web.strategy, Strategy::kDownloadThenKill);
  // A network mode takes the place of the default network.
  EXPECT_THAT(ReadComposeService(WebWith("network_mode: host")).spec.fields, SizeIs(1));
}

// The same words in both formats come to the same specification, defaults apart.
TEST(ComposeTargetTest, FieldsMeanWhatTheyMeanInABalenaState) {
  const std::string fields =
      R"("command": "a 'b c'", "ports": ["80:80", {"target": 53, "protocol": "udp"}],
         "healthcheck": {"test": "true", "interval": "1m30s"}, "mem_limit": "64m",
         "sysctls": ["a=1"], "ulimits": {"nofile": 5}, "cap_add": ["B", "A"], "tty": false,
         "restart": "on-failure:3", "ipc": "private", "user": 1000, "volumes": ["d:/d:ro"],
         "networks": {"n": {"aliases": ["x"]}}, "depends_on": {"db": {"restart": true}})";
  const TargetService compose = ReadComposeService(
      R"({"name": "shop", "networks": {"n": {}}, "volumes": {"d": {}}, "services": {
          "db": {"image": "x", "profiles": ["p"]}, "web": {"image": "x", )" +
      fields + "}}}");
  const auto balena = ReadBalenaTarget(
      R"({"d": {"name": "n", "config": {}, "apps": {"shop": {"id": 1, "name": "shop", "releases": {
          "c": {"id": 1, "networks": {"n": {}}, "volumes": {"d": {}}, "services": {"web": {"id": 1,
          "image_id": 1, "image": "x", "environment": {}, "labels": {}, "composition": {)" +
      fields + "}}}}}}}}}");
  ASSERT_THAT(balena, IsOk());
  EXPECT_EQ(compose.spec, balena.assume_value().apps[0].release->services[0].spec);
}

struct SpecCase {
  std::string name;
  std::string fields;  // Of the service, one a line.
  Field field;
  std::string value;
};

TEST(ComposeTargetTest, ReadsScalarsAsYamlMeansThem) {
  const SpecCase cases[] = {
      {"NoIsText", "restart: no", Field::kRestart, "-"},
      {"PortsWithoutQuotes", "ports: [22:22, 80]", Field::kPorts, R"([":22:22/tcp","::80/tcp"])"},
      {"NumberInText", "user: 1000", Field::kUser, R"("1000")"},
      {"TextInNumber", "cpu_shares: \"5\"", Field::kCpuShares, "5"},
      {"VariableInNumber", "cpu_shares: ${N:-7}", Field::kCpuShares, "7"},
      {"VariableInTruthValue", "read_only: ${R:-true}", Field::kReadOnly, "true"},
      {"Octal", "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 0o1777}}]", Field::kVolumes,
       R"([{"mode":1023,"target":"/t","type":"tmpfs"}])"},
      {"NullIsNothing", "command:\nuser: ~", Field::kCommand, "-"},
      {"ScaleOfOne", "scale: 1\nuser: u", Field::kUser, R"("u")"},
  };
  for (const SpecCase& c : cases) {
    const TargetApp app = ReadComposeApp(WebWith(c.fields));
    EXPECT_THAT(app.gaps, IsEmpty()) << c.name;
    EXPECT_EQ(FieldOf(app.release.value().services.at(0), c.field), c.value) << c.name;
  }
}

struct EnvironmentCase {
  std::string name;
  std::string fields;
  std::map<std::string, std::string> environment;
};

TEST(ComposeTargetTest, EnvironmentGoesBeforeFilesAndALaterFileBeforeAnEarlier) {
  ComposeOptions options = ComposeWorld({{"/srv/shop/a.env", "A=file\nB=file\nS=$SET\n"},
                                         {"/srv/shop/b/b.env", "B=later\nC='#1'\n"},
                                         {"/etc/c.env", "C=\"#1\" # x\n"}});
  options.environment["SET"] = "yes";
  const EnvironmentCase cases[] = {
      {"Map",
       "environment: {A: 1, B: yes, C: 1.10, D: true, E: 100000.0, F: '', G: 0123}",
       {{"A", "1"},
        {"B", "yes"},
        {"C", "1.1"},
        {"D", "true"},
        {"E", "100000"},
        {"F", ""},
        {"G", "0123"}}},
      {"List", "environment: [A=1, 'B=x=y', C=]", {{"A", "1"}, {"B", "x=y"}, {"C", ""}}},
      {"NamesInAList", "environment: [SET, UNSET, A=1]", {{"A", "1"}, {"SET", "yes"}}},
      {"NamesInAMap", "environment: {SET: , UNSET: ~, A: 1}", {{"A", "1"}, {"SET", "yes"}}},
      {"KeysAreNotReplaced", "environment: {$SET: $SET}", {{"$SET", "yes"}}},
      {"Null", "environment:", {}},
      {"OneFile", "env_file: a.env", {{"A", "file"}, {"B", "file"}, {"S", "yes"}}},
      {"Files",
       "env_file: [./a.env, b/b.env]",
       {{"A", "file"}, {"B", "later"}, {"C", "#1"}, {"S", "yes"}}},
      {"AbsoluteFile", "env_file: /etc/c.env", {{"C", "#1"}}},
      {"VariableInItsName",
       "env_file: ${NAME:-a}.env",
       {{"A", "file"}, {"B", "file"}, {"S", "yes"}}},
      {"EnvironmentWins",
       "env_file: a.env\nenvironment: {A: own, SET: }",
       {{"A", "own"}, {"B", "file"}, {"S", "yes"}, {"SET", "yes"}}},
      {"NameThatIsNotSetTakesTheFilesAway",
       "env_file: a.env\nenvironment: [A]",
       {{"B", "file"}, {"S", "yes"}}},
      {"LongForm",
       "env_file: [{path: a.env, required: true}, {path: none.env, required: false}]",
       {{"A", "file"}, {"B", "file"}, {"S", "yes"}}},
      {"Raw",
       "env_file: [{path: a.env, format: raw}, {path: b/b.env, format: raw}]",
       {{"A", "file"}, {"B", "later"}, {"C", "'#1'"}, {"S", "$SET"}}},
  };
  for (const EnvironmentCase& c : cases) {
    const TargetApp app = ReadComposeApp(WebWith(c.fields), options);
    EXPECT_THAT(app.gaps, IsEmpty()) << c.name;
    EXPECT_EQ(app.release.value().services.at(0).spec.environment, c.environment) << c.name;
  }
}

TEST(ComposeTargetTest, LabelsAreMapsOrListsAndMayBeEmpty) {
  const std::map<std::string, std::string> labels = {
      {"a", "1"}, {"b", ""}, {"io.balena.update.strategy", "hand-over"}};
  for (const char* fields : {"labels: {a: 1, b: , io.resin.update.strategy: hand-over}",
                             "labels: [a=1, b, io.balena.update.strategy=hand-over]"}) {
    const TargetService web = ReadComposeService(WebWith(fields));
    EXPECT_EQ(web.spec.labels, labels) << fields;
    EXPECT_EQ(web.strategy, Strategy::kHandOver);
  }
}

TEST(ComposeTargetTest, VariablesStandInValuesOfTheWholeFile) {
  ComposeOptions options = ComposeWorld();
  options.environment["TAG"] = "3";
  options.env_files = {{".env", "NAME=shop\nTAG=file\nDRIVER=overlay\n"}};
  const TargetApp app = ReadComposeApp(R"(
name: ${NAME}
services:
  web:
    image: x:$TAG
    labels: [app=$COMPOSE_PROJECT_NAME]
    x-note: ${NOBODY:?asks}
networks: {default: {driver: $DRIVER}}
)",
                                       options);
  EXPECT_EQ(app.uuid, "shop");
  EXPECT_THAT(app.gaps, IsEmpty());
  EXPECT_EQ(app.release->services[0].spec.image, "x:3");
  EXPECT_THAT(app.release->services[0].spec.labels, ElementsAre(Pair("app", "shop")));
  EXPECT_EQ(ToText(app.release->networks.at("default")), R"({"driver":"overlay"})");
}

TEST(ComposeTargetTest, AVariableThatIsNotSetIsNotedOnceAndBlocksNothing) {
  const TargetApp app = ReadComposeApp(WebWith("environment: {A: \"$TAG\", B: \"$TAG\"}"));
  EXPECT_THAT(GapTexts(app), ElementsAre("note unset-variable: services.web.environment.A: `TAG` "
                                         "is not set and counts as empty"));
  // But an image cannot do without.
  const TargetApp bare = ReadComposeApp("name: shop\nservices: {web: {image: \"x:$TAG\"}}\n");
  EXPECT_THAT(GapTexts(bare), ElementsAre(HasSubstr("invalid-value: services.web.image: `x:`"),
                                          HasSubstr("note unset-variable")));
}

TEST(ComposeTargetTest, TheAppIsNamedByTheOptionOrTheFile) {
  ComposeOptions options = ComposeWorld();
  const std::string unnamed = "services: {web: {image: x}}\n";
  const auto nameless = ReadCompose(unnamed, options);
  ASSERT_THAT(nameless, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(nameless.assume_error().where, "name");
  EXPECT_THAT(nameless.assume_error().hint, HasSubstr("--app"));
  options.app = "other";
  EXPECT_EQ(ReadComposeApp(unnamed, options).uuid, "other");
  EXPECT_EQ(ReadComposeApp(WebWith(""), options).uuid, "other");
}

TEST(ComposeTargetTest, NamesOfAppsAreSmallAndNotAllDigits) {
  for (const char* name : {"a", "0a", "shop-2_x", "7up"}) EXPECT_EQ(WrongAppName(name), "") << name;
  for (const std::string name :
       {"", "Shop", "-a", "_a", "a.b", "a b", "a/b", "..", "a\n", "\xc3\xa4", "123"}) {
    EXPECT_NE(WrongAppName(name), "") << name;
    ComposeOptions options = ComposeWorld();
    if (!name.empty()) {
      options.app = name;
      EXPECT_THAT(ReadCompose(WebWith(""), options), IsError(ErrorCode::kInvalidInput)) << name;
    }
    const Value document = Value::Map{{"name", name}, {"services", Value(Value::Map())}};
    const auto target = ReadComposeTarget(document, ComposeWorld());
    ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget)) << name;
    EXPECT_EQ(target.assume_error().where, "name");
  }
  EXPECT_NE(WrongAppName(std::string(129, 'a')), "");
}

TEST(ComposeTargetTest, AReleaseMayBeNamed) {
  ComposeOptions options = ComposeWorld();
  for (const char* name : {"2.1", "v2", "abc-1", "1.deadbee", "DEADBEEF"}) {
    options.release = name;
    EXPECT_EQ(ReadComposeApp(WebWith(""), options).release->commit, name);
  }
  // What could not be read back from the name of a container.
  for (const char* name : {"a_b", "-1", ".1", "a b", "a/b", "..", "1.deadbeef", "\xc3\xa4"}) {
    options.release = name;
    EXPECT_THAT(ReadCompose(WebWith(""), options), IsError(ErrorCode::kInvalidInput)) << name;
  }
}

// --- The hash ---

std::string CommitOf(std::string_view yaml, const ComposeOptions& options = ComposeWorld()) {
  return ReadComposeApp(yaml, options).release.value().commit;
}

TEST(ComposeCommitTest, IsTheSameHoweverTheFileIsWritten) {
  const std::string commit = CommitOf(kShop);
  EXPECT_EQ(
      CommitOf(
          R"({"volumes": {"data": {"driver": "local"}}, "networks": {"front": {}}, "services": {
      "db": {"image": "registry.example/db:1", "restart": "always",
             "volumes": [{"type": "volume", "source": "data", "target": "/var/data/"}]},
      "web": {"networks": {"front": null}, "image": "registry.example/web:2",
              "environment": ["A=1"], "depends_on": {"db": {"condition": "service_started"}},
              "profiles": [], "tty": false}},
      "name": "shop"})"),
      commit);
  EXPECT_EQ(CommitOf(R"(
# The same, with anchors and variables.
name: shop
services:
  db: {image: &db "registry.example/db:${ONE:-1}", volumes: ["data:/var/data:rw"], restart: always}
  web:
    <<: {environment: {A: 1}, networks: [front]}
    image: registry.example/web:2   # a comment
    depends_on: [db, db]
  left-out: {image: *db, profiles: [debug]}
networks: {default: , front: }
volumes: {data: }
)"),
            commit);
}

TEST(ComposeCommitTest, IsAnotherForWhateverIsOtherwise) {
  const std::string file = WebWith("environment: {A: a}\ndepends_on: [db]") +
                           "  db: {image: y}\nnetworks: {n: }\nvolumes: {v: }\n";
  std::vector<std::string> commits = {CommitOf(file)};
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = file;
    other.replace(other.find(from), from.size(), to);
    commits.push_back(CommitOf(other));
  };
  changed("name: shop", "name: shop2");
  changed("image: x", "image: x:1");
  changed("{A: a}", "{A: b}");
  changed("{A: a}", "{B: a}");
  changed("environment: {A: a}", "labels: {A: a}");
  changed("environment: {A: a}", "user: a");
  changed("[db]", "[]");
  changed("[db]", "{db: {condition: service_healthy}}");
  changed("[db]", "{db: {restart: true}}");
  changed("  db: {", "  db2: {image: y}\n  db: {");
  changed("{n: }", "{n: {internal: true}}");
  changed("{v: }", "{w: }");
  std::sort(commits.begin(), commits.end());
  EXPECT_EQ(std::adjacent_find(commits.begin(), commits.end()), commits.end());
}

// A device knows its release by it: it must not change from one Lockstep to the next.
TEST(ComposeCommitTest, StaysWhatItWas) {
  EXPECT_EQ(CommitOf(WebWith("command: [a, b]\nenvironment: {A: 1}")),
            "408466ae3e8fd3ede7493653dd375bdf");
}

// --- Profiles ---

constexpr std::string_view kProfiles = R"(
name: shop
services:
  always: {image: x}
  debug: {image: x, profiles: [debug]}
  both: {image: x, profiles: [debug, "${PROFILE:-test}"]}
  dev: {image: x, build: ., profiles: [dev], environment: ["${NOBODY:?asks}"]}
)";

struct ProfileCase {
  std::string name;
  std::vector<std::string> profiles;
  std::string variable;
  std::vector<std::string> services;
};

TEST(ComposeProfileTest, ServicesWithProfilesAreLeftOutUnlessOneIsActive) {
  const ProfileCase cases[] = {
      {"None", {}, "", {"always"}},
      {"One", {"debug"}, "", {"always", "both", "debug"}},
      {"Another", {"test"}, "", {"always", "both"}},
      {"Unknown", {"nobody"}, "", {"always"}},
      {"ByVariable", {}, "debug", {"always", "both", "debug"}},
      {"SeveralByVariable", {}, " test ,x,", {"always", "both"}},
      {"OptionGoesFirst", {"test"}, "debug", {"always", "both"}},
  };
  for (const ProfileCase& c : cases) {
    ComposeOptions options = ComposeWorld();
    options.profiles = c.profiles;
    options.environment["COMPOSE_PROFILES"] = c.variable;
    EXPECT_EQ(NamesOf(ReadComposeApp(kProfiles, options)), c.services) << c.name;
  }
}

TEST(ComposeProfileTest, AStarIsAllOfThem) {
  ComposeOptions options = ComposeWorld();
  options.profiles = {"*"};
  const auto all = ReadCompose(kProfiles, options);
  ASSERT_THAT(all, IsError(ErrorCode::kInvalidTarget));  // With `dev`, and what is wrong in it.
  EXPECT_EQ(all.assume_error().where, "services.dev.build");
}

TEST(ComposeProfileTest, AProfileThatNobodyHasIsNoted) {
  ComposeOptions options = ComposeWorld();
  options.profiles = {"debgu"};
  EXPECT_THAT(GapTexts(ReadComposeApp(kProfiles, options)),
              ElementsAre("note unknown-profile: no service has the profile `debgu`"));
}

TEST(ComposeProfileTest, WhatIsNeededCannotBeLeftOut) {
  const std::string file = WebWith("depends_on: [db]") + "  db: {image: x, profiles: [a, b]}\n";
  EXPECT_THAT(
      GapTexts(ReadComposeApp(file)),
      ElementsAre(AllOf(HasSubstr("unknown-dependency: services.web.depends_on: `db` is left "
                                  "out by its profiles (a, b)"),
                        HasSubstr("--profile"))));
  const std::string shared =
      WebWith("network_mode: service:db") + "  db: {image: x, profiles: [a]}\n";
  EXPECT_THAT(GapTexts(ReadComposeApp(shared)), ElementsAre(HasSubstr("left out by its profiles")));
  const std::string optional =
      WebWith("depends_on: {db: {required: false}}") + "  db: {image: x, profiles: [a]}\n";
  EXPECT_THAT(ReadComposeApp(optional).gaps, IsEmpty());
}

// It would stop all that runs, and most likely somebody forgot something.
TEST(ComposeProfileTest, AFileWithNothingLeftIsRefused) {
  const auto target = ReadCompose("name: shop\nservices: {a: {image: x, profiles: [p, q]}}\n");
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(target.assume_error().message, HasSubstr("p, q"));
}

// --- Networks, volumes, paths of the host ---

TEST(ComposeTargetTest, NetworksAndVolumesAreDefinedAtTheTop) {
  const TargetApp app =
      ReadComposeApp(WebWith("networks: [default, front]\nvolumes: [data:/d]") + R"(
networks:
  x-note: {}
  front: {internal: true, external: false, ipam: {config: [{subnet: 10.0.0.0/24}]}, x-note: 1}
volumes:
  data: {driver_opts: {type: nfs}, labels: [a=1], external: "false"}
)");
  EXPECT_THAT(app.gaps, IsEmpty());
  EXPECT_EQ(ToText(app.release->networks.at("front")),
            R"({"internal":true,"ipam":{"config":[{"subnet":"10.0.0.0/24"}]}})");
  EXPECT_EQ(ToText(app.release->volumes.at("data")),
            R"({"driver_opts":{"type":"nfs"},"labels":{"a":"1"}})");
  EXPECT_THAT(app.release->networks, SizeIs(2));  // The default one, for it is used.
}

}  // namespace
}  // namespace lockstep
