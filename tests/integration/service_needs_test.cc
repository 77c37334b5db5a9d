// What a balena target says of the device that a service needs: contracts and feature labels.
#include "service_needs.h"

#include <gmock/gmock.h>

#include <string>

#include "balena_target.h"
#include "json_value.h"
#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

using test::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<Alternatives> Read(const std::string& text, Problems& problems) {
  const auto contract = ParseJson(text);
  EXPECT_THAT(contract, IsOk()) << text;
  const Place root;
  return ReadContract(contract ? contract.assume_value() : Value(), {&root, "contract"}, problems);
}

TEST(ReadContractTest, ReadsRequirementsAndAlternatives) {
  Problems problems;
  EXPECT_THAT(Read(R"({"type": "sw.container", "slug": "for-web", "name": "web", "version": "1",
               "requires": [{"type": "sw.supervisor", "version": ">=10.16.17"},
                            {"type": "hw.device-type", "slug": "jetson-nano", "name": "Nano"},
                            {"type": "sw.teleport", "slug": null, "version": null},
                            {"or": [{"type": "sw.os", "slug": "balena-os", "version": ">=6"},
                                    {"type": "sw.os", "slug": "ubuntu"}]}]})",
                   problems),
              ElementsAre(ElementsAre(Requirement{"sw.supervisor", "", ">=10.16.17"}),
                          ElementsAre(Requirement{"hw.device-type", "jetson-nano", ""}),
                          ElementsAre(Requirement{"sw.teleport", "", ""}),
                          ElementsAre(Requirement{"sw.os", "balena-os", ">=6"},
                                      Requirement{"sw.os", "ubuntu", ""})));
  EXPECT_THAT(problems, IsEmpty());
}

TEST(ReadContractTest, ReadsNothingWhereNothingIsRequired) {
  for (const char* text : {"null", "{}", R"({"type": "sw.container"})", R"({"requires": null})",
                           R"({"requires": []})", R"({"requires": [{"or": []}]})"}) {
    Problems problems;
    EXPECT_THAT(Read(text, problems), IsEmpty()) << text;
    EXPECT_THAT(problems, IsEmpty()) << text;
  }
}

struct WrongContract {
  const char* text;
  const char* where;
};

TEST(ReadContractTest, NamesTheWrongValue) {
  for (const auto& [text, where] : {
           WrongContract{"[]", "contract"},
           WrongContract{R"("sw.os")", "contract"},
           WrongContract{R"({"requires": {}})", "contract.requires"},
           WrongContract{R"({"requires": ["sw.os"]})", "contract.requires.0"},
           WrongContract{R"({"requires": [{"version": "1"}]})", "contract.requires.0.type"},
           WrongContract{R"({"requires": [{"type": 1}]})", "contract.requires.0.type"},
           WrongContract{R"({"requires": [{"type": "sw.os", "version": 2}]})",
                         "contract.requires.0.version"},
           WrongContract{R"({"requires": [{"type": "sw.os", "verison": ">=2"}]})",
                         "contract.requires.0.verison"},
           WrongContract{R"({"requires": [{"not": [{"type": "sw.os"}]}]})",
                         "contract.requires.0.not"},
           WrongContract{R"({"requires": [{"or": {"type": "sw.os"}}]})", "contract.requires.0.or"},
           WrongContract{R"({"requires": [{"type": "sw.os", "or": []}]})",
                         "contract.requires.0.or"},
           WrongContract{R"({"requires": [{"type": "sw.os"}, {"or": [{"or": []}]}]})",
                         "contract.requires.1.or.0.or"},
       }) {
    Problems problems;
    Read(text, problems);
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_EQ(problems[0].code, "invalid-value");
    EXPECT_EQ(problems[0].where, where);
    EXPECT_TRUE(problems[0].blocks);
  }
}

// A target of one service with these members beside its image.
Target TargetWith(const std::string& members) {
  const std::string text = R"({"dev1": {"name": "kitchen", "config": {}, "apps": {"shop": {
      "id": 12, "name": "Shop", "releases": {"c1": {"id": 1, "services": {"web": {
        "id": 6, "image_id": 78, "image": "registry.example/web:1", "environment": {}, )" +
                           members + R"(}}}}}}}})";
  auto target = ReadBalenaTarget(text);
  EXPECT_THAT(target, IsOk()) << text;
  return target ? std::move(target).assume_value() : Target();
}

const TargetService& Web(const Target& target) { return target.apps[0].release->services[0]; }

TEST(BalenaTargetTest, ReadsTheContractOfAService) {
  const Target target = TargetWith(
      R"("labels": {}, "contract": {"requires": [{"type": "arch.sw", "slug": "amd64"}]})");
  EXPECT_THAT(target.apps[0].gaps, IsEmpty());
  EXPECT_THAT(Web(target).requirements,
              ElementsAre(ElementsAre(Requirement{"arch.sw", "amd64", ""})));
}

TEST(BalenaTargetTest, ReadsRequirementsByLabelOnce) {
  const Target target = TargetWith(
      R"("labels": {"io.balena.features.requires.arch.sw": "amd64",
                    "io.balena.features.requires.sw.l4t": ">=32"},
         "contract": {"requires": [{"type": "arch.sw", "slug": "amd64"}]})");
  EXPECT_THAT(target.apps[0].gaps, IsEmpty());
  EXPECT_THAT(Web(target).requirements,
              ElementsAre(ElementsAre(Requirement{"arch.sw", "amd64", ""}),
                          ElementsAre(Requirement{"sw.l4t", "", ">=32"})));
}

TEST(BalenaTargetTest, BlocksTheAppOfAWrongContract) {
  const Target target =
      TargetWith(R"("labels": {}, "contract": {"requires": [{"slug": "amd64"}]})");
  ASSERT_EQ(target.apps[0].gaps.size(), 1U);
  EXPECT_EQ(target.apps[0].gaps[0].message, "services.web.contract.requires.0.type: is missing");
  EXPECT_TRUE(target.apps[0].gaps[0].blocks);
}

TEST(BalenaTargetTest, AddsWhatFeatureLabelsAskFor) {
  const Target target = TargetWith(R"("labels": {"io.resin.features.resin-socket": "1"})");
  EXPECT_THAT(target.apps[0].gaps, IsEmpty());
  const ServiceSpec& spec = Web(target).spec;
  EXPECT_THAT(spec.labels, ElementsAre(Pair("io.balena.features.balena-socket", "1")));
  EXPECT_THAT(spec.environment,
              ElementsAre(Pair("DOCKER_HOST", "unix:///host/run/balena-engine.sock")));
  ASSERT_NE(spec.Find(Field::kVolumes), nullptr);
  EXPECT_EQ(spec.Find(Field::kVolumes)->AsList()->size(), 3U);
}

TEST(BalenaTargetTest, NamesTheServiceOfALabelThatItCannotFollow) {
  const Target target = TargetWith(
      R"("labels": {"io.balena.features.extra-firmware": "1", "io.balena.features.teleport": "1"})");
  const auto& gaps = target.apps[0].gaps;
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].code, "unsupported-feature");
  EXPECT_TRUE(gaps[0].blocks);
  EXPECT_THAT(gaps[0].message, HasSubstr("services.web.labels: `io.balena.features.extra-firmware`"));
  EXPECT_EQ(gaps[1].code, "unknown-feature");
  EXPECT_FALSE(gaps[1].blocks);
  EXPECT_THAT(gaps[1].message, HasSubstr("services.web.labels: `io.balena.features.teleport`"));
}

}  // namespace
}  // namespace lockstep
