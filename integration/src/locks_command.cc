#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "command.h"
#include "device.h"
#include "exit_status.h"
#include "host_locks.h"
#include "json_value.h"
#include "lock_view.h"
#include "sqlite_store.h"
#include "target_file.h"

namespace lockstep {
namespace {

void Print(const std::vector<LockHolder>& locks, Invocation invocation) {
  const WallTime now = SystemClock().Now();
  auto& out = invocation.streams.out;
  if (invocation.common.json) {
    out << Dump(LocksToJson(locks, now), 2) << '\n';
  } else {
    out << RenderLocks(locks, now, Style(invocation.streams.colour));
  }
  out.flush();
}

// Every directory that could hold a lock. What cannot be looked into is left out: List() tells.
std::vector<ServiceRef> ServicesBelow(const CommonOptions& options) {
  namespace fs = std::filesystem;
  std::vector<ServiceRef> services;
  std::error_code error;
  const fs::path root = fs::path(options.host_root) / fs::path(options.locks_root).relative_path();
  for (fs::directory_iterator app(root, error), end; !error && app != end; app.increment(error)) {
    if (!app->is_directory(error) || app->is_symlink(error)) continue;
    const std::string name = app->path().filename();
    std::error_code inner;
    for (fs::directory_iterator service(app->path(), inner); !inner && service != end;
         service.increment(inner)) {
      if (!service->is_directory(inner) || service->is_symlink(inner)) continue;
      services.push_back({name, name, service->path().filename()});
    }
    error.clear();
  }
  std::sort(services.begin(), services.end());
  return services;
}

// Wakes up the watching command; called from the thread that watches.
class Bell final : public LockSink {
 public:
  void OnLocksChanged() override {
    const std::lock_guard guard(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  // False where a stop was requested.
  bool Wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return rung_; })) return false;
    rung_ = false;
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool rung_ = false;
};

// Until `stop`, or until a directory comes that is not among `services`.
Result<void> PrintChanges(LockFs& locks, const std::vector<ServiceRef>& services,
                          std::vector<LockHolder>& shown, Invocation invocation) {
  Bell bell;
  std::stop_source done;
  const std::stop_callback pass_on(invocation.streams.interrupt, [&] { done.request_stop(); });
  Result<void> watched = Ok();
  std::jthread watch([&] {
    watched = locks.Watch(services, bell, done.get_token());
    done.request_stop();
  });
  Result<void> result = Ok();
  while (result && bell.Wait(done.get_token())) {
    auto now = locks.List();
    if (!now) {
      result = std::move(now).assume_error();
    } else if (now.assume_value() != shown) {
      shown = std::move(now).assume_value();
      Print(shown, invocation);
    }
    if (ServicesBelow(invocation.common) != services) break;
  }
  done.request_stop();
  watch.join();
  if (result && !watched && watched.assume_error().code != ErrorCode::kCancelled) return watched;
  return result;
}

// The directories of the last target that was accepted, before an engine starts its containers:
// what the engine itself would make in their place only root could write to.
Result<int> Prepare(Invocation invocation) {
  LOCKSTEP_TRY(OpenedStore opened, OpenSqliteStoreToLook(invocation.common.state_dir));
  LOCKSTEP_TRY(const StoreState stored, opened.store->Load());
  if (stored.last_target.empty()) return kExitOk;
  TargetFileOptions reading;
  reading.balena.device_uuid = invocation.common.device;
  reading.environment = ProcessEnvironment();
  LOCKSTEP_TRY(const Target target, ReadKeptTarget(stored.last_target, "/", reading));
  LOCKSTEP_TRY(const auto locks, OpenLocks(invocation.common));
  for (const TargetApp& app : target.apps) {
    if (!app.release || app.is_host) continue;
    for (const TargetService& service : app.release->services) {
      const ServiceRef ref{app.uuid, app.lock_dir(), service.name};
      LOCKSTEP_TRYV(locks->Prepare({&ref, 1}));
    }
  }
  return kExitOk;
}

Result<int> RunLocks(bool watch, Invocation invocation) {
  LOCKSTEP_TRY(const auto locks, OpenLocks(invocation.common));
  LOCKSTEP_TRY(auto shown, locks->List());
  Print(shown, invocation);
  while (watch && !invocation.streams.interrupt.stop_requested()) {
    LOCKSTEP_TRYV(PrintChanges(*locks, ServicesBelow(invocation.common), shown, invocation));
  }
  return watch ? kExitInterrupted : kExitOk;
}

}  // namespace

Command AddLocksCommand(CLI::App& root, Invocation invocation) {
  auto watch = std::make_shared<bool>(false);
  auto prepare = std::make_shared<bool>(false);
  auto* app = root.add_subcommand(
      "locks",
      "Shows every update lock: who holds it, since when, and what it holds up. It looks at the "
      "files alone and needs no engine; the status is 0 whether something is locked or not.");
  app->group("Commands");
  app->add_flag("--json", invocation.common.json, "Prints a JSON array, one object for each lock.");
  app->add_flag("--watch", *watch, "Prints them again each time one comes or goes, until stopped.");
  app->add_flag(
      "--prepare", *prepare,
      "Prints nothing, and makes the lock directories of the last target known: for boot, "
      "before the engine starts.");
  app->footer(
      "Examples:\n"
      "  lockstep locks\n"
      "  lockstep locks --watch\n"
      "  lockstep locks --json | jq '.[] | select(.held) | .path'\n\n"
      "Files:\n"
      "  /tmp/balena-supervisor/services/APP/SERVICE/updates.lock\n"
      "      held while it exists, whatever made it; the service sees it as\n"
      "      /tmp/balena/updates.lock and frees it by removing it");
  return {app, [watch, prepare, invocation] {
            return *prepare ? Prepare(invocation) : RunLocks(*watch, invocation);
          }};
}

}  // namespace lockstep
