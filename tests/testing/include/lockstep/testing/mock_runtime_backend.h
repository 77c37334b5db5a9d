// MockRuntimeBackend: for tests where the call itself is the promise. Whatever is not expected goes
// to the RuntimeBackend that stands behind it.
#ifndef LOCKSTEP_TESTING_MOCK_RUNTIME_BACKEND_H_
#define LOCKSTEP_TESTING_MOCK_RUNTIME_BACKEND_H_

#include <gmock/gmock.h>

#include <chrono>
#include <stop_token>
#include <string>

#include "lockstep/runtime_backend.h"

namespace lockstep::test {

// `behind` (a MemoryEngine, say) outlives the mock. Wrap it:
// ::testing::NiceMock<MockRuntimeBackend> backend(engine);
class MockRuntimeBackend : public RuntimeBackend {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit MockRuntimeBackend(RuntimeBackend& behind);
  // Out of line, as the constructor: what gMock makes of each method is then compiled once.
  ~MockRuntimeBackend() override;

  MOCK_METHOD(Result<EngineInfo>, Describe, (std::stop_token stop), (override));
  MOCK_METHOD(Result<EngineState>, Observe, (const ObserveRequest& request, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, CheckImage, (const std::string& reference, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<std::string>, PullImage,
              (const PullRequest& request, ProgressSink& progress, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<std::string>, CreateContainer,
              (const ContainerSpec& spec, std::stop_token stop), (override));
  MOCK_METHOD(Result<void>, StartContainer, (const std::string& id, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, StopContainer,
              (const std::string& id, Milliseconds grace, std::stop_token stop), (override));
  MOCK_METHOD(Result<void>, UpdateContainer,
              (const std::string& id, const std::string& restart_policy, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, RenameContainer,
              (const std::string& id, const std::string& name, std::stop_token stop), (override));
  MOCK_METHOD(Result<void>, RemoveContainer, (const std::string& id, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, CreateNetwork, (const NetworkSpec& spec, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, ConnectNetwork,
              (const std::string& container, const NetworkSpec& network, const Value& endpoint,
               std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, RemoveNetwork, (const NetworkSpec& network, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, CreateVolume, (const VolumeSpec& spec, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, RemoveVolume, (const VolumeSpec& volume, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<void>, RemoveImage, (const std::string& image_id, std::stop_token stop),
              (override));
  MOCK_METHOD(Result<Findings>, Examine, (const std::string& id, std::stop_token stop), (override));
  MOCK_METHOD(Result<void>, Watch, (EventSink & sink, std::stop_token stop), (override));
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_MOCK_RUNTIME_BACKEND_H_
