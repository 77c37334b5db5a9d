// A store as it was seen once: for looking at a device without changing what Lockstep keeps of it.
#ifndef LOCKSTEP_INTEGRATION_SEEN_STORE_H_
#define LOCKSTEP_INTEGRATION_SEEN_STORE_H_

#include <utility>

#include "lockstep/store.h"

namespace lockstep {

// Gives `state` whenever it is read; writing is refused.
class SeenStore final : public Store {
 public:
  explicit SeenStore(StoreState state = {}) : state_(std::move(state)) {}
  Result<StoreState> Load() override { return state_; }
  Result<void> PutApp(const AppRecord&) override { return Refuse(); }
  Result<void> EraseApp(std::string_view) override { return Refuse(); }
  Result<void> PutSpecs(std::string_view, const std::vector<ServiceSpec>&) override {
    return Refuse();
  }
  Result<void> PutSavedRestart(std::string_view, std::string_view) override { return Refuse(); }
  Result<void> EraseSavedRestart(std::string_view) override { return Refuse(); }
  Result<void> PutSetting(std::string_view, const std::optional<std::string>&) override {
    return Refuse();
  }
  Result<void> PutConfigKeys(const ConfigChanges&) override { return Refuse(); }
  Result<void> PutReboot(const RebootRecord&) override { return Refuse(); }
  Result<void> PutLastTarget(std::string_view) override { return Refuse(); }

 private:
  static Result<void> Refuse() {
    return MakeError(ErrorCode::kInternal, "a store opened for reading was written to");
  }

  StoreState state_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SEEN_STORE_H_
