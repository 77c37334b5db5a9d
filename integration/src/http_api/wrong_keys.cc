#include "http_api/wrong_keys.h"

#include <algorithm>

namespace lockstep {

std::chrono::seconds WrongKeys::Count(const std::string& address, MonoTime now) {
  auto found = windows_.find(address);
  if (found == windows_.end()) {
    MakeRoom(now);
    found = windows_.emplace(address, Window{now, 0}).first;
  }
  Window& window = found->second;
  if (now - window.begin >= kWindow) window = {now, 0};
  if (window.count < kAllowed) {
    ++window.count;
    return std::chrono::seconds(0);
  }
  return std::chrono::ceil<std::chrono::seconds>(window.begin + kWindow - now);
}

void WrongKeys::MakeRoom(MonoTime now) {
  if (windows_.size() < kMaxAddresses) return;
  std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.begin >= kWindow; });
  if (windows_.size() < kMaxAddresses) return;
  windows_.erase(std::min_element(
      windows_.begin(), windows_.end(),
      [](const auto& a, const auto& b) { return a.second.begin < b.second.begin; }));
}

}  // namespace lockstep
