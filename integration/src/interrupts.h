// Signals as a stop request.
#ifndef LOCKSTEP_INTEGRATION_INTERRUPTS_H_
#define LOCKSTEP_INTEGRATION_INTERRUPTS_H_

#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace lockstep {

// The first SIGINT, SIGTERM or SIGHUP requests a stop; the second ends the process at once with
// status 130. Signals that the parent had ignored stay ignored (nohup). Made in main(), before any
// other thread: it blocks these signals in the thread that makes it and those that come from it,
// and reads them from a descriptor, so that no code runs in a signal handler.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  // From now on SIGHUP calls this, from the thread that reads the signals, and requests no stop;
  // null: as before.
  void OnHangup(std::function<void()> call);

 private:
  void Watch();

  std::stop_source source_;
  std::mutex mutex_;  // Of `hangup_`: held while it is called.
  std::function<void()> hangup_;
  int signals_ = -1;
  int end_ = -1;
  std::thread thread_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_INTERRUPTS_H_
