// Making the file system of a directory writable, and read-only again.
#ifndef LOCKSTEP_INTEGRATION_SAFE_FILE_MOUNT_H_
#define LOCKSTEP_INTEGRATION_SAFE_FILE_MOUNT_H_

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/result.h"

namespace lockstep {

// A line of /proc/self/mountinfo.
struct MountedPlace {
  std::string path;
  unsigned long flags = 0;       // What mount(2) is to be told so that everything stays as it is.
  bool place_read_only = false;  // As it is mounted here.
  bool whole_read_only = false;  // The file system itself, wherever it is mounted.
};

// The mount of that number in the text of a mountinfo file.
std::optional<MountedPlace> FindMount(std::string_view mountinfo, int mount_id);

class WritableMount {
 public:
  WritableMount() = default;
  WritableMount(const WritableMount&) = delete;
  WritableMount& operator=(const WritableMount&) = delete;
  // Read-only again. Where the system refuses that, as somebody has opened a file there for writing
  // meanwhile, and after a kill -9, it stays writable until somebody or a reboot ends it.
  ~WritableMount();

  // Does nothing where the file system of `directory` can be written. Errors: kPermissionDenied;
  // `path` is what they name. A file system that the kernel itself made read-only (it does so after
  // an error) is never written: that would damage it further.
  Result<void> Open(int directory, const std::string& path);

 private:
  std::optional<MountedPlace> opened_;
  int root_ = -1;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_SAFE_FILE_MOUNT_H_
