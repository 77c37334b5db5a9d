// Image references as the Distribution project spells them: [domain/]path[:tag][@digest].
#ifndef LOCKSTEP_IMAGE_REFERENCE_H_
#define LOCKSTEP_IMAGE_REFERENCE_H_

#include <string>
#include <string_view>

namespace lockstep {

// One spelling for each image: "app" and "docker.io/library/app:latest" are the same; a digest wins
// over a tag beside it. Text that is no reference is returned as it is.
std::string NormalizedReference(std::string_view reference);

}  // namespace lockstep

#endif  // LOCKSTEP_IMAGE_REFERENCE_H_
