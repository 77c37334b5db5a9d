// One client of the server, and the request that it is at.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_HTTP_CONNECTION_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_HTTP_CONNECTION_H_

#include <microhttpd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "http_api/api_message.h"
#include "http_api/event_stream.h"
#include "http_api/http_server.h"

namespace lockstep {

struct HttpConnection;

using HttpTime = std::chrono::steady_clock::time_point;
using HttpDeadlines = std::multimap<HttpTime, HttpConnection*>;

// libmicrohttpd owns the socket: this only shuts it down, which libmicrohttpd then sees.
struct HttpConnection {
  enum class Stage {
    kIdle,       // Between requests, or its first line is not here yet.
    kReading,    // The head is not here, or not all of the body.
    kWaiting,    // The handler has it.
    kAnswering,  // The answer is on its way.
    kStreaming,  // And it is an event stream.
  };

  HttpServer::Loop* loop = nullptr;
  MHD_Connection* mhd = nullptr;
  int fd = -1;
  std::uint64_t id = 0;
  ApiPeer peer;
  HttpDeadlines::iterator deadline;
  bool suspended = false;    // By libmicrohttpd, which then sees nothing of the client.
  bool gone = false;         // The client, while it was suspended.
  bool unread_body = false;  // It may still be sending what nobody will read.

  // Of the request. Made anew for each.
  struct Exchange {
    Stage stage = Stage::kIdle;
    std::uint64_t id = 0;
    HttpTime begin;
    std::string target;  // As it stands in the first line.
    bool admitted = false;
    ApiRequest request;
    std::size_t max_body_bytes = 0;
    std::size_t body_bytes = 0;  // Counted in the server's sum.
    std::optional<ApiResponse> answer;
    std::unique_ptr<EventCursor> events;
    std::string last_event_id;
    bool comment_due = false;
  } exchange;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_HTTP_CONNECTION_H_
