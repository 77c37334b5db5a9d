#include "program_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "refused.h"

namespace custom {
namespace {

namespace fs = std::filesystem;
using lockstep::ErrorCode;
using lockstep::MakeError;
using lockstep::ObservedImage;
using lockstep::Ok;
using lockstep::Result;

bool IsFileName(const std::string& text) {
  return !text.empty() && text.front() != '.' && text.find('/') == text.npos &&
         text.find('\0') == text.npos;
}

// FNV-1a. Yours: a cryptographic hash, where those who make programs are not trusted.
class Hash {
 public:
  void Add(const char* data, std::streamsize size) {
    for (std::streamsize i = 0; i < size; ++i) {
      value_ = (value_ ^ static_cast<unsigned char>(data[i])) * 1099511628211U;
    }
  }
  std::string text() const { return "fnv-" + std::to_string(value_); }

 private:
  std::uint64_t value_ = 14695981039346656037U;
};

}  // namespace

ProgramStore::ProgramStore(std::string registry, std::string directory)
    : registry_(std::move(registry)), directory_(std::move(directory)) {}

Result<void> ProgramStore::Check(const std::string& reference) const {
  std::error_code error;
  if (IsFileName(reference) && fs::is_regular_file(registry_ + "/" + reference, error)) return Ok();
  return MakeError(ErrorCode::kNotFound, registry_ + " has no program " + reference);
}

Result<std::string> ProgramStore::Pull(const std::string& reference,
                                       lockstep::ProgressSink& progress,
                                       const std::stop_token& stop) {
  LOCKSTEP_TRYV(Check(reference));
  std::error_code error;
  const std::string source = registry_ + "/" + reference;
  static std::atomic<int> pulls = 0;
  const std::string part = directory_ + "/.part-" + std::to_string(++pulls);
  const auto size = static_cast<std::int64_t>(fs::file_size(source, error));
  std::ifstream in(source, std::ios::binary);
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  std::array<char, 65536> block{};
  std::int64_t copied = 0;
  Hash hash;
  while (in && out) {
    if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
    in.read(block.data(), block.size());
    out.write(block.data(), in.gcount());
    hash.Add(block.data(), in.gcount());
    progress.OnProgress({copied += in.gcount(), size});
  }
  out.close();
  if (!out || !in.eof()) return Refused("copy " + source, errno);
  // Whole and last: what is under its name has all of its content.
  const std::string home = directory_ + "/" + hash.text();
  fs::permissions(part, fs::perms(0755), error);
  if (!error) fs::create_directories(home, error);
  if (error) return Refused("keep " + reference, error.value());
  if (const auto old = Find(reference)) fs::remove(old->file, error);
  fs::rename(part, home + "/" + reference, error);
  if (error) return Refused("keep " + reference, error.value());
  return hash.text();
}

std::optional<ProgramStore::Program> ProgramStore::Find(const std::string& reference) const {
  for (const ObservedImage& image : List()) {
    if (std::count(image.references.begin(), image.references.end(), reference) == 0) continue;
    return Program{image.id, directory_ + "/" + image.id + "/" + reference};
  }
  return std::nullopt;
}

std::vector<ObservedImage> ProgramStore::List() const {
  std::map<std::string, ObservedImage> images;
  std::error_code error;
  for (const auto& home : fs::directory_iterator(directory_, error)) {
    const std::string id = home.path().filename();
    for (const auto& file : fs::directory_iterator(home.path(), error)) {
      images[id].id = id;
      images[id].references.push_back(file.path().filename());
    }
  }
  std::vector<ObservedImage> sorted;
  for (auto& [id, image] : images) sorted.push_back(std::move(image));
  return sorted;
}

Result<void> ProgramStore::Remove(const std::string& id) {
  std::error_code error;
  if (IsFileName(id)) fs::remove_all(directory_ + "/" + id, error);
  if (error) return Refused("remove " + id, error.value());
  return Ok();
}

}  // namespace custom
