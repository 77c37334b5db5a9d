// Port to one place where a device keeps configuration: a boot file, a field of the host's own, ...
#ifndef LOCKSTEP_CONFIG_BACKEND_H_
#define LOCKSTEP_CONFIG_BACKEND_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/result.h"

namespace lockstep {

// Configuration by canonical key ("BALENA_HOST_CONFIG_gpu_mem").
using ConfigValues = std::map<std::string, std::string>;
// What is to be set, and (none) what is to go.
using ConfigChanges = std::map<std::string, std::optional<std::string>>;

// Keys of one backend that are treated alike. Pure: the planner asks it where there is no device.
struct ConfigRule {
  std::string backend;  // ConfigBackend::name() of the owner.
  std::string key;      // A whole key, or with '*' at its end what a key begins with.
  bool needs_reboot = true;
  bool stays = false;  // A target that no longer names it leaves it as it is: there is always one.
  std::string absent = {};     // The value that none is the same as; empty: there is no such.
  std::string forbidden = {};  // Why nobody may change such a key; empty: a target may.
  // Why `value` cannot be written, in the words of an error ("is no number from 1 to 6"); empty
  // where it can. Null: any value on one line.
  std::function<std::string(std::string_view key, std::string_view value)> refusal = nullptr;
  // The value in the words in which Read() says it: two that give the same are the same. Null: as
  // it is.
  std::function<std::string(std::string_view value)> canonical = nullptr;
};

// Thread-safety: none is asked for, Lockstep calls one method at a time.
// Blocking: file system only.
// Errors of every method: kInvalidInput (what is there is of another format), kNotFound,
// kPermissionDenied, kNoSpace, kUnavailable (any other refusal of the system). After an error
// everything is as it was before.
class ConfigBackend {
 public:
  ConfigBackend() = default;
  ConfigBackend(const ConfigBackend&) = delete;
  ConfigBackend& operator=(const ConfigBackend&) = delete;
  virtual ~ConfigBackend() = default;

  // Names it in errors and snapshots: "config.txt".
  virtual std::string_view name() const = 0;

  // Whose keys are its own. The rule of a whole key goes before one of a beginning, a longer
  // beginning before a shorter, and of two backends the one that lets it be changed. Constant.
  virtual const std::vector<ConfigRule>& rules() const = 0;

  // Puts right what a power cut in the middle of a Write() left behind. Called once in a process,
  // before anything is written.
  virtual Result<void> Recover() = 0;

  // What is in force, or will be after a reboot. Only keys that the rules name. Changes nothing.
  virtual Result<ConfigValues> Read() = 0;

  // Makes every change, or none, durable when it returns; cut off at any instant, what is found
  // afterwards (once recovered) is the old or the new, whole. What is not its own, and what is set
  // already, stays untouched to the byte. The keys are its own and the values not refused.
  virtual Result<void> Write(const ConfigChanges& changes) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CONFIG_BACKEND_H_
