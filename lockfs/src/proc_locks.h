// What the kernel knows of flock: /proc/locks, read once. Nothing is opened to find out.
#ifndef LOCKSTEP_LOCKFS_SRC_PROC_LOCKS_H_
#define LOCKSTEP_LOCKFS_SRC_PROC_LOCKS_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "posix.h"

namespace lockstep::lockfs {

class ProcLocks {
 public:
  // Of the procfs below `host_root`, or of this process's own where none is there. What cannot be
  // read knows of no lock, and is not whole.
  static ProcLocks Read(const std::string& host_root);

  // Whether it tells of every process of the machine. Inside a pid namespace it leaves out what is
  // outside: then "no flock" says nothing.
  bool whole() const { return whole_; }

  bool IsFlocked(const FileId& file) const { return holders_.contains(KeyOf(file)); }
  bool IsWaitedFor(const FileId& file) const { return waited_for_.contains(KeyOf(file)); }
  // "sleep (pid 1234) in container 0a1b2c3d4e5f"; empty where no process is known.
  std::string DescribeHolder(const FileId& file) const;

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // Device, inode.
  static Key KeyOf(const FileId& file) { return {file.device, file.inode}; }
  void ReadLine(const char* line);

  std::string proc_;
  bool whole_ = false;
  std::map<Key, pid_t> holders_;
  std::set<Key> waited_for_;
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_PROC_LOCKS_H_
