// A place for files of a test, where its programs are found before any other of their names.
#ifndef LOCKSTEP_TESTS_INTEGRATION_FAKE_HELPERS_H_
#define LOCKSTEP_TESTS_INTEGRATION_FAKE_HELPERS_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace lockstep::test {

inline constexpr const char* kSecret = "hunter2-of-the-test";

class FakeHelpersTest : public ::testing::Test {
 protected:
  FakeHelpersTest() : path_before_(std::getenv("PATH")) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "lockstep-logins-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
    setenv("PATH", (directory_ + ":" + path_before_).c_str(), 1);
  }
  ~FakeHelpersTest() override {
    setenv("PATH", path_before_.c_str(), 1);
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  // docker-credential-`name`; in the shell's language.
  void WriteHelper(const std::string& name, const std::string& script) const {
    const std::string path = Write("docker-credential-" + name, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  std::string directory_;

 private:
  std::string path_before_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_FAKE_HELPERS_H_
