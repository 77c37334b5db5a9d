// DeviceInfo: what is known of the device a target is for. Services' requirements are compared with
// it (device_fit.h), and containers are told of it (BALENA_DEVICE_TYPE and the like).
#ifndef LOCKSTEP_DEVICE_INFO_H_
#define LOCKSTEP_DEVICE_INFO_H_

#include <string>
#include <string_view>

namespace lockstep {

// The release of balena-supervisor that Lockstep stands in for: what a contract that asks for
// sw.supervisor is compared with where DeviceInfo says nothing else.
inline constexpr std::string_view kSupervisorVersion = "19.0.5";

// Where balenaOS has its engine's socket.
inline constexpr std::string_view kBalenaEngineSocket = "/var/run/balena-engine.sock";

// An empty part is not known: a requirement on it is not met, and containers are not told.
struct DeviceInfo {
  std::string uuid;
  std::string name;

  std::string type;                // balena's device type: "raspberrypi4-64".
  std::string arch;                // In balena's words: aarch64, amd64, armv7hf, rpi or i386.
  std::string os_id;               // "balena-os", as ID in /etc/os-release.
  std::string os_version;          // "6.5.24+rev1"
  std::string os_name;             // "balenaOS 6.5.24+rev1"; empty: `os_version` is told.
  std::string os_board_rev;        // The revision of the board's layer of balenaOS.
  std::string kernel_version;      // "6.1.77"
  std::string l4t_version;         // Of NVIDIA's Linux for Tegra: "35.4.1".
  std::string supervisor_version;  // Empty: kSupervisorVersion.
  std::string engine_socket;       // The engine's, on its host; empty: kBalenaEngineSocket.

  // The APIs that a service may ask for by label: addresses that its containers reach, and keys.
  // The keys are secret: they are given to containers, and never written to a snapshot.
  std::string supervisor_host;
  std::string supervisor_port;
  std::string supervisor_api_key;
  std::string api_url;
  std::string api_key;

  friend bool operator==(const DeviceInfo&, const DeviceInfo&) = default;
};

}  // namespace lockstep

#endif  // LOCKSTEP_DEVICE_INFO_H_
