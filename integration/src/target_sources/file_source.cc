#include "target_sources/file_source.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "compose_host_paths.h"
#include "target_sources/news.h"
#include "target_sources/path_watch.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr int kMostPasses = 3;
constexpr int kMostStirred = 5;

class FileSource final : public TargetSource {
 public:
  FileSource(std::string path, TargetFileOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}

  Result<void> Run(TargetSink& sink, std::stop_token stop) override {
    if (path_ == "-") {
      return MakeError(ErrorCode::kInvalidInput, "standard input is nothing to go by for long",
                       "name a file");
    }
    if (!watch_.ok()) {
      return MakeError(ErrorCode::kUnavailable, "no file descriptor is left to watch " + path_,
                       "raise the limit of open files");
    }
    std::error_code fault;
    file_ = std::filesystem::absolute(path_, fault).string();
    if (fault) {
      return MakeError(ErrorCode::kInvalidInput, path_ + ": " + fault.message(), "name a file");
    }
    News news(sink);
    while (!stop.stop_requested()) {
      Look(news);
      watch_.Wait(stop);
    }
    return Ok();
  }

  void LookNow() override { watch_.Ask(); }

 private:
  void Look(News& news) {
    std::optional<Error> unwatched;
    // What else it is read with is known once it was read; then it is watched, and read again.
    for (int pass = 0; pass < kMostPasses; ++pass) {
      std::vector<std::string> files = others_;
      files.push_back(file_);
      unwatched = watch_.Watch(files);
      std::vector<std::string> others;
      auto loaded = ReadFileTarget(path_, options_, &others);
      if (watch_.Stirred() && ++stirred_ <= kMostStirred) return;  // To be read once it is still.
      stirred_ = 0;
      std::sort(others.begin(), others.end());
      const bool known =
          std::includes(others_.begin(), others_.end(), others.begin(), others.end());
      others_ = std::move(others);
      if (!known && pass + 1 < kMostPasses) continue;
      if (!loaded) return news.TellProblems({std::move(loaded).assume_error()});
      news.Tell(std::move(loaded).assume_value());
      break;
    }
    if (!unwatched) return news.TellProblems({});
    news.TellProblems({WithContext(*std::move(unwatched), "watch the target " + path_)});
  }

  const std::string path_;
  const TargetFileOptions options_;
  std::string file_;  // Absolute.
  PathWatch watch_;
  std::vector<std::string> others_;  // Sorted.
  int stirred_ = 0;                  // How often in a row.
};

}  // namespace

Result<LoadedTarget> ReadFileTarget(const std::string& path, const TargetFileOptions& options,
                                    std::vector<std::string>* others) {
  std::error_code fault;
  const std::filesystem::path file = std::filesystem::absolute(path, fault);
  if (fault) return MakeError(ErrorCode::kUnavailable, path + ": " + fault.message());
  LoadedTarget loaded;
  auto text = ReadRegularFile(file.string(), kMostFileBytes);
  if (!text) return WithContext(std::move(text).assume_error(), "read the target");
  loaded.text = std::move(text).assume_value();
  const std::string directory = PathFrom("/", file.parent_path().string());
  auto target = ReadTargetText(loaded.text, directory, options, others);
  if (!target) return WithContext(std::move(target).assume_error(), "read the target " + path);
  loaded.target = std::move(target).assume_value();
  return loaded;
}

std::unique_ptr<TargetSource> MakeFileSource(std::string path, TargetFileOptions options) {
  return std::make_unique<FileSource>(std::move(path), std::move(options));
}

}  // namespace lockstep
