// What a container printed, as the engine sends it: in frames, each from one of its two streams.
#ifndef LOCKSTEP_RUNTIMES_LOG_FRAMES_H_
#define LOCKSTEP_RUNTIMES_LOG_FRAMES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "lockstep/output_tail.h"

namespace lockstep::docker {

enum class LogForm {
  kFrames,  // Eight bytes before each piece: stream, 0, 0, 0, and its size, the high byte first.
  kPlain,   // Of a container with a terminal: as it was printed.
};

// Adds the pieces, without their headers, to a tail as they come, in bounded memory. Where no
// header is but one must be, the rest is taken as plain: better to be read than lost.
class LogFrames {
 public:
  LogFrames(LogForm form, OutputTail& tail) : form_(form), tail_(tail) {}
  void Feed(std::string_view piece);

 private:
  LogForm form_;
  OutputTail& tail_;
  std::string header_;
  std::uint32_t left_ = 0;  // Of the frame.
};

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_LOG_FRAMES_H_
