#include "host_power.h"

#include <sys/reboot.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

namespace lockstep {
namespace {

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kLogindPath = "/org/freedesktop/login1";
constexpr const char* kLogindManager = "org.freedesktop.login1.Manager";
constexpr const char* kBusSocket = "/run/dbus/system_bus_socket";
constexpr std::uint64_t kAnswerWithin_us = 30'000'000;

struct PowerAction {
  const char* what;    // In an error.
  const char* logind;  // Method of org.freedesktop.login1.Manager.
  int syscall;         // Argument of reboot(2).
};
constexpr PowerAction kReboot = {"reboot the device", "Reboot", RB_AUTOBOOT};
constexpr PowerAction kPowerOff = {"shut the device down", "PowerOff", RB_POWER_OFF};

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, CloseBus>;

Error PowerError(int error, std::string message) {
  constexpr const char* kOtherWay = "say with --reboot how this device is rebooted";
  switch (error) {
    case EACCES:
    case EPERM:
      return MakeError(ErrorCode::kPermissionDenied, std::move(message),
                       "run as a user who may reboot, or say --reboot never");
    case ENOENT:
    case ENOSYS:
    case EINVAL:
      return MakeError(ErrorCode::kUnsupported, std::move(message), kOtherWay);
    case ETIMEDOUT:
    case ECONNRESET:
    case EPIPE:
      return MakeError(ErrorCode::kDeadlineExceeded, std::move(message), kOtherWay);
    default:
      return MakeError(ErrorCode::kUnavailable, std::move(message), kOtherWay);
  }
}

Result<Bus> OpenBus(const HostPlace& place) {
  std::string address = place.bus;
  if (address.empty() && place.host_root != "/") {
    address = "unix:path=" + place.host_root + kBusSocket;
  }
  sd_bus* raw = nullptr;
  int status = 0;
  if (address.empty()) {
    status = sd_bus_open_system(&raw);
  } else {
    status = sd_bus_new(&raw);
    if (status >= 0) status = sd_bus_set_address(raw, address.c_str());
    if (status >= 0) status = sd_bus_set_bus_client(raw, 1);
    if (status >= 0) status = sd_bus_start(raw);
  }
  Bus bus(raw);
  if (status >= 0) return bus;
  return WithContext(PowerError(-status, std::strerror(-status)), "open the system bus");
}

// Until systemd 257 logind lets root run over them without a word.
Result<void> CheckInhibitors(sd_bus* bus) {
  char* raw = nullptr;
  const int status = sd_bus_get_property_string(bus, kLogind, kLogindPath, kLogindManager,
                                                "BlockInhibited", nullptr, &raw);
  if (status < 0) return Ok();  // Then logind answers for itself.
  const std::string inhibited(raw);
  std::free(raw);
  for (std::size_t begin = 0; begin < inhibited.size();) {
    const std::size_t end = std::min(inhibited.find(':', begin), inhibited.size());
    if (inhibited.substr(begin, end - begin) == "shutdown") {
      return MakeError(ErrorCode::kUnavailable, "something on the device inhibits it for now",
                       "wait, or see with `systemd-inhibit --list` what it is");
    }
    begin = end + 1;
  }
  return Ok();
}

// https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
Result<void> AskLogind(const HostPlace& place, const PowerAction& action) {
  LOCKSTEP_TRY(const Bus bus, OpenBus(place));
  (void)sd_bus_set_method_call_timeout(bus.get(), kAnswerWithin_us);
  LOCKSTEP_TRYV(CheckInhibitors(bus.get()));
  sd_bus_error error{};              // As SD_BUS_ERROR_NULL, which is C alone.
  constexpr int kNobodyIsAsked = 0;  // No password is typed here.
  const int status = sd_bus_call_method(bus.get(), kLogind, kLogindPath, kLogindManager,
                                        action.logind, &error, nullptr, "b", kNobodyIsAsked);
  std::string message = error.message != nullptr ? error.message : std::strerror(-status);
  sd_bus_error_free(&error);
  if (status >= 0) return Ok();
  return PowerError(-status, std::move(message));
}

Result<void> AskKernel(const PowerAction& action) {
  ::sync();
  if (::reboot(action.syscall) == 0) return Ok();
  return PowerError(errno, std::strerror(errno));
}

Result<PowerAnswer> Perform(const HostPlace& place, const PowerAction& action) {
  if (place.way == RebootWay::kNever) return PowerAnswer::kLeftToOthers;
  auto asked = place.way == RebootWay::kLogind ? AskLogind(place, action) : AskKernel(action);
  if (asked) return PowerAnswer::kGoesDown;
  return WithContext(std::move(asked).assume_error(), action.what);
}

}  // namespace

Result<std::string> HostPower::BootId() {
  // A container that sees no /proc of the host has the same kernel, and so the same boot id.
  for (const std::string& root : {place_.host_root, std::string()}) {
    std::ifstream file(root + kBootId);
    std::string id;
    if (file >> id && !id.empty()) return id;
  }
  return MakeError(ErrorCode::kUnavailable, std::string(kBootId) + " cannot be read",
                   "mount /proc");
}

Result<PowerAnswer> HostPower::Reboot() { return Perform(place_, kReboot); }

Result<PowerAnswer> HostPower::Shutdown() { return Perform(place_, kPowerOff); }

std::unique_ptr<HostControl> OpenHost(const CommonOptions& options) {
  HostPlace place{.host_root = options.host_root};
  if (options.reboot == "syscall") place.way = RebootWay::kSyscall;
  if (options.reboot == "never" || options.engine.starts_with("memory:")) {
    place.way = RebootWay::kNever;
  }
  return std::make_unique<HostPower>(std::move(place));
}

}  // namespace lockstep
