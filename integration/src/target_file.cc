#include "target_file.h"

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include "compose_env_file.h"
#include "compose_host_paths.h"
#include "compose_target.h"
#include "json_value.h"
#include "target_sources/target_set.h"
#include "whole_file.h"
#include "yaml_value.h"

namespace lockstep {
namespace {

constexpr std::string_view kFormats =
    "give a balena state (version 3) as JSON, or a compose file as YAML";

Error AsTargetError(Error error, std::string_view hint) {
  error.code = ErrorCode::kInvalidTarget;
  error.hint = hint;
  return error;
}

bool OpensLikeJson(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

// What opens like JSON may be YAML all the same; it is if that makes sense of it.
Result<Value> ParseDocument(std::string_view text) {
  if (!OpensLikeJson(text)) {
    auto document = ParseYaml(text);
    if (!document) {
      return AsTargetError(std::move(document).assume_error(),
                           "correct it there (a compose file is YAML, a balena state is JSON)");
    }
    if (document.assume_value().AsMap() != nullptr) return document;
    return MakeError(ErrorCode::kInvalidTarget, "it is no target", std::string(kFormats));
  }
  auto json = ParseJson(text);
  if (json) return json;
  auto yaml = ParseYaml(text);
  if (yaml && LooksLikeCompose(yaml.assume_value())) return yaml;
  return AsTargetError(std::move(json).assume_error(), kFormats);
}

Result<std::string> DirectoryOf(const std::string& path) {
  std::error_code fault;
  const std::string absolute = std::filesystem::absolute(path, fault).parent_path().string();
  const std::string here = std::filesystem::current_path(fault).string();
  if (fault) {
    return MakeError(ErrorCode::kUnavailable, "the current directory is gone: " + fault.message(),
                     "go to one that is there");
  }
  return path == "-" ? here : PathFrom("/", absolute);
}

using ReadFile = std::function<Result<std::string>(const std::string& path, std::size_t max_bytes)>;

// What belongs to the reading of one document, whatever is in it.
struct Reading {
  const TargetFileOptions& options;
  const std::string& directory;  // Where it counts as being; empty: it may name no files.
  const ReadFile& read_named;    // What is named beside it, by a person.
  std::vector<std::string>* others;
};

Result<std::vector<EnvFile>> ReadEnvFiles(const Reading& reading) {
  const auto& [options, directory, read_named, others] = reading;
  std::vector<EnvFile> files;
  for (const std::string& path : options.env_files) {
    std::error_code fault;
    if (others != nullptr) others->push_back(std::filesystem::absolute(path, fault).string());
    LOCKSTEP_TRY(std::string text, read_named(path, kMaxEnvFileBytes));
    files.push_back({path, std::move(text)});
  }
  if (!options.env_files.empty() || directory.empty()) return files;
  const std::string path = PathFrom(directory, ".env");
  if (others != nullptr) others->push_back(path);
  auto text = ReadRegularFile(path, kMaxEnvFileBytes);
  if (text) {
    files.push_back({path, std::move(text).assume_value()});
  } else if (text.assume_error().code != ErrorCode::kNotFound) {
    return std::move(text).assume_error();
  }
  return files;
}

Result<Target> ReadCompose(const Value& document, const Reading& reading) {
  const auto& [options, directory, read_named, others] = reading;
  ComposeOptions compose;
  compose.app = options.app;
  compose.release = options.release;
  compose.profiles = options.profiles;
  compose.environment = options.environment;
  compose.directory = directory.empty() ? "/" : directory;
  LOCKSTEP_TRY(compose.env_files, ReadEnvFiles(reading));
  compose.read_file = [&reading](const std::string& file) -> Result<std::string> {
    if (reading.directory.empty()) {
      return MakeError(ErrorCode::kPermissionDenied, "what is sent may name no files",
                       "give the variables in it, as `environment`");
    }
    if (reading.others != nullptr) reading.others->push_back(file);
    return ReadRegularFile(file, kMaxEnvFileBytes);
  };
  return ReadComposeTarget(document, compose);
}

Result<Target> ReadBalena(const Value& document, const TargetFileOptions& options) {
  if (!options.app.empty() || !options.release.empty() || !options.profiles.empty() ||
      !options.env_files.empty()) {
    return MakeError(
        ErrorCode::kInvalidInput, "it is a balena state, which names its apps and releases itself",
        "leave out --app, --release, --profile and --env-file, or give a compose file");
  }
  return ReadBalenaState(document, options.balena);
}

// Of JSON, a balena state is what is not clearly something else: its names are uuids.
bool IsCompose(std::string_view text, const Value& document) {
  return !OpensLikeJson(text) || LooksLikeCompose(document);
}

Result<Target> ReadSet(const Value& files, const Reading& reading) {
  const Value::Map* members = files.AsMap();
  if (members == nullptr) return MakeError(ErrorCode::kInvalidTarget, "`files` must be an object");
  Target whole;
  whole.whole_device = false;
  for (const Value::Member& file : *members) {
    const std::string* text = file.value.AsString();
    if (text == nullptr) {
      return MakeError(ErrorCode::kInvalidTarget, file.key + " must be a text");
    }
    LOCKSTEP_TRY(const Value document, ParseDocument(*text));
    if (FilesOfTargetSet(document) != nullptr || !IsCompose(*text, document)) {
      return MakeError(ErrorCode::kInvalidTarget, file.key + " is no compose file");
    }
    auto read = ReadCompose(document, reading);
    if (!read) return WithContext(std::move(read).assume_error(), file.key);
    if (auto added = AddApps(std::move(read).assume_value(), whole); !added) {
      return WithContext(std::move(added).assume_error(), file.key);
    }
  }
  return whole;
}

Result<Target> ReadTarget(std::string_view text, const std::string& path,
                          const TargetFileOptions& options, const ReadFile& read_named) {
  LOCKSTEP_TRY(const Value document, ParseDocument(text));
  if (!IsCompose(text, document)) return ReadBalena(document, options);
  LOCKSTEP_TRY(const std::string directory, DirectoryOf(path));
  return ReadCompose(document, {options, directory, read_named, nullptr});
}

}  // namespace

Result<Target> ReadTargetText(std::string_view text, const std::string& directory,
                              const TargetFileOptions& options, std::vector<std::string>* others) {
  LOCKSTEP_TRY(const Value document, ParseDocument(text));
  const ReadFile read_named = ReadRegularFile;
  const Reading reading{options, directory, read_named, others};
  if (const Value* files = FilesOfTargetSet(document)) return ReadSet(*files, reading);
  if (!IsCompose(text, document)) return ReadBalena(document, options);
  return ReadCompose(document, reading);
}

Result<Target> ReadKeptTarget(std::string_view text, const std::string& directory,
                              TargetFileOptions options) {
  options.balena.unknown_fields = UnknownFields::kGaps;
  return ReadTargetText(text, directory, options);
}

Result<LoadedTarget> ReadTargetFile(const std::string& path, const TargetFileOptions& options,
                                    const std::stop_token& stop) {
  const ReadFile read = [&stop](const std::string& file, std::size_t max_bytes) {
    return ReadWholeFile(file, stop, max_bytes);
  };
  LoadedTarget loaded;
  LOCKSTEP_TRY(loaded.text, read(path, kMostFileBytes));
  auto target = ReadTarget(loaded.text, path, options, read);
  if (!target) {
    return WithContext(std::move(target).assume_error(),
                       "read the target " + (path == "-" ? "from standard input" : path));
  }
  loaded.target = std::move(target).assume_value();
  return loaded;
}

std::map<std::string, std::string, std::less<>> ProcessEnvironment() {
  std::map<std::string, std::string, std::less<>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace lockstep
