// An engine that is not there, answered for by what was recorded of one. It keeps just enough in
// mind to choose the recorded reply that fits; a status, a header, a key or a text that no
// recording has it does not say, and a request that none fits fails the test.
//
// Not recorded, and said as dockerd says it: HostConfig.Mounts, a bind in Mounts, and a listed
// container that was never started. Removing by id what a stopped container uses is refused in the
// words recorded of removing it by name.
#ifndef LOCKSTEP_TESTS_RUNTIMES_REPLAY_ENGINE_H_
#define LOCKSTEP_TESTS_RUNTIMES_REPLAY_ENGINE_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "recordings.h"
#include "replay_world.h"
#include "unix_http_server.h"

namespace lockstep::test {

class ReplayEngine {
 public:
  // "balena" or "docker": the folder of captures/.
  explicit ReplayEngine(const std::string& engine);

  std::string url() const { return server_.url(); }
  // "POST /images/create?fromImage=..."
  std::vector<std::string> requests() const;
  // How often a client gave up a stream that would have gone on for ever; waits for the first.
  int AwaitHangUp();

 private:
  void Serve(const HttpCall& call, HttpAnswer& answer, const std::stop_token& stop);
  std::optional<Reply> Answer(const HttpCall& call);
  void ServeEvents(const HttpCall& call, HttpAnswer& answer, const std::stop_token& stop);

  const Recordings recordings_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  World world_;
  std::vector<std::string> requests_;
  int hang_ups_ = 0;
  UnixHttpServer server_;  // Last: it ends first.
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_REPLAY_ENGINE_H_
