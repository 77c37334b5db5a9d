// Which row each step of an app is drawn in, and where its span is.
//
// At first a row is as far down as the longest way to it; then those that are in one place are put
// below each other, and what is below them makes room.
#ifndef LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROWS_H_
#define LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROWS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "plan_graph.h"

namespace lockstep {

// Gives each of `steps`, which are one group's and rising, its row and whether it is in the span;
// answers the span. `before`: DirectPredecessors(). Groups that others come after go first.
std::optional<GraphSpan> AssignRows(const Plan& plan, const std::vector<std::uint32_t>& steps,
                                    const std::vector<std::vector<std::uint32_t>>& before,
                                    std::vector<GraphNode>& nodes);

// Makes room for steps that are in one place: `nodes` and `span` are what AssignRows() and the
// choice of columns gave. Those that begin something are put near to what comes after them, the one
// that most wait for last. Answers the number of rows.
std::uint32_t SpreadRows(const std::vector<std::uint32_t>& steps,
                         const std::vector<std::vector<std::uint32_t>>& before,
                         std::vector<GraphNode>& nodes, std::optional<GraphSpan>& span);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_GRAPH_ROWS_H_
