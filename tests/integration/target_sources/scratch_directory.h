// A directory that is gone with the test.
#ifndef LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_SCRATCH_DIRECTORY_H_
#define LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_SCRATCH_DIRECTORY_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace lockstep::test {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "lockstep-source-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string At(const std::string& name) const { return (path_ / name).string(); }
  // In place, as `cat >` does.
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(At(name)) << text;
  }
  // As editors do.
  void Replace(const std::string& name, const std::string& text) const {
    Write(name + ".new", text);
    std::filesystem::rename(At(name + ".new"), At(name));
  }
  void Link(const std::string& to, const std::string& name) const {
    std::filesystem::create_symlink(to, At(name + ".new"));
    std::filesystem::rename(At(name + ".new"), At(name));
  }
  void Make(const std::string& name) const { std::filesystem::create_directories(At(name)); }
  void Remove(const std::string& name) const { std::filesystem::remove_all(At(name)); }

 private:
  std::filesystem::path path_;
};

inline std::string Compose(const std::string& app, const std::string& image) {
  return "name: " + app + "\nservices:\n  web:\n    image: " + image + "\n";
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_TARGET_SOURCES_SCRATCH_DIRECTORY_H_
