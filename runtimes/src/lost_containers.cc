#include "lost_containers.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "pause.h"
#include "proc_text.h"

namespace lockstep::docker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kIdLength = 64;
// What a runtime names its process until it becomes the container's.
constexpr std::string_view kOfRuntime = "runc:[";
// After SIGKILL, which the kernel may put off while a process waits for a disk.
constexpr milliseconds kDeathTime{10'000};
// What looks lost is looked at again after these, doubled each time.
constexpr milliseconds kFirstDoubt{200};
constexpr milliseconds kLastDoubt{1600};

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string container;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string ProcPath(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

bool IsId(std::string_view text) {
  return text.size() == kIdLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Of "ID", "docker-ID.scope"; empty where it is neither.
std::string_view IdInPart(std::string_view part) {
  constexpr std::string_view kScope = ".scope";
  if (IsId(part)) return part;
  if (!part.ends_with(kScope)) return {};
  part.remove_suffix(kScope.size());
  if (part.size() <= kIdLength) return {};
  const std::string_view prefix = part.substr(0, part.size() - kIdLength);
  const std::string_view id = part.substr(prefix.size());
  return prefix.ends_with('-') && !prefix.ends_with("conmon-") && IsId(id) ? id
                                                                           : std::string_view();
}

std::string ContainerOf(pid_t pid) {
  std::ifstream lines(ProcPath(pid, "cgroup"));
  for (std::string line; std::getline(lines, line);) {
    if (const std::string_view id = ContainerOfCgroup(line); !id.empty()) return std::string(id);
  }
  return {};
}

// One that ended may have threads that go on.
bool HasOtherThreads(pid_t pid) {
  std::error_code error;
  std::filesystem::directory_iterator it(ProcPath(pid, "task"), error), end;
  int threads = 0;
  for (; !error && it != end; it.increment(error)) ++threads;
  return threads > 1;
}

// None for one that is in no container, has ended, or is the runtime's own.
std::optional<Process> MemberOf(pid_t pid) {
  Process process{pid, 0, ContainerOf(pid)};
  if (process.container.empty()) return std::nullopt;
  // "4021 (its name) S 4000 ...", and the name may be anything.
  const std::string stat = ProcText(ProcPath(pid, "stat"));
  const std::size_t name = stat.find('(');
  const std::size_t rest = stat.rfind(')');
  if (name == std::string::npos || rest == std::string::npos || rest + 4 > stat.size()) {
    return std::nullopt;
  }
  const char state = stat[rest + 2];
  if (state == 'X' || (state == 'Z' && !HasOtherThreads(pid))) return std::nullopt;
  if (stat.compare(name + 1, kOfRuntime.size(), kOfRuntime) == 0) return std::nullopt;
  std::from_chars(stat.data() + rest + 4, stat.data() + stat.size(), process.parent);
  return process;
}

// Those of all containers.
std::vector<Process> Members() {
  std::vector<Process> members;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc", error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    pid_t pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
    if (auto member = MemberOf(pid)) members.push_back(*std::move(member));
  }
  return members;
}

std::set<std::string> ContainersOf(const std::vector<Process>& processes) {
  std::set<std::string> containers;
  for (const Process& process : processes) containers.insert(process.container);
  return containers;
}

Error Failed(const std::string& what) {
  const ErrorCode code = errno == EPERM    ? ErrorCode::kPermissionDenied
                         : errno == ENOSYS ? ErrorCode::kUnsupported
                                           : ErrorCode::kConflict;
  return MakeError(code, what + " (" + std::strerror(errno) + ")",
                   "end it, or restart the machine");
}

// True once the process has ended; false when the time was over first.
Result<bool> AwaitEnd(int process, steady_clock::time_point deadline, int stopped) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    std::array<pollfd, 2> fds = {pollfd{process, POLLIN, 0}, pollfd{stopped, POLLIN, 0}};
    const int ready =
        poll(fds.data(), fds.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (fds[1].revents != 0 && ready > 0) {
      return MakeError(ErrorCode::kCancelled, "the wait for a process that the engine lost");
    }
    if (ready > 0) return true;
    if (ready == 0 && steady_clock::now() >= deadline) return false;
  }
}

// Sends the signal, unless the number is another process's by now. None where it has ended.
Result<std::optional<Descriptor>> Signal(pid_t pid, const std::string& container, int signal) {
  const std::string what = "process " + std::to_string(pid) + " of it runs, and cannot be ended";
  Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0 && errno == ESRCH) return std::optional<Descriptor>();
  if (process.get() < 0) return Failed(what);
  const auto member = MemberOf(pid);
  if (!member || member->container != container) return std::optional<Descriptor>();
  if (syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) != 0) {
    if (errno == ESRCH) return std::optional<Descriptor>();
    return Failed(what);
  }
  return std::optional<Descriptor>(std::move(process));
}

}  // namespace

std::string_view ContainerOfCgroup(std::string_view line) {
  std::string_view path = line.substr(std::min(line.rfind(':') + 1, line.size()));
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    if (const std::string_view id = IdInPart(path.substr(begin)); !id.empty()) return id;
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

std::vector<pid_t> ProcessesOf(const std::string& container) {
  std::vector<Process> members = Members();
  std::erase_if(members, [&](const Process& process) { return process.container != container; });
  const auto has_parent = [&](const Process& process) {
    return std::any_of(members.begin(), members.end(),
                       [&](const Process& other) { return other.pid == process.parent; });
  };
  const auto first = std::find_if_not(members.begin(), members.end(), has_parent);
  if (first != members.end()) std::iter_swap(members.begin(), first);
  std::vector<pid_t> pids;
  for (const Process& process : members) pids.push_back(process.pid);
  return pids;
}

LostContainers::Start::Start(LostContainers& of, std::string container)
    : of_(of), container_(std::move(container)) {
  const std::lock_guard lock(of_.mutex_);
  of_.starting_.insert(container_);
}

LostContainers::Start::~Start() {
  const std::lock_guard lock(of_.mutex_);
  of_.starting_.erase(of_.starting_.find(container_));
}

bool LostContainers::IsStarting(const std::string& container) const {
  const std::lock_guard lock(mutex_);
  return starting_.contains(container);
}

void LostContainers::Mark(std::vector<ObservedContainer>& containers,
                          const std::function<bool(const std::string&)>& runs, Clock& clock,
                          const std::stop_token& stop) {
  std::set<std::string> down;
  for (const ObservedContainer& container : containers) {
    const bool counts = container.owned && container.state != ContainerState::kRemoving;
    if (counts && !container.IsUp()) down.insert(container.id);
  }
  if (down.empty()) return;
  std::set<std::string> found = ContainersOf(Members());
  std::erase_if(found, [&](const auto& id) { return !down.contains(id) || IsStarting(id); });
  std::set<std::string> lost;
  {
    const std::lock_guard lock(mutex_);
    std::set_intersection(found.begin(), found.end(), lost_.begin(), lost_.end(),
                          std::inserter(lost, lost.end()));
  }
  std::erase_if(found, [&](const auto& id) { return lost.contains(id); });
  for (milliseconds pause = kFirstDoubt; pause <= kLastDoubt && !found.empty(); pause *= 2) {
    Pause(clock, pause, stop);
    const std::set<std::string> now = ContainersOf(Members());
    std::erase_if(found,
                  [&](const auto& id) { return !now.contains(id) || IsStarting(id) || runs(id); });
  }
  lost.merge(found);
  for (ObservedContainer& container : containers) {
    if (!lost.contains(container.id)) continue;
    container.state = ContainerState::kRunning;
    container.lost = true;
  }
  const std::lock_guard lock(mutex_);
  lost_ = std::move(lost);
}

int SignalFromName(std::string_view name) {
  constexpr std::string_view kPrefix = "SIG";
  constexpr std::string_view kRealTime = "RTMIN+";
  int number = 0;
  const auto read = [&](std::string_view digits) {
    const char* const end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number);
    return result.ec == std::errc() && result.ptr == end && number >= 0 && number <= SIGRTMAX;
  };
  if (read(name)) return number == 0 ? SIGTERM : number;
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  if (name.starts_with(kRealTime) && read(name.substr(kRealTime.size()))) {
    return std::min(SIGRTMIN + number, SIGRTMAX);
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* const known = sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return SIGTERM;
}

Result<void> EndProcesses(const std::string& container, int signal, milliseconds grace,
                          std::stop_token stop) {
  const Descriptor stopped(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&] {
    const std::uint64_t one = 1;
    (void)!write(stopped.get(), &one, sizeof one);
  });
  std::vector<pid_t> pids = ProcessesOf(container);
  if (!pids.empty()) {
    LOCKSTEP_TRY(const auto asked, Signal(pids.front(), container, signal));
    if (asked) {
      LOCKSTEP_TRYV(AwaitEnd(asked->get(), steady_clock::now() + grace, stopped.get()));
    }
  }
  // Again for those that were begun meanwhile.
  const auto deadline = steady_clock::now() + kDeathTime;
  for (pids = ProcessesOf(container); !pids.empty(); pids = ProcessesOf(container)) {
    if (steady_clock::now() >= deadline) {
      return MakeError(ErrorCode::kConflict, "a process of it runs on though it was killed",
                       "restart the machine");
    }
    std::vector<Descriptor> killed;
    for (const pid_t pid : pids) {
      LOCKSTEP_TRY(auto process, Signal(pid, container, SIGKILL));
      if (process) killed.push_back(*std::move(process));
    }
    for (const Descriptor& process : killed) {
      LOCKSTEP_TRYV(AwaitEnd(process.get(), deadline, stopped.get()));
    }
  }
  return Ok();
}

}  // namespace lockstep::docker
