// Requirement: what a service needs of its device, as its contract says it.
#ifndef LOCKSTEP_REQUIREMENT_H_
#define LOCKSTEP_REQUIREMENT_H_

#include <string>
#include <vector>

namespace lockstep {

// {"type": "sw.os", "slug": "balena-os", "version": ">=6.1"}. device_fit.h says which types there
// are; an empty slug or version asks for nothing.
struct Requirement {
  std::string type;
  std::string slug;
  std::string version;  // A range of versions: ">=6.1 <7 || ^8.2".
  friend bool operator==(const Requirement&, const Requirement&) = default;
};

// One of them is enough: {"or": [...]} in a contract, or the only one.
using Alternatives = std::vector<Requirement>;

}  // namespace lockstep

#endif  // LOCKSTEP_REQUIREMENT_H_
