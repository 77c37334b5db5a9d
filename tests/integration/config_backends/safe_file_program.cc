// Replaces or removes one file, for tests that kill it from outside.
//
//   safe_file_program fat|other PATH [TEXT]
#include <unistd.h>

#include <string>
#include <string_view>

#include "config_backends/safe_file.h"
#include "fs_tap.h"

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  const lockstep::test::AsFat as_fat(argv[1] == std::string_view("fat"));
  const lockstep::SafeFile file(argv[2]);
  // For who reads a trace: what was before is the runtime's.
  (void)::access("/change-begins", F_OK);
  return (argc == 4 ? file.Write(argv[3]) : file.Remove()) ? 0 : 1;
}
