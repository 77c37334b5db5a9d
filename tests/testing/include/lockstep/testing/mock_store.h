// MockStore: for tests where the call itself is the promise. Whatever is not expected goes to the
// Store that stands behind it.
#ifndef LOCKSTEP_TESTING_MOCK_STORE_H_
#define LOCKSTEP_TESTING_MOCK_STORE_H_

#include <gmock/gmock.h>

#include <string_view>

#include "lockstep/store.h"

namespace lockstep::test {

// `behind` outlives the mock. Wrap it: ::testing::NiceMock<MockStore> store(fake);
class MockStore : public Store {
 public:
  using Text = std::string_view;

  explicit MockStore(Store& behind) {
    ON_CALL(*this, Load).WillByDefault([&behind] { return behind.Load(); });
    ON_CALL(*this, PutApp).WillByDefault([&behind](const AppRecord& record) {
      return behind.PutApp(record);
    });
    ON_CALL(*this, EraseApp).WillByDefault([&behind](Text app) { return behind.EraseApp(app); });
    ON_CALL(*this, PutSpecs)
        .WillByDefault([&behind](Text app, const std::vector<ServiceSpec>& specs) {
          return behind.PutSpecs(app, specs);
        });
    ON_CALL(*this, PutSavedRestart).WillByDefault([&behind](Text container, Text policy) {
      return behind.PutSavedRestart(container, policy);
    });
    ON_CALL(*this, EraseSavedRestart).WillByDefault([&behind](Text container) {
      return behind.EraseSavedRestart(container);
    });
    ON_CALL(*this, PutSetting)
        .WillByDefault([&behind](Text key, const std::optional<std::string>& value) {
          return behind.PutSetting(key, value);
        });
    ON_CALL(*this, PutConfigKeys).WillByDefault([&behind](const ConfigChanges& changes) {
      return behind.PutConfigKeys(changes);
    });
    ON_CALL(*this, PutReboot).WillByDefault([&behind](const RebootRecord& record) {
      return behind.PutReboot(record);
    });
    ON_CALL(*this, PutLastTarget).WillByDefault([&behind](Text text) {
      return behind.PutLastTarget(text);
    });
  }

  MOCK_METHOD(Result<StoreState>, Load, (), (override));
  MOCK_METHOD(Result<void>, PutApp, (const AppRecord& record), (override));
  MOCK_METHOD(Result<void>, EraseApp, (Text app), (override));
  MOCK_METHOD(Result<void>, PutSpecs, (Text app, const std::vector<ServiceSpec>& specs),
              (override));
  MOCK_METHOD(Result<void>, PutSavedRestart, (Text container, Text policy), (override));
  MOCK_METHOD(Result<void>, EraseSavedRestart, (Text container), (override));
  MOCK_METHOD(Result<void>, PutSetting, (Text key, const std::optional<std::string>& value),
              (override));
  MOCK_METHOD(Result<void>, PutConfigKeys, (const ConfigChanges& changes), (override));
  MOCK_METHOD(Result<void>, PutReboot, (const RebootRecord& record), (override));
  MOCK_METHOD(Result<void>, PutLastTarget, (Text text), (override));
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_MOCK_STORE_H_
