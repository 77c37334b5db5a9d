// The runtime and the locks of this agent keep what Lockstep relies on: its own suites say so.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lockstep/testing/lock_conformance.h>
#include <lockstep/testing/matchers.h>
#include <lockstep/testing/runtime_conformance.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "flag_locks.h"
#include "process_runtime.h"

namespace custom {
namespace {

using namespace lockstep;
using namespace lockstep::test;

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string made = std::filesystem::temp_directory_path() / "custom_agent.XXXXXX";
    if (mkdtemp(made.data()) != nullptr) path_ = made;
  }
  ~ScratchDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A registry with three programs, and what a runtime keeps.
class ProcessWorld {
 public:
  ProcessWorld() {
    std::filesystem::create_directory(registry());
    Publish("works-1", "exec sleep 1000");
    Publish("works-2", "sleep 1000");
    Publish("fails", "echo cannot start; exit 1");
  }
  std::unique_ptr<ProcessRuntime> Open() const {
    return ProcessRuntime::Open(registry(), directory_.path() + "/runtime").value();
  }

 private:
  std::string registry() const { return directory_.path() + "/registry"; }
  void Publish(const std::string& program, const std::string& script) const {
    std::ofstream(registry() + "/" + program) << "#!/bin/sh\n" << script << '\n';
  }

  ScratchDirectory directory_;
};

struct World {
  ProcessWorld world;
  std::unique_ptr<ProcessRuntime> runtime = world.Open();
};

INSTANTIATE_TEST_SUITE_P(Processes, RuntimeConformance,
                         ::testing::Values(RuntimeConformanceFactory([] {
                           const auto world = std::make_shared<World>();
                           RuntimeConformanceSubject subject;
                           subject.backend = {world, world->runtime.get()};
                           subject.image = "works-1";
                           subject.other_image = "works-2";
                           subject.absent_image = "none-such";
                           subject.failing_image = "fails";
                           return subject;
                         })));

class FlagLocksDriver final : public LockConformanceDriver {
 public:
  LockFs& locks() override { return locks_; }
  bool Hold(const ServiceRef& service, std::size_t) override {
    const int fd = open(Flag(service).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
    return fd >= 0;
  }
  bool Remove(const ServiceRef& service, std::size_t) override {
    return unlink(Flag(service).c_str()) == 0;
  }
  bool Exists(const ServiceRef& service, std::size_t) override {
    struct stat seen {};
    return lstat(Flag(service).c_str(), &seen) == 0;
  }
  void CompleteHandOver(const ServiceRef& service) override {
    std::ofstream(locks_.Resolve(service).value().engine_dir + "/handover-complete");
  }

 private:
  std::string Flag(const ServiceRef& service) const {
    return locks_.Resolve(service).value().files.front();
  }

  ScratchDirectory directory_;
  FlagLocks locks_{directory_.path()};
};

INSTANTIATE_TEST_SUITE_P(Flags, LockConformance, ::testing::Values(LockConformanceFactory([] {
                           return std::make_unique<FlagLocksDriver>();
                         })));

ContainerSpec Wanted() {
  ContainerSpec wanted;
  wanted.name = "web_0_0_a1";
  wanted.app = "shop";
  wanted.service = "web";
  wanted.spec.image = "works-2";  // Its shell has a child.
  wanted.spec.environment = {{"A", "1"}};
  wanted.spec.Set(Field::kRestart, "always");
  wanted.labels = {{std::string(kLabelSupervised), "true"},
                   {std::string(kLabelAppUuid), "shop"},
                   {std::string(kLabelServiceName), "web"}};
  return wanted;
}

class Silent final : public ProgressSink {
  void OnProgress(const PullProgress&) override {}
};

TEST(ProcessRuntimeTest, ServicesRunOnWithoutTheAgentAndTheNextOneFindsThem) {
  const ProcessWorld world;
  auto runtime = world.Open();
  Silent silent;
  ASSERT_THAT(runtime->PullImage({"works-2"}, silent, {}), IsOk());
  const auto id = runtime->CreateContainer(Wanted(), {});
  ASSERT_THAT(id, IsOk());
  ASSERT_THAT(runtime->StartContainer(id.value(), {}), IsOk());
  const auto before = runtime->Observe({}, {});
  ASSERT_THAT(before, IsOk());

  runtime.reset();
  runtime = world.Open();
  const auto after = runtime->Observe({}, {});
  ASSERT_THAT(after, IsOk());
  ASSERT_EQ(after.value().containers.size(), 1U);
  const ObservedContainer& then = before.value().containers.front();
  const ObservedContainer& now = after.value().containers.front();
  EXPECT_EQ(now.state, ContainerState::kRunning);
  EXPECT_EQ(now.started_at, then.started_at);
  EXPECT_EQ(now.spec, then.spec);
  EXPECT_EQ(now.labels, then.labels);
  EXPECT_EQ(now.service, "web");

  ASSERT_THAT(runtime->StopContainer(id.value(), std::chrono::seconds(10), {}), IsOk());
  EXPECT_EQ(runtime->Observe({}, {}).value().containers.front().state, ContainerState::kExited);
}

}  // namespace
}  // namespace custom
