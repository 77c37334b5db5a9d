// How many wrong keys came from where.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_WRONG_KEYS_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_WRONG_KEYS_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "lockstep/clock.h"

namespace lockstep {

// Not thread-safe. Bounded: of more than kMaxAddresses, the one whose minute began first is
// forgotten.
class WrongKeys {
 public:
  static constexpr int kAllowed = 10;  // Within kWindow, which begins with the first.
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::size_t kMaxAddresses = 1024;

  // Counts one more. Returns after how long to ask again: zero for the first kAllowed of a window,
  // at least a second for more.
  std::chrono::seconds Count(const std::string& address, MonoTime now);

  std::size_t size() const { return windows_.size(); }

 private:
  struct Window {
    MonoTime begin;
    int count = 0;
  };
  void MakeRoom(MonoTime now);

  std::map<std::string, Window> windows_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_WRONG_KEYS_H_
