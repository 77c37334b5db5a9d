#include "target_sources/directory_source.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <string>

#include "lockstep/testing/matchers.h"
#include "running_source.h"
#include "scratch_directory.h"

namespace lockstep {
namespace {

using test::Compose;
using test::RunningSource;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kState = R"({"dev1": {"name": "n", "config": {}, "apps": {
    "u1": {"id": 1, "name": "fleet", "releases": {}}}}})";

class DirectorySourceTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunningSource> Run(TargetFileOptions options = {}) {
    return std::make_unique<RunningSource>(MakeDirectorySource(dir_.At("d"), std::move(options)));
  }
  DirectorySourceTest() { dir_.Make("d"); }
  test::ScratchDirectory dir_;
};

TEST_F(DirectorySourceTest, EachFileIsAnApp) {
  dir_.Write("d/b.yml", Compose("bakery", "b:1"));
  dir_.Write("d/a.yaml", Compose("shop", "a:1"));
  dir_.Write("d/c.json", R"({"name": "cafe", "services": {"web": {"image": "c:1"}}})");
  dir_.Write("d/.hidden.yml", Compose("hidden", "h:1"));
  dir_.Write("d/readme.txt", Compose("readme", "r:1"));
  auto running = Run();
  EXPECT_THAT(running->Await(1), ElementsAre("target bakery b:1 cafe c:1 shop a:1"));
  EXPECT_FALSE(running->last().target.whole_device);
}

TEST_F(DirectorySourceTest, FilesComeChangeAndGo) {
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Write("d/b.yml", Compose("bakery", "b:1"));
  running->Await(2);
  dir_.Replace("d/a.yml", Compose("shop", "a:2"));
  running->Await(3);
  dir_.Remove("d/a.yml");
  EXPECT_THAT(running->Await(4), ElementsAre("target shop a:1", "target bakery b:1 shop a:1",
                                             "target bakery b:1 shop a:2", "target bakery b:1"));
}

TEST_F(DirectorySourceTest, ABrokenFileLeavesItsAppAloneAndTheOthersGoOn) {
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  dir_.Write("d/b.yml", Compose("bakery", "b:1"));
  auto running = Run();
  running->Await(1);
  dir_.Write("d/a.yml", "services: [");
  EXPECT_THAT(running->Await(2)[1], AllOf(StartsWith("problem: "), HasSubstr("a.yml")));
  dir_.Write("d/b.yml", Compose("bakery", "b:2"));
  EXPECT_EQ(running->Await(3)[2], "target bakery b:2 shop a:1");
  dir_.Write("d/a.yml", Compose("shop", "a:2"));
  EXPECT_THAT(running->Await(5)[3], "target bakery b:2 shop a:2");
  EXPECT_THAT(running->Await(5)[4], "well");
}

TEST_F(DirectorySourceTest, AFileThatWasNeverReadHoldsUpNoOther) {
  dir_.Write("d/a.yml", "services: [");
  dir_.Write("d/b.yml", Compose("bakery", "b:1"));
  auto running = Run();
  EXPECT_THAT(running->Await(2), ElementsAre("target bakery b:1", HasSubstr("a.yml")));
}

TEST_F(DirectorySourceTest, AnAppThatTwoFilesClaimStaysAsItWas) {
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Write("d/b.yml", Compose("shop", "b:1"));
  EXPECT_THAT(running->Await(2)[1], HasSubstr("the app shop is both in a.yml and in b.yml"));
  dir_.Write("d/c.yml", Compose("cafe", "c:1"));
  EXPECT_EQ(running->Await(3)[2], "target cafe c:1 shop a:1");
  dir_.Remove("d/a.yml");
  EXPECT_EQ(running->Await(4)[3], "target cafe c:1 shop b:1");
}

TEST_F(DirectorySourceTest, NothingThereIsNoTarget) {
  auto running = Run();
  EXPECT_THAT(running->Await(1)[0], HasSubstr("problem: "));
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  EXPECT_EQ(running->Await(3)[1], "target shop a:1");
  dir_.Remove("d/a.yml");
  EXPECT_THAT(running->Await(4)[3], HasSubstr("there is no *.yml"));
  dir_.Remove("d");
  EXPECT_THAT(running->Await(5)[4], HasSubstr("problem: "));
  dir_.Make("d");
  dir_.Write("d/b.yml", Compose("bakery", "b:1"));
  for (std::size_t i = 6; running->Await(i).back() != "well" && i < 9; ++i) {
  }
  EXPECT_THAT(running->Await(5), ::testing::Contains("target bakery b:1"));
}

TEST_F(DirectorySourceTest, ABalenaStateStandsAlone) {
  dir_.Write("d/state.json", kState);
  auto running = Run();
  EXPECT_EQ(running->Await(1)[0], "target fleet");
  EXPECT_TRUE(running->last().target.whole_device);
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  EXPECT_THAT(running->Await(2)[1], HasSubstr("state.json is a balena state"));
  dir_.Remove("d/state.json");
  EXPECT_EQ(running->Await(3)[2], "target shop a:1");
}

TEST_F(DirectorySourceTest, FollowsSymlinksThatAreSwapped) {
  dir_.Make("1");
  dir_.Make("2");
  dir_.Write("1/a.yml", Compose("shop", "a:1"));
  dir_.Write("2/a.yml", Compose("shop", "a:2"));
  dir_.Link("../1", "d/..data");
  dir_.Link("..data/a.yml", "d/a.yml");
  auto running = Run();
  running->Await(1);
  dir_.Link("../2", "d/..data");
  EXPECT_THAT(running->Await(2), ElementsAre("target shop a:1", "target shop a:2"));
}

TEST_F(DirectorySourceTest, ItsTextGivesTheSameTargetAgain) {
  dir_.Write("d/.env", "TAG=3\n");
  dir_.Write("d/a.yml", Compose("shop", "a:${TAG}"));
  auto running = Run();
  running->Await(1);
  auto again = ReadTargetText(running->last().text, dir_.At("d"));
  ASSERT_THAT(again, test::IsOk());
  EXPECT_EQ(again.assume_value(), running->last().target);
  dir_.Write("d/b.yml", Compose("bakery", "b:${TAG}"));
  running->Await(2);
  again = ReadTargetText(running->last().text, dir_.At("d"));
  ASSERT_THAT(again, test::IsOk());
  EXPECT_EQ(again.assume_value(), running->last().target);
  EXPECT_EQ(again.assume_value().apps.size(), 2U);
}

TEST_F(DirectorySourceTest, WhatIsNoFileIsAProblemOfItsOwn) {
  dir_.Write("d/a.yml", Compose("shop", "a:1"));
  dir_.Make("d/b.yml");
  ASSERT_EQ(mkfifo(dir_.At("d/c.yml").c_str(), 0600), 0);
  dir_.Link("nowhere", "d/d.yml");
  auto running = Run();
  EXPECT_THAT(running->Await(4), ElementsAre("target shop a:1", HasSubstr("b.yml"),
                                             HasSubstr("c.yml"), HasSubstr("d.yml")));
}

TEST_F(DirectorySourceTest, TooManyFilesChangeNothing) {
  for (int i = 0; i < 300; ++i) {
    dir_.Write("d/" + std::to_string(i) + ".yml", Compose("app" + std::to_string(i), "a:1"));
  }
  EXPECT_THAT(Run()->Await(1)[0], HasSubstr("more than 256 files"));
}

TEST_F(DirectorySourceTest, OneNameForAllFilesIsRefused) {
  TargetFileOptions options;
  options.app = "shop";
  EXPECT_THAT(Run(options)->Await(1)[0], StartsWith("ended: "));
}

}  // namespace
}  // namespace lockstep
