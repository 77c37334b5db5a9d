#include "lockstep/testing/mock_runtime_backend.h"

#include <utility>

namespace lockstep::test {

MockRuntimeBackend::MockRuntimeBackend(RuntimeBackend& behind) {
  const auto forward = [&behind](auto method) {
    return [&behind, method](auto&&... arguments) {
      return (behind.*method)(std::forward<decltype(arguments)>(arguments)...);
    };
  };
  ON_CALL(*this, Describe).WillByDefault(forward(&RuntimeBackend::Describe));
  ON_CALL(*this, Observe).WillByDefault(forward(&RuntimeBackend::Observe));
  ON_CALL(*this, CheckImage).WillByDefault(forward(&RuntimeBackend::CheckImage));
  ON_CALL(*this, PullImage).WillByDefault(forward(&RuntimeBackend::PullImage));
  ON_CALL(*this, CreateContainer).WillByDefault(forward(&RuntimeBackend::CreateContainer));
  ON_CALL(*this, StartContainer).WillByDefault(forward(&RuntimeBackend::StartContainer));
  ON_CALL(*this, StopContainer).WillByDefault(forward(&RuntimeBackend::StopContainer));
  ON_CALL(*this, UpdateContainer).WillByDefault(forward(&RuntimeBackend::UpdateContainer));
  ON_CALL(*this, RenameContainer).WillByDefault(forward(&RuntimeBackend::RenameContainer));
  ON_CALL(*this, RemoveContainer).WillByDefault(forward(&RuntimeBackend::RemoveContainer));
  ON_CALL(*this, CreateNetwork).WillByDefault(forward(&RuntimeBackend::CreateNetwork));
  ON_CALL(*this, ConnectNetwork).WillByDefault(forward(&RuntimeBackend::ConnectNetwork));
  ON_CALL(*this, RemoveNetwork).WillByDefault(forward(&RuntimeBackend::RemoveNetwork));
  ON_CALL(*this, CreateVolume).WillByDefault(forward(&RuntimeBackend::CreateVolume));
  ON_CALL(*this, RemoveVolume).WillByDefault(forward(&RuntimeBackend::RemoveVolume));
  ON_CALL(*this, RemoveImage).WillByDefault(forward(&RuntimeBackend::RemoveImage));
  ON_CALL(*this, Examine).WillByDefault(forward(&RuntimeBackend::Examine));
  ON_CALL(*this, Watch).WillByDefault(forward(&RuntimeBackend::Watch));
}

MockRuntimeBackend::~MockRuntimeBackend() = default;

}  // namespace lockstep::test
