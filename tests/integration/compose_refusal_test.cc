// What a compose file must not say, and what it says wrong.
#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "compose_reading.h"
#include "compose_target.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::ComposeWorld;
using test::IsError;
using test::IsOk;
using test::ReadCompose;
using test::ReadComposeApp;
using test::WebWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct RefusedCase {
  std::string yaml;
  std::string where;
  std::string words;  // In the error as people see it.
};

std::string AtTop(std::string_view fields) { return WebWith("") + std::string(fields) + "\n"; }

void ExpectRefused(const RefusedCase& c) {
  const auto target = ReadCompose(c.yaml);
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget)) << c.yaml;
  EXPECT_EQ(target.assume_error().where, c.where) << c.yaml;
  EXPECT_THAT(Describe(target.assume_error()), HasSubstr(c.words)) << c.yaml;
  EXPECT_FALSE(target.assume_error().hint.empty()) << c.yaml;
}

TEST(ComposeRefusalTest, FieldsAreRefusedByNameWithWhatToDoInstead) {
  for (const RefusedCase& c : std::vector<RefusedCase>{
           {WebWith("build: ."), "services.web.build", "builds none; build and push it"},
           {WebWith("extends: {service: a}"), "services.web.extends", "an anchor"},
           {WebWith("deploy: {replicas: 1}"), "services.web.deploy", "mem_limit"},
           {WebWith("scale: 2"), "services.web.scale", "one container of each service"},
           {WebWith("scale: ${N:-2}"), "services.web.scale", "one container of each service"},
           {WebWith("secrets: [a]"), "services.web.secrets", "env_file"},
           {WebWith("configs: [a]"), "services.web.configs", "volume"},
           {WebWith("develop: {}"), "services.web.develop", "take it out"},
           {WebWith("provider: {type: a}"), "services.web.provider", "take it out"},
           {WebWith("models: [a]"), "services.web.models", "take it out"},
           {WebWith("post_start: []"), "services.web.post_start", "entrypoint"},
           {WebWith("pre_stop: []"), "services.web.pre_stop", "entrypoint"},
           {WebWith("container_name: a"), "services.web.container_name", "belong to Lockstep"},
           {WebWith("links: [a]"), "services.web.links", "aliases under `networks`"},
           {WebWith("external_links: [a]"), "services.web.external_links", "publish a port"},
           {WebWith("volumes_from: [a]"), "services.web.volumes_from", "of both services"},
           {WebWith("platform: linux/arm64"), "services.web.platform", "take it out"},
           {WebWith("attach: false"), "services.web.attach", "take it out"},
           {WebWith("label_file: a"), "services.web.label_file", "`labels`"},
           {WebWith("cgroup: host"), "services.web.cgroup", "take it out"},
           {WebWith("cpu_count: 1"), "services.web.cpu_count", "`cpus`"},
           {AtTop("include: [a.yml]"), "include", "into this file"},
           {AtTop("secrets: {}"), "secrets", "env_file"},
           {AtTop("configs: {}"), "configs", "volume"},
           {AtTop("models: {}"), "models", "take it out"},
           {AtTop("networks: {n: {external: true}}"), "networks.n.external", "belongs to its app"},
           {AtTop("networks: {n: {name: a}}"), "networks.n.name", "belong to Lockstep"},
           {AtTop("volumes: {v: {external: true}}"), "volumes.v.external", "belongs to its app"},
           {AtTop("volumes: {v: {name: a}}"), "volumes.v.name", "belong to Lockstep"},
       }) {
    ExpectRefused(c);
  }
}

TEST(ComposeRefusalTest, UnknownFieldsAreNamedWithAppServiceAndField) {
  for (const RefusedCase& c : std::vector<RefusedCase>{
           {WebWith("prots: [80:80]"), "services.web.prots",
            "app shop: services.web.prots : `prots` is not a field that Lockstep knows (did you "
            "mean `ports`?)"},
           {WebWith("env_files: a"), "services.web.env_files", "did you mean `env_file`?"},
           {WebWith("profile: a"), "services.web.profile", "did you mean `profiles`?"},
           {WebWith("enviroment: a"), "services.web.enviroment", "did you mean `environment`?"},
           {WebWith("quux: a"), "services.web.quux", "is not a field that Lockstep knows"},
           {AtTop("service: {}"), "service", "did you mean `services`?"},
           {AtTop("volume: {}"), "volume", "did you mean `volumes`?"},
           {AtTop("quux: {}"), "quux", "is not a field that Lockstep knows"},
       }) {
    ExpectRefused(c);
  }
}

TEST(ComposeRefusalTest, ADocumentWithoutTheShapeOfAFileIsRefusedWhole) {
  for (const RefusedCase& c : std::vector<RefusedCase>{
           {"[]", "", "compose file"},
           {"name: shop", "services", "is missing"},
           {"{web: {image: x}}", "services", "is missing"},
           {"{name: shop, x-a: {}}", "services", "is missing"},
           {"{name: shop, services: }", "services", "names no service"},
           {"{name: shop, services: {}}", "services", "names no service"},
           {"{name: shop, services: {x-a: {}}}", "services", "names no service"},
           {"{name: shop, services: [a]}", "services", "a map of names"},
           {"{name: shop, services: text}", "services", "a map of names"},
           {"{name: shop, services: {web: }}", "services.web", "a map of fields"},
           {"{name: shop, services: {web: [image]}}", "services.web", "a map of fields"},
           {"{name: shop, services: {web: {}}}", "services.web.image", "is missing"},
           {"{name: shop, services: {web: {image: }}}", "services.web.image", "is missing"},
           {"{name: [a], services: {web: {image: x}}}", "name", "must be a text"},
           {"{name: 1a, services: {web: {image: x}}, networks: [a]}", "networks", "a map of names"},
           {"{name: a, services: {web: {image: x}}, volumes: 1}", "volumes", "a map of names"},
           {WebWith("environment: [\"${\"]"), "services.web.environment.0", "no brace"},
           {WebWith("user: ${U:?who}"), "services.web.user", "`U` is not set: who"},
           {AtTop("volumes: {v: {driver: \"${D?say}\"}}"), "volumes.v.driver", "say"},
           {WebWith("env_file: none.env"), "services.web.env_file", "/srv/shop/none.env"},
           {WebWith("env_file: [{path: none.env}]"), "services.web.env_file", "no such file"},
       }) {
    ExpectRefused(c);
  }
}

TEST(ComposeRefusalTest, WhatIsWrongInAFileOfVariablesNamesFileAndLine) {
  const ComposeOptions options = ComposeWorld({{"/srv/shop/a.env", "A=1\nB='\n"}});
  const auto target = ReadCompose(WebWith("env_file: a.env"), options);
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(target.assume_error().where, "services.web.env_file");
  EXPECT_THAT(Describe(target.assume_error()),
              HasSubstr("a.env: services.web.env_file : line 2: a"));
  ComposeOptions other = ComposeWorld();
  other.env_files = {{"/srv/shop/.env", "A B=1\n"}};
  const auto env = ReadCompose(WebWith(""), other);
  ASSERT_THAT(env, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(env.assume_error().where, "/srv/shop/.env");
}

struct GapCase {
  std::string yaml;
  std::string code;
  std::string message;
};

// As in a balena state: the app stays as it runs.
TEST(ComposeGapTest, AWrongValueBlocksTheApp) {
  for (const GapCase& c : std::vector<GapCase>{
           {WebWith("ports: [99999]"), "invalid-value", "services.web.ports: "},
           {WebWith("restart: allways"), "invalid-value", "services.web.restart: "},
           {WebWith("restart: true"), "invalid-value", "services.web.restart: "},
           {WebWith("mem_limit: lots"), "invalid-value", "services.web.mem_limit: "},
           {WebWith("environment: text"), "invalid-value", "services.web.environment: "},
           {WebWith("environment: {A: [1]}"), "invalid-value", "services.web.environment.A: "},
           {WebWith("environment: {A: .inf}"), "invalid-value", "services.web.environment.A: "},
           {WebWith("environment: [=1]"), "invalid-value", "services.web.environment: "},
           {WebWith("labels: 5"), "invalid-value", "services.web.labels: "},
           {WebWith("labels: [io.balena.app-id=5]"), "invalid-value", "Lockstep itself sets"},
           {WebWith("labels: {io.lockstep.restart: a}"), "invalid-value", "Lockstep itself sets"},
           {WebWith("labels: {io.balena.update.rollback: maybe}"), "invalid-value",
            "`maybe` is neither yes (1, true) nor no (0, false)"},
           {WebWith("labels: {io.balena.update.strategy: soon}"), "unknown-strategy",
            "services.web.labels.io.balena.update.strategy: "},
           {WebWith("networks: [front]"), "undefined-network", "`front`"},
           {WebWith("volumes: [data:/d]"), "undefined-volume", "`data`"},
           {WebWith("depends_on: [db]"), "unknown-dependency", "`db` is no service of the app"},
           {WebWith("depends_on: {db: {condition: soon}}"), "invalid-value",
            "services.web.depends_on.db.condition: "},
           {WebWith("network_mode: host\nnetworks: [default]"), "invalid-value", "`networks`"},
           {WebWith("profiles: debug"), "invalid-value", "services.web.profiles: "},
           {WebWith("profiles: [[a]]"), "invalid-value", "services.web.profiles: "},
           {WebWith("env_file: [[a]]"), "invalid-value", "services.web.env_file: "},
           {WebWith("env_file: {required: false}"), "invalid-value", "services.web.env_file: "},
           {WebWith("env_file: {path: a, required: false, format: toml}"), "invalid-value",
            "services.web.env_file.format: "},
           {"{name: shop, services: {web: {image: [x]}}}", "invalid-value", "services.web.image: "},
           {"{name: shop, services: {web: {image: a b}}}", "invalid-value", "services.web.image: "},
           {"{name: shop, services: {\"a/b\": {image: x}}}", "invalid-name", "services.a/b: "},
           {"{name: shop, services: {\"..\": {image: x}}}", "invalid-name", "services...: "},
           {AtTop("networks: {n: {drivr: a}}"), "invalid-value", "networks.n: "},
           {AtTop("networks: {n: text}"), "invalid-value", "networks.n: "},
           {AtTop("volumes: {\"a b\": }"), "invalid-name", "volumes.a b: "},
       }) {
    const TargetApp app = ReadComposeApp(c.yaml);
    ASSERT_THAT(app.gaps, ::testing::Not(IsEmpty())) << c.yaml;
    EXPECT_EQ(app.gaps[0].code, c.code) << c.yaml;
    EXPECT_THAT(app.gaps[0].message, HasSubstr(c.message)) << c.yaml;
    EXPECT_TRUE(app.gaps[0].blocks) << c.yaml;
  }
}

TEST(ComposeGapTest, AVariableThatIsNotUtf8IsNoValue) {
  ComposeOptions options = ComposeWorld();
  options.environment["BAD"] = "\xff";
  EXPECT_THAT(ReadCompose(WebWith("user: $BAD"), options), IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(ReadComposeApp(WebWith("environment: [BAD]"), options).gaps, SizeIs(1));
}

// --- Hostile files ---

TEST(ComposeHostileTest, ManyServicesAreReadInTime) {
  std::string yaml = "name: shop\nservices:\n";
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = "s" + std::to_string(i);
    yaml += "  " + name + ":\n    image: x/" + name + "\n    environment: [A=1, B=2]\n";
    if (i > 0) yaml += "    depends_on: [s" + std::to_string(i - 1) + "]\n";
  }
  const TargetApp app = ReadComposeApp(yaml);
  EXPECT_THAT(app.release.value().services, SizeIs(20'000));
  EXPECT_THAT(app.gaps, IsEmpty());
}

TEST(ComposeHostileTest, FilesOfVariablesAreBoundedTogether) {
  const ComposeOptions options = ComposeWorld({{"/srv/shop/a", "A=" + std::string(1 << 20, 'x')}});
  std::string list = "env_file: [a";
  for (int i = 0; i < 100; ++i) list += ", a";
  const auto target = ReadCompose(WebWith(list + "]"), options);
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
}

constexpr std::string_view kGood = R"(
name: shop
x-common: &common {restart: always, labels: {a: "1"}, environment: {TZ: "${TZ:-UTC}"}}
services:
  web:
    <<: [*common, {tty: true}]
    image: "registry.example/web:${TAG:-2}"
    depends_on: {db: {condition: service_healthy, restart: true}}
    ports: ["8080:80", {target: 53, protocol: udp}]
    env_file: [{path: a.env, required: false}]
    networks: {front: {aliases: [w]}, default: }
    healthcheck: {test: ["CMD", "true"], interval: 1m30s}
  db:
    image: 'db@sha256:0000000000000000000000000000000000000000000000000000000000000000'
    <<: *common
    volumes: [data:/d:ro, {type: tmpfs, target: /t, tmpfs: {size: 64m}}, ./x:/x]
    command: >-
      run --now
    profiles: [full]
    scale: 1
networks: {front: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}
volumes: {data: {driver_opts: {type: nfs}}}
)";

// Bytes that mean something to YAML, to variables or to nobody.
std::string Mutated(std::string text, std::mt19937& random) {
  static const std::vector<std::string> kParts = {"\n",       " ",
                                                  "  ",       "\t",
                                                  ":",        ": ",
                                                  "- ",       "[",
                                                  "]",        "{",
                                                  "}",        ",",
                                                  "\"",       "'",
                                                  "&a ",      "*common",
                                                  "<<: ",     "$",
                                                  "${",       "}",
                                                  "$$",       ":-",
                                                  ":?",       "|\n",
                                                  ">\n",      "#",
                                                  "!",        "!!str ",
                                                  "? ",       "~",
                                                  "null",     "---\n",
                                                  "...\n",    "%",
                                                  "\\",       "\xff",
                                                  "\xc3\xa4", std::string(1, '\0'),
                                                  "\x04",     "0x",
                                                  "1e9",      "@",
                                                  "`",        "x-"};
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (std::size_t i = 1 + below(4); i > 0; --i) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0:
        text.insert(at, kParts[below(kParts.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(20));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(60)));
        break;
      default:
        text.replace(at, 1 + below(3), kParts[below(kParts.size())]);
        break;
    }
  }
  return text;
}

// Whatever comes: a target, or an error that says where, and never anything else.
TEST(ComposeHostileTest, AnyFileIsATargetOrAnError) {
  ComposeOptions options = ComposeWorld({{"/srv/shop/a.env", "A=1\n"}});
  options.profiles = {"full"};
  ASSERT_THAT(ReadCompose(kGood, options), IsOk());
  std::mt19937 random(20260101);
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = Mutated(std::string(kGood), random);
    const auto target = ReadCompose(text, options);
    if (target) {
      ++read;
      ASSERT_THAT(target.assume_value().apps, SizeIs(1)) << text;
      ASSERT_FALSE(target.assume_value().whole_device) << text;
    } else {
      ASSERT_FALSE(target.assume_error().message.empty()) << text;
    }
  }
  // Else it would prove little.
  EXPECT_GT(read, 1000);
  EXPECT_LT(read, 19'000);
}

}  // namespace
}  // namespace lockstep
