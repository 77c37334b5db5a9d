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
  bool former_boot = false;  // Recorded before the machine was started again: void.
  friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};

// Whether `id` is the file of `entry`. The number of a device may be another after a reboot.
bool IsIdOf(const JournalEntry& entry, const FileId& id);

// An append-only file, emptied whenever no entry is left. Not thread-safe.
class Journal {
 public:
  Journal(std::string dir, std::string boot_id);

  // Whether the lock files themselves outlive a power cut: then what is recorded does, too, before
  // their names appear. Else nothing is ever synced: what a killed process wrote is not lost.
  void SetDurable(bool durable) { durable_ = durable; }

  // Changes nothing, so that a second process may look.
  Result<std::vector<JournalEntry>> Entries() const;
  // All are recorded when it returns; on an error any of them may be.
  Result<void> Add(std::span<const JournalEntry> entries);
  Result<void> Remove(std::span<const FileId> ids);

 private:
  Result<void> OpenForWriting();
  Result<void> Append(const std::string& lines);
  // Keeps these alone, where the file has grown.
  Result<void> Rewrite(std::span<const JournalEntry> entries);

  std::string dir_;
  std::string path_;
  std::string boot_id_;
  bool durable_ = true;
  UniqueFd file_;  // Kept open: to release needs no new descriptor.
};

}  // namespace lockstep::lockfs

#endif  // LOCKSTEP_LOCKFS_SRC_JOURNAL_H_
