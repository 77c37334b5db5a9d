#include "engine.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "engine_environment.h"
#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/runtimes/memory_engine.h"
#include "private_file.h"
#include "registry_logins.h"
#include "snapshot.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::string_view kUnix = "unix://";

class RemoteEngine final : public Engine {
 public:
  explicit RemoteEngine(std::unique_ptr<RuntimeBackend> backend) : backend_(std::move(backend)) {}
  RuntimeBackend& backend() override { return *backend_; }

 private:
  std::unique_ptr<RuntimeBackend> backend_;
};

// Kept in a file between runs, so that a whole story can be told without a daemon.
class KeptMemoryEngine final : public Engine {
 public:
  KeptMemoryEngine(std::string path, EngineState initial)
      : path_(std::move(path)), engine_(std::move(initial), Options()) {}
  RuntimeBackend& backend() override { return engine_; }

  Result<void> Save() override {
    ObservedState state;
    state.taken_at =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    state.engine = engine_.State();
    Sort(state);
    return WritePrivateFile(path_, WriteSnapshot(state));
  }

 private:
  static MemoryOptions Options() {
    MemoryOptions options;
    options.pull_anything = true;
    return options;
  }

  std::string path_;
  MemoryEngine engine_;
};

Result<std::unique_ptr<Engine>> OpenMemoryEngine(const CommonOptions& options) {
  const std::string path = options.state_dir + "/memory-engine.json";
  std::error_code error;
  EngineState initial;
  if (std::filesystem::exists(path, error)) {
    LOCKSTEP_TRY(const std::string text, ReadRegularFile(path, kMostFileBytes));
    auto saved = ReadSnapshot(text);
    if (!saved) {
      Error failed = WithContext(std::move(saved).assume_error(), "memory engine: read " + path);
      failed.hint = "remove the file to begin with an empty engine";
      return failed;
    }
    initial = std::move(saved).assume_value().engine;
  }
  return std::unique_ptr<Engine>(std::make_unique<KeptMemoryEngine>(path, std::move(initial)));
}

// 0, or the errno of the refusal.
int TryConnect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
  close(fd);
  return result;
}

Result<std::string> ChooseUrl(const CommonOptions& options) {
  if (!options.engine.empty()) return options.engine;
  if (auto host = HostOf(std::getenv); !host.empty()) return host;
  LOCKSTEP_TRY(const std::string path,
               FirstAnswering({"/var/run/docker.sock", "/run/balena-engine.sock",
                               "/var/run/balena-engine.sock"}));
  return std::string(kUnix) + path;
}

}  // namespace

Result<std::string> FirstAnswering(const std::vector<std::string>& sockets) {
  std::string all;
  std::string denied;
  for (const std::string& path : sockets) {
    const int refusal = TryConnect(path);
    if (refusal == 0) return path;
    if (denied.empty() && (refusal == EACCES || refusal == EPERM)) denied = path;
    all += (all.empty() ? "" : ", ") + path + " (" + std::strerror(refusal) + ')';
  }
  if (!denied.empty()) {
    return WithContext(MakeError(ErrorCode::kPermissionDenied,
                                 "permission denied on the engine's socket " + denied,
                                 "run as root, or as a member of the socket's group"),
                       "find an engine");
  }
  return WithContext(MakeError(ErrorCode::kUnavailable, "no engine answers at " + all,
                               "start the engine, or name it with --engine URL or DOCKER_HOST"),
                     "find an engine");
}

Result<std::unique_ptr<Engine>> OpenEngine(const CommonOptions& options) {
  LOCKSTEP_TRY(const std::string url, ChooseUrl(options));
  spdlog::debug("the engine is {}", url);
  if (url == "memory:") return OpenMemoryEngine(options);
  DockerOptions docker;
  docker.url = url;
  docker.tls = TlsOf(std::getenv);
  docker.credentials = RegistryLogins(options);
  if (url.find("://") == std::string::npos) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "this is no URL of an engine",
                                 "write unix:///path/to/socket, tcp://host:port or memory:"),
                       "engine " + url);
  }
  LOCKSTEP_TRY(auto backend, MakeDockerEngine(docker));
  if (IsExposed(docker)) {
    spdlog::warn(
        "anybody on the network can pose as the engine at {}: set DOCKER_TLS_VERIFY=1, with its "
        "certificates in DOCKER_CERT_PATH",
        url);
  }
  return std::unique_ptr<Engine>(std::make_unique<RemoteEngine>(std::move(backend)));
}

}  // namespace lockstep
