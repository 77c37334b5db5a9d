// minimal_supervisor unix:///var/run/docker.sock|memory DIR: keeps an app at its newest release.
// Releases are lines on standard input, COMMIT SERVICE=IMAGE ...; SIGTERM or SIGINT ends it.
#include <fcntl.h>
#include <lockstep/lockfs/host_lock_fs.h>
#include <lockstep/orchestrator.h>
#include <lockstep/runtimes/docker_engine.h>
#include <lockstep/runtimes/memory_engine.h>
#include <lockstep/testing/fake_host_control.h>
#include <lockstep/testing/fake_store.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <sstream>
#include <thread>
using namespace lockstep;
struct Printer final : EventObserver {
  void OnEvent(const Event& e) override {  // Must not block: where output may, queue it instead.
    std::cout << EventKindName(e.kind) << ' ' << e.app << ' ' << e.service;
    if (e.step) std::cout << ' ' << StepKindName(e.step_kind) << ' ' << e.subject;
    if (e.total_bytes > 0) std::cout << ' ' << e.current_bytes << '/' << e.total_bytes << " bytes";
    for (const LockHolder& holder : e.holders) std::cout << " by " << holder.path;
    std::cout << (e.error ? ": " + Describe(*e.error) : "") << std::endl;
  }
};

Result<std::unique_ptr<RuntimeBackend>> OpenEngine(const std::string& url) {
  if (url != "memory") return MakeDockerEngine({.url = url});
  return std::make_unique<MemoryEngine>(MemoryOptions{.pull_anything = true});
}

void TakeUp(const std::string& line, RunControl& control) {  // All of it, or nothing changes.
  std::istringstream words(line);
  TargetApp app{.uuid = "shop", .name = "shop", .release = TargetRelease()};
  if (!(words >> app.release->commit)) return;
  std::map<std::string, ServiceSpec> services;  // A release has them sorted by name.
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == word.npos) return void(std::cerr << "no SERVICE=IMAGE: " << word << std::endl);
    ServiceSpec& spec = services[word.substr(0, equals)] = {.image = word.substr(equals + 1)};
    spec.Set(Field::kRestart, "always");
  }
  for (auto& [name, spec] : services) app.release->services.push_back({.name = name, .spec = spec});
  control.SetTarget({.whole_device = false, .apps = {app}});  // Other apps are not its matter.
}

int main(int argc, char** argv) {
  const auto fail = [](const std::string& why) { return std::cerr << why << std::endl, 1; };
  const std::string dir = argc == 3 ? argv[2] : "";
  const int alone = open((dir + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (argc != 3 || lockf(alone, F_TLOCK, 0) != 0) return fail("needs ENGINE and a DIR of its own");
  sigset_t signals;  // Blocked before there are threads, which inherit it; a descriptor tells.
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // That nobody reads what it prints ends no update.
  test::FakeStore store;          // Bring your own three: a database,
  test::FakeHostControl machine;  // what names this boot and reboots,
  DeviceConfig config;            // and backends for boot files.
  SystemClock clock;
  HostLockFsOptions where{.locks_root = dir + "/locks", .journal_dir = dir + "/journal"};
  if (const auto boot = machine.BootId()) where.boot_id = boot.value();
  const auto locks = OpenHostLockFs(where);
  const auto engine = OpenEngine(argv[1]);
  if (!locks || !engine) return fail(Describe(locks ? engine.error() : locks.error()));
  Orchestrator orchestrator({*engine.value(), *locks.value(), store, machine, config, clock});
  Printer printer;
  RunControl control;
  std::jthread run([&](std::stop_token stop) { orchestrator.Run({}, control, printer, stop); });
  pollfd wait[] = {{signalfd(-1, &signals, SFD_CLOEXEC), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (std::string line; wait[0].revents == 0;) {
    if (poll(wait, 2, -1) < 0 || wait[1].revents == 0) continue;
    line += '\0';
    if (read(STDIN_FILENO, &line.back(), 1) != 1) wait[1].fd = -1;  // The last one stays.
    if (line.back() == '\n') TakeUp(std::exchange(line, ""), control);
  }
}  // Asks `run` to stop, which finishes a cutover that has begun, and waits for it.
