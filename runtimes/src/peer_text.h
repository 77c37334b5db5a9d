// Text of a peer, fit for a message.
#ifndef LOCKSTEP_RUNTIMES_PEER_TEXT_H_
#define LOCKSTEP_RUNTIMES_PEER_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace lockstep::docker {

inline constexpr std::size_t kMaxPeerText = 500;

// One line of valid UTF-8 of at most kMaxPeerText bytes, without space at its ends. What is no
// UTF-8, and every character that steers a terminal or turns the direction of text, is replaced by
// U+FFFD; what is cut ends with "...".
std::string PeerText(std::string_view text);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PEER_TEXT_H_
