#include "host_power.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "lockstep/testing/matchers.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::HasSubstr;

// A system bus of this test's own.
class PrivateBus {
 public:
  PrivateBus() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-bus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return;
    directory_ = pattern;
    const std::string config = directory_ + "/bus.conf";
    std::ofstream(config) << "<busconfig><type>session</type><listen>" << address()
                          << "</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                          << "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                          << "<allow eavesdrop=\"true\"/><allow own=\"*\"/>"
                          << "</policy></busconfig>";
    int ready[2] = {-1, -1};
    if (::pipe(ready) != 0) return;
    daemon_ = ::fork();
    if (daemon_ == 0) {
      ::execlp("dbus-daemon", "dbus-daemon", "--nofork", ("--config-file=" + config).c_str(),
               ("--print-address=" + std::to_string(ready[1])).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    char first = 0;  // It says where it listens once it does.
    EXPECT_EQ(::read(ready[0], &first, 1), 1) << "no dbus-daemon";
    ::close(ready[0]);
  }
  ~PrivateBus() {
    if (daemon_ > 0) {
      ::kill(daemon_, SIGTERM);
      ::waitpid(daemon_, nullptr, 0);
    }
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;

  std::string address() const { return "unix:path=" + directory_ + "/socket"; }

 private:
  std::string directory_;
  pid_t daemon_ = -1;
};

// What systemd-logind answers on it.
class Logind {
 public:
  // `error`: the name of what each call fails with; empty: it is done. `inhibited`: what others
  // hold off, as logind says it: "shutdown:sleep".
  Logind(const PrivateBus& bus, std::string error, std::string inhibited = "sleep")
      : error_(std::move(error)), inhibited_(std::move(inhibited)) {
    EXPECT_GE(sd_bus_new(&bus_), 0);
    EXPECT_GE(sd_bus_set_address(bus_, bus.address().c_str()), 0);
    EXPECT_GE(sd_bus_set_bus_client(bus_, 1), 0);
    EXPECT_GE(sd_bus_start(bus_), 0);
    static const sd_bus_vtable kMethods[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Reboot", "b", "", &Logind::OnCall, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("PowerOff", "b", "", &Logind::OnCall, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("BlockInhibited", "s", &Logind::OnProperty, 0, 0), SD_BUS_VTABLE_END};
    EXPECT_GE(sd_bus_add_object_vtable(bus_, nullptr, "/org/freedesktop/login1",
                                       "org.freedesktop.login1.Manager", kMethods, this),
              0);
    EXPECT_GE(sd_bus_request_name(bus_, "org.freedesktop.login1", 0), 0);
    serving_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (sd_bus_process(bus_, nullptr) == 0) (void)sd_bus_wait(bus_, 10'000);
      }
    });
  }
  ~Logind() {
    serving_ = {};
    sd_bus_flush_close_unref(bus_);
  }
  Logind(const Logind&) = delete;
  Logind& operator=(const Logind&) = delete;

  std::string called() const { return called_; }  // "Reboot 0": the method, and its argument.

 private:
  static int OnCall(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& self = *static_cast<Logind*>(data);
    int interactive = -1;
    sd_bus_message_read(call, "b", &interactive);
    self.called_ = std::string(sd_bus_message_get_member(call)) + " " + std::to_string(interactive);
    if (!self.error_.empty()) {
      return sd_bus_error_set(error, self.error_.c_str(), "said by logind");
    }
    return sd_bus_reply_method_return(call, "");
  }

  static int OnProperty(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                        void* data, sd_bus_error*) {
    return sd_bus_message_append(reply, "s", static_cast<Logind*>(data)->inhibited_.c_str());
  }

  const std::string error_;
  const std::string inhibited_;
  std::string called_;  // Read once the call was answered.
  sd_bus* bus_ = nullptr;
  std::jthread serving_;
};

TEST(LogindTest, IsAskedToReboot) {
  const PrivateBus bus;
  const Logind logind(bus, "");
  EXPECT_THAT(HostPower({.bus = bus.address()}).Reboot(), IsOkAndHolds(PowerAnswer::kGoesDown));
  EXPECT_EQ(logind.called(), "Reboot 0");
}

TEST(LogindTest, IsAskedToPowerOff) {
  const PrivateBus bus;
  const Logind logind(bus, "");
  EXPECT_THAT(HostPower({.bus = bus.address()}).Shutdown(), IsOkAndHolds(PowerAnswer::kGoesDown));
  EXPECT_EQ(logind.called(), "PowerOff 0");
}

struct Refusal {
  std::string name;
  std::string error;
  ErrorCode code;
};
class LogindRefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(LogindRefusalTest, IsAnErrorThatSaysWhy) {
  const PrivateBus bus;
  const Logind logind(bus, GetParam().error);
  const auto asked = HostPower({.bus = bus.address()}).Reboot();
  ASSERT_THAT(asked, IsError(GetParam().code));
  EXPECT_THAT(asked.assume_error().message, HasSubstr("said by logind"));
  EXPECT_THAT(asked.assume_error().context, HasSubstr("reboot the device"));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LogindRefusalTest,
    ::testing::Values(
        Refusal{"MayNot", "org.freedesktop.DBus.Error.AccessDenied", ErrorCode::kPermissionDenied},
        Refusal{"AsksForAPassword", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                ErrorCode::kPermissionDenied},
        Refusal{"UnderWay", "org.freedesktop.login1.OperationInProgress", ErrorCode::kUnavailable},
        Refusal{"Inhibited", "org.freedesktop.login1.BlockedByInhibitorLock",
                ErrorCode::kUnavailable}),
    [](const auto& param_info) { return param_info.param.name; });

// It would let root run over it.
TEST(LogindTest, IsNotAskedWhileSomethingInhibitsAShutdown) {
  const PrivateBus bus;
  const Logind logind(bus, "", "sleep:shutdown:idle");
  const auto asked = HostPower({.bus = bus.address()}).Reboot();
  ASSERT_THAT(asked, IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(asked.assume_error().hint, HasSubstr("systemd-inhibit"));
  EXPECT_EQ(logind.called(), "");
}

TEST(LogindTest, NobodyThereIsSaidWithWhatToDo) {
  const PrivateBus bus;
  const auto asked = HostPower({.bus = bus.address()}).Reboot();
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.assume_error().hint, HasSubstr("--reboot"));
  const auto no_bus = HostPower({.host_root = "/nonexistent"}).Reboot();
  ASSERT_THAT(no_bus, IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(no_bus.assume_error().context, HasSubstr("system bus"));
}

// In a PID namespace the kernel stops that namespace alone: its first process dies of a signal that
// says what was asked for (pid_namespaces(7)).
class SyscallTest : public ::testing::Test {
 protected:
  static constexpr int kCannotTell = 77;
  static constexpr int kNothingHappened = 99;

  static int SignalOf(Result<PowerAnswer> (*ask)(HostPower&)) {
    const pid_t outer = ::fork();
    if (outer == 0) {
      if (::unshare(CLONE_NEWPID) != 0) ::_exit(kCannotTell);
      const pid_t first = ::fork();
      if (first == 0) {
        if (::getpid() != 1) ::_exit(kCannotTell);  // Never the machine itself.
        HostPower power({.way = RebootWay::kSyscall});
        const auto asked = ask(power);
        const bool may_not = !asked && asked.assume_error().code == ErrorCode::kPermissionDenied;
        ::_exit(may_not ? kCannotTell : kNothingHappened);
      }
      int status = 0;
      ::waitpid(first, &status, 0);
      ::_exit(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    int status = 0;
    ::waitpid(outer, &status, 0);
    return WEXITSTATUS(status);
  }
};

TEST_F(SyscallTest, Reboots) {
  const int signal = SignalOf([](HostPower& power) { return power.Reboot(); });
  if (signal == kCannotTell) GTEST_SKIP() << "makes no PID namespace here, or may not reboot it";
  EXPECT_EQ(signal, SIGHUP);
}

TEST_F(SyscallTest, PowersOff) {
  const int signal = SignalOf([](HostPower& power) { return power.Shutdown(); });
  if (signal == kCannotTell) GTEST_SKIP() << "makes no PID namespace here, or may not reboot it";
  EXPECT_EQ(signal, SIGINT);
}

TEST(HostPowerTest, ToldNeverToRebootItLeavesItToOthers) {
  HostPower power({.way = RebootWay::kNever});
  EXPECT_THAT(power.Reboot(), IsOkAndHolds(PowerAnswer::kLeftToOthers));
  EXPECT_THAT(power.Shutdown(), IsOkAndHolds(PowerAnswer::kLeftToOthers));
}

TEST(HostPowerTest, TheMemoryEngineRebootsNoMachine) {
  CommonOptions options;
  options.engine = "memory:";
  EXPECT_THAT(OpenHost(options)->Reboot(), IsOkAndHolds(PowerAnswer::kLeftToOthers));
}

TEST(HostPowerTest, KnowsTheBoot) { EXPECT_THAT(HostPower({}).BootId(), IsOk()); }

}  // namespace
}  // namespace lockstep
