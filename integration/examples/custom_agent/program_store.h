// ProgramStore: what images are here. An image is a program, one file; its registry a directory.
#ifndef CUSTOM_AGENT_PROGRAM_STORE_H_
#define CUSTOM_AGENT_PROGRAM_STORE_H_

#include <lockstep/observed_state.h>
#include <lockstep/pull_progress.h>
#include <lockstep/result.h>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace custom {

// Keeps no state but its directory: <id>/<reference>, the id being made of the content. A reference
// is the name of a file, as it is. Thread-safe.
class ProgramStore {
 public:
  ProgramStore(std::string registry, std::string directory);

  // Both: kNotFound where the registry has no such file. Pull also kCancelled, kNoSpace.
  lockstep::Result<void> Check(const std::string& reference) const;
  lockstep::Result<std::string> Pull(const std::string& reference, lockstep::ProgressSink& progress,
                                     const std::stop_token& stop);  // Returns the id.

  struct Program {
    std::string id;
    std::string file;
  };
  std::optional<Program> Find(const std::string& reference) const;
  std::vector<lockstep::ObservedImage> List() const;  // Sorted by id.
  lockstep::Result<void> Remove(const std::string& id);

 private:
  std::string registry_;
  std::string directory_;
};

}  // namespace custom

#endif  // CUSTOM_AGENT_PROGRAM_STORE_H_
