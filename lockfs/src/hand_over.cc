#include "hand_over.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <string>

#include "aside.h"
#include "watch.h"

namespace lockstep::lockfs {
namespace {

const std::array<std::string, 2> kFiles = {"handover-complete", "resin-kill-me"};

// A place that cannot be looked at says nothing.
bool IsThere(const HostLockFs::Core& core, const ServiceRef& service) {
  const auto root = LockRoot::Open(core.options, core.seams);
  if (!root || !root.assume_value()) return false;
  const auto dir = root.assume_value()->OpenService(service);
  if (!dir || !dir.assume_value()) return false;
  for (const std::string& file : kFiles) {
    const auto seen = LookAt(dir.assume_value()->fd.get(), file);
    if (seen && seen.assume_value()) return true;
  }
  return false;
}

}  // namespace

Result<void> ClearHandOverFiles(const HostLockFs::Core& core, const ServiceRef& service) {
  LOCKSTEP_TRYV(CheckNames(service));
  LOCKSTEP_TRY(const auto root, LockRoot::Open(core.options, core.seams));
  if (!root) return Ok();
  LOCKSTEP_TRY(const auto dir, root->OpenService(service));
  if (!dir) return Ok();
  for (const std::string& file : kFiles) {
    LOCKSTEP_TRY(const auto seen, LookAt(dir->fd.get(), file));
    if (!seen) continue;
    // Whatever an app made of it goes, and is followed nowhere.
    LOCKSTEP_TRY(Aside aside, Aside::Open(*root));
    const std::string name = aside.FreshName();
    const int error = Rename(dir->fd.get(), file, aside.fd(), name);
    if (error == ENOENT) continue;
    if (error != 0) return SystemError(error, "remove " + dir->path + "/" + file);
    LOCKSTEP_TRYV(aside.Remove(name));
  }
  return Ok();
}

Result<HandOverOutcome> AwaitHandOverFile(HostLockFs::Core& core, const ServiceRef& service,
                                          std::chrono::milliseconds timeout, std::stop_token stop) {
  class Sink final : public LockSink {
   public:
    Sink(const HostLockFs::Core& core, const ServiceRef& service)
        : core_(core), service_(service) {}
    void OnLocksChanged() override {
      if (!IsThere(core_, service_)) return;
      seen_ = true;
      done_.request_stop();
    }
    std::stop_source& done() { return done_; }
    bool seen() const { return seen_; }

   private:
    const HostLockFs::Core& core_;
    const ServiceRef& service_;
    std::stop_source done_;
    bool seen_ = false;
  };
  LOCKSTEP_TRYV(CheckNames(service));
  Sink sink(core, service);
  const std::stop_callback forward(stop, [&sink] { sink.done().request_stop(); });
  const WatchedFiles watched{
      {service}, {kFiles.begin(), kFiles.end()}, std::chrono::steady_clock::now() + timeout};
  LOCKSTEP_TRYV(WatchFiles(core, watched, sink, sink.done().get_token()));
  if (sink.seen()) return HandOverOutcome::kComplete;
  if (stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
  return HandOverOutcome::kTimedOut;
}

}  // namespace lockstep::lockfs
