// Files that the kernel writes as they are read.
#ifndef LOCKSTEP_RUNTIMES_PROC_TEXT_H_
#define LOCKSTEP_RUNTIMES_PROC_TEXT_H_

#include <fstream>
#include <string>

namespace lockstep::docker {

// Up to its end, a NUL, or where it cannot be read further: a process may end between the opening
// of its file and the reading. Blocks for as long as the kernel writes.
inline std::string ProcText(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text, '\0');  // A stream's iterators throw where reading fails.
  return text;
}

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_PROC_TEXT_H_
