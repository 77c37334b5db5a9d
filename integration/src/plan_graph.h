// A plan as a graph that is ready to be drawn: a column for each service, time going down.
//
// Each app has its columns side by side, the first one for what is of no single service; then comes
// the device, and last what is blocked. A step's row is below those of all steps that it comes
// after, and no two steps are in one place. Those between take-locks and release-locks, and no
// others, are in the rows of the span.
#ifndef LOCKSTEP_INTEGRATION_PLAN_GRAPH_H_
#define LOCKSTEP_INTEGRATION_PLAN_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/explain.h"
#include "lockstep/plan.h"
#include "plan_names.h"

namespace lockstep {

// All text is harmless to a terminal, and escaped for no format yet.
struct GraphNode {  // One for each step, by its index.
  std::uint32_t group = 0;
  std::uint32_t column = 0;
  std::uint32_t row = 0;
  bool bar = false;  // As wide as its app: it is of all services.
  bool in_span = false;
  std::string label;  // "download", "stop"
  std::string note;   // "web:2"; may be empty.
  std::string about;  // All that is known of it, in lines.
};

struct GraphColumn {
  std::string title;  // The service; empty for what is of the whole app.
  std::string note;   // "recreate"
};

struct GraphSpan {
  std::uint32_t first_row = 0;
  std::uint32_t last_row = 0;
};

struct GraphGroup {  // An app, or the device.
  std::string title;
  std::string note;  // "held by db, for 3 min"; may be empty.
  PlanStatus status = PlanStatus::kReady;
  std::uint32_t first_column = 0;
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  std::optional<GraphSpan> span;  // While Lockstep holds the locks of all its services.
};

struct GraphEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

struct PlanGraph {
  std::string title;  // "held: 17 steps"
  std::string fingerprint;
  std::vector<GraphGroup> groups;  // Those with steps; then blocked apps, without any.
  std::vector<GraphColumn> columns;
  std::vector<GraphNode> nodes;
  std::vector<GraphEdge> edges;  // Without those that others imply. By `to`, then `from`.
  std::uint32_t rows = 0;
};

// Time: as DirectPredecessors(), and n log n.
PlanGraph LayOut(const Plan& plan, ShowValues values = ShowValues::kNo);

// The graph in Graphviz' language, for `dot`.
std::string RenderDot(const Plan& plan, const PlanGraph& graph);

// The graph as a picture of its own: no scripts, nothing from elsewhere, light and dark.
std::string RenderSvg(const Plan& plan, const PlanGraph& graph);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_GRAPH_H_
