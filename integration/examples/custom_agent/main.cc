// An agent with a runtime and a lock scheme of its own: updates two services that are processes.
//
//   custom_agent DIR     DIR: absolute, an empty directory
//
// The service `web` of the first release raises its flag, as one does that must not be interrupted,
// and lowers it when its job is done. The second release waits for that.
#include <lockstep/orchestrator.h>
#include <lockstep/testing/fake_host_control.h>
#include <lockstep/testing/fake_store.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include "flag_locks.h"
#include "process_runtime.h"

namespace {

using namespace lockstep;

constexpr const char* kWorks = "exec sleep 1000\n";
constexpr const char* kWorksOnAJobFirst =
    "until ln -s a-job \"$LOCK_DIR/busy\" 2>/dev/null; do sleep 0.05; done\n"
    "while [ ! -e \"$LOCK_DIR/job-is-done\" ]; do sleep 0.05; done\n"
    "rm \"$LOCK_DIR/busy\"\n"
    "exec sleep 1000\n";

void Publish(const std::string& program, const std::string& script) {
  std::ofstream(program) << "#!/bin/sh\n" << script;
}

TargetService Service(const std::string& name, const std::string& program) {
  TargetService service;
  service.name = name;
  service.spec.image = program;
  service.spec.Set(Field::kRestart, "always");
  return service;
}

Target Shop(const std::string& commit, const std::string& web_program) {
  TargetService web = Service("web", web_program);
  web.spec.depends_on.emplace_back().service = "db";
  TargetApp app;
  app.uuid = app.name = "shop";
  app.release.emplace();
  app.release->commit = commit;
  app.release->services = {Service("db", "db-1"), web};
  Target target;
  target.apps = {app};
  return target;
}

// Tells what happens, and what the world does meanwhile.
class Narrator final : public EventObserver {
 public:
  explicit Narrator(std::function<void()> when_held) : when_held_(std::move(when_held)) {}

  void OnEvent(const Event& event) override {
    const bool shown =
        event.step_kind == StepKind::kStopContainer || event.step_kind == StepKind::kStartContainer;
    if (event.kind == EventKind::kStepDone && shown) {
      std::cout << StepKindName(event.step_kind) << ' ' << event.service << '\n';
    } else if (event.kind == EventKind::kStepFailed) {
      std::cout << "failed: " << Describe(*event.error) << '\n';
    } else if (event.kind == EventKind::kCommitted || event.kind == EventKind::kReleased) {
      std::cout << EventKindName(event.kind) << '\n';
    } else if (event.kind == EventKind::kHeld) {
      std::cout << "held by the flag of " << event.holders.front().service << '\n';
      when_held_();
    }
  }

 private:
  std::function<void()> when_held_;
};

// Ends where the flag is up; an error where that does not come.
Result<void> AwaitFlag(LockFs& locks, const ServiceRef& service) {
  for (int tries = 0; tries < 1000; ++tries) {
    LOCKSTEP_TRY(const auto holders, locks.Holders({&service, 1}));
    if (!holders.empty()) return Ok();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return MakeError(ErrorCode::kDeadlineExceeded, service.service + " raises no flag");
}

Result<void> Play(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir + "/registry", error);
  Publish(dir + "/registry/db-1", kWorks);
  Publish(dir + "/registry/web-1", kWorksOnAJobFirst);
  Publish(dir + "/registry/web-2", kWorks);

  LOCKSTEP_TRY(const auto runtime,
               custom::ProcessRuntime::Open(dir + "/registry", dir + "/runtime"));
  custom::FlagLocks locks(dir + "/flags");
  test::FakeStore store;          // Yours: a database,
  test::FakeHostControl machine;  // what reboots,
  DeviceConfig config;            // and backends for boot files.
  SystemClock clock;
  Orchestrator orchestrator({*runtime, locks, store, machine, config, clock});

  Narrator narrator([&] {
    std::cout << "the job is done\n";
    std::ofstream(dir + "/flags/shop/web/job-is-done");
  });
  const auto apply = [&](const std::string& title, const Target& target) -> Result<void> {
    std::cout << title << '\n';
    ApplyOptions options;
    options.session.settle = std::chrono::milliseconds(300);
    LOCKSTEP_TRY(const ApplyReport report, orchestrator.Apply(target, options, narrator, {}));
    if (report.outcome == ApplyOutcome::kInSync) return Ok();
    return MakeError(ErrorCode::kInternal, title + " has failed");
  };
  LOCKSTEP_TRYV(apply("release a1", Shop("a1", "web-1")));
  LOCKSTEP_TRYV(AwaitFlag(locks, {"shop", "shop", "web"}));
  LOCKSTEP_TRYV(apply("release b2", Shop("b2", "web-2")));
  return apply("no release", Target());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: custom_agent DIR\n";
    return 2;
  }
  const auto played = Play(argv[1]);
  if (played) return 0;
  std::cerr << Describe(played.assume_error()) << '\n';
  return 1;
}
