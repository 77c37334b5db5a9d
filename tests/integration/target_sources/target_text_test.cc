// Targets from texts that come from elsewhere.
#include <gmock/gmock.h>

#include <string>

#include "lockstep/testing/matchers.h"
#include "scratch_directory.h"
#include "target_file.h"

namespace lockstep {
namespace {

using test::IsError;
using test::IsOk;
using ::testing::HasSubstr;

TEST(TargetTextTest, MayNameNoFilesWhereItHasNoDirectory) {
  const auto target =
      ReadTargetText("name: shop\nservices: {web: {image: a, env_file: /etc/hostname}}\n");
  ASSERT_THAT(target, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(Describe(target.assume_error()), HasSubstr("may name no files"));
}

TEST(TargetTextTest, ReadsTheFilesOfItsDirectory) {
  const test::ScratchDirectory dir;
  dir.Write(".env", "TAG=4\n");
  dir.Write("web.env", "A=B\n");
  std::vector<std::string> others;
  const auto target =
      ReadTargetText("name: shop\nservices: {web: {image: \"a:${TAG}\", env_file: web.env}}\n",
                     dir.At("."), {}, &others);
  ASSERT_THAT(target, IsOk());
  EXPECT_EQ(target.assume_value().apps.at(0).release->services.at(0).spec.image, "a:4");
  EXPECT_EQ(others.size(), 2U);
}

TEST(TargetTextTest, KnowsABalenaState) {
  const auto target = ReadTargetText(R"({"dev1": {"name": "n", "config": {}, "apps": {}}})");
  ASSERT_THAT(target, IsOk());
  EXPECT_TRUE(target.assume_value().whole_device);
}

TEST(TargetTextTest, RefusesSetsThatAreNone) {
  for (const char* text : {
           R"({"format": "lockstep.target-set/1", "files": []})",
           R"({"format": "lockstep.target-set/1", "files": {"a": 1}})",
           R"({"format": "lockstep.target-set/1", "files": {"a": "{\"d\": {}}"}})",
           R"({"format": "lockstep.target-set/1", "files": {"a":
               "{\"format\": \"lockstep.target-set/1\", \"files\": {}}"}})",
           R"({"format": "lockstep.target-set/1", "files": {
               "a": "{name: shop, services: {web: {image: a}}}",
               "b": "{name: shop, services: {web: {image: b}}}"}})",
           R"({"format": "lockstep.target-set/2", "files": {}})",
           R"({"format": "lockstep.target-set/1"})",
       }) {
    EXPECT_THAT(ReadTargetText(text), IsError(ErrorCode::kInvalidTarget)) << text;
  }
}

constexpr const char* kFromElsewhere = R"({"dev1": {"name": "n", "config": {}, "apps": {
  "u1": {"id": 1, "name": "shop", "new_of_an_app": 1, "releases": {"c1": {"id": 2, "services": {
    "web": {"id": 3, "image_id": 4, "image": "a:1", "environment": {}, "labels": {}%s,
      "composition": {%s}}}}}}, "u2": {"id": 5, "name": "other"}}}})";

std::string FromElsewhere(const std::string& service, const std::string& composition) {
  std::string text = kFromElsewhere;
  text.replace(text.find("%s"), 2, service);
  text.replace(text.find("%s"), 2, composition);
  return text;
}

Result<Target> ReadFromElsewhere(const std::string& text) {
  return ReadBalenaTarget(text, {"dev1", UnknownFields::kGaps});
}

TEST(TargetTextTest, FromABackendAFieldOfComposeIsIgnoredWithAWord) {
  const auto target = ReadFromElsewhere(
      FromElsewhere("", R"("container_name": "x", "build": ".", "env_file": "e", "user": "u")"));
  ASSERT_THAT(target, IsOk());
  const TargetApp& app = target.assume_value().apps.at(0);
  ASSERT_EQ(app.gaps.size(), 3U);
  for (const Gap& gap : app.gaps) {
    EXPECT_EQ(gap.code, "ignored-field");
    EXPECT_FALSE(gap.blocks);
  }
  EXPECT_EQ(app.release->services.at(0).spec.Find(Field::kUser)->AsString()[0], "u");
}

TEST(TargetTextTest, FromABackendAnUnknownFieldBlocksItsAppAlone) {
  for (const std::string& text :
       {FromElsewhere("", R"("prots": ["80:80"])"), FromElsewhere(R"(, "runing": true)", "")}) {
    const auto target = ReadFromElsewhere(text);
    ASSERT_THAT(target, IsOk());
    const TargetApp& app = target.assume_value().apps.at(0);
    ASSERT_EQ(app.gaps.size(), 1U) << text;
    EXPECT_EQ(app.gaps[0].code, "unknown-field");
    EXPECT_TRUE(app.gaps[0].blocks);
    EXPECT_TRUE(target.assume_value().apps.at(1).gaps.empty());
    EXPECT_THAT(ReadBalenaTarget(text), IsError(ErrorCode::kInvalidTarget));
  }
}

}  // namespace
}  // namespace lockstep
