// A lock scheme of your own: one lock for all services of an app, under a name of its own.
//
//   app_wide_lock DIR APP SERVICE...    takes it, says where it is, and gives it back
#include <lockstep/lockfs/host_lock_fs.h>
#include <lockstep/lockfs/placed_lock_fs.h>
#include <unistd.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string dir = argv[1];
  const std::string app = argv[2];

  lockstep::HostLockFsOptions options;
  options.locks_root = dir + "/locks";
  options.journal_dir = dir + "/state";
  options.boot_id = "this-boot";  // On a device: /proc/sys/kernel/random/boot_id
  options.lock_files = {"busy"};  // Its name, in the directory that each container has bound.
  options.owner_uid = ::geteuid();
  options.owner_gid = ::getegid();
  auto opened = lockstep::OpenHostLockFs(options);
  if (!opened) return 1;
  const auto locks = lockstep::PlaceLocks(
      std::move(opened).assume_value(), {[](const lockstep::ServiceRef& service) {
        return lockstep::ServiceRef{service.app, service.app_dir, "app"};
      }});

  std::vector<lockstep::ServiceRef> services;
  for (int i = 3; i < argc; ++i) services.push_back({app, app, argv[i]});
  auto outcome = locks->TakeAll(services, lockstep::LockMode::kRespect);
  if (!outcome) return 1;
  if (const auto* held = std::get_if<lockstep::LockHeld>(&outcome.assume_value())) {
    for (const auto& holder : held->holders) std::cout << "held by " << holder.path << '\n';
    return 3;
  }
  const auto paths = locks->Resolve(services.front());
  std::cout << "taken: " << paths.assume_value().files.front() << '\n';
  auto& taken = std::get<lockstep::LockTaken>(outcome.assume_value());
  return taken.locks.Release() ? 0 : 1;
}
