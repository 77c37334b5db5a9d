// DirectoryWatch: sleeps until an entry of a directory comes or goes (inotify).
#ifndef CUSTOM_AGENT_DIRECTORY_WATCH_H_
#define CUSTOM_AGENT_DIRECTORY_WATCH_H_

#include <lockstep/result.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "refused.h"

namespace custom {

class DirectoryWatch {
 public:
  // Those that are missing are passed over. Error: kUnavailable (the system has a limit).
  static lockstep::Result<std::unique_ptr<DirectoryWatch>> Open(
      const std::vector<std::string>& directories) {
    std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch());
    if (watch->changes_ < 0 || watch->stop_ < 0) return Refused("watch directories", errno);
    for (const std::string& directory : directories) {
      const auto mask = IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR;
      if (inotify_add_watch(watch->changes_, directory.c_str(), mask) < 0 && errno != ENOENT) {
        return Refused("watch " + directory, errno);
      }
    }
    return watch;
  }
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch() {
    close(changes_);
    close(stop_);
  }

  // Returns when something has changed since Open or the last call, on a stop, or after `timeout`;
  // at times for nothing.
  void Wait(std::optional<std::chrono::milliseconds> timeout, const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [this] { (void)eventfd_write(stop_, 1); });
    pollfd wait[] = {{changes_, POLLIN, 0}, {stop_, POLLIN, 0}};
    (void)poll(wait, 2, timeout ? static_cast<int>(timeout->count()) : -1);
    std::array<char, 4096> told{};
    while (read(changes_, told.data(), told.size()) > 0) {
    }
  }

 private:
  DirectoryWatch()
      : changes_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), stop_(eventfd(0, EFD_CLOEXEC)) {}

  const int changes_;
  const int stop_;
};

}  // namespace custom

#endif  // CUSTOM_AGENT_DIRECTORY_WATCH_H_
