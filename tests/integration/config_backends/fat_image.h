// A FAT file system in a file, changed and read by mtools, checked by fsck.vfat.
#ifndef LOCKSTEP_TESTS_FAT_IMAGE_H_
#define LOCKSTEP_TESTS_FAT_IMAGE_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crash_model.h"
#include "crash_replay.h"
#include "fs_tap.h"

namespace lockstep::test {

class FatImage {
 public:
  static constexpr std::size_t kSector = 512;

  // The tools that are not here; none: it works.
  static std::string MissingTools();

  // FAT16 with clusters of one sector, as small as that can be. Names are of its root.
  explicit FatImage(const Tree& tree);

  // Does what the kernel's driver does for it. `tree`: all files, once it is done.
  void Apply(const FsOp& op, const Tree& tree);
  // Once checked, as a device does when it starts. What a check collects ("FSCK0000.REC") is left
  // out. A name that is one of `spelt` but for its capitals is given as it is there.
  Tree CheckAndRead(const std::set<std::string>& spelt);

  std::string Bytes() const;
  void SetBytes(const std::string& bytes);

 private:
  // Where the short entry of a name is, and those that spell the long one before it.
  struct Place {
    std::size_t first = 0;
    std::size_t entry = 0;  // 0: there is none.
  };
  static Place Find(const std::string& bytes, const std::string& name);
  static void FreeChain(std::string& bytes, std::size_t entry);

  bool Run(const std::string& command) const;
  void Copy(const std::string& name, const std::string& content);
  // mtools have no rename over a file. The kernel gives the entry of the target the clusters and
  // the size of the source, and takes the source's entries away.
  void RenameOver(const std::string& from, const std::string& to);

  ScratchTree scratch_;
  std::string image_;
};

// Records the change and makes it on an image; between two syncs, each combination of the sectors
// that change has reached the device or not. What is found there after a check, once recovered, is
// whole.
void ExpectSurvivesTornSectors(const CrashCase& crash);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_FAT_IMAGE_H_
