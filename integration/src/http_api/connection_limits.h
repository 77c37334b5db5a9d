// How many connections there may be, and from where.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_CONNECTION_LIMITS_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_CONNECTION_LIMITS_H_

#include <cstddef>
#include <map>
#include <string>

#include "http_api/api_message.h"

namespace lockstep {

// Not thread-safe. What clients over TCP do leaves an eighth of all for the unix socket.
class ConnectionLimits {
 public:
  ConnectionLimits(std::size_t most, std::size_t most_per_address)
      : most_(most), most_per_address_(most_per_address) {}

  // Counts one more; false where there is no room for it, and then it does not count.
  bool Enter(const ApiPeer& peer) {
    if (all_ >= most_) return false;
    if (peer.kind == ApiPeer::Kind::kTcp) {
      if (over_tcp_ >= most_ - most_ / 8) return false;
      std::size_t& here = addresses_[peer.limit_key];
      if (here >= most_per_address_) return false;
      ++here;
      ++over_tcp_;
    }
    ++all_;
    return true;
  }

  void Leave(const ApiPeer& peer) {
    --all_;
    if (peer.kind != ApiPeer::Kind::kTcp) return;
    --over_tcp_;
    const auto here = addresses_.find(peer.limit_key);
    if (--here->second == 0) addresses_.erase(here);
  }

 private:
  const std::size_t most_;
  const std::size_t most_per_address_;
  std::size_t all_ = 0;
  std::size_t over_tcp_ = 0;
  std::map<std::string, std::size_t> addresses_;  // Of those that have any.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_CONNECTION_LIMITS_H_
