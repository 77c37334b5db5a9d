#include "watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "look.h"

namespace lockstep::lockfs {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// An app that makes files as fast as it can must not eat a core: no more than one look in this
// time.
constexpr milliseconds kCalm{10};
// Where something cannot be watched, and of flocks.
constexpr milliseconds kPollPeriod{1000};
constexpr milliseconds kForever{-1};
constexpr milliseconds kLongest{3'600'000};  // Of one poll(): it takes an int.

// Never IN_OPEN and its like: those who only look would wake us.
constexpr std::uint32_t kComeAndGo = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
constexpr std::uint32_t kItself = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::string WhyRefused(int error) {
  if (error == ENOSPC) return "no watch of inotify is left";
  if (error == EMFILE) return "no instance of inotify is left";
  return ErrnoText(error);
}

// A stop request as something that poll() wakes on.
class StopSignal {
 public:
  explicit StopSignal(std::stop_token stop)
      : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        callback_(std::move(stop), Raise{fd_.get()}) {}

  int fd() const { return fd_.get(); }

 private:
  struct Raise {
    int fd;
    void operator()() const noexcept {
      const std::uint64_t one = 1;
      (void)!::write(fd, &one, sizeof(one));
    }
  };
  UniqueFd fd_;
  std::stop_callback<Raise> callback_;
};

class Watcher {
 public:
  Watcher(HostLockFs::Core& core, const WatchedFiles& watched) : core_(core), watched_(watched) {}

  Result<void> Run(LockSink& sink, const std::stop_token& stop) {
    const StopSignal stopped(stop);
    if (stopped.fd() < 0) return SystemError(errno, "watch locks");
    while (!stop.stop_requested() && !IsOver()) {
      const bool whole = Arm();
      TellOfRefusal(sink);
      sink.OnLocksChanged();  // Once the watch stands: what happened before it is seen now.
      Listen(sink, stop, stopped.fd(), whole);
      Wait(stopped.fd(), -1, kCalm);
    }
    return Ok();
  }

 private:
  // In rising order: the last of several counts.
  enum class Seen { kNothing, kCame, kWent, kRearm };
  struct Flocks {
    bool one_left_behind = false;  // Since the look before.
    bool undecided = false;
  };

  static void Wait(int stop_fd, int other_fd, milliseconds timeout) {
    std::array<pollfd, 2> polled = {pollfd{stop_fd, POLLIN, 0}, pollfd{other_fd, POLLIN, 0}};
    (void)::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
  }

  void TellOfRefusal(LockSink& sink) {
    const int refusal = std::exchange(refusal_, 0);
    if (refusal == 0) {
      told_ = false;
    } else if (!std::exchange(told_, true)) {
      sink.OnPolling(WithContext(
          MakeError(ErrorCode::kUnavailable, WhyRefused(refusal) + ": looked at once a second",
                    "raise fs.inotify.max_user_watches and max_user_instances"),
          "watch the update locks"));
    }
  }

  bool IsOver() const { return watched_.until && Clock::now() >= *watched_.until; }

  // Until the watch must be built anew; one that is not whole, after the poll period at the latest.
  void Listen(LockSink& sink, const std::stop_token& stop, int stop_fd, bool whole) {
    auto wake_at = watched_.until;
    if (!whole) {
      const auto poll_at = Clock::now() + kPollPeriod;
      wake_at = wake_at ? std::min(*wake_at, poll_at) : poll_at;
    }
    Flocks flocks;
    Seen seen = Seen::kNothing;
    Clock::time_point look_at;  // At once.
    while (!stop.stop_requested()) {
      // What nobody waits for may wake us as often as it likes, and costs no look.
      if (seen != Seen::kNothing || Clock::now() >= look_at) {
        flocks = LookAtFlocks();
        look_at = Clock::now() + kPollPeriod;
        if (flocks.one_left_behind) sink.OnLocksChanged();
      }
      milliseconds patience = flocks.undecided ? kPollPeriod : kForever;
      if (wake_at) {
        const auto left = *wake_at - Clock::now();
        if (left <= left.zero()) return;
        const auto rest =
            std::chrono::ceil<milliseconds>(std::min<std::chrono::nanoseconds>(left, kLongest));
        patience = patience == kForever ? rest : std::min(patience, rest);
      }
      Wait(stop_fd, inotify_.get(), patience);
      seen = Drain();
      if (seen == Seen::kRearm) return;
      // flock(1) makes its file first and flocks it then; who looks in between would take it for
      // another tool's for ever.
      if (seen == Seen::kCame && watched_.flocks) Wait(stop_fd, -1, kCalm);
      if (seen != Seen::kNothing) sink.OnLocksChanged();
      Wait(stop_fd, -1, kCalm);
    }
  }

  Flocks LookAtFlocks() {
    if (!watched_.flocks) return {};
    FlockLook look(core_);
    // A place that cannot be looked at is told by who takes the locks.
    const auto holders = LookAtServices(core_, watched_.services, look);
    std::set<std::string> left_behind;
    if (holders) {
      for (const LockHolder& holder : holders.assume_value()) {
        if (!holder.held) left_behind.insert(holder.path);
      }
    }
    const bool more = std::any_of(left_behind.begin(), left_behind.end(),
                                  [&](const auto& path) { return !left_behind_.contains(path); });
    left_behind_ = std::move(left_behind);
    // One that is left behind may be flocked again before it is taken, and no event tells when that
    // ends.
    return {more, look.undecided() || !left_behind_.empty()};
  }

  // Anew from the root each time: any directory on the way may have been removed and remade. False:
  // some place cannot be watched, be it that inotify is at a limit, that the root is missing (what
  // is above it is everybody's and never still) or that the place is unsafe; the others are.
  bool Arm() {
    inotify_.Reset();  // With all its watches.
    upper_.clear();
    const auto root = LockRoot::Open(core_.options, core_.seams);
    if (!root || !root.assume_value()) return false;
    inotify_.Reset(core_.seams.no_inotify ? -1 : ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify_) refusal_ = core_.seams.no_inotify ? ENOSYS : errno;
    if (!inotify_ || !WatchUpper(root.assume_value()->fd())) return false;
    bool whole = true;
    for (const ServiceRef& service : watched_.services) {
      if (!WatchService(*root.assume_value(), service)) whole = false;
    }
    return whole;
  }

  bool WatchService(const LockRoot& root, const ServiceRef& service) {
    if (!CheckNames(service)) return false;
    const auto app = root.OpenApp(service.app_dir, O_PATH);
    if (!app) return false;
    if (!app.assume_value()) return true;  // The watch on the root sees it come.
    if (!WatchUpper(app.assume_value()->get())) return false;
    const auto dir = root.OpenService(service);
    if (!dir) return false;
    return !dir.assume_value() || AddWatch(dir.assume_value()->fd.get(), kComeAndGo | kItself) >= 0;
  }

  int AddWatch(int dir, std::uint32_t mask) {
    const std::string path = "/proc/self/fd/" + std::to_string(dir);
    const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), mask);
    if (watch < 0 && errno == ENOSPC) refusal_ = errno;
    return watch;
  }

  bool WatchUpper(int dir) {
    const int watch = AddWatch(dir, kComeAndGo | kItself);
    if (watch >= 0) upper_.insert(watch);
    return watch >= 0;
  }

  Seen Drain() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    Seen seen = Seen::kNothing;
    for (;;) {
      const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
      if (got <= 0) return seen;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof(event));
        const char* name = buffer.data() + at + sizeof(event);
        seen = std::max(seen, Judge(event, event.len == 0 ? "" : name));
        at += sizeof(event) + event.len;
      }
    }
  }

  Seen Judge(const inotify_event& event, std::string_view name) const {
    constexpr std::uint32_t kLost =
        IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF;
    if ((event.mask & kLost) != 0 || upper_.contains(event.wd)) return Seen::kRearm;
    const auto& files = watched_.names;
    if (std::find(files.begin(), files.end(), name) == files.end()) return Seen::kNothing;
    return (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? Seen::kCame : Seen::kWent;
  }

  HostLockFs::Core& core_;
  const WatchedFiles& watched_;
  UniqueFd inotify_;
  std::set<int> upper_;                // Watches above the services.
  int refusal_ = 0;                    // By inotify, as an errno.
  bool told_ = false;                  // Of that.
  std::set<std::string> left_behind_;  // By flock(1), as the last look had it.
};

}  // namespace

Result<void> WatchFiles(HostLockFs::Core& core, const WatchedFiles& watched, LockSink& sink,
                        std::stop_token stop) {
  return Watcher(core, watched).Run(sink, stop);
}

}  // namespace lockstep::lockfs
