#include "lockstep/testing/mock_store.h"

namespace lockstep::test {

MockStore::MockStore(Store& behind) {
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

MockStore::~MockStore() = default;

}  // namespace lockstep::test
