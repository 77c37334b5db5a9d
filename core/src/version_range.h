// Versions and ranges of them, by the rules of semantic versioning as npm's `semver` reads them:
// those that balena's contracts go by.
#ifndef LOCKSTEP_VERSION_RANGE_H_
#define LOCKSTEP_VERSION_RANGE_H_

#include <string_view>

namespace lockstep {

// Whether `version` is in `range`: <, <=, >, >=, =, ^, ~, x-ranges ("6", "6.1.x", "*"), hyphen
// ranges ("6.1 - 7"), blanks for "and", "||" for "or". A pre-release is only in a range that names
// one of the same three numbers. What is behind a "+" counts for nothing. `version` may lack its
// last numbers ("12" is 12.0.0) and may have zeros in front ("22.04").
//
// Where one of the two is not of this form they must be the same text.
bool VersionMatches(std::string_view version, std::string_view range);

}  // namespace lockstep

#endif  // LOCKSTEP_VERSION_RANGE_H_
