#include "with_lock.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "service_lock.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kError = 1;
constexpr int kUsage = 2;
constexpr int kHeld = 3;
constexpr int kCannotRun = 126;
constexpr int kNotFound = 127;
constexpr int kBySignal = 128;

// Where a service's lock directory is bound, and the lock's name there.
struct Place {
  const char* dir;
  const char* file;
};
constexpr std::array kPlaces = {
    Place{"/tmp/balena", "updates.lock"},
    Place{"/tmp/resin", "resin-updates.lock"},  // Of supervisors before 7.22.
};

constexpr const char* kHelp =
    "Usage: %s [--service-dir DIR] [--timeout SECONDS] -- COMMAND [ARGUMENT...]\n"
    "\n"
    "Runs COMMAND while the update lock of this service is held, so that no update\n"
    "interrupts it, and gives the lock back however it ends. To be run inside the\n"
    "service's container. While another holds the lock it waits.\n"
    "\n"
    "  --service-dir DIR\n"
    "        The service's lock directory. Without it: /tmp/balena, or /tmp/resin\n"
    "        where that is the one there is.\n"
    "  --timeout SECONDS\n"
    "        How long to wait while another holds the lock; 0 for not at all.\n"
    "  -h, --help\n"
    "        Prints this help.\n"
    "\n"
    "Exit status: that of COMMAND, or 128 + n where signal n ended it; 1 an error,\n"
    "2 a wrong command line, 3 the lock is held, 126 or 127 COMMAND cannot be run.\n";

struct Options {
  const char* program = "with-lock";
  Place place = kPlaces.front();
  std::optional<milliseconds> patience;  // None: for ever.
  char** command = nullptr;
};

int Fail(const Options& options, const char* what, int error, const char* hint) {
  std::fprintf(stderr, "lockstep: %s %s : %s; %s\n", what, options.place.dir, std::strerror(error),
               hint);
  return kError;
}

std::optional<milliseconds> ParseSeconds(const char* text) {
  constexpr double kMost = 1e9;
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= kMost)) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// None: go on; else the exit status.
std::optional<int> Parse(int argc, char** argv, Options& options) {
  static constexpr std::array<option, 4> kOptions = {{
      {"service-dir", required_argument, nullptr, 'd'},
      {"timeout", required_argument, nullptr, 't'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  }};
  if (argc > 0) options.program = argv[0];
  const auto has_directory = [](const Place& place) { return ::access(place.dir, F_OK) == 0; };
  const auto there = std::find_if(kPlaces.begin(), kPlaces.end(), has_directory);
  if (there != kPlaces.end()) options.place = *there;
  optind = 0;  // It may have been used before.
  // "+": what follows the command's name is the command's.
  for (int got; (got = ::getopt_long(argc, argv, "+h", kOptions.data(), nullptr)) != -1;) {
    switch (got) {
      case 'd':
        options.place = {optarg, kPlaces.front().file};
        break;
      case 't':
        options.patience = ParseSeconds(optarg);
        if (options.patience) break;
        std::fprintf(stderr,
                     "lockstep: --timeout : \"%s\" is no number of seconds; write such as 2.5\n",
                     optarg);
        return kUsage;
      case 'h':
        std::printf(kHelp, options.program);
        return 0;
      default:
        return kUsage;  // getopt_long has said why.
    }
  }
  if (optind == argc) {
    std::fprintf(stderr, "lockstep: command line : no command is given; see `%s --help`\n",
                 options.program);
    return kUsage;
  }
  options.command = argv + optind;
  return std::nullopt;
}

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {}

  int Run() {
    constexpr const char* kDirHint = "run it inside the service's container, or name the directory";
    const int dir = ::open(options_.place.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return Fail(options_, "open lock directory", errno, kDirHint);
    BlockSignals();
    ServiceLock lock(dir, options_.place.file);
    if (const auto status = Take(lock, dir)) return *status;
    const int status = RunCommand();
    if (const int error = lock.Release(); error != 0) {
      (void)Fail(options_, "give back the lock in", error, "remove the lock yourself");
    }
    return status;
  }

 private:
  void BlockSignals() {
    sigset_t forwarded;
    ::sigemptyset(&forwarded);
    for (const int each : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) {
      struct sigaction before {};
      ::sigaction(each, nullptr, &before);
      if (before.sa_handler != SIG_IGN) ::sigaddset(&forwarded, each);  // As nohup(1) has it.
    }
    // Where it is ignored nobody is told that a child has ended.
    ::sigaddset(&forwarded, SIGCHLD);
    ::sigaction(SIGCHLD, nullptr, &child_before_);
    struct sigaction as_usual {};
    as_usual.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &as_usual, nullptr);
    ::sigprocmask(SIG_BLOCK, &forwarded, &mask_before_);
    signals_ = ::signalfd(-1, &forwarded, SFD_CLOEXEC);
  }

  std::optional<signalfd_siginfo> NextSignal() const {
    signalfd_siginfo info{};
    return ::read(signals_, &info, sizeof(info)) == sizeof(info) ? std::optional(info)
                                                                 : std::nullopt;
  }

  // None: it is taken; else the exit status.
  std::optional<int> Take(ServiceLock& lock, int dir) {
    const auto deadline =
        options_.patience ? std::optional(Clock::now() + *options_.patience) : std::nullopt;
    const int changes = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    std::array<char, 32> path;
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", dir);
    const bool watched =
        ::inotify_add_watch(changes, path.data(), IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) >= 0;
    for (bool told = false;;) {
      const int error = lock.Take();
      if (error == 0) return std::nullopt;
      if (error != EEXIST) {
        return Fail(options_, "take the lock in", error, "check who may write there");
      }
      milliseconds left{-1};
      if (deadline) {
        left = std::chrono::ceil<milliseconds>(*deadline - Clock::now());
        if (left.count() <= 0) {
          std::fprintf(stderr, "lockstep: take the lock : %s/%s is held; try again later\n",
                       options_.place.dir, options_.place.file);
          return kHeld;
        }
      }
      if (!told) {
        std::fprintf(stderr, "lockstep: waiting: %s/%s is held\n", options_.place.dir,
                     options_.place.file);
      }
      told = true;
      constexpr milliseconds kPollPeriod{1000};  // Where no event tells that it is free.
      if (!watched || lock.held_by_flock())
        left = left.count() < 0 ? kPollPeriod : std::min(left, kPollPeriod);
      if (const auto status = Wait(changes, left)) return status;
    }
  }

  // None: something may have changed; else the exit status.
  std::optional<int> Wait(int changes, milliseconds left) const {
    constexpr milliseconds kMost{3'600'000};
    std::array<pollfd, 2> polled = {pollfd{signals_, POLLIN, 0}, pollfd{changes, POLLIN, 0}};
    (void)::poll(polled.data(), polled.size(), static_cast<int>(std::min(left, kMost).count()));
    alignas(inotify_event) std::array<char, 4096> events;
    while (::read(changes, events.data(), events.size()) > 0) {
    }
    if ((polled[0].revents & POLLIN) == 0) return std::nullopt;
    const auto signal = NextSignal();
    if (!signal || signal->ssi_signo == SIGCHLD) return std::nullopt;
    return kBySignal + static_cast<int>(signal->ssi_signo);
  }

  int RunCommand() {
    const pid_t child = ::fork();
    if (child < 0) {
      std::fprintf(stderr, "lockstep: run %s : %s; try again later\n", options_.command[0],
                   std::strerror(errno));
      return kError;
    }
    if (child == 0) Exec();
    for (;;) {
      const auto signal = NextSignal();
      if (signal && signal->ssi_signo != SIGCHLD) {
        // What a terminal sends it sends to the command as well.
        if (signal->ssi_code != SI_KERNEL) ::kill(child, static_cast<int>(signal->ssi_signo));
        continue;
      }
      int status = 0;
      const pid_t ended = ::waitpid(child, &status, signal ? WNOHANG : 0);
      if (ended < 0 && errno == ECHILD) return kError;  // Somebody else has its status.
      if (ended != child) continue;
      if (WIFSIGNALED(status)) return kBySignal + WTERMSIG(status);
      if (WIFEXITED(status)) return WEXITSTATUS(status);
    }
  }

  [[noreturn]] void Exec() const {
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    ::execvp(options_.command[0], options_.command);
    const int error = errno;
    std::fprintf(stderr, "lockstep: run %s : %s; check its name and mode\n", options_.command[0],
                 std::strerror(error));
    ::_exit(error == ENOENT ? kNotFound : kCannotRun);
  }

  const Options& options_;
  sigset_t mask_before_{};
  struct sigaction child_before_ {};
  int signals_ = -1;
};

}  // namespace

int WithLockMain(int argc, char** argv) {
  Options options;
  if (const auto status = Parse(argc, argv, options)) return *status;
  return Runner(options).Run();
}

}  // namespace lockstep
