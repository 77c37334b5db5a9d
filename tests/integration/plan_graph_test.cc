// A plan as a graph: where everything is, and what the two pictures of it say.
#include "plan_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan_graph_routes.h"

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PlanDraft {
 public:
  PlanDraft() {
    AppPlan app;
    app.app = "shop";
    app.status = PlanStatus::kHeld;
    app.to = std::string(40, 'b');
    app.services = {{"db", ServiceChange::kRecreate, Strategy::kDownloadThenKill, {}},
                    {"web", ServiceChange::kRecreate, Strategy::kDownloadThenKill, {}}};
    plan_.apps = {app};
    plan_.status = PlanStatus::kHeld;
    plan_.fingerprint = "p1:0123456789abcdef";
  }
  std::uint32_t Add(StepKind kind, std::string service, std::vector<std::uint32_t> after,
                    Phase phase = Phase::kCutover) {
    Step step;
    step.kind = kind;
    step.phase = phase;
    step.app = "shop";
    step.service = std::move(service);
    step.after = std::move(after);
    plan_.steps.push_back(std::move(step));
    return static_cast<std::uint32_t>(plan_.steps.size() - 1);
  }
  Plan& plan() { return plan_; }

 private:
  Plan plan_;
};

// Web depends on db, and both are made anew: 0 and 1 are the downloads, and so on downwards.
Plan SmallPlan() {
  PlanDraft draft;
  draft.Add(StepKind::kPullImage, "db", {}, Phase::kPrepare);
  draft.Add(StepKind::kPullImage, "web", {}, Phase::kPrepare);
  draft.Add(StepKind::kTakeLocks, "", {0, 1});
  draft.Add(StepKind::kStopContainer, "web", {2});
  draft.Add(StepKind::kStopContainer, "db", {2, 3});
  draft.Add(StepKind::kStartContainer, "db", {2, 4});
  draft.Add(StepKind::kStartContainer, "web", {2, 3, 5});
  draft.Add(StepKind::kReleaseLocks, "", {2, 3, 4, 5, 6});
  draft.Add(StepKind::kRemoveContainer, "web", {7}, Phase::kCleanup);
  draft.Add(StepKind::kRemoveImage, "", {8}, Phase::kCleanup);
  Plan plan = draft.plan();
  plan.steps[0].subject = "registry/x/db:2";
  for (std::size_t i = 2; i < plan.steps.size(); ++i) plan.steps[i].status = StepStatus::kHeld;
  plan.steps[3].disruptive = plan.steps[4].disruptive = true;
  LockHolder holder;
  holder.app = "shop";
  holder.service = "db";
  plan.apps[0].holders = {holder};
  return plan;
}

std::vector<std::uint32_t> RowsOf(const PlanGraph& graph) {
  std::vector<std::uint32_t> rows;
  for (const GraphNode& node : graph.nodes) rows.push_back(node.row);
  return rows;
}

std::vector<std::string> TitlesOf(const PlanGraph& graph) {
  std::vector<std::string> titles;
  for (const GraphColumn& column : graph.columns) titles.push_back(column.title);
  return titles;
}

TEST(LayOutTest, HasAColumnForEachServiceAndTimeGoingDown) {
  const PlanGraph graph = LayOut(SmallPlan());
  EXPECT_THAT(TitlesOf(graph), ElementsAre("db", "web"));
  EXPECT_THAT(RowsOf(graph), ElementsAre(0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(graph.rows, 9U);
  EXPECT_TRUE(graph.nodes[2].bar);
  EXPECT_FALSE(graph.nodes[3].bar);
  EXPECT_EQ(graph.nodes[0].label, "download");
  EXPECT_EQ(graph.nodes[0].note, "db:2");
  EXPECT_EQ(graph.nodes[2].note, "held by db");
}

TEST(LayOutTest, TheSpanIsFromTakingToGivingBack) {
  const PlanGraph graph = LayOut(SmallPlan());
  ASSERT_TRUE(graph.groups[0].span);
  EXPECT_EQ(graph.groups[0].span->first_row, 1U);
  EXPECT_EQ(graph.groups[0].span->last_row, 6U);
}

TEST(LayOutTest, ASpanThatIsHeldAlreadyBeginsWithTheFirstInterruption) {
  PlanDraft draft;
  const auto pull = draft.Add(StepKind::kPullImage, "web", {}, Phase::kPrepare);
  const auto stop = draft.Add(StepKind::kStopContainer, "web", {pull});
  draft.Add(StepKind::kReleaseLocks, "", {stop});
  const PlanGraph graph = LayOut(draft.plan());
  ASSERT_TRUE(graph.groups[0].span);
  EXPECT_EQ(graph.groups[0].span->first_row, 1U);
  EXPECT_FALSE(graph.nodes[pull].in_span);
}

TEST(LayOutTest, WhatNeedsNoLockIsNotDrawnInTheSpan) {
  PlanDraft draft;
  const auto take = draft.Add(StepKind::kTakeLocks, "", {});
  const auto stop = draft.Add(StepKind::kStopContainer, "web", {take});
  const auto update = draft.Add(StepKind::kUpdateContainer, "db", {});
  const auto start = draft.Add(StepKind::kStartContainer, "db", {update});
  draft.Add(StepKind::kReleaseLocks, "", {stop});
  const PlanGraph graph = LayOut(draft.plan());
  EXPECT_LT(graph.nodes[start].row, graph.groups[0].span->first_row);
}

TEST(LayOutTest, LeavesOutEdgesThatOthersImply) {
  const PlanGraph graph = LayOut(SmallPlan());
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  for (const GraphEdge& edge : graph.edges) edges.emplace_back(edge.from, edge.to);
  EXPECT_THAT(edges, ElementsAre(std::pair(0, 2), std::pair(1, 2), std::pair(2, 3), std::pair(3, 4),
                                 std::pair(4, 5), std::pair(5, 6), std::pair(6, 7), std::pair(7, 8),
                                 std::pair(8, 9)));
}

TEST(LayOutTest, AnImageGoesWithTheOneServiceThatRanIt) {
  EXPECT_EQ(LayOut(SmallPlan()).nodes[9].column, 1U);
  Plan shared = SmallPlan();
  shared.steps[8].service = "db";
  shared.steps[9].after = {3, 8};
  shared.steps[8].after = {};
  const PlanGraph graph = LayOut(shared);
  EXPECT_THAT(TitlesOf(graph), ElementsAre("", "db", "web"));
  EXPECT_EQ(graph.nodes[9].column, 0U);
}

TEST(LayOutTest, StepsOfOnePlaceAreBelowEachOtherTheOneMostWaitForLast) {
  PlanDraft draft;
  const auto front = draft.Add(StepKind::kCreateNetwork, "", {}, Phase::kPrepare);
  const auto data = draft.Add(StepKind::kCreateVolume, "", {}, Phase::kPrepare);
  const auto pull = draft.Add(StepKind::kPullImage, "web", {}, Phase::kPrepare);
  draft.Add(StepKind::kCreateContainer, "web", {front, pull}, Phase::kPrepare);
  draft.Add(StepKind::kCreateContainer, "db", {front, data}, Phase::kPrepare);
  const PlanGraph graph = LayOut(draft.plan());
  EXPECT_THAT(RowsOf(graph), ElementsAre(1, 0, 1, 2, 2));
}

TEST(LayOutTest, AppsAreSideBySideThenTheDeviceThenWhatIsBlocked) {
  Plan plan = SmallPlan();
  AppPlan sick;
  sick.app = "a";
  sick.status = PlanStatus::kBlocked;
  sick.gaps = {{"dependency-cycle", "web -> db -> web", true}};
  AppPlan calm;
  calm.app = "calm";
  plan.apps.insert(plan.apps.begin(), {sick, calm});
  Step reboot;
  reboot.kind = StepKind::kReboot;
  reboot.phase = Phase::kConfig;
  reboot.after = {9};
  plan.steps.push_back(reboot);
  const PlanGraph graph = LayOut(plan);
  std::vector<std::string> groups;
  for (const GraphGroup& group : graph.groups) groups.push_back(group.title.substr(0, 4));
  EXPECT_THAT(groups, ElementsAre("shop", "devi", "a: b"));
  EXPECT_EQ(graph.groups[2].note, "blocked by dependency-cycle: web -> db -> web");
  EXPECT_EQ(graph.nodes[10].row, 9U) << "it comes after all of the app";
  EXPECT_EQ(graph.nodes[10].group, 1U);
}

TEST(LayOutTest, AnEmptyPlanIsAnEmptyGraph) {
  const PlanGraph graph = LayOut(Plan());
  EXPECT_TRUE(graph.groups.empty());
  EXPECT_EQ(graph.rows, 0U);
  EXPECT_THAT(RenderSvg(Plan(), graph), HasSubstr("There is nothing to do."));
}

// Plans of any form: two apps and the device, with spans or without, and edges as they come.
Plan AnyPlan(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  constexpr std::array kKinds = {StepKind::kPullImage,       StepKind::kCreateNetwork,
                                 StepKind::kStopContainer,   StepKind::kStartContainer,
                                 StepKind::kUpdateContainer, StepKind::kRemoveImage,
                                 StepKind::kAwaitHealth};
  Plan plan;
  for (const char* name : {"a", "b", ""}) {
    AppPlan app;
    app.app = name;
    if (!app.app.empty()) plan.apps.push_back(app);
    const auto first = static_cast<std::uint32_t>(plan.steps.size());
    const std::uint32_t take = below(3) == 0 ? 99 : 3 + below(5);
    const std::uint32_t release = take + 1 + below(8);
    for (std::uint32_t i = 0; i < 18; ++i) {
      Step step;
      step.app = name;
      step.kind = i == take      ? StepKind::kTakeLocks
                  : i == release ? StepKind::kReleaseLocks
                                 : kKinds[below(kKinds.size())];
      step.phase = below(2) == 0 ? Phase::kCutover : Phase::kPrepare;
      const bool of_app = i == take || i == release || step.kind == StepKind::kRemoveImage;
      if (!of_app) step.service = "s" + std::to_string(below(4));
      for (std::uint32_t j = app.app.empty() ? 0 : first; j < first + i; ++j) {
        if (below(5) == 0) step.after.push_back(j);
      }
      plan.steps.push_back(std::move(step));
    }
  }
  return plan;
}

TEST(LayOutTest, AnyPlanIsDrawnInItsOrderWithEachStepInAPlaceOfItsOwn) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const PlanGraph graph = LayOut(AnyPlan(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const GraphEdge& edge : graph.edges) {
      EXPECT_LT(graph.nodes[edge.from].row, graph.nodes[edge.to].row);
    }
    std::set<std::pair<std::uint32_t, std::uint32_t>> taken;
    for (const GraphNode& node : graph.nodes) {
      const GraphGroup& group = graph.groups[node.group];
      EXPECT_LT(node.row, group.rows);
      EXPECT_GE(node.column, group.first_column);
      EXPECT_LT(node.column, group.first_column + group.columns);
      for (std::uint32_t c = 0; c < (node.bar ? group.columns : 1); ++c) {
        EXPECT_TRUE(taken.insert({node.row, node.column + c}).second);
      }
      const bool inside =
          group.span && group.span->first_row <= node.row && node.row <= group.span->last_row;
      EXPECT_EQ(node.in_span, inside);
    }
  }
}

// --- Lines.

struct Line {
  Point a;
  Point b;
  std::size_t edge;
  bool level() const { return a.y == b.y; }
};

std::vector<Line> LinesOf(const GraphGeometry& at) {
  std::vector<Line> lines;
  for (std::size_t i = 0; i < at.routes.size(); ++i) {
    for (std::size_t j = 1; j < at.routes[i].size(); ++j) {
      Line line{at.routes[i][j - 1], at.routes[i][j], i};
      if (std::pair(line.b.x, line.b.y) < std::pair(line.a.x, line.a.y)) std::swap(line.a, line.b);
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(MeasureGraphTest, LinesAreUprightOrLevelAndKeepClearOfSteps) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    const PlanGraph graph = LayOut(AnyPlan(seed));
    const GraphGeometry at = MeasureGraph(graph, 10, 100, 0);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const Line& line : LinesOf(at)) {
      ASSERT_TRUE(line.a.x == line.b.x || line.level());
      for (const GraphNode& node : graph.nodes) {
        if (node.bar) continue;  // These are drawn over lines.
        const int left = at.column_x[node.column] - kNodeWidth / 2;
        const int top = at.row_y[node.row];
        const bool crosses = line.a.x < left + kNodeWidth && line.b.x > left &&
                             line.a.y < top + kNodeHeight && line.b.y > top;
        EXPECT_FALSE(crosses) << "edge " << line.edge;
      }
    }
  }
}

TEST(MeasureGraphTest, LevelLinesThatShareTheirWayShareAnEnd) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    const PlanGraph graph = LayOut(AnyPlan(seed));
    const auto lines = LinesOf(MeasureGraph(graph, 10, 100, 0));
    for (const Line& one : lines) {
      for (const Line& other : lines) {
        if (!one.level() || !other.level() || one.a.y != other.a.y) continue;
        if (one.a.x >= other.b.x || other.a.x >= one.b.x) continue;
        const GraphEdge& x = graph.edges[one.edge];
        const GraphEdge& y = graph.edges[other.edge];
        EXPECT_TRUE(x.from == y.from || x.to == y.to) << "seed " << seed;
      }
    }
  }
}

TEST(MeasureGraphTest, AnEdgeWithinAColumnIsOneLine) {
  const PlanGraph graph = LayOut(SmallPlan());
  const GraphGeometry at = MeasureGraph(graph, 0, 0, 0);
  EXPECT_EQ(at.routes[0].size(), 2U);  // The download of db, and the bar below.
  EXPECT_EQ(at.routes[3].size(), 4U);  // The stop of web, then that of db.
}

// --- Pictures.

const std::string kHostile = "a\"b\\n<i>&amp;]]>\x1b[2J\u202e\xef\xbf\xbf'\n";

Plan HostilePlan() {
  Plan plan = SmallPlan();
  plan.fingerprint = kHostile;
  plan.apps[0].name = kHostile;
  plan.apps[0].from = kHostile;
  plan.apps[0].holders[0].service = kHostile;
  for (Step& step : plan.steps) {
    step.subject = step.detail = kHostile;
    if (!step.service.empty()) step.service += kHostile;
    step.why = {{ReasonCode::kFieldChanged, kHostile, kHostile, kHostile, false}};
  }
  return plan;
}

// Whether `text` is elements within each other, with quoted attributes and escaped text.
bool IsXml(const std::string& text) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t tag = text.find('<', at);
    const std::string between = text.substr(at, tag == std::string::npos ? tag : tag - at);
    for (std::size_t amp = between.find('&'); amp != std::string::npos;
         amp = between.find('&', amp + 1)) {
      const std::string name = between.substr(amp, 5);
      if (!name.starts_with("&lt;") && !name.starts_with("&gt;") && name != "&amp;") return false;
    }
    if (tag == std::string::npos) break;
    const std::size_t end = text.find('>', tag);
    if (end == std::string::npos) return false;
    const std::string inside = text.substr(tag + 1, end - tag - 1);
    if (std::count(inside.begin(), inside.end(), '"') % 2 != 0) return false;
    if (inside.starts_with('/')) {
      if (open.empty() || open.back() != inside.substr(1)) return false;
      open.pop_back();
    } else if (!inside.ends_with('/')) {
      open.push_back(inside.substr(0, inside.find(' ')));
    }
    at = end + 1;
  }
  return open.empty();
}

TEST(RenderSvgTest, IsAPictureOfItsOwnForLightAndDark) {
  const Plan plan = SmallPlan();
  const std::string svg = RenderSvg(plan, LayOut(plan));
  EXPECT_TRUE(IsXml(svg));
  EXPECT_THAT(svg,
              AllOf(StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" width="),
                    HasSubstr("prefers-color-scheme:dark"), HasSubstr(">Plan: held, 10 steps<"),
                    HasSubstr(">p1:0123456789abcdef<"), HasSubstr("class=\"span\"")));
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("href")),
                         Not(HasSubstr("@import")), Not(HasSubstr("url(http"))));
}

TEST(RenderSvgTest, ShowsPhaseAndStatusOfEachStepAndSaysMoreInItsTitle) {
  const Plan plan = SmallPlan();
  const std::string svg = RenderSvg(plan, LayOut(plan));
  EXPECT_THAT(svg, HasSubstr("<g class=\"n prepare ready\"><title>download registry/x/db:2\n"));
  EXPECT_THAT(svg, HasSubstr("<g class=\"n cutover held cuts\"><title>stop web\n"
                             "cutover, held, interrupts the service\n"
                             "waits behind: take the update locks\n"
                             "comes after: take the update locks</title>"));
  EXPECT_THAT(svg, HasSubstr(">take the update locks, held by db</text>"));
}

TEST(RenderSvgTest, TheLegendIsOfWhatIsThereOnly) {
  const Plan held = SmallPlan();
  EXPECT_THAT(RenderSvg(held, LayOut(held)), HasSubstr(">waits for an update lock<"));
  Plan ready = SmallPlan();
  for (Step& step : ready.steps) step.status = StepStatus::kWaiting;
  EXPECT_THAT(RenderSvg(ready, LayOut(ready)),
              AllOf(Not(HasSubstr(">waits for an update lock<")), Not(HasSubstr(">config<")),
                    HasSubstr(">cleanup<")));
}

TEST(RenderSvgTest, EscapesWhateverANameIs) {
  const Plan plan = HostilePlan();
  const std::string svg = RenderSvg(plan, LayOut(plan));
  EXPECT_TRUE(IsXml(svg));
  EXPECT_THAT(svg,
              AllOf(HasSubstr("&lt;i&gt;&amp;amp;"), Not(HasSubstr("<i>")), Not(HasSubstr("\x1b")),
                    Not(HasSubstr("\u202e")), Not(HasSubstr("\xef\xbf\xbf"))));
}

TEST(RenderSvgTest, ALongBarSaysWhatItIsInSeveralPlaces) {
  Plan plan = SmallPlan();
  for (int i = 0; i < 30; ++i) {
    Step step = plan.steps[3];
    step.service = "s" + std::to_string(i);
    plan.steps.push_back(std::move(step));
  }
  const std::string svg = RenderSvg(plan, LayOut(plan));
  const std::string label = ">give the update locks back</text>";
  EXPECT_NE(svg.find(label), svg.rfind(label));
}

TEST(RenderSvgTest, HidesSecretValues) {
  Plan plan = SmallPlan();
  plan.steps[3].why = {{ReasonCode::kFieldChanged, "environment.A", "old-one", "new-one", true}};
  EXPECT_THAT(RenderSvg(plan, LayOut(plan)), Not(HasSubstr("old-one")));
  EXPECT_THAT(RenderSvg(plan, LayOut(plan, ShowValues::kYes)), HasSubstr("old-one"));
}

TEST(RenderDotTest, HasTheSpanAsAClusterAndAStyleForEachStatus) {
  const Plan plan = SmallPlan();
  const std::string dot = RenderDot(plan, LayOut(plan));
  EXPECT_THAT(dot, StartsWith("digraph plan {\n"));
  const auto cluster = dot.find("subgraph cluster_span0 {");
  ASSERT_NE(cluster, std::string::npos);
  EXPECT_LT(dot.find("\ns1 ["), cluster) << "a download is not in the span";
  EXPECT_GT(dot.find("\ns2 ["), cluster);
  EXPECT_LT(dot.find("\ns7 ["), dot.find("\ns8 ["));
  EXPECT_THAT(dot, HasSubstr(R"(s3 [label="stop", tooltip="stop web\n)"));
  EXPECT_THAT(dot, HasSubstr(R"(style="rounded,filled,dashed", fontcolor="#b00020"];)"));
  EXPECT_THAT(dot, HasSubstr("\ns3 -> s4;\n"));
  EXPECT_THAT(dot, HasSubstr("\ns0 -> s2:t0:n;\n"))
      << "a bar is met in the column of the other end";
}

TEST(RenderDotTest, EscapesWhateverANameIs) {
  const Plan plan = HostilePlan();
  const std::string dot = RenderDot(plan, LayOut(plan));
  EXPECT_THAT(dot, AllOf(HasSubstr(R"(a\"b\\n<i>&amp;amp;)"), Not(HasSubstr("\x1b"))));
  // Outside of quoted text and of labels in angle brackets there is nothing but plain words.
  bool quoted = false;
  int angles = 0;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (angles == 0 && quoted && dot[i] == '\\') {
      ++i;
    } else if (angles == 0 && dot[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && dot[i] == '<') {
      ++angles;
    } else if (!quoted && dot[i] == '>' && dot[i - 1] != '-') {
      --angles;
    } else if (!quoted && angles == 0) {
      EXPECT_THAT(std::string("abcdefghijklmnopqrstuvwxyz0123456789_ \n{}[];:,=.->"),
                  HasSubstr(std::string(1, dot[i])));
    }
    ASSERT_GE(angles, 0);
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(angles, 0);
}

TEST(RenderDotTest, KeepsNoPlacesFreeWhereThereWouldBeFarMoreThanSteps) {
  PlanDraft draft;
  std::vector<std::uint32_t> after;
  for (int i = 0; i < 400; ++i) {
    after = {draft.Add(StepKind::kStopContainer, "s" + std::to_string(i), after)};
  }
  const std::string dot = RenderDot(draft.plan(), LayOut(draft.plan()));
  EXPECT_THAT(dot, Not(HasSubstr("\ne0_1 [")));
  EXPECT_LT(dot.size(), 400U * 1'000U);
}

}  // namespace
}  // namespace lockstep
