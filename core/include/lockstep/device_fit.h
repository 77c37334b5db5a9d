// FitToDevice: where a target meets a device.
#ifndef LOCKSTEP_DEVICE_FIT_H_
#define LOCKSTEP_DEVICE_FIT_H_

#include "lockstep/device_info.h"
#include "lockstep/target.h"

namespace lockstep {

// What of `target` is for a device like `device`. Pure.
//
// Requirements are compared with these facts, by the rules of balena's contracts:
//   sw.supervisor   DeviceInfo::supervisor_version
//   sw.os           os_id as slug, os_version
//   sw.kernel       "linux" as slug, kernel_version
//   sw.l4t          l4t_version
//   hw.device-type  type as slug
//   arch.sw         arch as slug
// A requirement on anything else, or on what is not known, is not met.
//
// A service whose requirements are not met is left out if its label io.balena.features.optional
// says so, and with it the optional services that share a namespace of it. What depended on it
// depends on it no more: the release is meant to work without. Any other such service blocks its
// app, with the gap requirements-not-met. Gaps that do not block say what was left out
// (optional-left-out) and what a service asks for that is not known here (feature-not-known).
Target FitToDevice(Target target, const DeviceInfo& device);

}  // namespace lockstep

#endif  // LOCKSTEP_DEVICE_FIT_H_
