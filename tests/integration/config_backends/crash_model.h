// What a power cut can leave of a sequence of changes to a directory.
#ifndef LOCKSTEP_TESTS_CRASH_MODEL_H_
#define LOCKSTEP_TESTS_CRASH_MODEL_H_

#include <map>
#include <set>
#include <span>
#include <string>

#include "fs_tap.h"

namespace lockstep::test {

// Contents by name, of all files.
using Tree = std::map<std::string, std::string>;

enum class Storage {
  // A rename is done or not. (ext4, but keeping no order that POSIX does not ask for.)
  kPosix,
  // A rename and an unlink are several writes; in between a file that goes or is replaced can be
  // missing, cut short or blank. What a name leads to after a rename is durable once both the file
  // and the directory are synced.
  kFat,
};

// When all of it has reached the device.
Tree TreeAfter(const Tree& before, std::span<const FsOp> ops);

// When the power goes after `ops`. Of what was not synced, each change of a name, in any
// combination, has reached the device or not; the data of a file all, none, a half or zeros.
std::set<Tree> TreesAfterPowerCut(const Tree& before, std::span<const FsOp> ops, Storage storage);

// What can be found in place of a file that FAT was about to free: nothing of it, whole sectors,
// a part that ends within a line, zeros. No part that ends with a line: that would look like a
// person's, and has a whole number of sectors when it comes from FAT.
std::set<std::string> DamagedBy(Storage storage, const std::string& content);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CRASH_MODEL_H_
