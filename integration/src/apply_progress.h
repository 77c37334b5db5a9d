// What an update is doing, told to people: lines that stay, and lines that are live. Pure: events
// and times in, text out.
#ifndef LOCKSTEP_INTEGRATION_APPLY_PROGRESS_H_
#define LOCKSTEP_INTEGRATION_APPLY_PROGRESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/clock.h"
#include "lockstep/event.h"
#include "text.h"

namespace lockstep {

struct PullView {
  std::string label;
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;  // 0: not known.
  double bytes_per_second = 0;   // 0: not known.
};
// "web  [=======>       ]  45%  12.3 MB / 40.0 MB  3.1 MB/s  9 s left" in at most `width` columns:
// what there is no room for is left out, the least important first.
std::string RenderPull(const PullView& pull, int width);
// The same in words, for where nothing is live.
std::string DescribePull(const PullView& pull);

class ApplyProgress {
 public:
  explicit ApplyProgress(Style style) : style_(style) {}

  // Lines to be printed once. Those about a running pull come at most every `kPullEvery`, and none
  // where `live` lines are shown.
  std::vector<std::string> OnEvent(const Event& event, MonoTime now, bool live);
  // Lines to be shown now, each at most `width` columns, and no more than a few.
  std::vector<std::string> Live(MonoTime now, int width) const;
  // A cutover is under way: it will be finished before an interrupted update ends.
  bool CuttingOver() const { return !spans_.empty(); }

  static constexpr std::chrono::seconds kPullEvery{5};

 private:
  struct Running {
    std::string app;
    std::string verb;
    std::string text;  // The verb and what it is about.
    MonoTime since;
    bool pull = false;
    PullView view;
    MonoTime told;
  };
  struct Held {
    MonoTime since;
    std::string services;
  };

  std::string Prefix(const std::string& app) const;
  std::string NameOf(const std::string& app) const;
  void OnPlan(const Plan& plan, std::vector<std::string>& lines);
  void OnStarted(const Event& event, MonoTime now, bool live, std::vector<std::string>& lines);
  void OnPull(const Event& event, MonoTime now, bool live, std::vector<std::string>& lines);
  void OnEnded(const Event& event, MonoTime now, std::vector<std::string>& lines);
  // What a container printed, below what it did wrong.
  void AddOutput(const Findings& findings, std::vector<std::string>& lines) const;
  void OnReleased(const std::string& app, MonoTime now, std::vector<std::string>& lines);
  std::vector<std::string> LiveSteps(MonoTime now) const;
  void OnHeld(const Event& event, MonoTime now, std::vector<std::string>& lines);

  Style style_;
  std::map<std::string, std::string> names_;  // App -> name.
  std::map<StepId, Running> running_;
  std::map<std::string, Held> held_;  // By app.
  std::set<std::string> spans_;       // Apps whose locks are taken.
  std::set<std::string> refused_;     // Keys of the configuration that were said to be.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_APPLY_PROGRESS_H_
