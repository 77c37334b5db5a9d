// A plan's graph in Graphviz' language.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "plan_graph.h"
#include "text.h"

namespace lockstep {
namespace {

// Text in quotes. Backslashes begin escapes of labels, and `&` a character by its HTML name.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
    if (c == '&') out += "amp;";
  }
  return out + '"';
}

std::string_view ColoursOf(Phase phase) {
  switch (phase) {
    case Phase::kPrepare:
      return R"(fillcolor="#dbeafe", color="#3b6fb6")";
    case Phase::kCutover:
      return R"(fillcolor="#ffe3c2", color="#b8651b")";
    case Phase::kSettle:
      return R"(fillcolor="#d8f0d8", color="#3f8447")";
    case Phase::kCleanup:
      return R"(fillcolor="#e9e9ec", color="#75757d")";
    case Phase::kConfig:
      return R"(fillcolor="#ecdff7", color="#7d52a8")";
  }
  return {};
}

// Text in an HTML label.
std::string Html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr int kNodeWidth = 104;  // Points, and what is between columns.
constexpr int kBetween = 12;
constexpr int kColumnWidth = kNodeWidth + kBetween;
constexpr int kLetters = 18;  // That fit into a node.
constexpr std::size_t kMostPlaces = 20'000;

// Where a step is, or where none is and the place is kept free.
struct Place {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::optional<std::uint32_t> step;
};

// Those of each group, from above and from the left. Free places keep columns upright, but in a
// large plan there can be far more of them than steps: then there are none.
std::vector<std::vector<Place>> PlacesOf(const PlanGraph& graph) {
  std::vector<std::vector<Place>> places(graph.groups.size());
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    places[node.group].push_back({node.row, node.column, i});
  }
  std::size_t all = 0;
  for (const GraphGroup& group : graph.groups) all += std::size_t{group.rows} * group.columns;
  const bool fills = all < kMostPlaces + 8 * graph.nodes.size();
  for (std::size_t g = 0; g < places.size(); ++g) {
    const GraphGroup& group = graph.groups[g];
    std::vector<bool> taken(fills ? std::size_t{group.rows} * group.columns : 0);
    for (const Place& place : places[g]) {
      if (!fills) break;
      const std::size_t row = std::size_t{place.row} * group.columns;
      const bool bar = graph.nodes[*place.step].bar;
      const std::size_t from = row + (bar ? 0 : place.column - group.first_column);
      for (std::size_t i = 0; i < (bar ? group.columns : 1); ++i) taken[from + i] = true;
    }
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) continue;
      places[g].push_back({static_cast<std::uint32_t>(i / group.columns),
                           group.first_column + static_cast<std::uint32_t>(i % group.columns),
                           std::nullopt});
    }
    std::sort(places[g].begin(), places[g].end(), [](const Place& x, const Place& y) {
      return std::tie(x.row, x.column) < std::tie(y.row, y.column);
    });
  }
  return places;
}

class DotWriter {
 public:
  DotWriter(const Plan& plan, const PlanGraph& graph)
      : plan_(plan), graph_(graph), places_(PlacesOf(graph)) {}

  std::string Write() {
    Line("digraph plan {");
    Line("  graph [label=" +
         Quoted("Plan " + graph_.fingerprint + ": " + graph_.title + "\n" + std::string(kLegend)) +
         R"(, labelloc=t, fontname="Helvetica", fontsize=12, newrank=true, )"
         // A second look for fewer crossings would put columns out of order.
         "remincross=false, ranksep=0.25, nodesep=" +
         std::to_string(kBetween / 72.0) + "];");
    Line(R"(  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, )"
         R"(height=0.45, fixedsize=true, width=)" +
         std::to_string(kNodeWidth / 72.0) + "];");
    Line(R"(  edge [color="#6b6b75", arrowsize=0.6];)");
    for (std::uint32_t i = 0; i < graph_.groups.size(); ++i) WriteGroup(i);
    WriteGrid();
    for (const GraphEdge& edge : graph_.edges) WriteEdge(edge);
    Line("}");
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kLegend =
      "blue: prepare, orange: cutover, green: settle, grey: clean up, violet: configuration\n"
      "thick border: can run now, dashed: waits for an update lock, red: interrupts the service";

  void Line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }
  static std::string Name(std::uint32_t step) { return "s" + std::to_string(step); }
  static std::string Head(std::uint32_t column) { return "c" + std::to_string(column); }
  static std::string Name(const Place& place) {
    return place.step ? Name(*place.step)
                      : "e" + std::to_string(place.column) + "_" + std::to_string(place.row);
  }

  // Leaves room for edges that pass by.
  static constexpr const char* kEmptyWidth = "0.7";

  static bool WaitsForLocks(const Step& step) {
    return step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
  }

  void WriteNode(std::uint32_t i, const GraphGroup& group) {
    const GraphNode& node = graph_.nodes[i];
    const Step& step = plan_.steps[i];
    std::string line = Name(i) + " [label=" + (node.bar ? BarLabel(node, group) : NodeLabel(node)) +
                       ", tooltip=" + Quoted(node.about) + ", " +
                       std::string(ColoursOf(step.phase));
    if (node.bar) line += ", fixedsize=false, margin=0, height=0.1";
    if (WaitsForLocks(step)) line += R"(, style="rounded,filled,dashed")";
    if (step.status == StepStatus::kReady) line += ", penwidth=2.5";
    if (step.disruptive) line += R"(, fontcolor="#b00020")";
    Line(line + "];");
  }

  static std::string NodeLabel(const GraphNode& node) {
    return Quoted(node.label + (node.note.empty() ? "" : "\n" + Fit(node.note, kLetters)));
  }

  // As wide as its app, with a place for edges to come in and to go out in each column.
  static std::string BarLabel(const GraphNode& node, const GraphGroup& group) {
    const auto ports = [&](char side) {
      std::string row = "<TR>";
      for (std::uint32_t c = 0; c < group.columns; ++c) {
        row += "<TD PORT=\"" + std::string(1, side) + std::to_string(c) + "\" WIDTH=\"" +
               std::to_string(kColumnWidth) + "\" HEIGHT=\"4\"></TD>";
      }
      return row + "</TR>";
    };
    const std::string note = node.note.empty() ? "" : ", " + node.note;
    return "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\">" +
           ports('t') + "<TR><TD COLSPAN=\"" + std::to_string(group.columns) + "\">" +
           Html(node.label + note) + "</TD></TR>" + ports('b') + "</TABLE>>";
  }

  void WriteGroup(std::uint32_t number) {
    const GraphGroup& group = graph_.groups[number];
    const std::string id = std::to_string(number);
    const std::string note = group.note.empty() ? "" : "\n" + WrapLines(group);
    Line("subgraph cluster_app" + id + " {");
    Line("label=" + Quoted(group.title + note) +
         R"(; fontname="Helvetica-Bold"; fontsize=12; style=rounded; color="#b0b0b8";)");
    for (std::uint32_t c = group.first_column; c < group.first_column + group.columns; ++c) {
      const GraphColumn& column = graph_.columns[c];
      Line(Head(c) + R"( [shape=plaintext, style="", fontname="Helvetica-Bold", label=)" +
           Quoted(Fit(column.title, kLetters) + (column.note.empty() ? "" : "\n" + column.note)) +
           "];");
    }
    bool in_span = false;
    for (const Place& place : places_[number]) {
      const bool inside =
          group.span && group.span->first_row <= place.row && place.row <= group.span->last_row;
      if (inside && !in_span) {
        Line("subgraph cluster_span" + id + " {");
        Line(R"(label="locks held"; labeljust=l; fontname="Helvetica"; fontsize=10;)"
             R"( style="rounded,filled"; fillcolor="#fff8ec"; color="#b8651b"; penwidth=2;)");
      }
      if (in_span && !inside) Line("}");
      in_span = inside;
      if (place.step) {
        WriteNode(*place.step, group);
      } else {
        Line(Name(place) + " [style=invis, label=\"\", width=" + kEmptyWidth + "];");
      }
    }
    Line(in_span ? "}}" : "}");
  }

  static std::string WrapLines(const GraphGroup& group) {
    return Wrap(group.note, 0, std::max(40, static_cast<int>(group.columns) * 16));
  }

  // Invisible edges that keep rows level, columns upright, and both in their order.
  void WriteGrid() {
    std::vector<std::vector<std::string>> rows(graph_.rows + 1);
    std::vector<std::string> above;  // By column.
    for (std::uint32_t c = 0; c < graph_.columns.size(); ++c) above.push_back(Head(c));
    rows[0] = above;
    const auto stack = [&](std::uint32_t column, const std::string& upper, std::string lower) {
      Line(above[column] + " -> " + upper + " [style=invis, weight=100];");
      above[column] = std::move(lower);
    };
    for (std::size_t g = 0; g < places_.size(); ++g) {
      const GraphGroup& group = graph_.groups[g];
      for (const Place& place : places_[g]) {
        const std::string name = Name(place);
        rows[place.row + 1].push_back(name);
        if (!place.step || !graph_.nodes[*place.step].bar) {
          stack(place.column, name, name);
          continue;
        }
        for (std::uint32_t c = 0; c < group.columns; ++c) {
          stack(group.first_column + c, Port(name, 't', c), Port(name, 'b', c));
        }
      }
    }
    for (const auto& names : rows) {
      std::string line = "{rank=same;";
      for (const std::string& name : names) line += ' ' + name + ';';
      Line(line + '}');
      line.clear();
      for (const std::string& name : names) line += (line.empty() ? "" : " -> ") + name;
      if (names.size() > 1) Line(line + " [style=invis];");
    }
  }

  // The place at a bar's top or bottom, in a column of its group.
  static std::string Port(const std::string& name, char side, std::uint32_t column) {
    return name + ':' + side + std::to_string(column) + (side == 't' ? ":n" : ":s");
  }

  // Where an edge meets a step: a bar in the column of the other end.
  std::string End(std::uint32_t step, std::uint32_t other, char side) const {
    const GraphNode& node = graph_.nodes[step];
    if (!node.bar) return Name(step);
    const GraphGroup& group = graph_.groups[node.group];
    const GraphNode& far = graph_.nodes[other];
    std::uint32_t port = group.columns / 2;
    if (!far.bar && far.group == node.group) port = far.column - group.first_column;
    return Port(Name(step), side, port);
  }

  void WriteEdge(const GraphEdge& edge) {
    Line(End(edge.from, edge.to, 'b') + " -> " + End(edge.to, edge.from, 't') + ';');
  }

  const Plan& plan_;
  const PlanGraph& graph_;
  const std::vector<std::vector<Place>> places_;  // By group.
  std::string out_;
};

}  // namespace

std::string RenderDot(const Plan& plan, const PlanGraph& graph) {
  return DotWriter(plan, graph).Write();
}

}  // namespace lockstep
