// FakeStore: a store in memory, which can be told to fail.
#ifndef LOCKSTEP_TESTING_FAKE_STORE_H_
#define LOCKSTEP_TESTING_FAKE_STORE_H_

#include <mutex>
#include <optional>
#include <string_view>

#include "lockstep/store.h"

namespace lockstep::test {

// Thread-safe. Outlives what is "restarted" in a test, as a disk does.
class FakeStore final : public Store {
 public:
  // The next call of any method returns `error` and does nothing else.
  void FailNext(Error error);
  // Every call does, until FailAll(std::nullopt).
  void FailAll(std::optional<Error> error);

  StoreState state() const;
  int puts() const;  // Calls of Put and Erase that succeeded.

  Result<StoreState> Load() override;
  Result<void> PutApp(const AppRecord& record) override;
  Result<void> EraseApp(std::string_view app) override;
  Result<void> PutSpecs(std::string_view app, const std::vector<ServiceSpec>& specs) override;
  Result<void> PutSavedRestart(std::string_view container, std::string_view policy) override;
  Result<void> EraseSavedRestart(std::string_view container) override;
  Result<void> PutSetting(std::string_view key, const std::optional<std::string>& value) override;
  Result<void> PutConfigKeys(const ConfigChanges& changes) override;
  Result<void> PutReboot(const RebootRecord& record) override;
  Result<void> PutLastTarget(std::string_view text) override;

 private:
  std::optional<Error> TakeFailure();
  template <typename Change>
  Result<void> Apply(const Change& change);

  mutable std::mutex mutex_;
  StoreState state_;
  int puts_ = 0;
  std::optional<Error> fail_next_;
  std::optional<Error> fail_all_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_FAKE_STORE_H_
