// The replies recorded from one engine, as templates: what is said in their place must have one.
#ifndef LOCKSTEP_TESTS_RUNTIMES_RECORDINGS_H_
#define LOCKSTEP_TESTS_RUNTIMES_RECORDINGS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unix_http_server.h"

namespace lockstep::test {

struct Reply {
  int status = 0;
  HttpHeaders headers;  // But those about the body's length, and the date.
  docker::Json body;    // null: none. Of a stream, the lines.
  bool stream = false;
  bool endless = false;  // The client ended it.

  // Another text in place of one of the recording, wherever that stands in a text.
  Reply With(std::string_view recorded, std::string_view now) const;
};

// The member of an object that was recorded; fails the test where the recording has none.
docker::Json& Recorded(docker::Json& object, const std::string& key);

// `text` in place of `recorded` in every text below `json`.
void Substitute(docker::Json& json, std::string_view recorded, std::string_view text);

class Recordings {
 public:
  // Reads captures/<engine>/*.json.
  explicit Recordings(const std::string& engine);

  bool Has(const std::string& name) const { return replies_.contains(name); }
  // Fails the test where there is none.
  const Reply& Get(const std::string& name) const;
  const docker::Json& Body(const std::string& name) const { return Get(name).body; }
  // The reply to just this request; null where none is recorded.
  const Reply* Find(const HttpCall& call) const;

 private:
  const std::string engine_;
  std::map<std::string, Reply> replies_;
  std::map<std::string, std::string> requests_;  // "GET /plugins" -> "plugins-list"
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_RECORDINGS_H_
