// What a command writes to and how it learns that it should end: the process's own in main(), a
// test's string streams in a test.
#ifndef LOCKSTEP_INTEGRATION_STREAMS_H_
#define LOCKSTEP_INTEGRATION_STREAMS_H_

#include <functional>
#include <ostream>
#include <stop_token>

namespace lockstep {

struct Streams {
  std::ostream& out;
  std::ostream& err;
  std::stop_token interrupt;  // Requested by the first SIGINT, SIGTERM or SIGHUP.
  // Columns of the terminal behind `out`, asked for again before each frame; empty where there is
  // no terminal, and then nothing but plain lines is written.
  std::function<int()> columns;
  bool colour = false;
  // From now on SIGHUP calls this, from a thread of its own, and requests no stop; null: as before.
  // Empty where there are no signals.
  std::function<void(std::function<void()>)> on_hangup = {};
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_STREAMS_H_
