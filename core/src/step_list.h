// The steps of a plan while it is being made.
#ifndef LOCKSTEP_STEP_LIST_H_
#define LOCKSTEP_STEP_LIST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/plan.h"

namespace lockstep {

using StepIndex = std::uint32_t;
using StepIndices = std::vector<StepIndex>;

// Adds steps of one app to a plan's list.
class StepList {
 public:
  StepList(std::vector<Step>& steps, std::string_view app) : steps_(steps), app_(app) {}

  // `detail` makes two steps on one subject distinct (design: ids come from content).
  StepIndex Add(StepKind kind, Phase phase, std::string_view service, std::string_view subject,
                StepIndices after, std::string_view detail = {});

  Step& operator[](StepIndex index) { return steps_[index]; }

 private:
  std::vector<Step>& steps_;
  std::string_view app_;
};

void Append(StepIndices& to, const StepIndices& from);
void SortUnique(StepIndices& indices);

}  // namespace lockstep

#endif  // LOCKSTEP_STEP_LIST_H_
