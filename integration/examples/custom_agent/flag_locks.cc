#include "flag_locks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "directory_watch.h"
#include "refused.h"

namespace custom {

namespace fs = std::filesystem;
using namespace lockstep;

namespace {

const std::string kOurs = "lockstep:";
constexpr std::array kHandOverFiles = {"handover-complete", "resin-kill-me"};

bool IsFileName(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == name.npos && name.find('\0') == name.npos;
}

// What one of ours points to; empty where it is none, or nothing is there.
std::string MarkOf(const std::string& flag) {
  std::error_code error;
  const std::string to = fs::read_symlink(flag, error);
  return error || !to.starts_with(kOurs) ? std::string() : to;
}

LockKind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return LockKind::kExclusiveFile;
  if (S_ISDIR(mode)) return LockKind::kDirectory;
  return S_ISLNK(mode) ? LockKind::kSymlink : LockKind::kOther;
}

// None where no flag is raised.
std::optional<LockHolder> HolderOf(const ServiceRef& service, const std::string& flag) {
  struct stat seen {};
  if (lstat(flag.c_str(), &seen) != 0) return std::nullopt;
  LockHolder holder;
  holder.app = service.app;
  holder.app_dir = service.app_dir;
  holder.service = service.service;
  holder.path = flag;
  holder.kind = KindOf(seen.st_mode);
  holder.since = WallTime(std::chrono::seconds(seen.st_ctim.tv_sec));
  holder.owner_uid = seen.st_uid;
  holder.ours = !MarkOf(flag).empty();
  return holder;
}

}  // namespace

struct FlagLocks::Taken {
  std::mutex mutex;
  std::map<std::string, std::string> marks;  // By flag, of the sets that live.

  bool IsTaken(const std::string& flag) {
    const auto mark = marks.find(flag);
    return mark != marks.end() && mark->second == MarkOf(flag);
  }
};

class FlagLocks::Held final : public LockSet::Held {
 public:
  Held(std::shared_ptr<Taken> taken, std::string mark)
      : taken_(std::move(taken)), mark_(std::move(mark)) {}
  ~Held() override { (void)Release(); }  // Nobody is left to tell.

  // False where an app was there first. With the mutex held.
  Result<bool> Raise(const ServiceRef& service, const std::string& flag) {
    if (symlink(mark_.c_str(), flag.c_str()) == 0) {
      flags_.emplace(flag, service);
      taken_->marks[flag] = mark_;
      return true;
    }
    if (errno == EEXIST) return false;
    return Refused("raise " + flag, errno);
  }

  Result<std::vector<LockHolder>> Reassert() override {
    const std::scoped_lock lock(taken_->mutex);
    std::vector<LockHolder> holders;
    for (const auto& [flag, service] : flags_) {
      if (MarkOf(flag) == mark_ || symlink(mark_.c_str(), flag.c_str()) == 0) continue;
      if (errno != EEXIST) return Refused("raise " + flag, errno);
      if (auto holder = HolderOf(service, flag)) holders.push_back(*std::move(holder));
    }
    return holders;
  }

  // An app that lowers our flag and raises its own between the two calls loses it: services that
  // are trusted leave ours alone.
  Result<void> Release() override {
    const std::scoped_lock lock(taken_->mutex);
    Result<void> done = Ok();
    for (const auto& [flag, service] : std::exchange(flags_, {})) {
      taken_->marks.erase(flag);
      if (MarkOf(flag) != mark_ || unlink(flag.c_str()) == 0 || errno == ENOENT) continue;
      done = Refused("lower " + flag, errno);
    }
    return done;
  }

  void Abandon() override {
    const std::scoped_lock lock(taken_->mutex);
    for (const auto& [flag, service] : std::exchange(flags_, {})) taken_->marks.erase(flag);
  }

 private:
  std::shared_ptr<Taken> taken_;
  std::string mark_;
  std::map<std::string, ServiceRef> flags_;
};

FlagLocks::FlagLocks(std::string root)
    : root_(std::move(root)), taken_(std::make_shared<Taken>()) {}
FlagLocks::~FlagLocks() = default;

Result<std::string> FlagLocks::DirectoryOf(const ServiceRef& service) const {
  if (IsFileName(service.app_dir) && IsFileName(service.service)) {
    return root_ + "/" + service.app_dir + "/" + service.service;
  }
  return MakeError(ErrorCode::kInvalidInput, "the name of an app or a service is no file's");
}

std::string FlagLocks::FlagOf(const ServiceRef& service) const {
  return root_ + "/" + service.app_dir + "/" + service.service + "/busy";
}

// A process sees the machine as it is: its directory is where everybody has it.
Result<LockPaths> FlagLocks::Resolve(const ServiceRef& service) const {
  LOCKSTEP_TRY(const std::string directory, DirectoryOf(service));
  return LockPaths{directory, {directory}, {FlagOf(service)}};
}

Result<void> FlagLocks::Prepare(Services services) {
  for (const ServiceRef& service : services) {
    LOCKSTEP_TRY(const std::string directory, DirectoryOf(service));
    std::error_code error;
    fs::create_directories(directory, error);
    if (!error) fs::permissions(directory, fs::perms(01777), error);
    if (error) return Refused("make " + directory, error.value());
  }
  return Ok();
}

Result<void> FlagLocks::Forget(const ServiceRef& service) {
  LOCKSTEP_TRY(const std::string directory, DirectoryOf(service));
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) return Refused("remove " + directory, error.value());
  return Ok();
}

Result<std::vector<LockHolder>> FlagLocks::Holders(Services services) {
  std::vector<LockHolder> holders;
  for (const ServiceRef& service : services) {
    LOCKSTEP_TRYV(DirectoryOf(service));
    if (auto holder = HolderOf(service, FlagOf(service))) holders.push_back(*std::move(holder));
  }
  return holders;
}

Result<std::vector<LockHolder>> FlagLocks::List() {
  std::vector<LockHolder> holders;
  std::error_code error;
  for (const auto& app : fs::directory_iterator(root_, error)) {
    const std::string name = app.path().filename();
    for (const auto& service : fs::directory_iterator(app.path(), error)) {
      auto holder = HolderOf({name, name, service.path().filename()}, service.path() / "busy");
      if (holder) holders.push_back(*std::move(holder));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Refused("list " + root_, error.value());
  }
  return holders;
}

Result<LockOutcome> FlagLocks::TakeAll(Services services, LockMode mode) {
  std::vector<ServiceRef> sorted(services.begin(), services.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  LOCKSTEP_TRYV(Prepare(sorted));
  // Before the mutex: where this ends early, what was raised is lowered, which needs it.
  auto held = std::make_unique<Held>(taken_, kOurs + std::to_string(std::random_device()()));
  LockTaken taken;
  LockHeld in_the_way;
  const std::scoped_lock lock(taken_->mutex);
  for (const ServiceRef& service : sorted) {
    const std::string flag = FlagOf(service);
    const auto holder = HolderOf(service, flag);
    if (!holder) continue;
    if (holder->ours ? taken_->IsTaken(flag) : mode == LockMode::kRespect) {
      in_the_way.holders.push_back(*holder);
    } else if (!holder->ours) {
      taken.overridden.push_back(*holder);
    }
  }
  if (!in_the_way.holders.empty()) return LockOutcome(std::move(in_the_way));
  for (const ServiceRef& service : sorted) {
    const std::string flag = FlagOf(service);
    std::error_code error;
    // An app's that is run over, or one that an agent before this one has left behind.
    if (mode == LockMode::kForce || !MarkOf(flag).empty()) fs::remove_all(flag, error);
    LOCKSTEP_TRY(const bool raised, held->Raise(service, flag));
    if (raised) continue;
    if (auto faster = HolderOf(service, flag)) in_the_way.holders.push_back(*std::move(faster));
    return LockOutcome(std::move(in_the_way));
  }
  taken.locks = LockSet(std::move(held));
  return LockOutcome(std::move(taken));
}

Result<int> FlagLocks::ReleaseLeftovers() {
  LOCKSTEP_TRY(const std::vector<LockHolder> all, List());
  const std::scoped_lock lock(taken_->mutex);
  int released = 0;
  for (const LockHolder& holder : all) {
    if (MarkOf(holder.path).empty() || taken_->IsTaken(holder.path)) continue;
    if (unlink(holder.path.c_str()) == 0) ++released;
  }
  return released;
}

Result<void> FlagLocks::ClearHandOver(const ServiceRef& service) {
  LOCKSTEP_TRY(const std::string directory, DirectoryOf(service));
  for (const char* name : kHandOverFiles) {
    std::error_code error;
    fs::remove(fs::path(directory) / name, error);
    if (error) return Refused("clear the hand-over in " + directory, error.value());
  }
  return Ok();
}

Result<HandOverOutcome> FlagLocks::AwaitHandOver(const ServiceRef& service,
                                                 std::chrono::milliseconds timeout,
                                                 std::stop_token stop) {
  LOCKSTEP_TRY(const std::string directory, DirectoryOf(service));
  LOCKSTEP_TRY(const auto watch, DirectoryWatch::Open({directory}));
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!stop.stop_requested()) {
    for (const char* name : kHandOverFiles) {
      std::error_code error;
      if (fs::exists(fs::symlink_status(fs::path(directory) / name, error))) {
        return HandOverOutcome::kComplete;
      }
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return HandOverOutcome::kTimedOut;
    watch->Wait(left, stop);
  }
  return MakeError(ErrorCode::kCancelled, "stopped");
}

Result<void> FlagLocks::Watch(Services services, LockSink& sink, std::stop_token stop) {
  std::vector<std::string> directories;
  for (const ServiceRef& service : services) {
    // One that cannot be made, or has a bad name, ends no watch of the others.
    if (!Prepare({&service, 1})) continue;
    directories.push_back(DirectoryOf(service).assume_value());
  }
  LOCKSTEP_TRY(const auto watch, DirectoryWatch::Open(directories));
  while (!stop.stop_requested()) {
    sink.OnLocksChanged();
    watch->Wait(std::nullopt, stop);
  }
  return Ok();
}

}  // namespace custom
