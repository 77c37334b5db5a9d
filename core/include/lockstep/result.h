// Result<T>: a value or an Error. No exception crosses a public function of Lockstep.
#ifndef LOCKSTEP_RESULT_H_
#define LOCKSTEP_RESULT_H_

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/success_failure.hpp>
#include <utility>

#include "lockstep/error.h"

namespace lockstep {

// `value()` of a failed result ends the process: check first, then `assume_value()`.
template <typename T>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

inline auto Ok() { return boost::outcome_v2::success(); }

}  // namespace lockstep

#define LOCKSTEP_TRYV_IMPL_(tmp, ...) \
  auto&& tmp = (__VA_ARGS__);         \
  if (!tmp) return std::forward<decltype(tmp)>(tmp).as_failure()
#define LOCKSTEP_TRY_IMPL_(tmp, decl, ...) \
  LOCKSTEP_TRYV_IMPL_(tmp, __VA_ARGS__);   \
  decl = std::forward<decltype(tmp)>(tmp).assume_value()
#define LOCKSTEP_CONCAT_IMPL_(a, b) a##b
#define LOCKSTEP_CONCAT_(a, b) LOCKSTEP_CONCAT_IMPL_(a, b)

// LOCKSTEP_TRY(const auto x, F()): declares (or assigns) x, or returns F's error.
#define LOCKSTEP_TRY(decl, ...) \
  LOCKSTEP_TRY_IMPL_(LOCKSTEP_CONCAT_(lockstep_try_, __COUNTER__), decl, __VA_ARGS__)
// Both are more than one statement: an `if` around one needs braces.
// LOCKSTEP_TRYV(F()): returns F's error, drops its value.
#define LOCKSTEP_TRYV(...) \
  LOCKSTEP_TRYV_IMPL_(LOCKSTEP_CONCAT_(lockstep_try_, __COUNTER__), __VA_ARGS__)

#endif  // LOCKSTEP_RESULT_H_
