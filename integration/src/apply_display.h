// Shows an update while it goes on: live on a terminal, plain lines elsewhere, or JSON.
#ifndef LOCKSTEP_INTEGRATION_APPLY_DISPLAY_H_
#define LOCKSTEP_INTEGRATION_APPLY_DISPLAY_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "apply_progress.h"
#include "live_painter.h"
#include "lockstep/event.h"
#include "streams.h"

namespace lockstep {

enum class DisplayForm { kPeople, kJson };

// Events are put into a queue and written by a thread of its own, so that a slow terminal or pipe
// does not stand in the way of the update. Writes to the streams until Finish() returns.
class ApplyDisplay final : public EventObserver {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // When the unlock of an app was seen; none: not known.
  using UnlockSeen = std::function<std::optional<Instant>(std::string_view app)>;

  ApplyDisplay(Streams& streams, DisplayForm form, UnlockSeen unlock_seen);
  ~ApplyDisplay() override { Finish(); }

  void OnEvent(const Event& event) override;
  // Says what an interrupt will do; returns at once.
  void OnInterrupt();
  // An app waits for a lock, or did when the update ended. To be asked after it ended.
  bool held() const { return !held_.empty(); }
  // Writes what is queued and removes the live lines.
  void Finish();

 private:
  struct Item {
    std::optional<Event> event;
    std::shared_ptr<const Plan> plan;  // The event's own.
    std::string line;                  // Without event: to be printed. Empty: an interrupt.
    MonoTime at;
  };

  void Push(Item item);
  std::optional<std::string> UnlockLine(const Event& event);
  void Write();
  std::vector<std::string> Lines(const Item& item);
  void Paint(const std::vector<std::string>& kept, bool last);
  bool live() const { return form_ == DisplayForm::kPeople && static_cast<bool>(streams_.columns); }

  Streams& streams_;
  const DisplayForm form_;
  const UnlockSeen unlock_seen_;
  std::set<std::string> held_;      // Apps.
  std::set<std::string> released_;  // Held apps that are free and have not stopped anything yet.
  SystemClock clock_;

  ApplyProgress progress_;  // Of the writing thread, as the painter is.
  LivePainter painter_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  bool finished_ = false;
  std::thread writer_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_APPLY_DISPLAY_H_
