// Requests for the steps of the device's configuration.
#ifndef LOCKSTEP_CONFIG_REQUEST_H_
#define LOCKSTEP_CONFIG_REQUEST_H_

#include "lockstep/step_request.h"

namespace lockstep {

// `step` is one of `plan`, which was made of `observed`.
StepRequest BuildWriteConfig(const Step& step, const Plan& plan, const ObservedState& observed);
StepRequest BuildDeleteLock(const Step& step, const ObservedState& observed);
StepRequest BuildReboot(const Plan& plan, const ObservedState& observed);

}  // namespace lockstep

#endif  // LOCKSTEP_CONFIG_REQUEST_H_
