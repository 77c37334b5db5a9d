// Does all that a HostLockFs can, again and again, in the root that it is given: for tests that
// look at it from outside.
//
//   lockfs_exerciser ROOT JOURNAL-DIR openat2|steps SECONDS
//
// Prints how often it went round. Errors are what hostile neighbours cause; they are not its
// matter.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core.h"
#include "lockstep/lockfs/host_lock_fs.h"

namespace lockstep::test {
namespace {

class Sink final : public LockSink {
 public:
  void OnLocksChanged() override {}
};

void GoRound(HostLockFs& locks, const std::vector<ServiceRef>& services) {
  (void)locks.Prepare(services);
  (void)locks.Holders(services);
  (void)locks.List();
  for (const LockMode mode : {LockMode::kRespect, LockMode::kForce}) {
    auto outcome = locks.TakeAll(services, mode);
    if (!outcome) continue;
    if (auto* taken = std::get_if<LockTaken>(&outcome.assume_value())) {
      (void)taken->locks.Reassert();
      (void)taken->locks.Release();
    }
  }
  for (const ServiceRef& service : services) {
    (void)locks.ClearHandOver(service);
    (void)locks.AwaitHandOver(service, std::chrono::milliseconds(0), {});
  }
  (void)locks.ReleaseLeftovers();
  (void)locks.Forget(services.back());
}

int Main(char** argv) {
  // For who reads a trace: what was before is the runtime's.
  (void)::access("/exercise-begins", F_OK);
  HostLockFsOptions options;
  options.locks_root = argv[1];
  options.journal_dir = argv[2];
  options.boot_id = "this-boot";
  lockfs::Seams seams;
  seams.no_openat2 = std::string(argv[3]) == "steps";
  auto opened = lockfs::OpenHostLockFsWith(options, seams);
  if (!opened) return 1;
  HostLockFs& locks = *opened.assume_value();
  const std::vector<ServiceRef> services = {
      {"shop", "12", "db"}, {"shop", "12", "web"}, {"shop", "13", "web"}, {"shop", "12", "gone"}};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[4]));
  Sink sink;
  const std::jthread watch([&](std::stop_token stop) { (void)locks.Watch(services, sink, stop); });
  int rounds = 0;
  while (std::chrono::steady_clock::now() < end) {
    GoRound(locks, services);
    ++rounds;
  }
  std::printf("%d\n", rounds);
  return 0;
}

}  // namespace
}  // namespace lockstep::test

int main(int argc, char** argv) { return argc == 5 ? lockstep::test::Main(argv) : 2; }
