#include "lockstep/testing/mock_lock_fs.h"

#include <utility>

namespace lockstep::test {

MockLockFs::MockLockFs(LockFs& behind) {
  ON_CALL(*this, Resolve).WillByDefault([&behind](const ServiceRef& service) {
    return behind.Resolve(service);
  });
  ON_CALL(*this, Prepare).WillByDefault([&behind](Services services) {
    return behind.Prepare(services);
  });
  ON_CALL(*this, Forget).WillByDefault([&behind](const ServiceRef& service) {
    return behind.Forget(service);
  });
  ON_CALL(*this, Holders).WillByDefault([&behind](Services services) {
    return behind.Holders(services);
  });
  ON_CALL(*this, List).WillByDefault([&behind] { return behind.List(); });
  ON_CALL(*this, TakeAll).WillByDefault([&behind](Services services, LockMode mode) {
    return behind.TakeAll(services, mode);
  });
  ON_CALL(*this, ReleaseLeftovers).WillByDefault([&behind] { return behind.ReleaseLeftovers(); });
  ON_CALL(*this, ClearHandOver).WillByDefault([&behind](const ServiceRef& service) {
    return behind.ClearHandOver(service);
  });
  ON_CALL(*this, AwaitHandOver)
      .WillByDefault([&behind](const ServiceRef& service, std::chrono::milliseconds timeout,
                               std::stop_token stop) {
        return behind.AwaitHandOver(service, timeout, std::move(stop));
      });
  ON_CALL(*this, Watch)
      .WillByDefault([&behind](Services services, LockSink& sink, std::stop_token stop) {
        return behind.Watch(services, sink, std::move(stop));
      });
}

MockLockFs::~MockLockFs() = default;

}  // namespace lockstep::test
