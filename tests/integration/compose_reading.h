// Compose files in tests: text in, target out.
#ifndef LOCKSTEP_TESTS_INTEGRATION_COMPOSE_READING_H_
#define LOCKSTEP_TESTS_INTEGRATION_COMPOSE_READING_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "compose_target.h"
#include "lockstep/testing/matchers.h"
#include "yaml_value.h"

namespace lockstep::test {

// Options with a small world around the file: a home, and files for `env_file`.
inline ComposeOptions ComposeWorld(std::map<std::string, std::string> files = {}) {
  ComposeOptions options;
  options.directory = "/srv/shop";
  options.environment = {{"HOME", "/home/ada"}};
  options.read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto file = files.find(path);
    if (file != files.end()) return file->second;
    return WithContext(MakeError(ErrorCode::kNotFound, "there is no such file"), "read " + path);
  };
  return options;
}

inline Result<Target> ReadCompose(std::string_view yaml,
                                  const ComposeOptions& options = ComposeWorld()) {
  LOCKSTEP_TRY(const Value document, ParseYaml(yaml));
  return ReadComposeTarget(document, options);
}

// The app of a file that can be read; an empty one otherwise, and the test fails.
inline TargetApp ReadComposeApp(std::string_view yaml,
                                const ComposeOptions& options = ComposeWorld()) {
  auto target = ReadCompose(yaml, options);
  EXPECT_THAT(target, IsOk()) << yaml;
  return target ? std::move(target.assume_value().apps.at(0)) : TargetApp();
}

// The first service of such an app.
inline TargetService ReadComposeService(std::string_view yaml,
                                        const ComposeOptions& options = ComposeWorld()) {
  const TargetApp app = ReadComposeApp(yaml, options);
  const bool any = app.release && !app.release->services.empty();
  EXPECT_TRUE(any) << yaml;
  return any ? app.release->services.front() : TargetService();
}

// A file of one service `web` with these fields, each on a line of its own.
inline std::string WebWith(std::string_view fields) {
  std::string yaml = "name: shop\nservices:\n  web:\n    image: x\n";
  while (!fields.empty()) {
    const std::size_t end = std::min(fields.find('\n'), fields.size());
    yaml.append("    ").append(fields.substr(0, end)).append("\n");
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  return yaml;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_COMPOSE_READING_H_
