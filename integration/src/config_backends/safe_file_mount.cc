#include "config_backends/safe_file_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "\040" stands for a space, and so on.
std::string Unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
            text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct Option {
  std::string_view name;
  unsigned long flag;
};
constexpr std::array kPlaceOptions = {
    Option{"nosuid", MS_NOSUID},     Option{"nodev", MS_NODEV},
    Option{"noexec", MS_NOEXEC},     Option{"noatime", MS_NOATIME},
    Option{"relatime", MS_RELATIME}, Option{"nodiratime", MS_NODIRATIME},
    Option{"nosymfollow", 256},  // MS_NOSYMFOLLOW, which older headers lack.
};
constexpr std::array kWholeOptions = {
    Option{"sync", MS_SYNCHRONOUS},
    Option{"dirsync", MS_DIRSYNC},
    Option{"mand", MS_MANDLOCK},
    Option{"lazytime", MS_LAZYTIME},
};

template <typename Options>
unsigned long FlagsOf(std::string_view text, const Options& options, bool& read_only) {
  unsigned long flags = 0;
  for (const std::string_view part : Split(text, ',')) {
    read_only = read_only || part == "ro";
    for (const Option& option : options) {
      if (part == option.name) flags |= option.flag;
    }
  }
  return flags;
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text, '\0');  // A stream's iterators throw where reading fails.
  return text;
}

// -1 where /proc does not say.
int MountIdOf(int fd) {
  const std::string text = TextOf("/proc/self/fdinfo/" + std::to_string(fd));
  constexpr std::string_view kName = "mnt_id:\t";
  const std::size_t at = text.find(kName);
  int id = -1;
  if (at != std::string::npos) {
    std::from_chars(text.data() + at + kName.size(), text.data() + text.size(), id);
  }
  return id;
}

bool IsReadOnly(int fd) {
  struct statfs status = {};
  return ::fstatfs(fd, &status) == 0 && (status.f_flags & ST_RDONLY) != 0;
}

// The mount itself rather than its path: something else may be mounted over that.
int Remount(int root, unsigned long flags) {
  const std::string place = "/proc/self/fd/" + std::to_string(root);
  return ::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | flags, nullptr);
}

Error Refused(const std::string& path, std::string why, std::string hint) {
  return WithContext(MakeError(ErrorCode::kPermissionDenied, std::move(why), std::move(hint)),
                     "write " + path);
}

}  // namespace

std::optional<MountedPlace> FindMount(std::string_view mountinfo, int mount_id) {
  const std::string id = std::to_string(mount_id);
  for (const std::string_view line : Split(mountinfo, '\n')) {
    // id parent major:minor root place options optional... - type source whole-options
    const auto fields = Split(line, ' ');
    if (fields.size() < 9 || fields.front() != id) continue;
    MountedPlace place;
    place.path = Unescaped(fields[4]);
    place.flags = FlagsOf(fields[5], kPlaceOptions, place.place_read_only) |
                  FlagsOf(fields.back(), kWholeOptions, place.whole_read_only);
    // Neither is how a listing says strictatime; saying nothing would mean relatime.
    if ((place.flags & (MS_NOATIME | MS_RELATIME)) == 0) place.flags |= MS_STRICTATIME;
    return place;
  }
  return std::nullopt;
}

Result<void> WritableMount::Open(int directory, const std::string& path) {
  if (root_ >= 0 || !IsReadOnly(directory)) return Ok();
  const int id = MountIdOf(directory);
  const auto place = FindMount(TextOf("/proc/self/mountinfo"), id);
  if (!place) {
    return Refused(path, "its file system is read-only, and /proc does not say where it is mounted",
                   "mount /proc, or make the file system writable");
  }
  if (place->whole_read_only && !place->place_read_only) {
    return Refused(path, "its file system has become read-only, as it does after an error",
                   "check the file system at " + place->path + " (fsck), then mount it anew");
  }
  root_ = ::open(place->path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_ < 0 || MountIdOf(root_) != id) {
    return Refused(path, "its file system is read-only, and its mount point is out of reach",
                   "make the file system at " + place->path + " writable");
  }
  // Where only this mount is read-only, the others of the file system are none of our business.
  const unsigned long scope = place->whole_read_only ? 0 : MS_BIND;
  if (Remount(root_, place->flags | scope) != 0) {
    return Refused(path,
                   std::string("its file system is read-only and cannot be made writable: ") +
                       std::strerror(errno),
                   "run as root with CAP_SYS_ADMIN, or mount " + place->path + " writable");
  }
  opened_ = place;
  return Ok();
}

WritableMount::~WritableMount() {
  if (opened_) {
    const unsigned long scope = opened_->whole_read_only ? 0 : MS_BIND;
    (void)Remount(root_, opened_->flags | scope | MS_RDONLY);
  }
  if (root_ >= 0) ::close(root_);
}

}  // namespace lockstep
