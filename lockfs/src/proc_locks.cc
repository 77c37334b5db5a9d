#include "proc_locks.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

namespace lockstep::lockfs {
namespace {

constexpr std::size_t kMost = 65'536;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File Open(const std::string& path) { return File(std::fopen(path.c_str(), "re"), &std::fclose); }

std::string ReadStart(const std::string& path) {
  const File file = Open(path);
  if (!file) return {};
  std::array<char, 4096> text;
  return {text.data(), std::fread(text.data(), 1, text.size(), file.get())};
}

// The first pid namespace has this number on every Linux.
bool IsInFirstPidNamespace(const std::string& process) {
  constexpr std::string_view kFirst = "pid:[4026531836]";
  std::array<char, 64> name;
  const ssize_t length = ::readlink((process + "/ns/pid").c_str(), name.data(), name.size());
  return length > 0 && std::string_view(name.data(), static_cast<std::size_t>(length)) == kFirst;
}

// The id that an engine gives a container is 64 hexadecimal digits, a word of its cgroup's path.
std::string ContainerIn(std::string_view cgroup) {
  constexpr std::size_t kIdLength = 64;
  constexpr std::size_t kShortLength = 12;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t at = 0; at < cgroup.size();) {
    const std::size_t begin = cgroup.find_first_of(kHex, at);
    if (begin == std::string_view::npos) return {};
    const std::size_t end = std::min(cgroup.find_first_not_of(kHex, begin), cgroup.size());
    if (end - begin == kIdLength) return std::string(cgroup.substr(begin, kShortLength));
    at = end;
  }
  return {};
}

}  // namespace

ProcLocks ProcLocks::Read(const std::string& host_root) {
  ProcLocks locks;
  locks.proc_ = host_root + "/proc";
  File file = Open(locks.proc_ + "/locks");
  if (!file) {
    locks.proc_ = "/proc";
    file = Open(locks.proc_ + "/locks");
  }
  if (!file) return locks;
  // A procfs is of one namespace: that of its process 1, and of this one if it is in it at all.
  locks.whole_ =
      IsInFirstPidNamespace(locks.proc_ + "/1") || IsInFirstPidNamespace(locks.proc_ + "/self");
  std::array<char, 256> line;
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr) {
    locks.ReadLine(line.data());
    if (locks.holders_.size() + locks.waited_for_.size() <= kMost) continue;
    locks.whole_ = false;  // Somebody makes more than anybody needs.
    break;
  }
  return locks;
}

// "1: FLOCK  ADVISORY  WRITE 1234 00:1f:567 0 EOF", with "->" before the kind of who waits.
void ProcLocks::ReadLine(const char* line) {
  unsigned major_number = 0;
  unsigned minor_number = 0;
  unsigned long inode = 0;
  int pid = 0;
  if (std::sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_number, &minor_number,
                  &inode) == 4) {
    holders_.emplace(Key(makedev(major_number, minor_number), inode), pid);
  } else if (std::sscanf(line, "%*d: -> FLOCK %*s %*s %*d %x:%x:%lu", &major_number, &minor_number,
                         &inode) == 3) {
    waited_for_.emplace(makedev(major_number, minor_number), inode);
  }
}

std::string ProcLocks::DescribeHolder(const FileId& file) const {
  const auto it = holders_.find(KeyOf(file));
  if (it == holders_.end() || it->second <= 0) return {};
  const std::string pid = std::to_string(it->second);
  std::string name = ReadStart(proc_ + "/" + pid + "/comm");
  while (name.ends_with('\n')) name.pop_back();
  std::string text = name.empty() ? "pid " + pid : name + " (pid " + pid + ")";
  const std::string container = ContainerIn(ReadStart(proc_ + "/" + pid + "/cgroup"));
  return container.empty() ? text : text + " in container " + container;
}

}  // namespace lockstep::lockfs
