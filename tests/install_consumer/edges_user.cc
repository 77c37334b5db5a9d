// An agent that brings Docker and the host's update locks.
#include <lockstep/lockfs/host_lock_fs.h>
#include <lockstep/runtimes/docker_engine.h>

int main() {
  lockstep::DockerOptions nowhere;
  nowhere.url = "unix:///nowhere/docker.sock";
  const auto engine = lockstep::MakeDockerEngine(nowhere);
  if (!engine || engine.assume_value()->Describe({}).has_value()) return 1;
  lockstep::HostLockFsOptions options;
  options.locks_root = "relative";
  const auto locks = lockstep::OpenHostLockFs(options);
  return !locks && locks.assume_error().code == lockstep::ErrorCode::kInvalidInput ? 0 : 2;
}
