#include "config_backends/safe_file.h"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lockstep::test {
namespace {

TEST(SafeFileTest, WhatWasWrittenIsRead) {
  std::string dir = (std::filesystem::temp_directory_path() / "safe-file-XXXXXX").string();
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  const SafeFile file(dir + "/config.txt");
  ASSERT_TRUE(file.Write("gpu_mem=16\n"));
  const auto text = file.Read();
  ASSERT_TRUE(text);
  EXPECT_EQ(text.assume_value(), "gpu_mem=16\n");
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace lockstep::test
