// Reads a compose file (Compose Specification): one app of one device.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_TARGET_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_TARGET_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/result.h"
#include "lockstep/target.h"
#include "lockstep/value.h"

namespace lockstep {

struct EnvFile {
  std::string path;
  std::string text;
};

struct ComposeOptions {
  std::string app;                    // Its name, in place of the file's `name`.
  std::string release;                // In place of the hash of what the file says.
  std::vector<std::string> profiles;  // Active ones, in place of COMPOSE_PROFILES; "*" for all.
  // For variables of the file: the environment goes first, then the last of the files.
  std::map<std::string, std::string, std::less<>> environment;
  std::vector<EnvFile> env_files;
  std::string directory;  // The file's, absolute: where relative paths begin.
  // Reads what `env_file` of a service names, at an absolute path. kNotFound: it is not there.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

// `document` is what the file holds (see ParseYaml). The target speaks for the app alone, and is
// complete: what the Compose Specification means when nothing is said is in it. Its commit is a
// hash of what the file comes to, the app's name included: the order of keys, comments and the way
// it is written do not count. Variables that are not set are gaps that block nothing; a wrong value
// is one that does, and then the release is not to be relied upon.
//
// Errors: kInvalidTarget where the document has not the shape of a compose file, has a field that
// Lockstep does not know or refuses, a variable that must be set is not, or a file that it names
// cannot be read, with the place in `where` ("services.web.prots"); kInvalidInput where an option
// is wrong.
Result<Target> ReadComposeTarget(const Value& document, const ComposeOptions& options);

// Whether `document` means to be a compose file, right or wrong.
bool LooksLikeCompose(const Value& document);

// What is wrong with such a name; empty where nothing is. An app's names its lock directory, and a
// release's is read from the names of containers.
std::string WrongAppName(std::string_view name);
std::string WrongReleaseName(std::string_view name);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_TARGET_H_
