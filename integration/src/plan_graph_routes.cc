#include "plan_graph_routes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <utility>

namespace lockstep {
namespace {

constexpr int kGroupGap = 24;
constexpr int kLeastGap = 18;   // Between rows.
constexpr int kTrack = 6;       // Between lines that run beside each other.
constexpr int kLeaves = 12;     // How far from its middle a line that turns leaves a step,
constexpr int kArrives = 26;    // and arrives at one: so that no line covers another.
constexpr int kBesideNode = 8;  // How far from a step a line passes it by.

// How an edge goes: down, then along the gap below `turn`, then down. Where `detour` is set it goes
// along the gap below its source, down beside the target's column, and along the gap above it.
struct Way {
  bool straight = false;
  bool detour = false;
  std::uint32_t turn = 0;  // The row above the gap.
};

// Lines in one gap that are drawn as one: from one step, or to one.
struct Net {
  int from = 0;
  int to = 0;
  int track = 0;
};

class Router {
 public:
  Router(const PlanGraph& graph, int left, int top, int least_group)
      : graph_(graph), top_(top), taken_(graph.columns.size()), bars_(graph.groups.size()) {
    PlaceColumns(left, least_group);
    for (const GraphNode& node : graph.nodes) {
      if (node.bar) {
        bars_[node.group].insert(node.row);
      } else {
        taken_[node.column].insert(node.row);
      }
    }
  }

  GraphGeometry Make() {
    for (const GraphEdge& edge : graph_.edges) ways_.push_back(WayOf(edge));
    gaps_.resize(graph_.rows + 1);
    CountDegrees();
    for (std::size_t i = 0; i < ways_.size(); ++i) AddToNets(i);
    PlaceRows();
    for (std::size_t i = 0; i < ways_.size(); ++i) geometry_.routes.push_back(RouteOf(i));
    return std::move(geometry_);
  }

 private:
  using Ends = std::pair<int, int>;  // The x where an edge leaves and where it arrives.
  struct Gap {
    std::map<std::uint32_t, int> leaving;  // How many lines of a step turn here.
    std::map<std::uint32_t, int> arriving;
    std::map<std::pair<bool, std::uint32_t>, Net>
        nets;  // By whether it is the source's, and whose.
  };

  void PlaceColumns(int left, int least_group) {
    int x = left;
    for (const GraphGroup& group : graph_.groups) {
      const int width =
          std::max(static_cast<int>(group.columns) * kColumnPitch + 2 * kGroupPadding, least_group);
      geometry_.group_x.push_back(x);
      geometry_.group_width.push_back(width);
      for (std::uint32_t c = 0; c < group.columns; ++c) {
        geometry_.column_x.push_back(x + kGroupPadding + static_cast<int>(c) * kColumnPitch +
                                     kColumnPitch / 2);
      }
      x += width + kGroupGap;
    }
    geometry_.width = x - (graph_.groups.empty() ? 0 : kGroupGap);
  }

  // The column in which an edge meets `node`: a bar has a place in each of its group's.
  std::uint32_t ColumnOf(const GraphNode& node, const GraphNode& other) const {
    if (!node.bar) return node.column;
    if (!other.bar && other.group == node.group) return other.column;
    return node.column + graph_.groups[node.group].columns / 2;
  }

  // Whether nothing is in a column between two rows.
  bool IsFree(std::uint32_t group, std::uint32_t column, std::uint32_t above,
              std::uint32_t below) const {
    const auto none = [&](const std::set<std::uint32_t>& rows) {
      const auto next = rows.upper_bound(above);
      return next == rows.end() || *next >= below;
    };
    return none(taken_[column]) && none(bars_[group]);
  }

  Way WayOf(const GraphEdge& edge) const {
    const GraphNode& from = graph_.nodes[edge.from];
    const GraphNode& to = graph_.nodes[edge.to];
    const std::uint32_t a = ColumnOf(from, to);
    const std::uint32_t b = ColumnOf(to, from);
    Way way;
    way.turn = from.row;
    if (to.row <= from.row) {  // No plan's: steps come after each other.
      way.straight = true;
    } else if (IsFree(to.group, b, from.row, to.row)) {
      way.straight = a == b;
    } else if (a != b && IsFree(from.group, a, from.row, to.row)) {
      way.turn = to.row - 1;
    } else {
      way.detour = true;
    }
    return way;
  }

  // The gaps in which an edge turns.
  std::vector<std::uint32_t> TurnsOf(std::size_t i) const {
    if (ways_[i].straight) return {};
    if (!ways_[i].detour) return {ways_[i].turn};
    return {ways_[i].turn, graph_.nodes[graph_.edges[i].to].row - 1};
  }

  void CountDegrees() {
    for (std::size_t i = 0; i < ways_.size(); ++i) {
      for (const std::uint32_t gap : TurnsOf(i)) {
        ++gaps_[gap].leaving[graph_.edges[i].from];
        ++gaps_[gap].arriving[graph_.edges[i].to];
      }
    }
  }

  // Where an edge leaves and arrives. One that goes to the right leaves on the right.
  Ends EndsOf(std::size_t i) const {
    const GraphEdge& edge = graph_.edges[i];
    const GraphNode& from = graph_.nodes[edge.from];
    const GraphNode& to = graph_.nodes[edge.to];
    const int a = geometry_.column_x[ColumnOf(from, to)];
    const int b = geometry_.column_x[ColumnOf(to, from)];
    if (ways_[i].straight) return {a, b};
    const int side = a < b ? 1 : -1;
    return {a + side * kLeaves, b - side * kArrives};
  }

  // Beside the target's column, where it passes others by.
  int DetourX(std::size_t i) const {
    const int side = EndsOf(i).first < EndsOf(i).second ? -1 : 1;
    const GraphEdge& edge = graph_.edges[i];
    const int b = geometry_.column_x[ColumnOf(graph_.nodes[edge.to], graph_.nodes[edge.from])];
    return b + side * (kNodeWidth / 2 + kBesideNode + static_cast<int>(edge.from % 3) * 3);
  }

  Net& NetOf(std::size_t i, std::uint32_t gap) {
    const GraphEdge& edge = graph_.edges[i];
    Gap& there = gaps_[gap];
    const bool by_source = there.leaving[edge.from] >= there.arriving[edge.to];
    return there.nets.try_emplace({by_source, by_source ? edge.from : edge.to}, Net{1, 0, 0})
        .first->second;
  }

  void AddToNets(std::size_t i) {
    const auto [leaves, arrives] = EndsOf(i);
    const auto turns = TurnsOf(i);
    for (std::size_t turn = 0; turn < turns.size(); ++turn) {
      int from = leaves;
      int to = arrives;
      if (turns.size() == 2) (turn == 0 ? to : from) = DetourX(i);
      if (from > to) std::swap(from, to);
      Net& net = NetOf(i, turns[turn]);
      const bool is_new = net.from > net.to;
      net.from = is_new ? from : std::min(net.from, from);
      net.to = is_new ? to : std::max(net.to, to);
    }
  }

  // Lines of one gap that would touch go on tracks of their own.
  static int AssignTracks(Gap& gap) {
    std::vector<Net*> nets;
    for (auto& [key, net] : gap.nets) nets.push_back(&net);
    std::stable_sort(nets.begin(), nets.end(),
                     [](const Net* a, const Net* b) { return a->from < b->from; });
    using End = std::pair<int, int>;  // Where the last line of a track ends, and the track.
    std::priority_queue<End, std::vector<End>, std::greater<>> ends;
    int tracks = 0;
    for (Net* net : nets) {
      net->track = tracks;
      if (!ends.empty() && ends.top().first + kTrack < net->from) {
        net->track = ends.top().second;
        ends.pop();
      } else {
        ++tracks;
      }
      ends.emplace(net->to, net->track);
    }
    return tracks;
  }

  void PlaceRows() {
    int y = top_;
    for (std::uint32_t row = 0; row <= graph_.rows; ++row) {
      geometry_.row_y.push_back(y);
      y += kNodeHeight + kLeastGap + std::max(AssignTracks(gaps_[row]) - 1, 0) * kTrack;
    }
  }

  int LowerEdge(const GraphNode& node) const {
    const int height = node.bar ? (kNodeHeight + kBarHeight) / 2 : kNodeHeight;
    return geometry_.row_y[node.row] + height;
  }
  int UpperEdge(const GraphNode& node) const {
    return geometry_.row_y[node.row] + (node.bar ? (kNodeHeight - kBarHeight) / 2 : 0);
  }

  int TrackY(std::size_t i, std::uint32_t gap) {
    return geometry_.row_y[gap] + kNodeHeight + kLeastGap / 2 - 2 + NetOf(i, gap).track * kTrack;
  }

  std::vector<Point> RouteOf(std::size_t i) {
    const GraphNode& from = graph_.nodes[graph_.edges[i].from];
    const GraphNode& to = graph_.nodes[graph_.edges[i].to];
    const auto [leaves, arrives] = EndsOf(i);
    std::vector<Point> route = {{leaves, LowerEdge(from)}};
    const auto turns = TurnsOf(i);
    for (std::size_t turn = 0; turn < turns.size(); ++turn) {
      const int y = TrackY(i, turns[turn]);
      route.push_back({route.back().x, y});
      route.push_back({turn + 1 < turns.size() ? DetourX(i) : arrives, y});
    }
    route.push_back({arrives, UpperEdge(to)});
    return route;
  }

  const PlanGraph& graph_;
  const int top_;
  std::vector<std::set<std::uint32_t>> taken_;  // Rows of a column with a step, and
  std::vector<std::set<std::uint32_t>> bars_;   // of a group with a bar.
  std::vector<Way> ways_;                       // By edge.
  std::vector<Gap> gaps_;                       // Below each row.
  GraphGeometry geometry_;
};

}  // namespace

GraphGeometry MeasureGraph(const PlanGraph& graph, int left, int top, int least_group) {
  return Router(graph, left, top, least_group).Make();
}

}  // namespace lockstep
