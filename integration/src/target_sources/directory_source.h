// A target that is put together from the files of a directory, one app each.
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_DIRECTORY_SOURCE_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_DIRECTORY_SOURCE_H_

#include <memory>
#include <string>

#include "target_file.h"
#include "target_sources/target_source.h"

namespace lockstep {

// Of every *.yml, *.yaml and *.json in `directory`, hidden ones left out: each is a compose file,
// and an app of the target, which speaks for these apps alone; or a single balena state, which may
// only stand alone. Watched as MakeFileSource does.
//
// A file that cannot be read is a problem, and its app stays as it was read last. So do apps that
// two files claim: neither file counts. A file that is gone takes its app out of the target, which
// leaves the app on the device as it runs. An empty directory is no target. A balena state beside
// other files is a problem, and changes nothing.
//
// The text of a target is, for a single file, the file's; else a JSON object that ReadTargetText
// understands.
std::unique_ptr<TargetSource> MakeDirectorySource(std::string directory, TargetFileOptions options);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_DIRECTORY_SOURCE_H_
