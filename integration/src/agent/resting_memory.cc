#include "agent/resting_memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace lockstep {
namespace {

// A line of /proc/self/maps: see proc(5). Code is what is mapped from a file, may be run and cannot
// have been written to.
void LetGoOfCode(const std::string& line) {
  std::istringstream fields(line);
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  char dash = 0;
  std::string mode;
  std::string offset;
  std::string device;
  unsigned long inode = 0;
  fields >> std::hex >> begin >> dash >> end >> mode >> offset >> device >> std::dec >> inode;
  if (!fields || mode != "r-xp" || inode == 0) return;
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

void GiveMemoryBack() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) LetGoOfCode(line);
}

}  // namespace lockstep
