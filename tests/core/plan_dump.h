// Scenarios as text for people, and smaller ones that show the same.
#ifndef LOCKSTEP_TESTS_CORE_PLAN_DUMP_H_
#define LOCKSTEP_TESTS_CORE_PLAN_DUMP_H_

#include <functional>
#include <string>

#include "plan_generator.h"

namespace lockstep::test {

// Target, device and plan, a line for each thing.
std::string Describe(const Scenario& scenario);

// Leaves out of the scenario whatever can be left out while `fails` stays true.
Scenario Shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CORE_PLAN_DUMP_H_
