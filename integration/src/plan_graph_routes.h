// Where everything of a plan's graph is in a picture: columns and rows in pixels, and edges as
// lines of right angles that keep clear of the steps between their ends.
#ifndef LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROUTES_H_
#define LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROUTES_H_

#include <cstdint>
#include <vector>

#include "plan_graph.h"

namespace lockstep {

inline constexpr int kColumnPitch = 126;  // From the middle of a column to that of the next.
inline constexpr int kNodeWidth = 106;
inline constexpr int kNodeHeight = 34;
inline constexpr int kBarHeight = 24;
inline constexpr int kGroupPadding = 12;

struct Point {
  int x = 0;
  int y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

struct GraphGeometry {
  std::vector<int> group_x;  // Left edge.
  std::vector<int> group_width;
  std::vector<int> column_x;  // Middle.
  std::vector<int> row_y;     // Top of a step; one more than there are rows, for the end.
  std::vector<std::vector<Point>>
      routes;  // By edge; from the lower edge of a step to an upper one.
  int width = 0;
};

// `left` and `top`: where the first group and the first row begin. `least_group`: how wide a group
// is at least. Lines that end, or begin, at one step share their way; others do not cover each
// other. Time: n log n, and for each edge the rows that it passes by.
GraphGeometry MeasureGraph(const PlanGraph& graph, int left, int top, int least_group);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROUTES_H_
