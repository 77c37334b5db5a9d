#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lockstep/testing/matchers.h"
#include "target_file.h"

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

TEST_F(TargetFileTest, SaysThatAComposeFileIsNotReadYet) {
  for (const char* text : {"services:\n  web:\n    image: x\n",
                           "# mine\nname: shop\nservices: {}\n", "---\nversion: '3'\n"}) {
    const auto loaded = ReadTargetFile(Write(text));
    ASSERT_THAT(loaded, IsError(ErrorCode::kInvalidTarget)) << text;
    EXPECT_THAT(loaded.assume_error().message, HasSubstr("compose files are not supported yet"));
  }
}

TEST_F(TargetFileTest, TellsWhyAFileCannotBeRead) {
  EXPECT_THAT(ReadTargetFile((directory_ / "none").string()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(ReadTargetFile(directory_.string()), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ReadTargetFile(Write("") + "/x"), IsError(ErrorCode::kNotFound));
}

TEST_F(TargetFileTest, AFileThatIsTooLargeIsNotReadToItsEnd) {
  const std::string path = Write(std::string(3000, ' '));
  EXPECT_THAT(ReadWholeFile(path, 3000), IsOk());
  EXPECT_THAT(ReadWholeFile(path, 2999), IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(ReadWholeFile("/dev/zero", 1 << 20), IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep
