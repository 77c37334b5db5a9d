// The parts of the generator: releases, devices that run them, and what befalls a device.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_PARTS_H_
#define LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_PARTS_H_

#include <string>
#include <vector>

#include "plan_generator.h"

namespace lockstep::test {

// An app through time: `old` may run on the device, `next` is what should run.
struct AppStory {
  std::string uuid;
  std::string id;
  int number = 0;  // Keeps ports and names of two apps apart.
  TargetRelease older;
  TargetRelease old;
  TargetRelease next;
};

AppStory MakeStory(int number, Dice& dice);
// `release` after some work on it: another commit, or (rarely) the same with other variables.
TargetRelease Evolve(const TargetRelease& release, int number, const std::string& commit,
                     Dice& dice);
TargetApp AsTarget(const AppStory& story, const TargetRelease& release);

// Puts the container of a service on the device, running, with its image.
ObservedContainer& Deploy(const AppStory& story, const TargetRelease& release,
                          const TargetService& service, ObservedState& state, Dice& dice);
void DeployAll(const AppStory& story, const TargetRelease& release, ObservedState& state,
               Dice& dice);

// What happens on devices by itself: jobs end, services crash, locks come, records are kept.
void Live(const AppStory& story, Scenario& scenario, Dice& dice);
// Some service of the app takes a lock.
void TakeLock(const AppStory& story, ObservedState& state, Dice& dice);
// What a hand, an older Lockstep or another orchestrator leaves behind.
void Meddle(const AppStory& story, Scenario& scenario, Dice& dice);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_GENERATOR_PARTS_H_
