#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "interrupts.h"
#include "streams.h"
#include "with_lock.h"

namespace {

int Columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool IsLiveTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

// glibc gives each thread a heap of its own, and keeps more of what was freed the larger it was: of
// use to programs that allocate all the time. This one waits.
void KeepLittleMemory() {
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);  // The default; said, it stays.
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "with-lock") {
    std::string name = "lockstep with-lock";
    argv[1] = name.data();
    return lockstep::WithLockMain(argc - 1, argv + 1);
  }
  KeepLittleMemory();
  // A reader of our output that goes away must not end a cutover.
  std::signal(SIGPIPE, SIG_IGN);
  lockstep::Interrupts interrupts;
  lockstep::Streams streams{std::cout, std::cerr, interrupts.token(), nullptr, false};
  streams.on_hangup = [&](std::function<void()> call) { interrupts.OnHangup(std::move(call)); };
  if (IsLiveTerminal()) {
    streams.columns = Columns;
    const char* no_color = std::getenv("NO_COLOR");
    streams.colour = no_color == nullptr || *no_color == '\0';
  }
  return lockstep::RunCommand(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc),
                              streams);
}
