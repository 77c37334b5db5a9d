// Looks at the system calls by which this program changes what is in a directory, before they are
// made, and can have them fail, or end the program there.
//
// The calls are those of the C library that this program, and the libraries of Lockstep in it, make
// by name. What is changed by other ways (streams, std::filesystem) is not seen.
#ifndef LOCKSTEP_TESTS_FS_TAP_H_
#define LOCKSTEP_TESTS_FS_TAP_H_

#include <cstddef>
#include <functional>
#include <string>

namespace lockstep::test {

struct FsOp {
  enum class Kind { kCreate, kTruncate, kWrite, kSync, kRename, kUnlink, kMode };
  Kind kind = Kind::kSync;
  std::string name;        // Within the directory; empty: the directory itself.
  std::string to = {};     // kRename.
  std::size_t offset = 0;  // kWrite; kTruncate: the size.
  std::string data = {};   // kWrite.
};
std::string Describe(const FsOp& op);

struct FsVerdict {
  int error = 0;  // The errno that the call fails with, in place of being made.
  std::size_t most_bytes = static_cast<std::size_t>(-1);  // Of a kWrite.
  bool kill_after = false;
};
using FsWatch = std::function<FsVerdict(const FsOp&)>;

// While it lives. One at a time, in one thread. Nothing is synced: for what is looked at here that
// makes no difference, and it takes long.
class FsTap {
 public:
  FsTap(const std::string& directory, FsWatch watch);
  ~FsTap();
  FsTap(const FsTap&) = delete;
  FsTap& operator=(const FsTap&) = delete;
};

// While it lives every file system says of itself that it is FAT.
class AsFat {
 public:
  explicit AsFat(bool fat = true);
  ~AsFat();
  AsFat(const AsFat&) = delete;
  AsFat& operator=(const AsFat&) = delete;

 private:
  bool former_;
};

// While it lives that file cannot be read: EIO, as where an entry leads to clusters that are free.
class FailingReads {
 public:
  explicit FailingReads(const std::string& path);
  ~FailingReads();
  FailingReads(const FailingReads&) = delete;
  FailingReads& operator=(const FailingReads&) = delete;
};

// While it lives every file says that it begins in the same block of its device.
class SharedBlocks {
 public:
  SharedBlocks();
  ~SharedBlocks();
  SharedBlocks(const SharedBlocks&) = delete;
  SharedBlocks& operator=(const SharedBlocks&) = delete;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_FS_TAP_H_
