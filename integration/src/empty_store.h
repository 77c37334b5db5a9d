// A store that begins empty and remembers nothing: for looking at a device on which Lockstep keeps
// no state yet, without making any.
#ifndef LOCKSTEP_INTEGRATION_EMPTY_STORE_H_
#define LOCKSTEP_INTEGRATION_EMPTY_STORE_H_

#include "lockstep/store.h"

namespace lockstep {

// Nothing is kept, reading gives nothing: only for what never writes.
class EmptyStore final : public Store {
 public:
  Result<StoreState> Load() override { return StoreState{}; }
  Result<void> PutApp(const AppRecord&) override { return Refuse(); }
  Result<void> EraseApp(std::string_view) override { return Refuse(); }
  Result<void> PutSavedRestart(std::string_view, std::string_view) override { return Refuse(); }
  Result<void> EraseSavedRestart(std::string_view) override { return Refuse(); }
  Result<void> PutLastTarget(std::string_view) override { return Refuse(); }

 private:
  static Result<void> Refuse() {
    return MakeError(ErrorCode::kInternal, "a store opened for reading was written to");
  }
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_EMPTY_STORE_H_
