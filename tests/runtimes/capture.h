// Replies recorded from a real engine.
#ifndef LOCKSTEP_TESTS_RUNTIMES_CAPTURE_H_
#define LOCKSTEP_TESTS_RUNTIMES_CAPTURE_H_

#include <fstream>
#include <iterator>
#include <string>

#include "json_read.h"

namespace lockstep::test {

// The body of the reply in captures/<name>.json; null where there is none.
inline docker::Json Capture(const std::string& name) {
  std::ifstream file(std::string(LOCKSTEP_CAPTURES) + "/" + name + ".json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto json = docker::ParseJson(text);
  return json ? docker::At(*json, "response", "body") : docker::Json();
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_CAPTURE_H_
