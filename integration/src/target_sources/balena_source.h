// Targets from a balena or openBalena backend, asked for over HTTP.
#ifndef LOCKSTEP_INTEGRATION_TARGET_SOURCES_BALENA_SOURCE_H_
#define LOCKSTEP_INTEGRATION_TARGET_SOURCES_BALENA_SOURCE_H_

#include <chrono>
#include <functional>
#include <memory>

#include "balena_api/balena_device.h"
#include "balena_api/http_request.h"
#include "lockstep/clock.h"
#include "target_sources/target_source.h"

namespace lockstep {

// Asks GET <endpoint>/device/v3/<uuid>/state at once, then at each poll interval with up to a
// minute more, so that a fleet does not come at once. LookNow() asks at once, but no more often
// than every 10 s. After a failure it asks again after 15 s, twice as long each time, the poll
// interval at most; a Retry-After is waited out, up to 24 h, also by LookNow(). A key that is
// refused (401, 403) is asked about at the poll interval only. Waits by the monotonic clock.
//
// Whatever is answered, a target is told of only when it was read whole (ReadBalenaTarget, with
// unknown fields as from elsewhere) and is another than the last one.
//
// `clock` must outlive it. `random`: evenly from [0, 1); empty: of its own. `http`: empty:
// PerformHttp.
std::unique_ptr<TargetSource> MakeBalenaSource(BalenaDevice device, Clock& clock,
                                               std::function<double()> random = {},
                                               HttpFunction http = {});

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TARGET_SOURCES_BALENA_SOURCE_H_
