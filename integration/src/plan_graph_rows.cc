#include "plan_graph_rows.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace lockstep {
namespace {

using Indices = std::vector<std::uint32_t>;

// The part of a step in its group's time: rows of one part are all above those of the next.
enum class Part { kBeforeSpan, kInSpan, kAfterSpan };

class PartFinder {
 public:
  PartFinder(const Plan& plan, const Indices& steps, const std::vector<Indices>& before)
      : plan_(plan), steps_(steps), before_(before), facts_(steps.size()) {
    for (std::size_t i = 0; i < steps.size(); ++i) place_.emplace(steps[i], i);
  }

  std::vector<Part> Find() {
    std::vector<Part> parts(steps_.size(), Part::kBeforeSpan);
    if (!MarkWhatLeadsToTheEnd()) return parts;
    MarkWhatFollows();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!facts_[i].follows) continue;
      parts[i] = facts_[i].leads ? Part::kInSpan : Part::kAfterSpan;
    }
    return parts;
  }

 private:
  struct Facts {
    bool leads = false;    // It is the end of the span, or that comes after it.
    bool follows = false;  // It is the beginning of the span, or comes after that.
  };

  // False where there is no span.
  bool MarkWhatLeadsToTheEnd() {
    bool found = false;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const bool end = plan_.steps[steps_[i]].kind == StepKind::kReleaseLocks;
      found = found || end;
      facts_[i].leads = facts_[i].leads || end;
      if (!facts_[i].leads) continue;
      for (const std::uint32_t each : before_[steps_[i]]) {
        if (const auto at = place_.find(each); at != place_.end()) facts_[at->second].leads = true;
      }
    }
    return found;
  }

  // Where the locks are held already the span begins with what interrupts or starts something.
  void MarkWhatFollows() {
    const bool taken = std::any_of(steps_.begin(), steps_.end(), [&](std::uint32_t each) {
      return plan_.steps[each].kind == StepKind::kTakeLocks;
    });
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const Step& step = plan_.steps[steps_[i]];
      bool follows = taken ? step.kind == StepKind::kTakeLocks
                           : facts_[i].leads && step.phase == Phase::kCutover;
      for (const std::uint32_t each : before_[steps_[i]]) {
        const auto at = place_.find(each);
        follows = follows || (at != place_.end() && facts_[at->second].follows);
      }
      facts_[i].follows = follows;
    }
  }

  const Plan& plan_;
  const Indices& steps_;
  const std::vector<Indices>& before_;
  std::unordered_map<std::uint32_t, std::size_t> place_;
  std::vector<Facts> facts_;
};

// Steps of one row below each other: bars first, since nothing is beside one, then the others.
class Spreader {
 public:
  Spreader(const Indices& steps, const std::vector<Indices>& before, std::vector<GraphNode>& nodes)
      : before_(before), nodes_(nodes) {
    std::uint32_t rows = 0;
    for (const std::uint32_t i : steps) {
      const GraphNode& node = nodes[i];
      rows = std::max(rows, node.row + 1);
      if (node.bar) {
        bars_[node.row].push_back(i);
      } else {
        places_[{node.row, node.column}].push_back(i);
      }
      for (const std::uint32_t each : before[i]) ++followers_[each];
    }
    PlaceRows(rows);
  }

  // Where what was in a row begins.
  std::uint32_t First(std::uint32_t row) const { return first_[row]; }
  std::uint32_t rows() const { return first_.back(); }

  void Spread() {
    for (const auto& [row, bars] : bars_) Stack(bars, first_[row]);
    for (auto& [place, steps] : places_) {
      std::stable_sort(steps.begin(), steps.end(), [&](std::uint32_t a, std::uint32_t b) {
        return followers_[a] < followers_[b];
      });
      const bool begin = std::all_of(steps.begin(), steps.end(),
                                     [&](std::uint32_t i) { return before_[i].empty(); });
      const auto height = static_cast<std::uint32_t>(steps.size());
      Stack(steps,
            begin ? first_[place.first + 1] - height : first_[place.first] + BarsIn(place.first));
    }
  }

 private:
  void PlaceRows(std::uint32_t rows) {
    std::vector<std::uint32_t> heights(rows, 0);
    for (const auto& [place, steps] : places_) {
      heights[place.first] =
          std::max(heights[place.first], static_cast<std::uint32_t>(steps.size()));
    }
    first_.push_back(0);
    // Above what comes after another group's steps there may be rows without any.
    for (std::uint32_t row = 0; row < rows; ++row) {
      first_.push_back(first_.back() + std::max(heights[row] + BarsIn(row), 1U));
    }
  }

  std::uint32_t BarsIn(std::uint32_t row) const {
    const auto bars = bars_.find(row);
    return bars == bars_.end() ? 0 : static_cast<std::uint32_t>(bars->second.size());
  }

  void Stack(const Indices& steps, std::uint32_t row) {
    for (const std::uint32_t i : steps) nodes_[i].row = row++;
  }

  const std::vector<Indices>& before_;
  std::vector<GraphNode>& nodes_;
  std::unordered_map<std::uint32_t, std::uint32_t> followers_;
  std::map<std::uint32_t, Indices> bars_;                              // By row.
  std::map<std::pair<std::uint32_t, std::uint32_t>, Indices> places_;  // By row and column.
  std::vector<std::uint32_t> first_;
};

}  // namespace

std::optional<GraphSpan> AssignRows(const Plan& plan, const Indices& steps,
                                    const std::vector<Indices>& before,
                                    std::vector<GraphNode>& nodes) {
  const std::vector<Part> parts = PartFinder(plan, steps, before).Find();
  std::optional<GraphSpan> span;
  std::uint32_t next = 0;  // Below all that has a row.
  for (const Part part : {Part::kBeforeSpan, Part::kInSpan, Part::kAfterSpan}) {
    const std::uint32_t first = next;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (parts[i] != part) continue;
      GraphNode& node = nodes[steps[i]];
      node.row = first;
      for (const std::uint32_t each : before[steps[i]]) {
        node.row = std::max(node.row, nodes[each].row + 1);
      }
      node.in_span = part == Part::kInSpan;
      next = std::max(next, node.row + 1);
    }
    if (part == Part::kInSpan && next > first) span = GraphSpan{first, next - 1};
  }
  return span;
}

std::uint32_t SpreadRows(const Indices& steps, const std::vector<Indices>& before,
                         std::vector<GraphNode>& nodes, std::optional<GraphSpan>& span) {
  Spreader spreader(steps, before, nodes);
  if (span)
    span = GraphSpan{spreader.First(span->first_row), spreader.First(span->last_row + 1) - 1};
  spreader.Spread();
  return spreader.rows();
}

}  // namespace lockstep
