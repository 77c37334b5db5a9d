#include "merge_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;

AppRecord Base() {
  AppRecord record;
  record.app = "shop";
  record.committed = "c1";
  record.stopped = {"db"};
  record.retired = {"a", "b"};
  record.interrupted = {"x"};
  record.retries = {{"s1", {1, WallTime{}}}, {"s2", {1, WallTime{}}}};
  return record;
}

TEST(MergeRecordsTest, WithoutAnotherChangeOursIsAll) {
  AppRecord ours = Base();
  ours.committed.reset();
  ours.cutover = "c2";
  ours.retired = {"b", "c"};
  ours.networks = {{"default", Value(true)}};
  ours.renamed = {{"x", "web_1_c1"}};
  ours.unhealthy = {{"c2", {"web"}}};
  ours.failed = {"c2"};
  ours.paused = true;
  ours.remove = true;
  ours.purge = {"data"};
  ours.restart = {"y"};
  EXPECT_EQ(MergeRecords(Base(), ours, Base()), ours);
  EXPECT_EQ(MergeRecords(Base(), Base(), ours), ours);
}

TEST(MergeRecordsTest, BothAddAndTakeAway) {
  AppRecord ours = Base();
  ours.retired = {"a", "b", "d"};
  ours.interrupted = {};
  ours.retries.erase("s1");
  ours.committed = "c2";
  AppRecord theirs = Base();
  theirs.retired = {"b", "c", "e"};
  theirs.interrupted = {"x", "y"};
  theirs.retries["s2"].failures = 2;
  theirs.paused = true;
  const AppRecord merged = MergeRecords(Base(), ours, theirs);
  EXPECT_THAT(merged.retired, ElementsAre("b", "c", "d", "e"));
  EXPECT_THAT(merged.interrupted, ElementsAre("y"));
  EXPECT_EQ(merged.retries.size(), 1U);
  EXPECT_EQ(merged.retries.at("s2").failures, 2);
  EXPECT_EQ(merged.committed, "c2");
  EXPECT_TRUE(merged.paused);
}

TEST(MergeRecordsTest, AnOrderThatIsNoneIsKept) {
  AppRecord base = Base();
  base.failed = {"z", "a"};
  AppRecord ours = base;
  ours.failed.emplace_back("m");
  AppRecord theirs = base;
  theirs.stopped.clear();
  EXPECT_THAT(MergeRecords(base, ours, theirs).failed, ElementsAre("z", "a", "m"));
}

}  // namespace
}  // namespace lockstep::test
