#include "aside.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep::lockfs {
namespace {

constexpr const char* kName = ".lockstep";
constexpr std::string_view kFreshPrefix = "gone-";
// Of one removal: whoever fills a tree as fast as it is emptied must keep nobody waiting.
constexpr int kMostRemoved = 10'000;
constexpr const char* kHint = "make it a directory of the user that runs Lockstep, with mode 0700";

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, CloseDir>;

DirStream ListDirectory(int dir, const std::string& name) {
  UniqueFd fd(::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return nullptr;
  DirStream stream(::fdopendir(fd.get()));
  if (stream) (void)fd.Release();  // The stream owns it now.
  return stream;
}

// FNV-1a: the same in every build, as another one may mend what this one left.
std::uint64_t HashOf(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

bool IsDots(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

Result<Aside> Aside::Open(const LockRoot& root) {
  const std::string path = root.path() + "/" + kName;
  if (::mkdirat(root.fd(), kName, 0700) != 0 && errno != EEXIST) {
    return SystemError(errno, "make directory " + path);
  }
  OpenedDirectory opened = OpenDirectoryInSteps(root.fd(), kName, O_PATH);
  if (!opened.fd) return UnsafeError(path, "cannot be used: " + ErrnoText(opened.error), kHint);
  struct stat seen {};
  if (::fstat(opened.fd.get(), &seen) != 0) return SystemError(errno, "look at " + path);
  if (seen.st_uid != ::geteuid() || (seen.st_mode & 077) != 0) {
    return UnsafeError(path, "is open to other users", kHint);
  }
  return Aside(std::move(opened.fd));
}

Result<void> Aside::CheckFileSystem(const LockRoot& root, const Seams& seams) const {
  const std::string first = FreshName();
  const std::string second = FreshName();
  const std::string third = FreshName();
  const UniqueFd made(
      ::openat(fd(), first.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made) return SystemError(errno, "make a file in " + root.path() + "/" + kName);
  int error = ::linkat(fd(), first.c_str(), fd(), second.c_str(), 0) == 0 ? 0 : errno;
  if (error == 0) error = seams.no_rename_flags ? EINVAL : Rename(fd(), second, fd(), third);
  for (const std::string& name : {first, second, third}) ::unlinkat(fd(), name.c_str(), 0);
  if (error == 0) return Ok();
  if (error == EINVAL || error == ENOSYS || error == EPERM || error == EOPNOTSUPP) {
    return MakeError(
        ErrorCode::kUnsupported,
        "the file system of " + root.path() + " has no links, or no renaming that replaces nothing",
        "choose a root for locks on a file system such as tmpfs, ext4 or xfs");
  }
  return SystemError(error, "rename a file in " + root.path() + "/" + kName);
}

std::string Aside::NameOf(const JournalEntry& entry) {
  // No name holds a '/'.
  const std::string place = entry.app_dir + "/" + entry.service + "/" + entry.file;
  return "lock-" + std::to_string(entry.id.inode) + "-" + std::to_string(entry.id.born_ns) + "-" +
         std::to_string(HashOf(place));
}

std::string Aside::FreshName() const {
  static std::atomic<unsigned> last{0};
  for (;;) {
    std::string name(kFreshPrefix);
    name += std::to_string(::getpid()) + "-" + std::to_string(++last);
    if (::faccessat(fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) return name;
  }
}

Result<void> Aside::PutBack(const std::string& name, int dir, const std::string& to) {
  const int error = Rename(fd(), name, dir, to);
  if (error == 0) return Ok();
  if (error == EEXIST || error == ENOENT) return Remove(name);
  return SystemError(error, "put back the lock " + to);
}

Result<void> Aside::Remove(const std::string& name) {
  if (::unlinkat(fd(), name.c_str(), 0) == 0 || errno == ENOENT) return Ok();
  if (errno != EISDIR) return SystemError(errno, "remove a lock");
  if (::unlinkat(fd(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return Ok();
  if (errno != ENOTEMPTY && errno != EEXIST) return SystemError(errno, "remove a lock directory");
  // Under a name that a later sweep knows: what is not removed now is then.
  std::string tree = name;
  if (!tree.starts_with(kFreshPrefix)) {
    tree = FreshName();
    if (const int error = Rename(fd(), name, fd(), tree); error != 0 && error != ENOENT) {
      return SystemError(error, "remove a lock directory");
    }
  }
  std::vector<std::string> flat = {tree};
  for (int left = kMostRemoved; !flat.empty() && left > 0;) {
    const std::string next = std::move(flat.back());
    flat.pop_back();
    LOCKSTEP_TRYV(RemoveFlat(next, flat, left));
  }
  return Ok();
}

// Neither depth nor width of a tree costs a descriptor, stack or a path longer than a name.
Result<void> Aside::RemoveFlat(const std::string& name, std::vector<std::string>& flat, int& left) {
  const std::string what = "remove a lock directory";
  const DirStream stream = ListDirectory(fd(), name);
  if (!stream) return errno == ENOENT ? Result<void>(Ok()) : SystemError(errno, what);
  const int here = ::dirfd(stream.get());
  --left;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (IsDots(entry->d_name)) continue;
    if (--left <= 0) return Ok();
    if (::unlinkat(here, entry->d_name, 0) != 0 && errno != ENOENT) {
      if (errno != EISDIR) return SystemError(errno, what);
      if (::unlinkat(here, entry->d_name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        if (errno != ENOTEMPTY && errno != EEXIST) return SystemError(errno, what);
        std::string fresh = FreshName();
        if (const int error = Rename(here, entry->d_name, fd(), fresh); error != 0) {
          return SystemError(error, what);
        }
        flat.push_back(std::move(fresh));
      }
    }
    errno = 0;
  }
  if (errno != 0) return SystemError(errno, what);
  if (::unlinkat(fd(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return Ok();
  if (errno != ENOTEMPTY && errno != EEXIST) return SystemError(errno, what);
  flat.push_back(name);  // Something was made in it meanwhile.
  return Ok();
}

void Aside::Sweep() {
  const DirStream stream = ListDirectory(fd(), ".");
  if (!stream) return;
  std::vector<std::string> gone;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (std::string_view(entry->d_name).starts_with(kFreshPrefix)) gone.push_back(entry->d_name);
  }
  for (const std::string& name : gone) (void)Remove(name);
}

}  // namespace lockstep::lockfs
