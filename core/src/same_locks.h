// Whether there is news of who holds what.
#ifndef LOCKSTEP_SAME_LOCKS_H_
#define LOCKSTEP_SAME_LOCKS_H_

#include <algorithm>
#include <vector>

#include "lockstep/lock.h"

namespace lockstep {

// However old they are, and whatever is noted of them.
inline bool AreSameLocks(const std::vector<LockHolder>& a, const std::vector<LockHolder>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const LockHolder& x, const LockHolder& y) {
                      return x.path == y.path && x.kind == y.kind;
                    });
}

}  // namespace lockstep

#endif  // LOCKSTEP_SAME_LOCKS_H_
