// What the tests of the formats share: files to read, texts by chance, a directory to write to.
#ifndef LOCKSTEP_TESTS_FORMAT_TESTING_H_
#define LOCKSTEP_TESTS_FORMAT_TESTING_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::test {

inline std::string TextOf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void PutText(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// The files under files/<format>, by name.
inline std::map<std::string, std::string> FilesOf(const std::string& format) {
  std::map<std::string, std::string> files;
  const auto dir = std::filesystem::path(LOCKSTEP_CONFIG_FILES) / format;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    files[entry.path().filename().string()] = TextOf(entry.path());
  }
  return files;
}

inline std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// The same numbers on every machine.
class Chance {
 public:
  explicit Chance(unsigned seed) : numbers_(seed) {}
  std::size_t Below(std::size_t bound) { return numbers_() % bound; }
  bool OneIn(std::size_t count) { return Below(count) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

 private:
  std::mt19937 numbers_;
};

class TempDir {
 public:
  TempDir() {
    path_ = (std::filesystem::temp_directory_path() / "config-backend-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_FORMAT_TESTING_H_
