// A plan's graph as a picture.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "plan_graph.h"
#include "plan_graph_routes.h"
#include "text.h"

namespace lockstep {
namespace {

constexpr int kMargin = 20;
constexpr int kTop = 136;         // Where groups begin: below title and legend.
constexpr int kGroupHead = 112;   // Title, note and the heads of columns.
constexpr int kLeastGroup = 400;  // Room for a title.
constexpr int kLeastWidth = 800;  // Room for the legend.
constexpr int kNodeLetters = 15;
constexpr int kLine = 16;
constexpr int kLabelEvery = 1'200;
constexpr int kRound = 5;

// Classes: the phase of a step, and "held", "ready", "cuts" (interrupts a service).
constexpr std::string_view kStyle = R"(<style>
svg{--bg:#fff;--fg:#1c1c22;--dim:#62626c;--line:#80808c;--frame:#d5d5dd;--lane:#f7f7f9;
--span:#fff4e0;--spanline:#c9781f;--alarm:#b00020;
--prepare:#dbeafe;--prepareline:#3b6fb6;--cutover:#ffdfb8;--cutoverline:#b8651b;
--settle:#d5efd5;--settleline:#3f8447;--cleanup:#e6e6ea;--cleanupline:#75757d;
--config:#ecdff7;--configline:#7d52a8;
font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
@media(prefers-color-scheme:dark){svg{--bg:#17181c;--fg:#ececf1;--dim:#a2a2ae;--line:#8b8b98;
--frame:#3a3b43;--lane:#1d1e23;--span:#2b2317;--spanline:#c9781f;--alarm:#ff8a80;
--prepare:#1d3557;--prepareline:#6ea3e6;--cutover:#553312;--cutoverline:#e0984d;
--settle:#1f4426;--settleline:#74bf7e;--cleanup:#34353c;--cleanupline:#9a9aa6;
--config:#3d2a52;--configline:#b58be0}}
text{fill:var(--fg)}
.bg{fill:var(--bg)}.frame{fill:none;stroke:var(--frame)}.lane{fill:var(--lane)}
.title{font-size:18px;font-weight:600}.group{font-size:14px;font-weight:600}
.head{font-weight:600;text-anchor:middle}.dim{fill:var(--dim)}
.held>.group{fill:var(--spanline)}.blocked>.group{fill:var(--alarm)}
.span{fill:var(--span);stroke:var(--spanline);stroke-width:1.5}
.edge{fill:none;stroke:var(--line);stroke-width:1.2}.tip{fill:var(--line)}
.n text{text-anchor:middle}.n .note{font-size:11px;fill:var(--dim)}
.prepare{--b:var(--prepare);--l:var(--prepareline)}.cutover{--b:var(--cutover);--l:var(--cutoverline)}
.settle{--b:var(--settle);--l:var(--settleline)}.cleanup{--b:var(--cleanup);--l:var(--cleanupline)}
.config{--b:var(--config);--l:var(--configline)}
.box{fill:var(--b);stroke:var(--l)}.ready>.box{stroke-width:3}.held>.box{stroke-dasharray:5 3}
.cuts>.label{fill:var(--alarm);font-weight:700}
</style>
)";

// Text of an element. It holds no control characters: see plan_graph.h.
std::string Escaped(std::string_view text) {
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

std::string N(int number) { return std::to_string(number); }

bool WaitsForLocks(const Step& step) {
  return step.status == StepStatus::kHeld || step.status == StepStatus::kDeferred;
}

std::string ClassesOf(const Step& step) {
  std::string classes = "n " + std::string(PhaseName(step.phase));
  if (WaitsForLocks(step)) classes += " held";
  if (step.status == StepStatus::kReady) classes += " ready";
  if (step.disruptive) classes += " cuts";
  return classes;
}

// A line of right angles with round corners.
std::string PathOf(const std::vector<Point>& route) {
  std::string path = "M" + N(route.front().x) + ' ' + N(route.front().y);
  for (std::size_t i = 1; i + 1 < route.size(); ++i) {
    const Point before = route[i - 1];
    const Point at = route[i];
    const Point after = route[i + 1];
    const auto towards = [&](Point other) {
      const int dx = other.x - at.x;
      const int dy = other.y - at.y;
      const int length = std::max(std::abs(dx), std::abs(dy));
      const int round = std::min(kRound, length / 2);
      return length == 0 ? at : Point{at.x + dx * round / length, at.y + dy * round / length};
    };
    const Point in = towards(before);
    const Point out = towards(after);
    path += "L" + N(in.x) + ' ' + N(in.y) + "Q" + N(at.x) + ' ' + N(at.y) + ' ' + N(out.x) + ' ' +
            N(out.y);
  }
  return path + "L" + N(route.back().x) + ' ' + N(route.back().y - 4);
}

class SvgWriter {
 public:
  SvgWriter(const Plan& plan, const PlanGraph& graph)
      : plan_(plan),
        graph_(graph),
        at_(MeasureGraph(graph, kMargin, kTop + kGroupHead, kLeastGroup)) {}

  std::string Write() {
    const int width = std::max(at_.width + kMargin, kLeastWidth);
    int height = kTop;
    for (std::uint32_t i = 0; i < graph_.groups.size(); ++i) {
      height = std::max(height, BottomOf(i) + kMargin);
    }
    const std::string size = N(width) + ' ' + N(height);
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + N(width) + "\" height=\"" +
           N(height) + "\" viewBox=\"0 0 " + size + "\" role=\"img\">\n";
    out_ += "<title>" + Escaped("Plan " + graph_.fingerprint + ": " + graph_.title) + "</title>\n";
    out_ += kStyle;
    out_ +=
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"4\" refY=\"4\" markerWidth=\"6\" "
        "markerHeight=\"6\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker>"
        "</defs>\n<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n";
    Text(kMargin, 34, "title", "Plan: " + graph_.title);
    Text(kMargin, 54, "dim", graph_.fingerprint);
    if (graph_.groups.empty()) {
      Text(kMargin, 84, "dim", "There is nothing to do.");
    } else {
      WriteLegend();
    }
    for (std::uint32_t i = 0; i < graph_.groups.size(); ++i) WriteGroup(i);
    for (const auto& route : at_.routes) {
      out_ += "<path class=\"edge\" marker-end=\"url(#tip)\" d=\"" + PathOf(route) + "\"/>\n";
    }
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) WriteNode(i);
    return out_ + "</svg>\n";
  }

 private:
  void Text(int x, int y, std::string_view css, std::string_view text) {
    out_ += "<text x=\"" + N(x) + "\" y=\"" + N(y) + "\" class=\"" + std::string(css) + "\">" +
            Escaped(text) + "</text>\n";
  }

  void Rect(int x, int y, int width, int height, std::string_view css, int round) {
    out_ += "<rect x=\"" + N(x) + "\" y=\"" + N(y) + "\" width=\"" + N(width) + "\" height=\"" +
            N(height) + "\" rx=\"" + N(round) + "\" class=\"" + std::string(css) + "\"/>\n";
  }

  // Only what is in this picture.
  void WriteLegend() {
    constexpr std::array kPhases = {Phase::kPrepare, Phase::kCutover, Phase::kSettle,
                                    Phase::kCleanup, Phase::kConfig};
    std::set<Phase> phases;
    bool held = false;
    bool ready = false;
    bool cuts = false;
    bool span = false;
    for (const Step& step : plan_.steps) {
      phases.insert(step.phase);
      held = held || WaitsForLocks(step);
      ready = ready || step.status == StepStatus::kReady;
      cuts = cuts || step.disruptive;
    }
    for (const GraphGroup& group : graph_.groups) span = span || group.span.has_value();
    int x = kMargin;
    const auto entry = [&](int y, std::string_view css, std::string_view box,
                           std::string_view text) {
      out_ += "<g class=\"" + std::string(css) + "\">";
      Rect(x, y, 22, 14, box, 3);
      out_ += "</g>";
      Text(x + 28, y + 11, "dim", text);
      x += 28 + 13 * static_cast<int>(text.size()) / 2 + 18;
    };
    for (const Phase phase : kPhases) {
      if (phases.contains(phase)) entry(70, PhaseName(phase), "box", PhaseName(phase));
    }
    x = kMargin;
    if (span) entry(96, "", "span", "update locks held by Lockstep");
    if (ready) entry(96, "cleanup ready", "box", "can run now");
    if (held) entry(96, "cleanup held", "box", "waits for an update lock");
    if (cuts) {
      out_ += "<g class=\"cuts\">";
      Text(x, 107, "label", "stop");
      out_ += "</g>";
      Text(x + 34, 107, "dim", "interrupts the service");
    }
  }

  int LettersOf(std::uint32_t group) const {
    return (at_.group_width[group] - 2 * kGroupPadding) * 2 / 13;
  }

  int BottomOf(std::uint32_t number) const {
    const GraphGroup& group = graph_.groups[number];
    if (group.rows > 0) return at_.row_y[group.rows];
    return kTop + 40 + kLine * static_cast<int>(NotesOf(group, LettersOf(number)).size());
  }

  void WriteGroup(std::uint32_t number) {
    const GraphGroup& group = graph_.groups[number];
    const int x = at_.group_x[number];
    const int width = at_.group_width[number];
    const int letters = LettersOf(number);
    const auto notes = NotesOf(group, letters);
    const int bottom = BottomOf(number);
    out_ += "<g class=\"" + std::string(PlanStatusName(group.status)) + "\">";
    Rect(x, kTop, width, bottom - kTop, "frame", 8);
    Text(x + kGroupPadding, kTop + 24, "group", Fit(group.title, (width - 2 * kGroupPadding) / 8));
    if (!group.note.empty()) {
      out_ += "<g><title>" + Escaped(group.note) + "</title>";
      for (int line = 0; line < static_cast<int>(notes.size()); ++line) {
        Text(x + kGroupPadding, kTop + 44 + line * kLine, "dim",
             notes[static_cast<std::size_t>(line)]);
      }
      out_ += "</g>";
    }
    out_ += "</g>\n";
    if (group.rows == 0) return;
    for (std::uint32_t c = group.first_column; c < group.first_column + group.columns; ++c) {
      WriteHead(c, bottom);
    }
    if (!group.span) return;
    const int top = at_.row_y[group.span->first_row] - 6;
    const int end = at_.row_y[group.span->last_row] + kNodeHeight + 6;
    Rect(x + 5, top, width - 10, end - top, "span", 8);
  }

  // In one line above the steps; in as many as it takes where there are none.
  static std::vector<std::string> NotesOf(const GraphGroup& group, int letters) {
    if (group.rows > 0) return {Fit(group.note, letters)};
    std::vector<std::string> lines;
    std::istringstream words(Wrap(group.note, 0, letters));
    for (std::string line; std::getline(words, line);) lines.push_back(Fit(line, letters));
    return lines;
  }

  void WriteHead(std::uint32_t number, int bottom) {
    const GraphColumn& column = graph_.columns[number];
    const int x = at_.column_x[number];
    Rect(x - kNodeWidth / 2 - 4, kTop + 56, kNodeWidth + 8, bottom - kTop - 62, "lane", 6);
    if (column.title.empty()) return;
    out_ += "<g><title>" + Escaped(column.title) + "</title>";
    Text(x, kTop + 76, "head", Fit(column.title, kNodeLetters));
    out_ += "</g>\n";
    out_ += "<g class=\"n\">";
    Text(x, kTop + 93, "note", column.note);
    out_ += "</g>\n";
  }

  void WriteNode(std::uint32_t i) {
    const GraphNode& node = graph_.nodes[i];
    const Step& step = plan_.steps[i];
    out_ += "<g class=\"" + ClassesOf(step) + "\"><title>" + Escaped(node.about) + "</title>";
    const int y = at_.row_y[node.row];
    if (node.bar) {
      const int left = at_.group_x[node.group] + kGroupPadding;
      const int width = at_.group_width[node.group] - 2 * kGroupPadding;
      Rect(left, y + (kNodeHeight - kBarHeight) / 2, width, kBarHeight, "box", 6);
      const std::string text = node.note.empty() ? node.label : node.label + ", " + node.note;
      // Of a long bar some part is in sight, wherever one looks.
      const int times = std::max(width / kLabelEvery, 1);
      for (int part = 0; part < times; ++part) {
        Text(left + width * (2 * part + 1) / (2 * times), y + kNodeHeight / 2 + 4, "label",
             Fit(text, width / times / 7));
      }
    } else {
      const int x = at_.column_x[node.column];
      Rect(x - kNodeWidth / 2, y, kNodeWidth, kNodeHeight, "box", 6);
      Text(x, y + (node.note.empty() ? 21 : 15), "label", Fit(node.label, kNodeLetters));
      if (!node.note.empty()) Text(x, y + 28, "note", Fit(node.note, kNodeLetters + 2));
    }
    out_ += "</g>\n";
  }

  const Plan& plan_;
  const PlanGraph& graph_;
  const GraphGeometry at_;
  std::string out_;
};

}  // namespace

std::string RenderSvg(const Plan& plan, const PlanGraph& graph) {
  return SvgWriter(plan, graph).Write();
}

}  // namespace lockstep
