// Which of the steps before a step matter: the transitive reduction of a plan's graph.
#include <algorithm>
#include <array>
#include <utility>

#include "lockstep/explain.h"

namespace lockstep {
namespace {

using Steps = std::vector<std::uint32_t>;

// An exact answer can cost as much as the square of the plan. Where a plan is that tangled, edges
// stay that could go; no plan that a release gives comes near.
constexpr std::int64_t kMostVisits = 50'000'000;
constexpr int kMostAhead = 64;     // Visits of the short search forward, which often settles it.
constexpr std::size_t kWide = 64;  // With more predecessors a step's ancestors are remembered.
constexpr std::size_t kRemembered = 8;

class Reducer {
 public:
  explicit Reducer(const Plan& plan)
      : before_(plan.steps.size()),
        behind_(plan.steps.size()),
        level_(plan.steps.size(), 0),
        before_for_(plan.steps.size(), kNone),
        open_for_(plan.steps.size(), kNone),
        implied_for_(plan.steps.size(), kNone),
        seen_(plan.steps.size(), 0) {
    for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
      for (const std::uint32_t step : plan.steps[i].after) {
        if (step < i) before_[i].push_back(step);
      }
      std::sort(before_[i].begin(), before_[i].end());
      before_[i].erase(std::unique(before_[i].begin(), before_[i].end()), before_[i].end());
      for (const std::uint32_t step : before_[i]) {
        behind_[step].push_back(i);
        level_[i] = std::max(level_[i], level_[step] + 1);
      }
    }
  }

  std::vector<Steps> Run() {
    std::vector<Steps> reduced(before_.size());
    for (std::uint32_t i = 0; i < before_.size(); ++i) reduced[i] = Reduced(i);
    return reduced;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  enum class Verdict { kNeeded, kImplied, kOpen };
  struct Ancestors {
    std::uint32_t of = kNone;
    std::vector<bool> set;
  };

  Steps Reduced(std::uint32_t step) {
    if (before_[step].size() < 2) return before_[step];
    for (const std::uint32_t each : before_[step]) before_for_[each] = step;
    Steps kept;
    Steps open;
    for (const std::uint32_t each : before_[step]) {
      const Verdict verdict = LookAhead(each, step);
      if (verdict == Verdict::kNeeded) kept.push_back(each);
      if (verdict == Verdict::kOpen) open.push_back(each);
    }
    if (!open.empty()) open = LookBack(step, std::move(open));
    kept.insert(kept.end(), open.begin(), open.end());
    std::sort(kept.begin(), kept.end());
    return kept;
  }

  // Does `from` come before another predecessor of `step`? A short search from `from` on.
  Verdict LookAhead(std::uint32_t from, std::uint32_t step) {
    if (level_[from] + 1 == level_[step]) return Verdict::kNeeded;
    int visits = 0;
    ++stamp_;
    stack_ = {from};
    while (!stack_.empty()) {
      const std::uint32_t at = stack_.back();
      stack_.pop_back();
      for (const std::uint32_t next : behind_[at]) {
        if (++visits > kMostAhead) return Verdict::kOpen;
        if (next != step && before_for_[next] == step) return Verdict::kImplied;
        if (level_[next] + 1 < level_[step] && std::exchange(seen_[next], stamp_) != stamp_) {
          stack_.push_back(next);
        }
      }
    }
    return Verdict::kNeeded;
  }

  // Those of `open` that come before no other predecessor of `step`. A search from these back.
  Steps LookBack(std::uint32_t step, Steps open) {
    std::uint32_t lowest = level_[step];
    for (const std::uint32_t each : open) lowest = std::min(lowest, level_[each]);
    ++stamp_;
    stack_.clear();
    std::size_t left = open.size();
    const auto imply = [&](std::uint32_t each) {
      if (std::exchange(implied_for_[each], step) != step) --left;
    };
    const auto reach = [&](std::uint32_t at) {
      if (level_[at] > lowest && std::exchange(seen_[at], stamp_) != stamp_) stack_.push_back(at);
    };
    for (const std::uint32_t each : open) open_for_[each] = step;
    for (const std::uint32_t each : before_[step]) reach(each);
    while (!stack_.empty() && left > 0 && visits_ < kMostVisits) {
      const std::uint32_t at = stack_.back();
      stack_.pop_back();
      if (before_[at].size() > kWide) {
        const std::vector<bool>& ancestors = AncestorsOf(at);
        for (const std::uint32_t each : open) {
          if (each < at && ancestors[each]) imply(each);
        }
        visits_ += static_cast<std::int64_t>(open.size());
        continue;
      }
      visits_ += static_cast<std::int64_t>(before_[at].size());
      for (const std::uint32_t next : before_[at]) {
        if (open_for_[next] == step) imply(next);
        reach(next);
      }
    }
    std::erase_if(open, [&](std::uint32_t each) { return implied_for_[each] == step; });
    return open;
  }

  const std::vector<bool>& AncestorsOf(std::uint32_t step) {
    for (const Ancestors& known : remembered_) {
      if (known.of == step) return known.set;
    }
    Ancestors& made = remembered_[oldest_++ % kRemembered];
    made.of = step;
    made.set.assign(step, false);  // Ancestors have smaller indices.
    Steps stack = {step};
    while (!stack.empty()) {
      const std::uint32_t at = stack.back();
      stack.pop_back();
      visits_ += static_cast<std::int64_t>(before_[at].size());
      for (const std::uint32_t next : before_[at]) {
        if (made.set[next]) continue;
        made.set[next] = true;
        stack.push_back(next);
      }
    }
    return made.set;
  }

  std::vector<Steps> before_;
  std::vector<Steps> behind_;
  std::vector<std::uint32_t> level_;  // Steps on the longest way here.
  // For which step, of those done so far, it was last found to be a predecessor, one that is not
  // decided yet, and one that can go.
  std::vector<std::uint32_t> before_for_;
  std::vector<std::uint32_t> open_for_;
  std::vector<std::uint32_t> implied_for_;
  std::vector<std::uint32_t> seen_;  // The last search that came by.
  std::uint32_t stamp_ = 0;
  Steps stack_;
  std::int64_t visits_ = 0;
  std::array<Ancestors, kRemembered> remembered_;
  std::size_t oldest_ = 0;
};

}  // namespace

std::vector<Steps> DirectPredecessors(const Plan& plan) { return Reducer(plan).Run(); }

}  // namespace lockstep
