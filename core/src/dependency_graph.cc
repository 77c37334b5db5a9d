#include "dependency_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lockstep {
namespace {

void AddShared(std::vector<DependencyEdge>& edges, std::size_t on) {
  const auto known = std::find_if(edges.begin(), edges.end(),
                                  [&](const DependencyEdge& edge) { return edge.on == on; });
  if (known != edges.end()) {
    known->shared = true;
  } else {
    edges.push_back({.on = on, .shared = true});
  }
}

// Depth first with a stack of its own: a target may chain thousands of services.
class Sorter {
 public:
  explicit Sorter(DependencyGraph& graph) : graph_(graph), mark_(graph.edges.size(), kNew) {}

  void Run() {
    for (std::size_t root = 0; root < mark_.size(); ++root) {
      if (mark_[root] == kNew) Visit(root);
    }
  }

 private:
  enum Mark : unsigned char { kNew, kOpen, kDone };

  void Visit(std::size_t root) {
    Open(root);
    while (!stack_.empty()) {
      auto& [node, next] = stack_.back();
      if (next == graph_.edges[node].size()) {
        mark_[node] = kDone;
        graph_.order.push_back(node);
        stack_.pop_back();
        continue;
      }
      const std::size_t on = graph_.edges[node][next++].on;
      if (mark_[on] == kNew) {
        Open(on);
      } else if (mark_[on] == kOpen && graph_.cycle.empty()) {
        RememberCycle(on);
      }
    }
  }

  void Open(std::size_t node) {
    mark_[node] = kOpen;
    stack_.emplace_back(node, 0);
  }

  void RememberCycle(std::size_t first) {
    auto it = std::find_if(stack_.begin(), stack_.end(),
                           [&](const auto& frame) { return frame.first == first; });
    for (; it != stack_.end(); ++it) graph_.cycle.push_back(it->first);
    graph_.cycle.push_back(first);
  }

  DependencyGraph& graph_;
  std::vector<Mark> mark_;
  std::vector<std::pair<std::size_t, std::size_t>> stack_;  // Node, next edge to follow.
};

}  // namespace

std::optional<std::size_t> FindView(const std::vector<ServiceView>& views,
                                    const std::string& name) {
  const auto it =
      std::lower_bound(views.begin(), views.end(), name,
                       [](const ServiceView& view, const std::string& n) { return view.name < n; });
  if (it == views.end() || it->name != name) return std::nullopt;
  return static_cast<std::size_t>(it - views.begin());
}

DependencyGraph StartGraph(const std::vector<ServiceView>& views) {
  DependencyGraph graph;
  graph.edges.resize(views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].target == nullptr) continue;
    for (const Dependency& dependency : views[i].target->spec.depends_on) {
      const auto on = FindView(views, dependency.service);
      if (on && views[*on].target != nullptr) {
        graph.edges[i].push_back({*on, dependency.condition, dependency.restart});
      } else if (dependency.required) {
        graph.unknown.push_back(views[i].name + " -> " + dependency.service);
      }
    }
    for (const std::string& service : SharedServicesOf(views[i].target->spec)) {
      const auto on = FindView(views, service);
      if (on && views[*on].target != nullptr) {
        AddShared(graph.edges[i], *on);
      } else {
        graph.unknown.push_back(views[i].name + " -> " + service);
      }
    }
  }
  Sorter(graph).Run();
  return graph;
}

DependencyGraph StopGraph(const AppFacts& facts, const std::vector<ServiceView>& views,
                          Speaker speaker) {
  DependencyGraph graph;
  graph.edges.resize(views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    const ServiceView& view = views[i];
    const ObservedContainer* speaks = speaker(view);
    const ServiceSpec* spec = speaks != nullptr && speaks->spec ? &*speaks->spec : nullptr;
    // An engine does not say what a container depends on: then the target's word is the best. What
    // its hash tells says nothing of it either.
    if ((spec == nullptr || spec->depends_on.empty()) && view.target != nullptr) {
      spec = &view.target->spec;
    }
    const auto depends_on = spec == nullptr ? std::vector<Dependency>{} : spec->depends_on;
    for (const Dependency& dependency : depends_on) {
      if (const auto on = FindView(views, dependency.service)) {
        graph.edges[i].push_back({*on, dependency.condition});
      }
    }
    const ServiceSpec* runs = speaks == nullptr ? nullptr : facts.SpecOf(*speaks);
    for (const ServiceSpec* known : {spec, runs}) {
      if (known == nullptr) continue;
      for (const std::string& service : SharedServicesOf(*known)) {
        if (const auto on = FindView(views, service)) AddShared(graph.edges[i], *on);
      }
    }
  }
  Sorter(graph).Run();
  return graph;
}

}  // namespace lockstep
