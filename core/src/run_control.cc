#include "lockstep/run_control.h"

#include <utility>

namespace lockstep {

void RunControl::SetTarget(Target target) {
  const std::scoped_lock lock(mutex_);
  asked_.target = std::move(target);
  if (wake_) wake_();
}

Result<void> RunControl::Update(UpdateRequest request) { return Put(std::move(request)); }
Result<void> RunControl::Ask(AppRequest request) { return Put(std::move(request)); }

Result<void> RunControl::Put(Request request) {
  const std::scoped_lock lock(mutex_);
  if (!open_) {
    return MakeError(ErrorCode::kUnavailable, "the device has not been looked at yet",
                     "ask again once a target is known and the engine answers");
  }
  asked_.requests.push_back(std::move(request));
  wake_();
  return Ok();
}

void RunControl::View(Viewer viewer) {
  {
    const std::scoped_lock lock(mutex_);
    if (open_) {
      asked_.viewers.push_back(std::move(viewer));
      // One call wakes the Run for all that ask before it comes to it.
      if (asked_.viewers.size() == 1) wake_();
      return;
    }
  }
  viewer(nullptr);
}

void RunControl::Attach(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
}

void RunControl::Open() {
  const std::scoped_lock lock(mutex_);
  open_ = true;
}

void RunControl::Detach() {
  std::vector<Viewer> viewers;
  {
    const std::scoped_lock lock(mutex_);
    open_ = false;
    wake_ = nullptr;
    asked_.requests.clear();
    viewers.swap(asked_.viewers);
  }
  for (const Viewer& viewer : viewers) viewer(nullptr);
}

RunControl::Asked RunControl::Take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(asked_, {});
}

}  // namespace lockstep
