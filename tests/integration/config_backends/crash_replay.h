// Cuts a change to a directory off at every point, and looks at what is left.
//
//   ExpectSurvivesCrashes({.before = {{"config.txt", "gpu_mem=16\n"}},
//                          .change = [](const std::string& dir) {
//                            return ConfigTxtBackend(dir + "/config.txt").Write({{kKey, "32"}});
//                          },
//                          .recover = [](const std::string& dir) {
//                            return ConfigTxtBackend(dir + "/config.txt").Recover();
//                          }});
#ifndef LOCKSTEP_TESTS_CRASH_REPLAY_H_
#define LOCKSTEP_TESTS_CRASH_REPLAY_H_

#include <functional>
#include <string>
#include <vector>

#include "crash_model.h"
#include "fs_tap.h"
#include "lockstep/result.h"

namespace lockstep::test {

struct CrashCase {
  Tree before;  // With long contents (some sectors) more can go wrong.
  std::function<Result<void>(const std::string& dir)> change;
  std::function<Result<void>(const std::string& dir)> recover;
  // Of all files, once recovered. None: they are those from before or those that the change makes,
  // and nothing else is there.
  std::function<bool(const Tree&)> acceptable = nullptr;
};

// All of what is below, on a file system that says it is FAT and on one that does not.
void ExpectSurvivesCrashes(const CrashCase& crash);

// A process that makes the change is killed before each of its system calls, and in the middle of
// each write: what is found is whole even before it is recovered.
void ExpectSurvivesKills(const CrashCase& crash);

// The power goes after each system call (TreesAfterPowerCut()), and again while that is being
// recovered.
void ExpectSurvivesPowerCuts(const CrashCase& crash, Storage storage);

// Each system call fails, once and from then on, in each way in which a device can. Once: where
// the change says it failed, all is as before. From then on: recovered later, all is whole.
void ExpectUndoesFailures(const CrashCase& crash);

// What `act` does in `dir`.
std::vector<FsOp> Record(const std::string& dir,
                         const std::function<Result<void>(const std::string&)>& act);

// A directory of its own, with `tree` in it; gone at the end.
class ScratchTree {
 public:
  explicit ScratchTree(const Tree& tree = {});
  ~ScratchTree();
  ScratchTree(const ScratchTree&) = delete;
  ScratchTree& operator=(const ScratchTree&) = delete;
  const std::string& path() const { return path_; }
  Tree Read() const;

 private:
  std::string path_;
};

// Shortened, for a message.
std::string Show(const Tree& tree);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_CRASH_REPLAY_H_
