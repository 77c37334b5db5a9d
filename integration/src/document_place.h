// Where in a document something is: "apps.x.releases.y". A chain on the stack while a document is
// walked, made into text only when something is wrong there.
#ifndef LOCKSTEP_INTEGRATION_DOCUMENT_PLACE_H_
#define LOCKSTEP_INTEGRATION_DOCUMENT_PLACE_H_

#include <string>
#include <string_view>
#include <utility>

#include "lockstep/error.h"

namespace lockstep {

struct Place {
  const Place* up = nullptr;  // Null: the document itself.
  std::string_view key;

  std::string ToString() const {
    if (up == nullptr) return std::string(key);
    std::string path = up->ToString();
    if (!path.empty()) path += '.';
    return path.append(key);
  }
};

// An error about what is there: the place goes into `where` and, for people, into the context.
inline Error ErrorAt(ErrorCode code, const Place& place, std::string message,
                     std::string hint = {}) {
  Error error = MakeError(code, std::move(message), std::move(hint));
  error.where = place.ToString();
  error.context = error.where;
  return error;
}

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_DOCUMENT_PLACE_H_
