// The directory into which entries are renamed before they are removed.
//
// No system call removes a name only if it still is a certain file. So whatever is to go is renamed
// to where no container reaches, looked at there, and renamed back if it turns out to be another.
#ifndef LOCKSTEP_LOCKFS_SRC_ASIDE_H_
#define LOCKSTEP_LOCKFS_SRC_ASIDE_H_

#include <string>

#include "journal.h"
#include "lock_root.h"
#include "posix.h"

namespace lockstep::lockfs {

// Inside the root, which no container sees, so that it is on the same mount; its name can be no
// app's. Mode 0700.
class Aside {
 public:
  static Result<Aside> Open(const LockRoot& root);

  // Whether files can be linked and renamed here as locks need it; else kUnsupported.
  Result<void> CheckFileSystem(const LockRoot& root, const Seams& seams) const;

  int fd() const { return fd_.get(); }

  // Where a lock is put: known from the journal alone, so that a crash can be mended. One file may
  // be a lock in several places (hard links), each of which has a name of its own here.
  static std::string NameOf(const JournalEntry& entry);
  // A name that nothing has yet, for what is to be removed in any case (see Sweep).
  std::string FreshName() const;

  // Puts what `name` holds back to `to` in `dir`; drops it where something newer is there already
  // or the directory is gone.
  Result<void> PutBack(const std::string& name, int dir, const std::string& to);
  // Removes what `name` holds, a whole tree if it is one; of one that has no end, so much as does
  // no harm, and the rest is for Sweep. Nothing there is fine.
  Result<void> Remove(const std::string& name);
  // Removes what is under fresh names still. What cannot be removed is in nobody's way.
  void Sweep();

 private:
  explicit Aside(UniqueFd fd) : fd_(std::move(fd)) {}
  // Empties and removes a directory. What is a directory in it becomes one beside it, in `flat`.
  // `left`: how many more entries may be removed.
  Result<void> RemoveFlat(const std::string& name, std::vector<std::string>& flat, int& left);

  UniqueFd fd_;
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_ASIDE_H_
