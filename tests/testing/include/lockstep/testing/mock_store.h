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

  explicit MockStore(Store& behind);
  // Out of line, as the constructor: what gMock makes of each method is then compiled once.
  ~MockStore() override;

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
