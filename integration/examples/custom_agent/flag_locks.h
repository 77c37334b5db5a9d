// FlagLocks: a lock scheme of its own. A service that must not be interrupted raises a flag.
#ifndef CUSTOM_AGENT_FLAG_LOCKS_H_
#define CUSTOM_AGENT_FLAG_LOCKS_H_

#include <lockstep/lock_fs.h>

#include <memory>
#include <string>

namespace custom {

// The flag of a service is <root>/<app>/<service>/busy, whatever it is. It is raised by what fails
// where there is one (`ln -s REASON busy`, O_EXCL): a service that is started finds Lockstep's own
// up, and tries again. That is a symbolic link to "lockstep:<number>", which is made in one step
// and says whose it is, also to the agent that comes after one that was killed: there is no
// journal.
//
// For services that are trusted, on a root in memory (as /run is), so that a reboot lowers all
// flags. Where services may be hostile, HostLockFs and its placements are what to use.
class FlagLocks final : public lockstep::LockFs {
 public:
  template <typename T>
  using Result = lockstep::Result<T>;
  using Services = std::span<const lockstep::ServiceRef>;

  explicit FlagLocks(std::string root);  // Absolute.
  ~FlagLocks() override;

  Result<lockstep::LockPaths> Resolve(const lockstep::ServiceRef& service) const override;
  Result<void> Prepare(Services services) override;
  Result<void> Forget(const lockstep::ServiceRef& service) override;
  Result<std::vector<lockstep::LockHolder>> Holders(Services services) override;
  Result<std::vector<lockstep::LockHolder>> List() override;
  Result<lockstep::LockOutcome> TakeAll(Services services, lockstep::LockMode mode) override;
  Result<int> ReleaseLeftovers() override;
  Result<void> ClearHandOver(const lockstep::ServiceRef& service) override;
  Result<lockstep::HandOverOutcome> AwaitHandOver(const lockstep::ServiceRef& service,
                                                  std::chrono::milliseconds timeout,
                                                  std::stop_token stop) override;
  Result<void> Watch(Services services, lockstep::LockSink& sink, std::stop_token stop) override;

 private:
  class Held;
  struct Taken;  // What the sets that live have; they may outlive this.

  Result<std::string> DirectoryOf(const lockstep::ServiceRef& service) const;
  std::string FlagOf(const lockstep::ServiceRef& service) const;  // Of one with good names.

  const std::string root_;
  std::shared_ptr<Taken> taken_;
};

}  // namespace custom

#endif  // CUSTOM_AGENT_FLAG_LOCKS_H_
