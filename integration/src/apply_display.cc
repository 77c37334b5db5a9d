#include "apply_display.h"

#include <utility>

#include "event_json.h"

namespace lockstep {
namespace {

constexpr std::chrono::milliseconds kFrame{80};
constexpr std::chrono::milliseconds kTick{500};  // Ages and rates move without an event.

}  // namespace

ApplyDisplay::ApplyDisplay(Streams& streams, DisplayForm form, UnlockSeen unlock_seen)
    : streams_(streams),
      form_(form),
      unlock_seen_(std::move(unlock_seen)),
      progress_(Style(streams.colour)) {
  writer_ = std::thread([this] { Write(); });
}

void ApplyDisplay::OnEvent(const Event& event) {
  if (event.kind == EventKind::kHeld) held_.insert(event.app);
  if (event.kind == EventKind::kReleased) held_.erase(event.app);
  Item item;
  item.event = event;
  if (event.plan != nullptr) {
    item.plan = std::make_shared<const Plan>(*event.plan);
    item.event->plan = item.plan.get();
  }
  item.at = clock_.Monotonic();
  auto unlocked = UnlockLine(event);
  Push(std::move(item));
  if (unlocked) Push({std::nullopt, nullptr, std::move(*unlocked), clock_.Monotonic()});
}

std::optional<std::string> ApplyDisplay::UnlockLine(const Event& event) {
  if (form_ == DisplayForm::kJson) return std::nullopt;
  if (event.kind == EventKind::kReleased) released_.insert(event.app);
  if (event.kind != EventKind::kStepStarted || event.step_kind != StepKind::kStopContainer ||
      released_.erase(event.app) == 0) {
    return std::nullopt;
  }
  const auto seen = unlock_seen_(event.app);
  if (!seen) return std::nullopt;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - *seen);
  return "unlock to first stop: " + std::to_string(took.count()) + " ms";
}

void ApplyDisplay::OnInterrupt() { Push({std::nullopt, nullptr, {}, clock_.Monotonic()}); }

void ApplyDisplay::Push(Item item) {
  const std::lock_guard guard(mutex_);
  queue_.push_back(std::move(item));
  changed_.notify_one();
}

void ApplyDisplay::Finish() {
  {
    const std::lock_guard guard(mutex_);
    finished_ = true;
    changed_.notify_one();
  }
  if (writer_.joinable()) writer_.join();
}

std::vector<std::string> ApplyDisplay::Lines(const Item& item) {
  if (item.event) {
    if (form_ == DisplayForm::kJson) return {WriteEvent(*item.event)};
    return progress_.OnEvent(*item.event, item.at, live());
  }
  if (!item.line.empty()) return {item.line};
  if (form_ == DisplayForm::kJson) return {};
  return {progress_.CuttingOver() ? "finishing the cutover, press again to stop now"
                                  : "stopping, press again to stop now"};
}

void ApplyDisplay::Paint(const std::vector<std::string>& kept, bool last) {
  if (!live()) {
    for (const std::string& line : kept) streams_.out << line << '\n';
    if (!kept.empty()) streams_.out.flush();
    return;
  }
  const int width = streams_.columns();
  const auto shown =
      last ? std::vector<std::string>() : progress_.Live(clock_.Monotonic(), width - 1);
  streams_.out << painter_.Frame(kept, shown, width) << std::flush;
}

void ApplyDisplay::Write() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto due = [this] { return !queue_.empty() || finished_; };
    if (live()) {
      changed_.wait_for(lock, kTick, due);
    } else {
      changed_.wait(lock, due);
    }
    const auto items = std::exchange(queue_, {});
    const bool last = finished_;
    lock.unlock();
    std::vector<std::string> kept;
    for (const Item& item : items) {
      for (std::string& line : Lines(item)) kept.push_back(std::move(line));
    }
    Paint(kept, last);
    if (last) return;
    lock.lock();
    if (live()) changed_.wait_for(lock, kFrame, [this] { return finished_; });
  }
}

}  // namespace lockstep
