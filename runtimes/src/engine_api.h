// Calls to the Docker Engine API: its version, its errors, its JSON.
#ifndef LOCKSTEP_RUNTIMES_ENGINE_API_H_
#define LOCKSTEP_RUNTIMES_ENGINE_API_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine_errors.h"
#include "http_client.h"
#include "json_read.h"
#include "lockstep/observed_state.h"
#include "lockstep/runtimes/docker_engine.h"
#include "platform.h"

namespace lockstep::docker {

// What an engine says to a change is an id and some warnings.
inline constexpr std::size_t kMaxChangeReply = std::size_t{1} << 20;

// Thread-safe. Every error names the call in its context and carries the engine's own message.
class EngineApi {
 public:
  EngineApi(EngineAddress address, const DockerOptions& options);

  const DockerOptions& options() const { return options_; }

  // Asked once, then remembered until ForgetVersion(). Errors: kUnsupported (too old).
  Result<EngineInfo> Describe(std::stop_token stop);
  // Which images run here. One call more than Describe() on 32-bit ARM, each time.
  Result<Platform> Machine(std::stop_token stop);
  // Free bytes on the engine's disk; none where they cannot be known. One call the first time.
  std::optional<std::int64_t> FreeDisk(std::stop_token stop);
  // The engine may have been replaced by another version of itself.
  void ForgetVersion();

  // Sends to "/v<version>" + request.path; any status is a reply. `what` says what is attempted.
  Result<HttpReply> Send(HttpRequest request, std::string_view what, std::stop_token stop);

  // Sends `body` (none where it is null) within DockerOptions::change_timeout.
  Result<HttpReply> Change(std::string method, std::string path, const Json& body,
                           std::string_view what, std::stop_token stop);

  // GET that must answer 200 with JSON. 404 is kNotFound.
  Result<Json> Get(const std::string& path, std::string_view what, std::stop_token stop) {
    return Get(path, {}, what, std::move(stop));
  }
  Result<Json> Get(const std::string& path, std::vector<std::string> headers, std::string_view what,
                   std::stop_token stop);

 private:
  const DockerOptions options_;
  HttpClient http_;
  std::mutex mutex_;
  std::optional<EngineInfo> info_;
  std::string prefix_;  // "/v1.41"
  std::string os_;
  std::optional<std::string> data_root_;
  bool asks_for_disk_ = false;
  std::condition_variable_any answered_;  // Whoever asked for it.
};

std::string ContainerPath(const std::string& id, std::string_view rest = {});
std::string ImagePath(const std::string& image, std::string_view rest = {});
// Ids are long; twelve digits are what people see elsewhere.
inline std::string Short(const std::string& id) { return CleanText(id, 12); }

// What a /version reply says, and the prefix of the calls from then on.
struct Negotiated {
  EngineInfo info;
  std::string prefix;
  std::string os;
};
Result<Negotiated> Negotiate(const Json& version);

// "1.41" -> 41; -1 for anything else.
int MinorOf(std::string_view api_version);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_ENGINE_API_H_
