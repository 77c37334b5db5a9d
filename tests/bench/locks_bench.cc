// How long it takes to look at locks, to take and give back those of many services, and to learn
// that one was given back. In memory, as lock directories are on devices.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "lockstep/lockfs/host_lock_fs.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class Locks {
 public:
  explicit Locks(int services) {
    std::string pattern =
        (fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/lockbench-XXXXXX");
    dir_ = ::mkdtemp(pattern.data());
    HostLockFsOptions options;
    options.locks_root = (dir_ / "services").string();
    options.journal_dir = (dir_ / "state").string();
    options.boot_id = "this-boot";
    options.owner_uid = ::geteuid();
    options.owner_gid = ::getegid();
    for (int i = 0; i < services; ++i)
      services_.push_back({"shop", "12", "service-" + std::to_string(i)});
    auto opened = OpenHostLockFs(options);
    if (!opened || !opened.assume_value()->Prepare(services_)) return;
    fs_ = std::move(opened).assume_value();
  }
  ~Locks() {
    fs_.reset();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  // Null where they could not be made.
  HostLockFs* get() const { return fs_.get(); }
  const std::vector<ServiceRef>& services() const { return services_; }

 private:
  fs::path dir_;
  std::vector<ServiceRef> services_;
  std::unique_ptr<HostLockFs> fs_;
};

void LookAtLocks(benchmark::State& state) {
  const Locks locks(static_cast<int>(state.range(0)));
  if (locks.get() == nullptr) return state.SkipWithError("no lock directories");
  for (auto _ : state) {
    const auto holders = locks.get()->Holders(locks.services());
    if (!holders || !holders.assume_value().empty()) state.SkipWithError("a lock where none is");
  }
}
BENCHMARK(LookAtLocks)->RangeMultiplier(10)->Range(10, 1000)->Unit(benchmark::kMillisecond);

void TakeAndReleaseLocks(benchmark::State& state) {
  const Locks locks(static_cast<int>(state.range(0)));
  if (locks.get() == nullptr) return state.SkipWithError("no lock directories");
  for (auto _ : state) {
    auto outcome = locks.get()->TakeAll(locks.services(), LockMode::kRespect);
    auto* taken = outcome ? std::get_if<LockTaken>(&outcome.assume_value()) : nullptr;
    if (taken == nullptr || !taken->locks.Release())
      state.SkipWithError("not taken, or not released");
  }
}
BENCHMARK(TakeAndReleaseLocks)->RangeMultiplier(10)->Range(1, 100)->Unit(benchmark::kMillisecond);

class Waker final : public LockSink {
 public:
  void OnLocksChanged() override {
    const auto now = Clock::now();
    const std::lock_guard guard(mutex_);
    woken_ = now;
    ++calls_;
    changed_.notify_all();
  }
  int calls() {
    const std::lock_guard guard(mutex_);
    return calls_;
  }
  Clock::time_point AwaitMoreThan(int calls) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return calls_ > calls; });
    return woken_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
  Clock::time_point woken_;
};

// From an app's rm to the call of who waits; the counter has the median.
void WakeAfterRelease(benchmark::State& state) {
  const Locks locks(30);
  if (locks.get() == nullptr) return state.SkipWithError("no lock directories");
  const auto paths = locks.get()->Resolve(locks.services().front());
  const std::string lock = paths.assume_value().files.front();
  Waker waker;
  const std::jthread watch(
      [&](std::stop_token stop) { (void)locks.get()->Watch(locks.services(), waker, stop); });
  waker.AwaitMoreThan(0);
  std::vector<double> times;
  for (auto _ : state) {
    int before = waker.calls();
    ::close(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    waker.AwaitMoreThan(before);
    // A second call for one change is put off; let it pass.
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    before = waker.calls();
    const auto begin = Clock::now();
    ::unlink(lock.c_str());
    const std::chrono::duration<double> took = waker.AwaitMoreThan(before) - begin;
    state.SetIterationTime(took.count());
    times.push_back(took.count());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  state.counters["median_us"] = *middle * 1e6;
}
BENCHMARK(WakeAfterRelease)->UseManualTime()->Iterations(200)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lockstep
