#include "step_list.h"

#include <algorithm>

#include "content_hash.h"

namespace lockstep {

StepIndex StepList::Add(StepKind kind, Phase phase, std::string_view service,
                        std::string_view subject, StepIndices after, std::string_view detail) {
  Step step;
  step.kind = kind;
  step.phase = phase;
  step.app = app_;
  step.service = service;
  step.subject = subject;
  step.detail = detail;
  step.after = std::move(after);
  step.id.value = ContentHash()
                      .Add(StepKindName(kind))
                      .Add(app_)
                      .Add(service)
                      .Add(subject)
                      .Add(detail)
                      .Finish();
  steps_.push_back(std::move(step));
  return static_cast<StepIndex>(steps_.size() - 1);
}

void Append(StepIndices& to, const StepIndices& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void SortUnique(StepIndices& indices) {
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
}

std::string StepId::ToString() const { return "s1:" + Hex16(value); }

}  // namespace lockstep
