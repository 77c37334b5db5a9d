// What a replayed engine shows of a container.
#ifndef LOCKSTEP_TESTS_RUNTIMES_REPLAY_VIEW_H_
#define LOCKSTEP_TESTS_RUNTIMES_REPLAY_VIEW_H_

#include "replay_world.h"

namespace lockstep::test {

docker::Json InspectedContainer(const World& world, const ReplayContainer& container);
docker::Json ListedContainer(const World& world, const ReplayContainer& container);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_REPLAY_VIEW_H_
