#include "target_file.h"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "compose_env_file.h"
#include "compose_host_paths.h"
#include "compose_target.h"
#include "json_value.h"
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

Result<std::vector<EnvFile>> ReadEnvFiles(const TargetFileOptions& options,
                                          const std::string& directory) {
  std::vector<EnvFile> files;
  for (const std::string& path : options.env_files) {
    LOCKSTEP_TRY(std::string text, ReadWholeFile(path, kMaxEnvFileBytes));
    files.push_back({path, std::move(text)});
  }
  if (!options.env_files.empty()) return files;
  const std::string path = PathFrom(directory, ".env");
  auto text = ReadRegularFile(path, kMaxEnvFileBytes);
  if (text) {
    files.push_back({path, std::move(text).assume_value()});
  } else if (text.assume_error().code != ErrorCode::kNotFound) {
    return std::move(text).assume_error();
  }
  return files;
}

Result<Target> ReadCompose(const Value& document, const std::string& path,
                           const TargetFileOptions& options) {
  ComposeOptions compose;
  compose.app = options.app;
  compose.release = options.release;
  compose.profiles = options.profiles;
  compose.environment = options.environment;
  LOCKSTEP_TRY(compose.directory, DirectoryOf(path));
  LOCKSTEP_TRY(compose.env_files, ReadEnvFiles(options, compose.directory));
  compose.read_file = [](const std::string& file) {
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

Result<Target> ReadTarget(std::string_view text, const std::string& path,
                          const TargetFileOptions& options) {
  LOCKSTEP_TRY(const Value document, ParseDocument(text));
  // Of JSON, a balena state is what is not clearly something else: its names are uuids.
  const bool compose = !OpensLikeJson(text) || LooksLikeCompose(document);
  return compose ? ReadCompose(document, path, options) : ReadBalena(document, options);
}

}  // namespace

Result<LoadedTarget> ReadTargetFile(const std::string& path, const TargetFileOptions& options) {
  LoadedTarget loaded;
  LOCKSTEP_TRY(loaded.text, ReadWholeFile(path));
  auto target = ReadTarget(loaded.text, path, options);
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
