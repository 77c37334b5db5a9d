// Port to the update locks of services: where they are, who holds them, taking and giving back.
#ifndef LOCKSTEP_LOCK_FS_H_
#define LOCKSTEP_LOCK_FS_H_

#include <chrono>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lockstep/identity.h"
#include "lockstep/lock.h"
#include "lockstep/result.h"

namespace lockstep {

enum class LockMode {
  kRespect,  // A lock that an app holds is left alone and reported.
  kForce,    // It is removed and reported, and ours put in its place.
};

// Where the locks of one service are.
struct LockPaths {
  std::string engine_dir;  // Bound into the container; a path as the engine's host sees it.
  std::vector<std::string> container_dirs;  // Where it is bound: "/tmp/balena", "/tmp/resin".
  std::vector<std::string> files;           // Each place that is looked at and taken, on the host.
};

// The locks of a set of services, held by Lockstep. Move-only; released on destruction.
// Not thread-safe by itself: one user at a time.
class LockSet {
 public:
  // What an implementation keeps. Its destructor releases.
  class Held {
   public:
    Held() = default;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    virtual ~Held() = default;
    virtual Result<std::vector<LockHolder>> Reassert() = 0;
    virtual Result<void> Release() = 0;
    virtual void Abandon() = 0;
  };

  LockSet() = default;
  explicit LockSet(std::unique_ptr<Held> held) : held_(std::move(held)) {}

  bool empty() const { return held_ == nullptr; }

  // Makes sure that every lock is still ours: a missing one is taken again; the holders of those
  // that an app took meanwhile are returned (empty: all ours). Fast: no more than two system calls
  // for each lock.
  Result<std::vector<LockHolder>> Reassert() {
    if (!held_) return std::vector<LockHolder>{};
    return held_->Reassert();
  }
  // Gives all back and empties the set. What an app put in the place of ours stays.
  Result<void> Release() {
    if (!held_) return Ok();
    auto held = std::move(held_);
    return held->Release();
  }
  // Leaves the files where they are: the machine reboots and they are void then.
  void Abandon() {
    if (auto held = std::move(held_)) held->Abandon();
  }

 private:
  std::unique_ptr<Held> held_;
};

struct LockTaken {
  LockSet locks;
  std::vector<LockHolder> overridden;  // App locks that were removed (LockMode::kForce).
};
struct LockHeld {
  std::vector<LockHolder> holders;  // All of them.
};
using LockOutcome = std::variant<LockTaken, LockHeld>;

// How waiting for a hand-over ended.
enum class HandOverOutcome { kComplete, kTimedOut };

// Called from the watching thread; must not block.
class LockSink {
 public:
  virtual ~LockSink() = default;
  // Something changed in a watched place, or may have: look, or try to take.
  virtual void OnLocksChanged() = 0;
  // Called once where the system refuses to tell of changes, and says why: OnLocksChanged is called
  // once a second, then, whether anything changed or not.
  virtual void OnPolling(const Error& /*why*/) {}
};

// Thread-safety: every method may be called from several threads at once.
// Blocking: file system calls only, but for Watch.
// Errors of every method: kPermissionDenied; kInvalidInput (a name that is no single path
// component); kUnsafeLockRoot (a place that others may have prepared: a symlink, another file
// system, another user's directory; such a service is never "free"); kNoSpace; kUnavailable (any
// other refusal of the system).
class LockFs {
 public:
  LockFs() = default;
  LockFs(const LockFs&) = delete;
  LockFs& operator=(const LockFs&) = delete;
  virtual ~LockFs() = default;

  // Pure: touches nothing.
  virtual Result<LockPaths> Resolve(const ServiceRef& service) const = 0;

  // Makes the lock directory of each service (mode 1777), or sets the mode of one that exists, in
  // place: never remade, since containers have it bound.
  virtual Result<void> Prepare(std::span<const ServiceRef> services) = 0;

  // Removes the lock directory of a service that is gone, with what is in it.
  virtual Result<void> Forget(const ServiceRef& service) = 0;

  // Every lock of these services. Opens and changes nothing.
  virtual Result<std::vector<LockHolder>> Holders(std::span<const ServiceRef> services) = 0;

  // Every lock below the root, and what only looks like one (`held` false).
  virtual Result<std::vector<LockHolder>> List() = 0;

  // Takes every lock of these services in canonical order, or none: where an app holds one
  // (kRespect), what this call took is given back and *all* holders are returned. A lock that an
  // earlier process of Lockstep left behind in this boot is taken over.
  virtual Result<LockOutcome> TakeAll(std::span<const ServiceRef> services, LockMode mode) = 0;

  // Releases what earlier processes of Lockstep left behind and no LockSet of this one holds.
  // Returns how many locks that were.
  virtual Result<int> ReleaseLeftovers() = 0;

  // Removes what says that a service has handed over (the files "handover-complete" and
  // "resin-kill-me" in its lock directory), before its new container starts.
  virtual Result<void> ClearHandOver(const ServiceRef& service) = 0;

  // Waits until one of them is there (kComplete), whoever made it, or `timeout` has passed. Opens
  // nothing. Error besides: kCancelled (stopped).
  virtual Result<HandOverOutcome> AwaitHandOver(const ServiceRef& service,
                                                std::chrono::milliseconds timeout,
                                                std::stop_token stop) = 0;

  // Calls the sink once the watch stands, and then each time a lock of these services may have come
  // or gone, until stopped. Returns on a stop within one second.
  virtual Result<void> Watch(std::span<const ServiceRef> services, LockSink& sink,
                             std::stop_token stop) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_LOCK_FS_H_
