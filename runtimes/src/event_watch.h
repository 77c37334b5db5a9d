// Watching an engine's events for as long as it takes.
#ifndef LOCKSTEP_RUNTIMES_EVENT_WATCH_H_
#define LOCKSTEP_RUNTIMES_EVENT_WATCH_H_

#include <stop_token>

#include "engine_api.h"
#include "lockstep/runtime_backend.h"
#include "observer.h"

namespace lockstep::docker {

// As RuntimeBackend::Watch says. Tells `observer` when what it saw may be trusted.
Result<void> WatchEvents(EngineApi& api, Observer& observer, EventSink& sink, std::stop_token stop);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_EVENT_WATCH_H_
