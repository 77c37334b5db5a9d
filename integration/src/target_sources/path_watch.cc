#include "target_sources/path_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <deque>
#include <utility>

namespace lockstep {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCalm{100};  // Without a change: then what belongs together is there.
constexpr milliseconds kLongestStorm{1000};
constexpr milliseconds kStill{10'000};  // Of a file that is held open for writing.
constexpr milliseconds kLongestWrite{300'000};
constexpr milliseconds kPollPeriod{30'000};
constexpr int kMostLinks = 40;    // As the kernel.
constexpr int kMostAttempts = 8;  // At a path that changes under our hands.

constexpr std::uint32_t kItself = IN_MOVE_SELF | IN_DELETE_SELF;
// IN_ATTRIB: a name of it went, or may be read now.
constexpr std::uint32_t kFileMask = kItself | IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE;
constexpr std::uint32_t kNamesMask =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE;

std::string Join(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

std::string Parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::deque<std::string> Parts(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

std::optional<std::string> LinkTarget(const std::string& path) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = readlink(path.c_str(), buffer.data(), buffer.size());
  if (size <= 0) return std::nullopt;
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Made by its name alone, and so whole: a link. Whoever creates a file has yet to write it.
bool IsWholeAtOnce(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return true;
  return !S_ISREG(status.st_mode) || status.st_nlink > 1;
}

// Whether somebody has it open for writing: then there can be no lease for readers (fcntl(2)). Not
// every file system knows. Whoever opens it in between would have us sent SIGIO, which ends
// processes; SIGURG is ignored.
bool IsOpenForWriting(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return false;
  fcntl(file, F_SETSIG, SIGURG);
  const bool refused = fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  if (!refused) fcntl(file, F_SETLEASE, F_UNLCK);
  close(file);
  return refused;
}

}  // namespace

PathWatch::PathWatch(Leases leases)
    : leases_(leases),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

PathWatch::~PathWatch() {
  if (wake_ >= 0) close(wake_);
  if (inotify_ >= 0) close(inotify_);
}

void PathWatch::Ask() {
  const std::uint64_t one = 1;
  (void)!write(wake_, &one, sizeof(one));
}

std::optional<Error> PathWatch::Watch(const std::vector<std::string>& files,
                                      const std::vector<std::string>& directories,
                                      std::function<bool(std::string_view)> names) {
  Drain();  // What has happened before is seen by whoever reads now, but what goes on.
  change_ = {};
  if (!being_written_.empty()) Note(Seen::kWriting);
  const auto before = std::exchange(watches_, {});
  masks_.clear();
  awaited_.clear();
  listed_.clear();
  files_.clear();
  refusal_ = 0;
  names_ = std::move(names);
  if (inotify_ < 0) inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_ < 0) {
    Refused(errno);
  } else {
    for (const std::string& path : directories) Walk(path, Last::kDirectory);
    for (const std::string& path : files) Walk(path, Last::kFile);
  }
  for (const auto& [watch, paths] : before) {
    if (!watches_.contains(watch)) inotify_rm_watch(inotify_, watch);
  }
  if (refusal_ == 0) return std::nullopt;
  return MakeError(ErrorCode::kUnavailable,
                   std::string("it cannot be watched (") + std::strerror(refusal_) +
                       "), and is looked at twice a minute",
                   "raise fs.inotify.max_user_watches and max_user_instances");
}

void PathWatch::Refused(int error) { refusal_ = error; }

// Watches first and looks then: what changes in between is seen either way.
bool PathWatch::Add(const std::string& path, std::uint32_t mask, struct stat& status) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint32_t all = masks_[path] | mask;
    const int watch = inotify_add_watch(inotify_, path.c_str(), all | IN_DONT_FOLLOW);
    if (watch < 0 && errno != ENOENT) Refused(errno);
    if (watch < 0) return false;
    struct stat now {};
    if (lstat(path.c_str(), &now) == 0 && SameFile(now, status)) {
      masks_[path] = all;
      watches_[watch].insert(path);
      return true;
    }
    watches_.try_emplace(watch);  // It is taken back with the next Watch().
    if (lstat(path.c_str(), &status) != 0) return false;
  }
  Refused(EBUSY);
  return false;
}

void PathWatch::AddForName(const std::string& directory, const std::string& name) {
  awaited_[directory].insert(name);
  struct stat status {};
  if (lstat(directory.c_str(), &status) == 0) Add(directory, kItself | kNamesMask, status);
}

void PathWatch::Walk(const std::string& path, Last last) {
  std::deque<std::string> left = Parts(path);
  std::string at = "/";
  int links = 0;
  int attempts = 0;
  while (!left.empty()) {
    const std::string part = left.front();
    left.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      at = Parent(at);
      continue;
    }
    const std::string here = Join(at, part);
    struct stat status {};
    if (lstat(here.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) return Refused(errno);
      AddForName(at, part);
      if (lstat(here.c_str(), &status) != 0) return;
      if (++attempts > kMostAttempts) return Refused(EBUSY);
      left.push_front(part);  // It has just come.
      continue;
    }
    const bool file = left.empty() && last == Last::kFile && !S_ISLNK(status.st_mode);
    const bool listed = left.empty() && last == Last::kDirectory && S_ISDIR(status.st_mode);
    if (listed) listed_.insert(here);
    const std::uint32_t mask = file                      ? kFileMask
                               : S_ISLNK(status.st_mode) ? kItself | IN_ATTRIB
                               : listed                  ? kItself | kNamesMask
                                                         : kItself;
    if (!Add(here, mask, status)) {
      if (refusal_ != 0 || ++attempts > kMostAttempts) return;
      left.push_front(part);
      continue;
    }
    if (file && S_ISREG(status.st_mode)) files_.insert(here);
    if (S_ISLNK(status.st_mode)) {
      const auto target = LinkTarget(here);
      if (!target || ++links > kMostLinks) return;
      std::deque<std::string> parts = Parts(*target);
      left.insert(left.begin(), parts.begin(), parts.end());
      if (target->front() == '/') at = "/";
    } else {
      at = here;
    }
  }
}

// A file is empty a moment before the event says so. Whoever has closed it again has made events.
bool PathWatch::Stirred() {
  for (const std::string& file : files_) {
    if (leases_ == Leases::kNone || !IsOpenForWriting(file)) continue;
    being_written_.insert(file);
    Note(Seen::kWriting);
  }
  Drain();
  return change_.first.has_value();
}

void PathWatch::Wait(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { Ask(); });
  const auto began = Clock::now();
  bool asked = false;
  while (!stop.stop_requested()) {
    Drain();
    const auto until = Deadline(began, asked);
    if (until && Clock::now() >= *until) break;
    if (Poll(until)) asked = true;
  }
  being_written_.clear();
}

// When to wait no longer; none: never.
std::optional<PathWatch::Clock::time_point> PathWatch::Deadline(Clock::time_point began,
                                                                bool asked) const {
  if (!being_written_.empty() && change_.first) {
    return std::min(change_.last + kStill, *change_.first + kLongestWrite);
  }
  if (asked) return began;
  if (change_.whole) return std::min(change_.last + kCalm, *change_.first + kLongestStorm);
  if (refusal_ != 0) return began + kPollPeriod;
  return std::nullopt;
}

// True when somebody asks.
bool PathWatch::Poll(std::optional<Clock::time_point> until) {
  int timeout = -1;
  if (until) {
    timeout = static_cast<int>(
        std::chrono::ceil<milliseconds>(std::max(*until - Clock::now(), Clock::duration::zero()))
            .count());
  }
  std::array<pollfd, 2> polled = {pollfd{wake_, POLLIN, 0}, pollfd{inotify_, POLLIN, 0}};
  (void)poll(polled.data(), polled.size(), timeout);
  std::uint64_t asked = 0;
  return read(wake_, &asked, sizeof(asked)) == sizeof(asked);
}

void PathWatch::Note(Seen seen) {
  if (seen == Seen::kNothing) return;
  change_.last = Clock::now();
  if (!change_.first) change_.first = change_.last;
  if (seen == Seen::kChange) change_.whole = true;
}

void PathWatch::Drain() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = read(inotify_, buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* name = buffer.data() + at + sizeof(event);
      Note(Judge(event.wd, event.mask, event.len == 0 ? "" : name));
      at += sizeof(event) + event.len;
    }
  }
}

PathWatch::Seen PathWatch::Judge(int watch, std::uint32_t mask, const std::string& name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    being_written_.clear();
    return Seen::kChange;
  }
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return Seen::kNothing;  // Of what is watched no more.
  Seen seen = Seen::kNothing;
  for (const std::string& path : found->second) {
    if (name.empty()) {
      seen = std::max(seen, JudgeFile(path, mask));
      continue;
    }
    const auto awaited = awaited_.find(path);
    const bool counts = (awaited != awaited_.end() && awaited->second.contains(name)) ||
                        (listed_.contains(path) && (!names_ || names_(name)));
    if (counts) seen = std::max(seen, JudgeFile(Join(path, name), mask));
  }
  return seen;
}

PathWatch::Seen PathWatch::JudgeFile(const std::string& path, std::uint32_t mask) {
  const bool begins = (mask & IN_MODIFY) != 0 || ((mask & IN_CREATE) != 0 && !IsWholeAtOnce(path));
  if (begins) {
    being_written_.insert(path);
    return Seen::kWriting;
  }
  // Its mode and times say nothing of whether it is whole.
  if ((mask & IN_ATTRIB) == 0) being_written_.erase(path);
  return Seen::kChange;
}

}  // namespace lockstep
