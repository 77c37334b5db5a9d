// What the system refuses, as an Error of Lockstep.
#ifndef CUSTOM_AGENT_REFUSED_H_
#define CUSTOM_AGENT_REFUSED_H_

#include <lockstep/error.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace custom {

// `reason`: an errno. Codes are what a caller can do about it: a disk that is full is waited for.
inline lockstep::Error Refused(const std::string& what, int reason) {
  using lockstep::ErrorCode;
  ErrorCode code = ErrorCode::kUnavailable;
  if (reason == EACCES || reason == EPERM) code = ErrorCode::kPermissionDenied;
  if (reason == ENOSPC || reason == EDQUOT) code = ErrorCode::kNoSpace;
  return WithContext(lockstep::MakeError(code, std::generic_category().message(reason)), what);
}

}  // namespace custom

#endif  // CUSTOM_AGENT_REFUSED_H_
