// Files of a board that a test makes up, in a directory of its own.
#ifndef LOCKSTEP_TESTS_BOARD_DIRECTORY_H_
#define LOCKSTEP_TESTS_BOARD_DIRECTORY_H_

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace lockstep::test {

class BoardDirectory : public ::testing::Test {
 protected:
  BoardDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "lockstep-board-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) root_ = name;
  }
  ~BoardDirectory() override {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  std::string At(const std::string& name) const { return root_ + '/' + name; }
  void Put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(At(name)).parent_path());
    std::ofstream(At(name), std::ios::binary) << bytes;
    // Long ago, for Mark(): the clock of a file system is too coarse to tell two writes apart.
    std::filesystem::last_write_time(At(name), std::filesystem::file_time_type());
  }
  std::string Get(const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(At(name), std::ios::binary).rdbuf();
    return bytes.str();
  }
  bool Exists(const std::string& name) const { return std::filesystem::exists(At(name)); }
  void Remove(const std::string& name) const { std::filesystem::remove_all(At(name)); }
  // What differs after any write to the file, one of the same bytes too.
  std::string Mark(const std::string& name) const {
    struct stat status = {};
    if (::stat(At(name).c_str(), &status) != 0) return "none";
    return std::to_string(status.st_ino) + ' ' + std::to_string(status.st_mtim.tv_sec) + ' ' +
           std::to_string(status.st_mtim.tv_nsec);
  }

  std::string root_;
};

// While it lives no file can be written to beyond `bytes`: a disk that fails there (EFBIG).
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_ = {};
  void (*signal_)(int);
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_BOARD_DIRECTORY_H_
