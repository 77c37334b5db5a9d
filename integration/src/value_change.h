// How a value changes, in the room there is.
#ifndef LOCKSTEP_INTEGRATION_VALUE_CHANGE_H_
#define LOCKSTEP_INTEGRATION_VALUE_CHANGE_H_

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

struct ValueChange {
  std::optional<std::string> from;  // None: it was not there.
  std::optional<std::string> to;    // None: it goes.
  bool hidden = false;              // The values are not to be shown.
};

// "root -> nobody"; where that is wider than `width` columns two lines, each cut to where the
// values differ: "...log-level=info...", "-> ...log-level=debug...". `width` 0: no limit.
std::vector<std::string> RenderValueChange(const ValueChange& change, int width);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_VALUE_CHANGE_H_
