// Variables in a compose file, as the Compose Specification has them: where their values come from,
// and what stands for them in a text. Values only, no I/O.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_VARIABLES_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_VARIABLES_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "document_place.h"
#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

// Names with their values; those of `before` (which must outlive this) go first.
struct Variables {
  const Variables* before = nullptr;
  std::map<std::string, std::string, std::less<>> own;

  const std::string* Find(std::string_view name) const;  // Null where it is not set.
};

// Puts values in the place of variables, and remembers which had none.
//
//   $NAME ${NAME}                     its value, or nothing where it is not set: see unset()
//   ${NAME:-text} ${NAME-text}        `text` where NAME is not set (with `:` or is empty)
//   ${NAME:?text} ${NAME?text}        an error with `text` likewise
//   ${NAME:+text} ${NAME+text}        `text` where NAME is set (with `:` and is not empty)
//   $$                                a dollar sign
//
// `text` may itself hold variables. A dollar sign before anything else stays.
//
// Errors: kInvalidTarget at the place given: a brace that is not closed, what stands in braces is
// none of the above, a variable that must be set and is not, a value that is not UTF-8, nesting or
// an outcome beyond all reason.
class Interpolation {
 public:
  Result<std::string> Replace(std::string_view text, const Variables& variables,
                              const Place& place);
  // In all texts of `value`, but not in keys.
  Result<Value> ReplaceIn(const Value& value, const Variables& variables, const Place& place);

  // The variables that were needed and not set: name, and where that was first seen.
  const std::map<std::string, std::string>& unset() const { return unset_; }

 private:
  std::map<std::string, std::string> unset_;
  std::size_t written_bytes_ = 0;  // By all calls: a short text can ask for a long value often.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_VARIABLES_H_
