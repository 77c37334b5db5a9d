#include "target_sources/file_source.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "running_source.h"
#include "scratch_directory.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::Compose;
using test::RunningSource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileSourceTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunningSource> Run(const std::string& name = "target.yml",
                                     TargetFileOptions options = {}) {
    return std::make_unique<RunningSource>(MakeFileSource(dir_.At(name), std::move(options)));
  }
  test::ScratchDirectory dir_;
};

TEST_F(FileSourceTest, TellsWhatIsThereAndEachNewOne) {
  dir_.Write("target.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Write("target.yml", Compose("shop", "a:2"));
  running->Await(2);
  dir_.Replace("target.yml", Compose("shop", "a:3"));
  running->Await(3);
  dir_.Replace("target.yml", Compose("shop", "a:4"));
  EXPECT_THAT(running->Await(4), ElementsAre("target shop a:1", "target shop a:2",
                                             "target shop a:3", "target shop a:4"));
  EXPECT_EQ(running->last().text, Compose("shop", "a:4"));
}

TEST_F(FileSourceTest, TheSameAgainIsNoNews) {
  dir_.Write("target.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Replace("target.yml", Compose("shop", "a:1"));
  running->source().LookNow();
  dir_.Write("target.yml", "# by hand\n" + Compose("shop", "a:1"));
  running->source().LookNow();
  dir_.Write("target.yml", Compose("shop", "a:2"));
  EXPECT_THAT(running->Await(2), ElementsAre("target shop a:1", "target shop a:2"));
}

TEST_F(FileSourceTest, WhatCannotBeReadIsAProblemOnceAndTheTargetStays) {
  dir_.Write("target.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Write("target.yml", "services: [");
  EXPECT_THAT(running->Await(2)[1], HasSubstr("problem: read the target"));
  dir_.Replace("target.yml", "services: [");  // The same problem.
  running->source().LookNow();
  dir_.Write("target.yml", Compose("shop", "a:1"));
  EXPECT_EQ(running->Await(3)[2], "well");
  dir_.Write("target.yml", "services: [");
  EXPECT_THAT(running->Await(4)[3], HasSubstr("problem: "));
  dir_.Write("target.yml", Compose("shop", "a:2"));
  running->Await(6);
  EXPECT_EQ(running->Await(6)[4], "target shop a:2");
}

TEST_F(FileSourceTest, AFileThatIsRemovedChangesNothing) {
  dir_.Write("target.yml", Compose("shop", "a:1"));
  auto running = Run();
  running->Await(1);
  dir_.Remove("target.yml");
  EXPECT_THAT(running->Await(2)[1], HasSubstr("no such file"));
  dir_.Write("target.yml", Compose("shop", "a:2"));
  EXPECT_EQ(running->Await(4)[2], "target shop a:2");
}

TEST_F(FileSourceTest, FindsAFileWhoseDirectoriesAreYetToCome) {
  auto running = Run("a/b/c/target.yml");
  EXPECT_THAT(running->Await(1)[0], HasSubstr("no such file"));
  dir_.Make("a");
  dir_.Make("a/b/c");
  dir_.Write("a/b/c/target.yml", Compose("shop", "a:1"));
  EXPECT_EQ(running->Await(3)[1], "target shop a:1");
  dir_.Remove("a");
  EXPECT_THAT(running->Await(4)[3], HasSubstr("no such file"));
  dir_.Make("x/b/c");
  dir_.Write("x/b/c/target.yml", Compose("shop", "a:2"));
  fs::rename(dir_.At("x"), dir_.At("a"));  // All of it at once.
  EXPECT_EQ(running->Await(6)[4], "target shop a:2");
}

TEST_F(FileSourceTest, FollowsADirectoryThatIsExchangedHighAbove) {
  dir_.Make("a/b");
  dir_.Write("a/b/target.yml", Compose("shop", "a:1"));
  dir_.Make("new/b");
  dir_.Write("new/b/target.yml", Compose("shop", "a:2"));
  auto running = Run("a/b/target.yml");
  running->Await(1);
  fs::rename(dir_.At("a"), dir_.At("old"));
  fs::rename(dir_.At("new"), dir_.At("a"));
  const auto told = running->Await(2);
  EXPECT_TRUE(told[1] == "target shop a:2" || running->Await(3)[2] == "target shop a:2");
}

// As Kubernetes mounts configuration: target.yml -> ..data/target.yml, ..data -> ..2024
TEST_F(FileSourceTest, FollowsSymlinksThatAreSwapped) {
  dir_.Make("..1");
  dir_.Make("..2");
  dir_.Write("..1/target.yml", Compose("shop", "a:1"));
  dir_.Write("..2/target.yml", Compose("shop", "a:2"));
  dir_.Link("..1", "..data");
  dir_.Link("..data/target.yml", "target.yml");
  auto running = Run();
  running->Await(1);
  dir_.Link("..2", "..data");
  running->Await(2);
  dir_.Write("..2/target.yml", Compose("shop", "a:3"));
  running->Await(3);
  dir_.Write("other.yml", Compose("shop", "a:4"));
  dir_.Link("other.yml", "target.yml");
  EXPECT_THAT(running->Await(4), ElementsAre("target shop a:1", "target shop a:2",
                                             "target shop a:3", "target shop a:4"));
}

TEST_F(FileSourceTest, SymlinksInACircleAreAProblem) {
  dir_.Link("two", "one");
  dir_.Link("one", "two");
  auto running = Run("one");
  EXPECT_THAT(running->Await(1)[0], HasSubstr("problem: "));
  dir_.Replace("one", Compose("shop", "a:1"));
  EXPECT_EQ(running->Await(2)[1], "target shop a:1");
}

// What is there of it is a whole compose file already.
TEST_F(FileSourceTest, AFileThatIsBeingWrittenDoesNotCountBeforeItIsClosed) {
  dir_.Write("target.yml", Compose("shop", "a:1"));
  dir_.Write(".env", "A=1\n");
  auto running = Run();
  running->Await(1);
  {
    std::ofstream half(dir_.At("target.yml"));
    half << Compose("shop", "a:2") << std::flush;
    dir_.Write(".env", "A=2\n");
    running->source().LookNow();
    half << "  more:\n    image: b:2\n";
  }
  EXPECT_THAT(running->Await(2), ElementsAre("target shop a:1", "target shop b:2 a:2"));
}

TEST_F(FileSourceTest, AFileThatIsJustMadeDoesNotCountBeforeItIsClosed) {
  auto running = Run();
  running->Await(1);
  {
    std::ofstream half(dir_.At("target.yml"));
    running->source().LookNow();
    half << Compose("shop", "a:1") << std::flush;
    running->source().LookNow();
    half << "  more:\n    image: b:1\n";
  }
  EXPECT_EQ(running->Await(2)[1], "target shop b:1 a:1");
}

TEST_F(FileSourceTest, FilesThatAComposeFileIsReadWithCountToo) {
  dir_.Write("target.yml",
             "name: shop\nservices:\n  web:\n    image: a:${TAG:-0}\n"
             "    env_file: web.env\n");
  auto running = Run();
  EXPECT_THAT(running->Await(1)[0], HasSubstr("web.env"));
  dir_.Write("web.env", "X=1\n");
  EXPECT_EQ(running->Await(2)[1], "target shop a:0");
  dir_.Write(".env", "TAG=7\n");
  EXPECT_EQ(running->Await(4)[3], "target shop a:7");
  dir_.Replace("web.env", "X=2\n");
  EXPECT_EQ(running->Await(5)[4], "target shop a:7");
  EXPECT_EQ(running->last().target.apps.at(0).release->services.at(0).spec.environment.at("X"),
            "2");
}

TEST_F(FileSourceTest, WhatCannotBeATargetIsAProblemAndNeverWaitedFor) {
  dir_.Make("directory");
  ASSERT_EQ(mkfifo(dir_.At("fifo").c_str(), 0600), 0);
  EXPECT_THAT(Run("directory")->Await(1)[0], HasSubstr("it is a directory"));
  EXPECT_THAT(Run("fifo")->Await(1)[0], HasSubstr("no regular file"));
  EXPECT_THAT(Run("directory/")->Await(1)[0], HasSubstr("problem: "));
  dir_.Write("nul", std::string("\0\xff{{", 4));
  EXPECT_THAT(Run("nul")->Await(1)[0], HasSubstr("problem: "));
  dir_.Write("empty", "");
  EXPECT_THAT(Run("empty")->Await(1)[0], HasSubstr("problem: "));
  std::ofstream(dir_.At("huge")).close();
  fs::resize_file(dir_.At("huge"), std::uintmax_t{1} << 40);
  EXPECT_THAT(Run("huge")->Await(1)[0], HasSubstr("larger than 64 MiB"));
}

TEST_F(FileSourceTest, StandardInputIsRefused) {
  RunningSource running(MakeFileSource("-", {}));
  EXPECT_THAT(running.Await(1)[0], HasSubstr("ended: "));
}

TEST_F(FileSourceTest, AMissingFileOfAnotherDeviceStopsAtOnce) {
  dir_.Write("target.json", R"({"dev1": {"name": "n", "config": {}, "apps": {}}})");
  TargetFileOptions options;
  options.balena.device_uuid = "dev2";
  auto running = Run("target.json", options);
  EXPECT_THAT(running->Await(1)[0], HasSubstr("does not name the device dev2"));
  running->Stop();
}

}  // namespace
}  // namespace lockstep
