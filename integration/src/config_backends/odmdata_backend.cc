#include "config_backends/odmdata_backend.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "private_file.h"

namespace lockstep {
namespace {

constexpr std::string_view kKey = "BALENA_HOST_ODMDATA_configuration";
// The first is the one that the boot ROM tries first.
constexpr std::array<off_t, 3> kPlaces = {1659, 5243, 18043};
constexpr std::array<unsigned char, 6> kBytes = {0, 1, 6, 7, 2, 3};  // Of the modes 1 to 6.

using Copies = std::array<unsigned char, kPlaces.size()>;

std::string Refusal(std::string_view value) {
  return value.size() == 1 && value[0] >= '1' && value[0] <= '6' ? "" : "is no number from 1 to 6";
}

Error NotFound(const std::string& path) {
  return WithContext(MakeError(ErrorCode::kNotFound, "there is no such file",
                               "see that this is a Jetson TX2 that starts from its eMMC"),
                     "open " + path);
}
Error OpenError(const std::string& path) {
  return errno == ENOENT ? NotFound(path) : FileError(errno, "open", path);
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

// 0, or an errno.
int WriteByte(int fd, char byte, off_t place) {
  for (;;) {
    const ssize_t written = pwrite(fd, &byte, 1, place);
    if (written == 1) return 0;
    if (written == 0) return EIO;
    if (errno != EINTR) return errno;
  }
}

Result<void> SetReadOnly(const std::string& force_ro, char on) {
  const Descriptor file(force_ro, O_WRONLY);
  if (file.get() < 0) return OpenError(force_ro);
  if (const int failed = WriteByte(file.get(), on, 0)) return FileError(failed, "write", force_ro);
  return Ok();
}

// Writable until it goes.
class Unlocked {
 public:
  explicit Unlocked(const std::string& force_ro)
      : force_ro_(force_ro), result_(SetReadOnly(force_ro, '0')) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  // That it stays unlocked does no harm by itself; the next Recover() or start ends it.
  ~Unlocked() { (void)SetReadOnly(force_ro_, '1'); }
  const Result<void>& result() const { return result_; }

 private:
  const std::string& force_ro_;
  const Result<void> result_;
};

Error NoTx2(const std::string& device) {
  return WithContext(
      MakeError(ErrorCode::kInvalidInput, "there is no boot configuration of a Jetson TX2 in it",
                "see that the device is a Jetson TX2; nothing was written"),
      "read " + device);
}

Result<Copies> ReadCopies(const std::string& device) {
  const Descriptor file(device, O_RDONLY);
  if (file.get() < 0) return OpenError(device);
  Copies copies{};
  for (std::size_t i = 0; i < copies.size(); ++i) {
    ssize_t count = 0;
    do {
      count = pread(file.get(), &copies[i], 1, kPlaces[i]);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return FileError(errno, "read", device);
    const bool is_known = std::find(kBytes.begin(), kBytes.end(), copies[i]) != kBytes.end();
    if (count == 0 || !is_known) return NoTx2(device);
  }
  return copies;
}

// The last copy first. 0, or an errno: then what was written is taken back as far as it goes.
int WriteCopies(int fd, const Copies& now, unsigned char wanted) {
  for (std::size_t i = kPlaces.size(); i-- > 0;) {
    if (now[i] == wanted) continue;
    int failed = WriteByte(fd, static_cast<char>(wanted), kPlaces[i]);
    // Each for itself, or the device could make them last in another order.
    if (failed == 0 && fsync(fd) != 0) failed = errno;
    if (failed == 0) continue;
    for (; i < kPlaces.size(); ++i) (void)WriteByte(fd, static_cast<char>(now[i]), kPlaces[i]);
    (void)fsync(fd);
    return failed;
  }
  return 0;
}

}  // namespace

OdmdataBackend::OdmdataBackend(std::string device, std::string force_ro)
    : device_(std::move(device)),
      force_ro_(std::move(force_ro)),
      rules_({{.backend = "odmdata",
               .key = std::string(kKey),
               .needs_reboot = true,
               .stays = true,
               .forbidden = {},
               .refusal = [](std::string_view, std::string_view value) { return Refusal(value); },
               .canonical = nullptr}}) {}

Result<void> OdmdataBackend::Recover() {
  LOCKSTEP_TRY(const Copies copies, ReadCopies(device_));
  LOCKSTEP_TRYV(WriteMode(copies.front()));
  char is_locked = '1';
  const Descriptor file(force_ro_, O_RDONLY);
  if (file.get() < 0) return OpenError(force_ro_);
  if (pread(file.get(), &is_locked, 1, 0) == 1 && is_locked == '0') {
    return SetReadOnly(force_ro_, '1');
  }
  return Ok();
}

Result<ConfigValues> OdmdataBackend::Read() {
  LOCKSTEP_TRY(const Copies copies, ReadCopies(device_));
  const auto* const mode = std::find(kBytes.begin(), kBytes.end(), copies.front());
  return ConfigValues{{std::string(kKey), std::to_string(mode - kBytes.begin() + 1)}};
}

Result<void> OdmdataBackend::Write(const ConfigChanges& changes) {
  for (const auto& [key, value] : changes) {
    if (key != kKey) return MakeError(ErrorCode::kInvalidInput, key + " is no key of the ODM data");
    if (!value) continue;
    if (std::string why = Refusal(*value); !why.empty()) {
      return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + why);
    }
    LOCKSTEP_TRYV(WriteMode(kBytes[static_cast<std::size_t>(value->front() - '1')]));
  }
  return Ok();
}

Result<void> OdmdataBackend::WriteMode(unsigned char mode) const {
  LOCKSTEP_TRY(const Copies now, ReadCopies(device_));
  if (std::all_of(now.begin(), now.end(), [mode](unsigned char one) { return one == mode; })) {
    return Ok();
  }
  const Unlocked unlocked(
      force_ro_);  // A block device that is read-only cannot be opened to write.
  LOCKSTEP_TRYV(unlocked.result());
  const Descriptor file(device_, O_WRONLY);
  if (file.get() < 0) return OpenError(device_);
  if (const int failed = WriteCopies(file.get(), now, mode)) {
    return FileError(failed, "write", device_);
  }
  return Ok();
}

}  // namespace lockstep
