// Two changes of one app's record that know nothing of each other.
#ifndef LOCKSTEP_MERGE_RECORDS_H_
#define LOCKSTEP_MERGE_RECORDS_H_

#include "lockstep/app_record.h"
#include "lockstep/step_request.h"

namespace lockstep {

// What the request remembers of its app when it is done; null where nothing.
const AppRecord* RecordIn(const StepRequest& request);

// `base` became `ours` for one reason and `theirs` for another: both changes made. Of a member that
// is no list and was changed by both, `ours`.
AppRecord MergeRecords(const AppRecord& base, const AppRecord& ours, const AppRecord& theirs);

}  // namespace lockstep

#endif  // LOCKSTEP_MERGE_RECORDS_H_
