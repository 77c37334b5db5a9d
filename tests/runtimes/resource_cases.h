// Whose networks and volumes are Lockstep's: cases for an app "shop" of id 12.
#ifndef LOCKSTEP_TESTS_RUNTIMES_RESOURCE_CASES_H_
#define LOCKSTEP_TESTS_RUNTIMES_RESOURCE_CASES_H_

#include <string>
#include <string_view>
#include <vector>

#include "stub_engine.h"

namespace lockstep::test {

// The paths that were asked to be deleted.
inline std::vector<std::string> Deleted(StubEngine& stub) {
  constexpr std::string_view kDelete = "DELETE /v1.41";
  std::vector<std::string> paths;
  for (const std::string& line : stub.requests()) {
    if (line.starts_with(kDelete)) paths.push_back(line.substr(kDelete.size()));
  }
  return paths;
}

struct OwnerCase {
  const char* name;
  std::string labels;
  bool ours;
};

inline std::vector<OwnerCase> OwnerCases() {
  return {
      {"ours", R"({"io.balena.supervised":"true","io.balena.app-uuid":"shop"})", true},
      {"ours by id", R"({"io.balena.supervised":"true","io.balena.app-id":"12"})", true},
      {"in old words", R"({"io.resin.supervised":"true","io.resin.app-id":"12"})", true},
      {"another app's", R"({"io.balena.supervised":"true","io.balena.app-uuid":"other"})", false},
      {"not supervised", R"({"io.balena.app-uuid":"shop"})", false},
      {"no labels", "null", false},
  };
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_RESOURCE_CASES_H_
