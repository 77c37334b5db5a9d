#include "target_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/testing/matchers.h"
#include "whole_file.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::IsError;
using test::IsOk;
using ::testing::HasSubstr;

class TargetFileTest : public ::testing::Test {
 protected:
  TargetFileTest() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-target-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
  }
  ~TargetFileTest() override {
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }
  std::string Write(const std::string& text) const {
    std::ofstream(directory_ / "target") << text;
    return (directory_ / "target").string();
  }
  fs::path directory_;
};

TEST_F(TargetFileTest, GivesTheTargetAndItsText) {
  const std::string text = R"({"dev1": {"name": "n", "config": {}, "apps": {}}})";
  const auto loaded = ReadTargetFile(Write(text));
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded.assume_value().target.device_uuid, "dev1");
  EXPECT_EQ(loaded.assume_value().text, text);
}

TEST_F(TargetFileTest, NamesTheFileThatIsWrong) {
  const std::string path = Write("{");
  const auto loaded = ReadTargetFile(path);
  ASSERT_THAT(loaded, IsError(ErrorCode::kInvalidTarget));
  EXPECT_THAT(Describe(loaded.assume_error()), HasSubstr(path));
}

TEST_F(TargetFileTest, KnowsAComposeFileByWhatIsInIt) {
  for (const char* text : {
           "name: shop\nservices: {web: {image: x}}\n",
           "# mine\n---\nservices:\n  web:\n    image: x\nname: shop\n",
           "{name: shop, services: {web: {image: x}}}",
           R"({"name": "shop", "services": {"web": {"image": "x"}}})",
           R"({"name": "shop", "services": {"web": {"image": "x", "labels": ["\ud83d\ude00=1"]}}})",
       }) {
    const auto loaded = ReadTargetFile(Write(text));
    ASSERT_THAT(loaded, IsOk()) << text;
    EXPECT_FALSE(loaded.assume_value().target.whole_device);
    ASSERT_EQ(loaded.assume_value().target.apps.size(), 1U);
    EXPECT_EQ(loaded.assume_value().target.apps[0].uuid, "shop");
    EXPECT_EQ(loaded.assume_value().text, text);
  }
}

TEST_F(TargetFileTest, SaysWhatIsWrongInTheWordsOfTheFormatThatIsMeant) {
  struct Case {
    std::string text;
    std::string message;
  };
  for (const Case& c : std::vector<Case>{
           {"", "it is empty"},
           {"nonsense", "it is no target"},
           {"- a\n- b\n", "it is no target"},
           {"name: shop\n", "is missing"},
           {"version: '3'\nname: shop\n", "is missing"},
           {"a:\n\tb: 1\n", "indented with a tab"},
           {"{", "it is no JSON"},
           {R"({"dev1": {"name": "n", "config": {}, "apps": {},}})", "it is no JSON"},
           {R"({"dev1": {"name": "n"}})", "is missing"},
           {"{services: {web: {image: x}}, name: }", "is missing: it says which app"},
           {std::string(10'000, '['), "nested more than"},
           {"services:\n- " + std::string(10'000, '['), "line 2"},
       }) {
    const auto loaded = ReadTargetFile(Write(c.text));
    ASSERT_THAT(loaded, IsError(ErrorCode::kInvalidTarget)) << c.text.substr(0, 40);
    EXPECT_THAT(loaded.assume_error().message, HasSubstr(c.message));
  }
}

TEST_F(TargetFileTest, OptionsOfAComposeFileDoNotGoWithABalenaState) {
  const std::string path = Write(R"({"dev1": {"name": "n", "config": {}, "apps": {}}})");
  for (const TargetFileOptions& options : std::vector<TargetFileOptions>{
           {.app = "shop"}, {.release = "1"}, {.profiles = {"x"}}, {.env_files = {path}}}) {
    const auto loaded = ReadTargetFile(path, options);
    ASSERT_THAT(loaded, IsError(ErrorCode::kInvalidInput));
    EXPECT_THAT(loaded.assume_error().hint, HasSubstr("--env-file"));
  }
}

std::string ImageOf(const Result<LoadedTarget>& loaded) {
  if (!loaded) return Describe(loaded.assume_error());
  return loaded.assume_value().target.apps.at(0).release.value().services.at(0).spec.image;
}

TEST_F(TargetFileTest, VariablesComeFromTheEnvironmentThenFromFilesOfVariables) {
  const std::string path =
      Write("name: shop\nservices: {web: {image: \"x:${A:-none}-${B:-none}-${C:-none}\"}}\n");
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  };
  EXPECT_EQ(ImageOf(ReadTargetFile(path)), "x:none-none-none");
  write(".env", "A=1\nB=1\n");
  EXPECT_EQ(ImageOf(ReadTargetFile(path)), "x:1-1-none");
  EXPECT_EQ(ImageOf(ReadTargetFile(path, {.environment = {{"A", "0"}}})), "x:0-1-none");
  const std::string two = write("two.env", "B=2\nC=2\n");
  const std::string three = write("three.env", "C=${B}3\n");
  EXPECT_EQ(ImageOf(ReadTargetFile(path, {.env_files = {two}})), "x:none-2-2");
  EXPECT_EQ(ImageOf(ReadTargetFile(path, {.env_files = {two, three}})), "x:none-2-23");
  EXPECT_THAT(ReadTargetFile(path, {.env_files = {"/nowhere.env"}}), IsError(ErrorCode::kNotFound));
}

TEST_F(TargetFileTest, AFileOfVariablesThatIsNoFileIsAnErrorAndNoWait) {
  const std::string path = Write("name: shop\nservices: {web: {image: x, env_file: pipe}}\n");
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  const auto loaded = ReadTargetFile(path);
  ASSERT_THAT(loaded, IsError(ErrorCode::kInvalidTarget));
  EXPECT_EQ(loaded.assume_error().where, "services.web.env_file");
  EXPECT_THAT(loaded.assume_error().message, HasSubstr("no regular file"));
  ASSERT_EQ(mkfifo((directory_ / ".env").c_str(), 0600), 0);
  EXPECT_THAT(ReadTargetFile(path), IsError(ErrorCode::kInvalidInput));
}

TEST_F(TargetFileTest, WhatWasTakenOnceIsReadBackWithFieldsThatNobodyKnows) {
  const std::string text =
      R"({"dddddddddddddddddddddddddddddddd": {"name": "d", "config": {}, "apps": {
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": {"id": 1, "name": "shop", "releases": {
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb": {"id": 2, "services": {"web": {
        "id": 3, "image_id": 4, "image": "x/web:1", "labels": {}, "environment": {},
        "composition": {"build": "x"}}}, "volumes": {}, "networks": {}}}}}}})";
  EXPECT_THAT(ReadTargetText(text), IsError(ErrorCode::kInvalidTarget));
  const auto kept = ReadKeptTarget(text, {}, {});
  ASSERT_THAT(kept, IsOk());
  ASSERT_EQ(kept.assume_value().apps.size(), 1U);
  EXPECT_FALSE(kept.assume_value().apps[0].gaps.empty());
}

TEST_F(TargetFileTest, PathsBeginWhereTheFileIs) {
  std::ofstream(directory_ / "web.env") << "A=1\n";
  const std::string path = Write("name: shop\nservices: {web: {image: x, env_file: ./web.env}}\n");
  const auto loaded = ReadTargetFile(path);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded.assume_value().target.apps[0].release->services[0].spec.environment.at("A"),
            "1");
}

TEST_F(TargetFileTest, TellsWhyAFileCannotBeRead) {
  EXPECT_THAT(ReadTargetFile((directory_ / "none").string()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ReadTargetFile(directory_.string()), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ReadTargetFile(Write("") + "/x"), IsError(ErrorCode::kNotFound));
}

TEST_F(TargetFileTest, AFileThatIsTooLargeIsNotReadToItsEnd) {
  const std::string path = Write(std::string(3000, ' '));
  EXPECT_THAT(ReadWholeFile(path, {}, 3000), IsOk());
  EXPECT_THAT(ReadWholeFile(path, {}, 2999), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ReadWholeFile("/dev/zero", {}, 1 << 20), IsError(ErrorCode::kInvalidInput));
}

TEST_F(TargetFileTest, AWaitForAPipeEndsWhenItIsToEnd) {
  const std::string pipe = (directory_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const bool is_open : {false, true}) {
    SCOPED_TRACE(is_open);
    const int writer = is_open ? open(pipe.c_str(), O_RDWR | O_CLOEXEC) : -1;
    std::stop_source stop;
    std::jthread interrupt([&] { stop.request_stop(); });
    EXPECT_THAT(ReadTargetFile(pipe, {}, stop.get_token()), IsError(ErrorCode::kCancelled));
    if (writer >= 0) close(writer);
  }
}

TEST_F(TargetFileTest, ReadsWhatComesThroughAPipe) {
  const std::string pipe = (directory_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string text(300'000, '#');  // More than a pipe holds.
  std::jthread writer([&] { std::ofstream(pipe) << text; });
  const auto read = ReadWholeFile(pipe, {});
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read.assume_value(), text);
}

TEST_F(TargetFileTest, WhereNobodyWaitsAPipeIsRefused) {
  const std::string pipe = (directory_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(ReadTargetText("name: shop\nservices: {web: {image: x}}\n", directory_.string(),
                             {.env_files = {pipe}}),
              IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep
