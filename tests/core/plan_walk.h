// Walks: what comes of a scenario when its plans are performed, in any order, cut off anywhere.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_WALK_H_
#define LOCKSTEP_TESTS_CORE_PLAN_WALK_H_

#include <cstdint>

#include "plan_generator.h"
#include "plan_invariants.h"

namespace lockstep::test {

// What can be said of one plan of the scenario: by itself, made twice, of the same input in another
// order, and beside another app to which something else happens.
void LookAtPlan(const Scenario& scenario, Findings& findings);

// Goes on from plan to plan to the end: first as far as locks allow, then without them.
void WalkAtRandom(const Scenario& scenario, std::uint64_t seed, Findings& findings);

// As WalkAtRandom, on a device where services do not become healthy, and whose apps go back then;
// `cut`: from every place of the way back it goes to the end, too.
void WalkBack(const Scenario& scenario, std::uint64_t seed, bool cut, Findings& findings);

// Performs the plan in its order, and from every place in it goes to the end.
void CutEverywhere(const Scenario& scenario, Findings& findings);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_WALK_H_
