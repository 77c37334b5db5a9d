// The adapter on a replayed engine.
#ifndef LOCKSTEP_TESTS_RUNTIMES_REPLAYED_H_
#define LOCKSTEP_TESTS_RUNTIMES_REPLAYED_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lockstep/runtimes/docker_engine.h"
#include "replay_engine.h"

namespace lockstep::test {

// What the recorded registry has.
inline constexpr const char* kApp = "127.0.0.1:5055/app:v1";
inline constexpr const char* kNextApp = "127.0.0.1:5055/app:v2";

class LastProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress& progress) override { last = progress; }
  PullProgress last;
};

struct Replayed {
  explicit Replayed(const std::string& name, DockerOptions how = {})
      : engine(name), options(std::move(how)) {
    options.url = engine.url();
    backend = MakeDockerEngine(options).value();
  }

  Result<std::string> Pull(const std::string& reference, std::optional<Delta> delta = {}) {
    return backend->PullImage({reference, std::move(delta)}, progress, {});
  }

  ReplayEngine engine;
  DockerOptions options;
  std::unique_ptr<RuntimeBackend> backend;
  LastProgress progress;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_REPLAYED_H_
