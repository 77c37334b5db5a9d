// What went wrong, as a value: what was attempted, why it failed, what to do about it.
#ifndef LOCKSTEP_ERROR_H_
#define LOCKSTEP_ERROR_H_

#include <string>
#include <string_view>

namespace lockstep {

// One value for each thing a caller can do about it.
enum class ErrorCode {
  kInvalidInput,         // An argument or a file is wrong; mend it.
  kInvalidTarget,        // The target cannot be read whole; nothing was changed.
  kNotFound,             // It does not exist; trying again does not help.
  kConflict,             // Something else is in the way (name, port, use); look again.
  kPermissionDenied,     // Not allowed; give the right or run as another user.
  kUnavailable,          // The peer does not answer or has a passing fault; try again.
  kDeadlineExceeded,     // Took too long; look again, the effect may have happened.
  kCancelled,            // A stop request ended it.
  kNoSpace,              // A disk or another bounded resource is full.
  kDefunct,              // What it acts on is broken for good; remove it and make it anew.
  kUnsupported,          // The peer is too old or lacks the feature.
  kBadReply,             // The peer answered what its protocol does not allow.
  kAnotherOrchestrator,  // Somebody else manages this engine; stop one of the two.
  kUnsafeLockRoot,       // Others may change what is between the lock root and a service; mend it.
  kInternal,             // A defect in Lockstep; report it.
};

// The code's name in JSON and logs: "invalid-target", "unavailable", ...
std::string_view ErrorCodeName(ErrorCode code);

// True where the same call may succeed later without anybody's doing.
bool IsTransient(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // Why it failed, in the words of the place it failed.
  std::string context;  // What was being attempted, outermost first: "a: b".
  std::string hint;     // What to do about it; may be empty.
  std::string where;    // The place in an input ("apps.x.releases.y..."); may be empty.
};

Error MakeError(ErrorCode code, std::string message, std::string hint = {});

// Puts `what` in front of the error's context.
Error WithContext(Error error, std::string_view what);

// "<what> : <why>; <what to do>" on one line; control characters are made visible. Without a hint
// it says what helps with such errors in general.
std::string Describe(const Error& error);

}  // namespace lockstep

#endif  // LOCKSTEP_ERROR_H_
