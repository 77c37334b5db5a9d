// The verified previous copy that lies beside a file while a file system that cannot replace a
// file in one go (FAT) replaces it: what it says, and what it makes of the file that is found
// after a power cut.
#ifndef LOCKSTEP_INTEGRATION_SAFE_FILE_COPY_H_
#define LOCKSTEP_INTEGRATION_SAFE_FILE_COPY_H_

#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

// None: no file.
struct FileChange {
  std::optional<std::string> old;
  std::optional<std::string> next;
};

// Says of itself whether it is whole: sizes and hashes, then both contents. The next one is in it,
// too, as only so one can tell whether a file that is neither is a part of it.
std::string CopyOf(const FileChange& change);

// None where `text` is no copy, or cut short, or garbled.
std::optional<FileChange> ParseCopy(std::string_view text);

enum class FoundFile {
  kWhole,    // The old or the new one.
  kDamaged,  // What a power cut in the middle of `change` can leave of them.
  kForeign,  // Somebody has changed it since: it is theirs, and stays.
};

// A power cut leaves no file, an empty one, a beginning, or one with blank sectors (NUL, or 0xFF as
// erased flash has it). A person may have taken the last lines away, which is a beginning, too.
// What tells them apart: FAT loses whole sectors, and an editor leaves whole lines. So a beginning
// that ends with a line is a person's, unless it has a whole number of sectors. Anything else is a
// person's. An empty file and none are taken for damage: the previous one starts a device, none
// does not.
FoundFile Judge(const FileChange& change, const std::optional<std::string>& found);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SAFE_FILE_COPY_H_
