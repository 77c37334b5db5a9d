// TargetSource: where the agent's targets come from, for as long as it runs.
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SOURCE_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SOURCE_H_

#include <stop_token>

#include "lockstep/error.h"
#include "lockstep/result.h"
#include "target_file.h"

namespace lockstep {

// Told what a source finds, by the thread that is in Run(); must not call the source back.
class TargetSink {
 public:
  virtual ~TargetSink() = default;
  // A target that was read whole, other than the last one.
  virtual void OnTarget(LoadedTarget target) = 0;
  // What could not be read. The last target stays what it is. Once for each new problem, not for
  // each attempt; a problem that went away and came back is a new one.
  virtual void OnProblem(Error error) = 0;
  // What was a problem is none any more, be it that there is no new target.
  virtual void OnProblemGone() {}
};

// LookNow() is thread-safe; Run() is called once.
class TargetSource {
 public:
  TargetSource() = default;
  TargetSource(const TargetSource&) = delete;
  TargetSource& operator=(const TargetSource&) = delete;
  virtual ~TargetSource() = default;

  // Looks at once, then whenever there may be something new, until stopped: blocks, and wakes up
  // for nothing else. What cannot be read now is a problem for the sink. An error is what makes it
  // of no use to go on: kInvalidInput (options), kUnavailable (no memory or descriptors left).
  virtual Result<void> Run(TargetSink& sink, std::stop_token stop) = 0;

  // Look again at once, as somebody asks for. What was read before, and is the same, is no news.
  virtual void LookNow() {}
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_TARGET_SOURCE_H_
