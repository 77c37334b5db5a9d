// Journal: which files in lock directories are ours to deal with after a crash.
#ifndef LOCKSTEP_LOCKFS_SRC_JOURNAL_H_
#define LOCKSTEP_LOCKFS_SRC_JOURNAL_H_

#include <span>
#include <string>
#include <vector>

#include "posix.h"

namespace lockstep::lockfs {

struct JournalEntry {
  enum class Kind {
    kTaken,     // A lock of ours. Recorded before its name appears.
    kSetAside,  // An app's lock, on its way out by force; put back after a crash.
  };
  Kind kind = Kind::kTaken;
  FileId id;
  std::string app_dir;
  std::string service;
  std::string file;
  friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};

// An append-only file, emptied whenever no entry is left. Nothing is ever synced: an entry matters
// within one boot only, and what a killed process wrote is in the page cache and not lost. After a
// power cut the boot id differs and whatever reached the disk is void.
// Not thread-safe.
class Journal {
 public:
  Journal(std::string dir, std::string boot_id);

  // Those of this boot. Changes nothing, so that a second process may look.
  Result<std::vector<JournalEntry>> Entries() const;
  // All are recorded when it returns; on an error any of them may be.
  Result<void> Add(std::span<const JournalEntry> entries);
  Result<void> Remove(std::span<const FileId> ids);

 private:
  Result<void> OpenForWriting();
  Result<void> Append(const std::string& lines);

  std::string dir_;
  std::string path_;
  std::string boot_id_;
  UniqueFd file_;  // Kept open: to release needs no new descriptor.
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_JOURNAL_H_
