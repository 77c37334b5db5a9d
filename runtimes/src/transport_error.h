// What libcurl says of an exchange that failed, as an error.
#ifndef LOCKSTEP_RUNTIMES_TRANSPORT_ERROR_H_
#define LOCKSTEP_RUNTIMES_TRANSPORT_ERROR_H_

#include <curl/curl.h>

#include <chrono>
#include <string_view>

#include "engine_address.h"
#include "lockstep/error.h"

namespace lockstep::docker {

struct FailedExchange {
  CURL* easy = nullptr;
  CURLcode code = CURLE_OK;
  std::string_view detail;  // CURLOPT_ERRORBUFFER; may be empty.
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds connect_timeout{0};
};

// Each names the engine, and the cause. Codes: see HttpClient::Perform().
Error TransportError(const FailedExchange& failed, const EngineAddress& address);

// The engine is connected to, and said nothing for that long.
Error NoAnswer(std::chrono::milliseconds within, const EngineAddress& address);

// The connection ended within the headers of the reply.
Error HeadCutOff(const EngineAddress& address);

// Something answers, but what it says is not what an engine says: "what answers at URL <how>".
Error NoEngine(const EngineAddress& address, std::string_view how);

}  // namespace lockstep::docker

#endif  // LOCKSTEP_RUNTIMES_TRANSPORT_ERROR_H_
