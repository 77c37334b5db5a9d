// A plan in plain words, for people.
#ifndef LOCKSTEP_EXPLAIN_H_
#define LOCKSTEP_EXPLAIN_H_

#include <chrono>
#include <string>

#include "lockstep/change.h"
#include "lockstep/plan.h"

namespace lockstep {

enum class ShowValues { kNo, kYes };  // kNo hides what may be secret.

// "the user changes from root to nobody"
std::string Explain(const Reason& reason, ShowValues values = ShowValues::kNo);
// "stop web", "download registry/x:1", ...
std::string Explain(const Step& step);
// "12 s", "3 min", "2 h 5 min"; a negative one is "0 s".
std::string ExplainAge(std::chrono::milliseconds age);

}  // namespace lockstep

#endif  // LOCKSTEP_EXPLAIN_H_
