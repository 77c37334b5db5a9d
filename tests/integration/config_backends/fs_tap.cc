#include "fs_tap.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

namespace lockstep::test {
namespace {

namespace fs = std::filesystem;

struct Tap {
  fs::path root;
  FsWatch watch;
};
// Null where nobody looks.
Tap* tap = nullptr;
bool as_fat = false;
bool shared_blocks = false;
// The one file that cannot be read.
std::optional<struct stat> unreadable;

bool IsUnreadable(int fd) {
  struct stat status = {};
  return unreadable && ::fstat(fd, &status) == 0 && status.st_ino == unreadable->st_ino &&
         status.st_dev == unreadable->st_dev;
}

fs::path PathOf(int fd) {
  std::string path(PATH_MAX, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

// None: it is not in the directory that is looked at.
std::optional<std::string> NameOf(const fs::path& path) {
  if (path == tap->root) return "";
  const std::string below = tap->root.string() + "/";
  if (!path.string().starts_with(below) || path.string().ends_with(" (deleted)")) return {};
  return path.string().substr(below.size());
}

std::optional<std::string> NameAt(int directory, const char* name) {
  fs::path path = name;
  if (path.is_relative()) {
    path = (directory == AT_FDCWD ? fs::current_path() : PathOf(directory)) / path;
  }
  return NameOf(path.lexically_normal());
}

// The errno of the call that is not to be made, or what `make` returns.
template <typename Make>
auto Watched(const FsOp& op, Make&& make) -> decltype(make(std::size_t{})) {
  const FsVerdict verdict = tap->watch(op);
  if (verdict.error != 0) {
    errno = verdict.error;
    return -1;
  }
  const auto made = make(verdict.most_bytes);
  if (verdict.kill_after) ::kill(::getpid(), SIGKILL);
  return made;
}

template <typename Function>
Function* Real(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

template <typename Make>
auto OnFd(FsOp::Kind kind, int fd, std::size_t size, Make&& make) -> decltype(make()) {
  const auto name = tap != nullptr ? NameOf(PathOf(fd)) : std::nullopt;
  if (!name) return make();
  return Watched({.kind = kind, .name = *name, .offset = size},
                 [&](std::size_t) { return make(); });
}

int Sync(int fd, const char* real) {
  static const bool really = std::getenv("LOCKSTEP_TEST_REALLY_SYNC") != nullptr;
  return OnFd(FsOp::Kind::kSync, fd, 0,
              [&] { return tap != nullptr && !really ? 0 : Real<int(int)>(real)(fd); });
}

int Open(int directory, const char* path, int flags, mode_t mode) {
  static const auto real = Real<int(int, const char*, int, ...)>("openat");
  const auto make = [&](std::size_t = 0) { return real(directory, path, flags, mode); };
  if (tap == nullptr || (flags & (O_CREAT | O_TRUNC)) == 0) return make();
  const auto name = NameAt(directory, path);
  if (!name) return make();
  struct stat status = {};
  const bool there = ::fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && (flags & O_TRUNC) == 0) return make();
  if (!there && (flags & O_CREAT) == 0) return make();
  return Watched({.kind = there ? FsOp::Kind::kTruncate : FsOp::Kind::kCreate, .name = *name},
                 make);
}

int Rename(int from_dir, const char* from, int to_dir, const char* to) {
  static const auto real = Real<int(int, const char*, int, const char*)>("renameat");
  const auto make = [&](std::size_t = 0) { return real(from_dir, from, to_dir, to); };
  if (tap == nullptr) return make();
  const auto name = NameAt(from_dir, from);
  const auto to_name = NameAt(to_dir, to);
  if (!name || !to_name) return make();
  return Watched({.kind = FsOp::Kind::kRename, .name = *name, .to = *to_name}, make);
}

int Unlink(int directory, const char* path, int flags) {
  static const auto real = Real<int(int, const char*, int)>("unlinkat");
  const auto make = [&](std::size_t = 0) { return real(directory, path, flags); };
  struct stat status = {};
  if (tap == nullptr || ::fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return make();
  const auto name = NameAt(directory, path);
  return name ? Watched({.kind = FsOp::Kind::kUnlink, .name = *name}, make) : make();
}

}  // namespace

std::string Describe(const FsOp& op) {
  switch (op.kind) {
    case FsOp::Kind::kCreate:
      return "create " + op.name;
    case FsOp::Kind::kTruncate:
      return "truncate " + op.name;
    case FsOp::Kind::kWrite:
      return "write " + std::to_string(op.data.size()) + " bytes to " + op.name;
    case FsOp::Kind::kSync:
      return op.name.empty() ? "sync the directory" : "sync " + op.name;
    case FsOp::Kind::kRename:
      return "rename " + op.name + " to " + op.to;
    case FsOp::Kind::kUnlink:
      return "unlink " + op.name;
    case FsOp::Kind::kMode:
      return "mode or owner of " + op.name;
  }
  return "";
}

FsTap::FsTap(const std::string& directory, FsWatch watch) {
  tap = new Tap{fs::canonical(directory), std::move(watch)};
}

FsTap::~FsTap() { delete std::exchange(tap, nullptr); }

AsFat::AsFat(bool fat) : former_(std::exchange(as_fat, fat)) {}
AsFat::~AsFat() { as_fat = former_; }

FailingReads::FailingReads(const std::string& path) {
  unreadable.emplace();
  if (::stat(path.c_str(), &*unreadable) != 0) std::abort();
}
FailingReads::~FailingReads() { unreadable.reset(); }

SharedBlocks::SharedBlocks() { shared_blocks = true; }
SharedBlocks::~SharedBlocks() { shared_blocks = false; }

// In place of the C library's.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
  va_end(args);
  return Open(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
  va_end(args);
  return Open(directory, path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = Real<ssize_t(int, const void*, size_t)>("write");
  const auto name = tap != nullptr ? NameOf(PathOf(fd)) : std::nullopt;
  if (!name) return real(fd, data, size);
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  return Watched({.kind = FsOp::Kind::kWrite,
                  .name = *name,
                  .offset = static_cast<std::size_t>(std::max<off_t>(at, 0)),
                  .data = std::string(static_cast<const char*>(data), size)},
                 [&](std::size_t most) { return real(fd, data, std::min(most, size)); });
}

ssize_t read(int fd, void* data, size_t size) {
  static const auto real = Real<ssize_t(int, void*, size_t)>("read");
  if (!IsUnreadable(fd)) return real(fd, data, size);
  errno = EIO;
  return -1;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  static const auto real = Real<int(int, unsigned long, void*)>("ioctl");
  va_list args;
  va_start(args, request);
  void* const argument = va_arg(args, void*);
  va_end(args);
  if (request != FIBMAP || !shared_blocks) return real(fd, request, argument);
  *static_cast<int*>(argument) = 7;
  return 0;
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto real = Real<int(int, off_t)>("ftruncate");
  return OnFd(FsOp::Kind::kTruncate, fd, static_cast<std::size_t>(size),
              [&] { return real(fd, size); });
}

int fsync(int fd) { return Sync(fd, "fsync"); }
int fdatasync(int fd) { return Sync(fd, "fdatasync"); }

int fchmod(int fd, mode_t mode) noexcept {
  static const auto real = Real<int(int, mode_t)>("fchmod");
  return OnFd(FsOp::Kind::kMode, fd, 0, [&] { return real(fd, mode); });
}

int fchown(int fd, uid_t owner, gid_t group) noexcept {
  static const auto real = Real<int(int, uid_t, gid_t)>("fchown");
  return OnFd(FsOp::Kind::kMode, fd, 0, [&] { return real(fd, owner, group); });
}

int rename(const char* from, const char* to) noexcept {
  return Rename(AT_FDCWD, from, AT_FDCWD, to);
}
int renameat(int from_dir, const char* from, int to_dir, const char* to) noexcept {
  return Rename(from_dir, from, to_dir, to);
}
int unlink(const char* path) noexcept { return Unlink(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char* path, int flags) noexcept {
  return Unlink(directory, path, flags);
}

int fstatfs(int fd, struct statfs* status) noexcept {
  static const auto real = Real<int(int, struct statfs*)>("fstatfs");
  const int failed = real(fd, status);
  if (failed == 0 && as_fat) status->f_type = MSDOS_SUPER_MAGIC;
  return failed;
}

}  // extern "C"

}  // namespace lockstep::test
