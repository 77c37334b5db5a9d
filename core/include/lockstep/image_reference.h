// Image references as the Distribution project spells them: [domain/]path[:tag][@digest].
#ifndef LOCKSTEP_IMAGE_REFERENCE_H_
#define LOCKSTEP_IMAGE_REFERENCE_H_

#include <string>
#include <string_view>

namespace lockstep {

// Views into a reference. The tag is without its colon, the digest with its '@': "@sha256:...".
struct ReferenceParts {
  std::string_view name;
  std::string_view tag;     // Empty: none.
  std::string_view digest;  // Empty: none.
};
ReferenceParts PartsOf(std::string_view reference);

// One spelling for each image: "app" and "docker.io/library/app:latest" are the same; a digest wins
// over a tag beside it. Text that is no reference is returned as it is.
std::string NormalizedReference(std::string_view reference);

// Host and port of the registry that a reference is of: "r.example:5000"; "docker.io" where it
// names none. Its first part names one where it has a '.', a ':' or a capital letter, or is
// "localhost".
std::string RegistryOf(std::string_view reference);

}  // namespace lockstep

#endif  // LOCKSTEP_IMAGE_REFERENCE_H_
