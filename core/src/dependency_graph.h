// Who depends on whom among the services of one app, and the orders that follow from it.
#ifndef LOCKSTEP_DEPENDENCY_GRAPH_H_
#define LOCKSTEP_DEPENDENCY_GRAPH_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "service_view.h"

namespace lockstep {

struct DependencyEdge {
  std::size_t on;  // Index of the view that is depended on.
  DependencyCondition condition = DependencyCondition::kStarted;
  bool restart = false;  // The depending one restarts when the other is made anew.
  bool shared = false;   // It has joined a namespace of the other.
};

struct DependencyGraph {
  std::vector<std::vector<DependencyEdge>> edges;  // By index of the depending view.
  // Every view after all it depends on; with a cycle: as far as that goes.
  std::vector<std::size_t> order;
  std::vector<std::size_t> cycle;    // One cycle, first service repeated at the end; empty: none.
  std::vector<std::string> unknown;  // "web -> db": required, and in the target there is no db.
};

// Index of the view of this service.
std::optional<std::size_t> FindView(const std::vector<ServiceView>& views, const std::string& name);

// Of the target: what must start before what.
DependencyGraph StartGraph(const std::vector<ServiceView>& views);

// Of what runs, by the specification of the container that `speaker` names for each service, where
// it is known, else by the target's. A cycle in it is cut, not reported: what runs must be possible
// to stop.
using Speaker = const ObservedContainer* (*)(const ServiceView& view);
DependencyGraph StopGraph(const AppFacts& facts, const std::vector<ServiceView>& views,
                          Speaker speaker);

}  // namespace lockstep

#endif  // LOCKSTEP_DEPENDENCY_GRAPH_H_
