// Who may do what over TCP: keys, and how often one may guess.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_API_ACCESS_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_API_ACCESS_H_

#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http_api/api_message.h"
#include "http_api/wrong_keys.h"
#include "lockstep/clock.h"

namespace lockstep {

struct ApiKey {
  std::string
      key;  // Secret; at least kMinKeyBytes, since nothing but its length keeps guessers out.
  KeyScope scope;
};
inline constexpr std::size_t kMinKeyBytes = 16;

// The key of a request: `Authorization: Bearer KEY` (also `ApiKey KEY`), else `?apikey=KEY`, as
// clients of balena-supervisor send it. Empty where there is none.
std::string_view KeyOf(const ApiRequest& request);

// Keeps digests of keys (SHA-256), never the keys. Every key is compared, in a time that tells
// nothing of which one fits or how much of it.
//
// A right key is taken however many wrong ones came from its address: containers of one network
// share an address, and one with an old key must not lock out the others. What guessing is limited
// to is answers: from the tenth wrong one within a minute on, they are "ask again later".
//
// Thread-safety: every method may be called from several threads at once; none blocks.
class ApiAccess {
 public:
  // `now` is called on the threads that call Check().
  explicit ApiAccess(std::function<MonoTime()> now);

  // Replaces all keys, from the next request on. Returns how many were left out: too short. kSome:
  // others are to come, and whoever has one must not hear that it is wrong.
  enum class KeysAre { kAll, kSome };
  std::size_t SetKeys(const std::vector<ApiKey>& keys, KeysAre are = KeysAre::kAll);

  enum class Verdict { kRight, kWrong, kTooManyWrong, kNotYetKnown };
  struct Answer {
    Verdict verdict = Verdict::kWrong;
    KeyScope scope;                       // Where it is right.
    std::chrono::seconds retry_after{0};  // Where there were too many.
  };
  // `limit_key`: ApiPeer's. A request without a key is not a wrong one: do not ask.
  Answer Check(std::string_view key, const std::string& limit_key);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Known {
    Digest digest;
    KeyScope scope;
  };
  static bool Hash(std::string_view key, Digest& digest);

  const std::function<MonoTime()> now_;
  std::mutex mutex_;
  std::vector<Known> keys_;
  KeysAre keys_are_ = KeysAre::kSome;
  WrongKeys wrong_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_API_ACCESS_H_
