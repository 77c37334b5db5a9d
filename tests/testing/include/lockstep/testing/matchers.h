// Matchers for Result that say, when they fail, what the error was.
#ifndef LOCKSTEP_TESTING_MATCHERS_H_
#define LOCKSTEP_TESTING_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "lockstep/result.h"

namespace lockstep::test {

// EXPECT_THAT(store.Load(), IsOk());
MATCHER(IsOk, negation ? "is an error" : "is no error") {
  if (arg.has_value()) return true;
  *result_listener << "is " << Describe(arg.assume_error());
  return false;
}

// EXPECT_THAT(Parse("7"), IsOkAndHolds(7));
MATCHER_P(IsOkAndHolds, inner, "holds what " + ::testing::PrintToString(inner)) {
  if (arg.has_error()) {
    *result_listener << "is " << Describe(arg.assume_error());
    return false;
  }
  using Held = std::decay_t<decltype(arg.assume_value())>;
  return ::testing::SafeMatcherCast<const Held&>(inner).MatchAndExplain(arg.assume_value(),
                                                                        result_listener);
}

// EXPECT_THAT(Parse("x"), IsError(ErrorCode::kInvalidInput));
MATCHER_P(IsError, code, "is the error " + std::string(ErrorCodeName(code))) {
  if (arg.has_value()) {
    *result_listener << "is no error";
    return false;
  }
  *result_listener << "is " << ErrorCodeName(arg.assume_error().code) << ": "
                   << Describe(arg.assume_error());
  return arg.assume_error().code == code;
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTING_MATCHERS_H_
