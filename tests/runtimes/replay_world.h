// What there is on a replayed engine: just enough to know which recorded reply fits a request.
#ifndef LOCKSTEP_TESTS_RUNTIMES_REPLAY_WORLD_H_
#define LOCKSTEP_TESTS_RUNTIMES_REPLAY_WORLD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "recordings.h"

namespace lockstep::test {

struct ReplayImage {
  docker::Json inspected;  // As it was recorded; its names are those below.
  std::vector<std::string> tags;
  std::vector<std::string> digests;
};

struct ReplayEndpoint {
  docker::Json asked;
  std::string network_id;  // Empty before the first start, when only the name is known.
};

struct ReplayContainer {
  enum class State { kCreated, kRunning, kExited };

  std::string id;
  std::string name;
  std::string image_id;
  docker::Json asked;
  docker::Json restart_policy;
  State state = State::kCreated;
  std::int64_t created = 0;  // Times are seconds, as World::Tick counts them.
  std::int64_t started = 0;
  std::int64_t finished = 0;
  std::map<std::string, ReplayEndpoint> endpoints;  // By the name of the network.
};

struct ReplayNetwork {
  std::string id;
  std::string name;
  docker::Json body;
};

class World {
 public:
  explicit World(const Recordings& from) : recordings(from) {}

  std::int64_t Tick() { return ++now_; }  // Each change has a second of its own.
  std::string NewId();

  // An event like the recorded one of this type and action.
  void Say(const ReplayContainer& container, const std::string& action,
           const docker::Json& more = docker::Json::object());
  void Say(const ReplayNetwork& network, const std::string& action, const std::string& container);

  const Recordings& recordings;
  std::map<std::string, ReplayImage> images;          // By id.
  std::map<std::string, ReplayContainer> containers;  // By id.
  std::vector<ReplayNetwork> networks;
  std::map<std::string, docker::Json> volumes;  // By name.
  std::vector<docker::Json> events;

 private:
  docker::Json Event(const std::string& type, const std::string& action);

  std::int64_t now_ = 1795388583;
  std::uint64_t ids_ = 0;
};

std::string TimeText(std::int64_t seconds);

// The id of the image that a reference or an id means; empty where there is none.
std::string FindImage(const World& world, const std::string& reference);
ReplayContainer* FindContainer(World& world, const std::string& id_or_name);
// The networks that a name or an id means.
std::vector<ReplayNetwork*> FindNetworks(World& world, const std::string& id_or_name);
// As named volumes of a container are made on the way.
void EnsureVolume(World& world, const std::string& name);

// Each answers the calls of its part; none where it knows no recording that fits.
std::optional<Reply> AnswerImages(World& world, const HttpCall& call);
std::optional<Reply> AnswerContainers(World& world, const HttpCall& call);
std::optional<Reply> AnswerNetworks(World& world, const HttpCall& call);
std::optional<Reply> AnswerVolumes(World& world, const HttpCall& call);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_REPLAY_WORLD_H_
