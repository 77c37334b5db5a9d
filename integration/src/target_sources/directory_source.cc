#include "target_sources/directory_source.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "compose_host_paths.h"
#include "target_sources/news.h"
#include "target_sources/path_watch.h"
#include "target_sources/target_set.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // Of all files together.
constexpr int kMostPasses = 3;
constexpr int kMostStirred = 5;

bool IsTargetFileName(std::string_view name) {
  return !name.starts_with('.') &&
         (name.ends_with(".yml") || name.ends_with(".yaml") || name.ends_with(".json"));
}

// What a file was read as, the last time it could be.
struct ReadFile {
  std::string text;
  Target target;
};

class DirectorySource final : public TargetSource {
 public:
  DirectorySource(std::string directory, TargetFileOptions options)
      : path_(std::move(directory)), options_(std::move(options)) {}

  Result<void> Run(TargetSink& sink, std::stop_token stop) override {
    if (!options_.app.empty() || !options_.release.empty()) {
      return MakeError(ErrorCode::kInvalidInput,
                       path_ + " is a directory, whose files name their apps and releases",
                       "leave out --app and --release, or name a file");
    }
    if (!watch_.ok()) {
      return MakeError(ErrorCode::kUnavailable, "no file descriptor is left to watch " + path_,
                       "raise the limit of open files");
    }
    std::error_code fault;
    directory_ = PathFrom("/", std::filesystem::absolute(path_, fault).string());
    if (fault) {
      return MakeError(ErrorCode::kInvalidInput, path_ + ": " + fault.message(),
                       "name a directory");
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
    std::vector<Error> problems;
    std::optional<Error> unwatched;
    std::optional<LoadedTarget> loaded;
    // As in a FileSource: what else files are read with is watched once it is known.
    for (int pass = 0; pass < kMostPasses; ++pass) {
      problems.clear();
      unwatched = watch_.Watch(watched_, {directory_}, IsTargetFileName);
      std::set<std::string> used;
      auto before = std::pair(files_, chosen_);
      loaded = Read(used, problems);
      if (watch_.Stirred() && ++stirred_ <= kMostStirred) {
        std::tie(files_, chosen_) = std::move(before);
        return;
      }
      stirred_ = 0;
      const bool known = std::includes(watched_.begin(), watched_.end(), used.begin(), used.end());
      watched_.assign(used.begin(), used.end());
      if (known) break;
    }
    if (loaded) news.Tell(*std::move(loaded));
    if (unwatched && problems.empty()) {
      problems.push_back(WithContext(*std::move(unwatched), "watch the targets in " + path_));
    }
    news.TellProblems(problems);
  }

  Error Problem(ErrorCode code, std::string message, std::string hint) const {
    return WithContext(MakeError(code, std::move(message), std::move(hint)),
                       "read the targets in " + path_);
  }

  // The target that the files come to now; none where they come to none. `used` gets every file it
  // depends on.
  std::optional<LoadedTarget> Read(std::set<std::string>& used, std::vector<Error>& problems) {
    std::set<std::string> names;
    if (auto error = List(names)) {
      problems.push_back(*std::move(error));
      return std::nullopt;
    }
    std::erase_if(files_, [&](const auto& file) { return !names.contains(file.first); });
    std::set<std::string> broken;
    std::size_t bytes = 0;
    for (const std::string& name : names) {
      const std::string path = directory_ + '/' + name;
      used.insert(path);
      auto read = ReadOne(path, kMostBytes - bytes, used);
      if (read) {
        bytes += read.assume_value().text.size();
        files_[name] = std::move(read).assume_value();
      } else {
        broken.insert(name);
        problems.push_back(
            WithContext(std::move(read).assume_error(), "read the target " + path_ + '/' + name));
      }
    }
    return Combine(names, broken, problems);
  }

  std::optional<Error> List(std::set<std::string>& names) const {
    std::error_code fault;
    std::filesystem::directory_iterator entry(directory_, fault);
    for (; !fault && entry != std::filesystem::directory_iterator(); entry.increment(fault)) {
      std::string name = entry->path().filename().string();
      if (!IsTargetFileName(name)) continue;
      names.insert(std::move(name));
      if (names.size() > kMostFiles) {
        return Problem(ErrorCode::kInvalidInput,
                       "there are more than " + std::to_string(kMostFiles) + " files",
                       "check that it is the right directory");
      }
    }
    if (fault) {
      const bool missing = fault == std::errc::no_such_file_or_directory;
      return Problem(missing ? ErrorCode::kNotFound : ErrorCode::kUnavailable, fault.message(),
                     "make the directory, or name another");
    }
    if (names.empty()) {
      return Problem(ErrorCode::kNotFound, "there is no *.yml, *.yaml or *.json in it",
                     "put a compose file there for each app");
    }
    return std::nullopt;
  }

  Result<ReadFile> ReadOne(const std::string& path, std::size_t max_bytes,
                           std::set<std::string>& used) const {
    ReadFile file;
    LOCKSTEP_TRY(file.text, ReadRegularFile(path, max_bytes));
    std::vector<std::string> others;
    auto target = ReadTargetText(file.text, directory_, options_, &others);
    used.insert(others.begin(), others.end());
    LOCKSTEP_TRY(file.target, std::move(target));
    return file;
  }

  // Of files that are broken, what they were read as before.
  std::optional<LoadedTarget> Combine(const std::set<std::string>& names,
                                      const std::set<std::string>& broken,
                                      std::vector<Error>& problems) {
    const auto whole = std::find_if(files_.begin(), files_.end(), [](const auto& file) {
      return file.second.target.whole_device;
    });
    if (whole != files_.end()) {
      if (names.size() == 1) return LoadedTarget{whole->second.target, whole->second.text};
      problems.push_back(Problem(
          ErrorCode::kInvalidTarget,
          whole->first + " is a balena state, which speaks for the whole device, and is not alone",
          "take it out, or everything else"));
      return std::nullopt;
    }
    std::map<std::string, std::vector<std::string>> claims = Claims(broken);
    std::map<std::string, ReadFile> chosen;
    for (const auto& [app, claimants] : claims) {
      if (claimants.size() == 1) {
        chosen[app] = files_.at(claimants.front());
      } else {
        problems.push_back(
            Problem(ErrorCode::kInvalidTarget,
                    "the app " + app + " is both in " + claimants[0] + " and in " + claimants[1],
                    "take it out of one of them, or give it another name"));
        const auto before = chosen_.find(app);
        if (before != chosen_.end()) chosen[app] = before->second;
      }
    }
    chosen_ = std::move(chosen);
    if (chosen_.empty()) return std::nullopt;
    return Loaded();
  }

  // App -> the files that have it. One that is broken has it only where no other does.
  std::map<std::string, std::vector<std::string>> Claims(
      const std::set<std::string>& broken) const {
    std::map<std::string, std::vector<std::string>> claims;
    const auto claim = [&](const std::string& name, const ReadFile& file, bool only_free) {
      for (const TargetApp& app : file.target.apps) {
        auto& claimants = claims[app.uuid];
        if (!only_free || claimants.empty()) claimants.push_back(name);
      }
    };
    for (const auto& [name, file] : files_) {
      if (!broken.contains(name)) claim(name, file, false);
    }
    for (const auto& [name, file] : files_) {
      if (broken.contains(name)) claim(name, file, true);
    }
    return claims;
  }

  LoadedTarget Loaded() const {
    if (chosen_.size() == 1) {
      const ReadFile& file = chosen_.begin()->second;
      return {file.target, file.text};
    }
    LoadedTarget loaded;
    loaded.target.whole_device = false;
    std::map<std::string, std::string> texts;
    for (const auto& [app, file] : chosen_) {
      (void)AddApps(file.target, loaded.target);  // Each is there once.
      texts[app] = file.text;
    }
    loaded.text = WriteTargetSet(texts);
    return loaded;
  }

  const std::string path_;
  const TargetFileOptions options_;
  std::string directory_;  // Absolute.
  PathWatch watch_;
  std::vector<std::string> watched_;        // Sorted.
  std::map<std::string, ReadFile> files_;   // By name.
  std::map<std::string, ReadFile> chosen_;  // By app.
  int stirred_ = 0;                         // How often in a row.
};

}  // namespace

std::unique_ptr<TargetSource> MakeDirectorySource(std::string directory,
                                                  TargetFileOptions options) {
  return std::make_unique<DirectorySource>(std::move(directory), std::move(options));
}

}  // namespace lockstep
