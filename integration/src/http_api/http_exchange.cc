#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "http_api/http_loop.h"
#include "http_api/request_target.h"

namespace lockstep {
namespace {

constexpr int kStreamBufferBytes = 64 * 1024;

ApiResponse Refusal(int status, ErrorCode code, const char* message, const char* hint) {
  return ErrorResponse(status, MakeError(code, message, hint));
}

// The time that `bytes` may take, in addition.
std::chrono::milliseconds TimeFor(std::size_t bytes) { return std::chrono::seconds(bytes / 16384); }

HttpConnection& ConnectionOf(MHD_Connection* mhd) {
  return *static_cast<HttpConnection*>(
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
}

MHD_Result AddHeader(void* headers, MHD_ValueKind, const char* name, std::size_t name_size,
                     const char* value, std::size_t value_size) {
  std::string& field =
      (*static_cast<TextMap*>(headers))[LowerCase(std::string_view(name, name_size))];
  if (!field.empty()) field += ", ";
  if (value != nullptr) field.append(value, value_size);
  return MHD_YES;
}

bool HasBody(const ApiRequest& request) {
  const std::string_view length = request.Header("content-length");
  return request.headers.contains("transfer-encoding") || !(length.empty() || length == "0");
}

// How long the body says it is, 0 where it comes in chunks; none where that is not clear, so that
// somebody in between may see another end of it.
std::optional<std::uint64_t> DeclaredLength(const ApiRequest& request) {
  const std::string_view length = request.Header("content-length");
  if (request.headers.contains("transfer-encoding")) {
    const bool chunked = EqualsIgnoringCase(request.Header("transfer-encoding"), "chunked");
    if (!chunked || request.headers.contains("content-length")) return std::nullopt;
    return 0;
  }
  if (!request.headers.contains("content-length")) return 0;
  std::uint64_t bytes = 0;
  const char* const end = length.data() + length.size();
  const auto read = std::from_chars(length.data(), end, bytes);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return bytes;
}

MHD_Response* MakeResponse(std::string body) {
  auto* const kept = new std::string(std::move(body));
  MHD_Response* const made = MHD_create_response_from_buffer_with_free_callback_cls(
      kept->size(), kept->data(), [](void* text) { delete static_cast<std::string*>(text); }, kept);
  if (made == nullptr) delete kept;
  return made;
}

}  // namespace

void* HttpServer::Loop::OnFirstLine(void* loop, const char* target, MHD_Connection* mhd) {
  Loop& self = *static_cast<Loop*>(loop);
  HttpConnection& connection = ConnectionOf(mhd);
  HttpConnection::Exchange& exchange = connection.exchange;
  exchange.stage = Stage::kReading;
  exchange.id = ++self.last_id_;
  exchange.begin = self.now_;
  exchange.target = target == nullptr ? "" : target;
  self.SetDeadline(connection, self.now_ + self.options_.request_timeout);
  return &connection;
}

MHD_Result HttpServer::Loop::OnRequest(void* loop, MHD_Connection* /*mhd*/, const char* /*url*/,
                                       const char* method, const char* /*version*/,
                                       const char* data, std::size_t* size, void** own) {
  Loop& self = *static_cast<Loop*>(loop);
  HttpConnection& connection = *static_cast<HttpConnection*>(*own);
  HttpConnection::Exchange& exchange = connection.exchange;
  if (!exchange.admitted) {
    exchange.admitted = true;
    exchange.answer = self.Admit(connection, method);
    // An answer at this point ends the connection, which is for those alone that still send.
    if (!exchange.answer || !HasBody(exchange.request)) return MHD_YES;
    connection.unread_body = true;
    return self.SendAnswer(connection);
  }
  if (*size > 0) {
    if (!self.TakeBody(connection, data, *size)) return MHD_NO;
    *size = 0;
    return MHD_YES;
  }
  if (exchange.answer) return self.SendAnswer(connection);
  // Resumed without an answer: the client has gone.
  if (exchange.stage == Stage::kWaiting) return MHD_NO;
  return self.Dispatch(connection);
}

// The answer where the request is refused; else what is in the way of its body is known.
std::optional<ApiResponse> HttpServer::Loop::Admit(HttpConnection& connection, const char* method) {
  HttpConnection::Exchange& exchange = connection.exchange;
  ApiRequest& request = exchange.request;
  request.method = method;
  request.peer = connection.peer;
  MHD_get_connection_values_n(connection.mhd, MHD_HEADER_KIND, &AddHeader, &request.headers);
  if (close_by_) {
    return Refusal(503, ErrorCode::kUnavailable, "Lockstep is ending", "ask again later");
  }
  const auto length = DeclaredLength(request);
  if (!length) {
    connection.unread_body = true;
    return Refusal(400, ErrorCode::kInvalidInput, "the length of the body is not clear",
                   "send one Content-Length, or Transfer-Encoding: chunked");
  }
  auto target = ParseRequestTarget(exchange.target);
  if (!target) return ErrorResponse(400, std::move(target).assume_error());
  request.path = std::move(target.assume_value().path);
  request.query = std::move(target.assume_value().query);
  HttpHandler::Admission admission;
  try {
    admission = handler_.Admit(request);
  } catch (...) {  // No exception may pass through the library, which is C.
    return Refusal(500, ErrorCode::kInternal, "the request could not be judged", "");
  }
  if (admission.refusal) return std::move(admission.refusal);
  exchange.max_body_bytes = admission.max_body_bytes;
  if (*length > exchange.max_body_bytes) {
    return Refusal(413, ErrorCode::kInvalidInput, "the body is too large", "send less");
  }
  return std::nullopt;
}

bool HttpServer::Loop::TakeBody(HttpConnection& connection, const char* data, std::size_t size) {
  HttpConnection::Exchange& exchange = connection.exchange;
  if (size > exchange.max_body_bytes - exchange.body_bytes) {
    CutOff(connection, 413, "Content Too Large", "the body is too large");
    return false;
  }
  if (size > options_.max_bodies_bytes - bodies_bytes_) {
    CutOff(connection, 503, "Service Unavailable", "other clients send too much at this time");
    return false;
  }
  exchange.request.body.append(data, size);
  exchange.body_bytes += size;
  bodies_bytes_ += size;
  SetDeadline(connection, exchange.begin + options_.request_timeout + TimeFor(exchange.body_bytes));
  return true;
}

MHD_Result HttpServer::Loop::Dispatch(HttpConnection& connection) {
  HttpConnection::Exchange& exchange = connection.exchange;
  exchange.stage = Stage::kWaiting;
  SetDeadline(connection, std::nullopt);
  waiting_.emplace(exchange.id, &connection);
  exchange.last_event_id = exchange.request.Header("last-event-id");
  try {
    handler_.Handle(std::move(exchange.request), ApiReply(box_, exchange.id));
  } catch (...) {  // Its reply has answered.
  }
  TakeAnswers();  // Most handlers answer at once.
  if (exchange.answer) return SendAnswer(connection);
  Suspend(connection);
  return MHD_YES;
}

MHD_Result HttpServer::Loop::SendAnswer(HttpConnection& connection) {
  HttpConnection::Exchange& exchange = connection.exchange;
  ApiResponse answer = std::move(*exchange.answer);
  exchange.answer.reset();
  if (answer.events && streams_ >= options_.max_streams) {
    answer = Refusal(503, ErrorCode::kUnavailable, "too many clients read events",
                     "close some of them, or ask again later");
  }
  const auto headers = HeaderFields(answer);
  SetDeadline(connection, now_ + options_.response_timeout + TimeFor(answer.body.size()));
  MHD_Response* response = nullptr;
  if (answer.events) {
    exchange.stage = Stage::kStreaming;
    exchange.events = std::make_unique<EventCursor>(answer.events, exchange.last_event_id);
    exchange.comment_due = true;  // So that the client sees at once that it is connected.
    ++streams_;
    answer.events->Attach(wake_);
    // A slow client finds its events in the ring, not in the kernel.
    setsockopt(connection.fd, SOL_SOCKET, SO_SNDBUF, &kStreamBufferBytes,
               sizeof(kStreamBufferBytes));
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, &OnStream, &connection, nullptr);
  } else {
    exchange.stage = Stage::kAnswering;
    response = MakeResponse(std::move(answer.body));
  }
  if (response == nullptr) return MHD_NO;
  for (const auto& [name, value] : headers) {
    // Refuses what is no header field, such as a value of two lines.
    (void)MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const bool known = answer.status >= 200 && answer.status <= 599;
  const MHD_Result queued = MHD_queue_response(
      connection.mhd, known ? static_cast<unsigned>(answer.status) : 500U, response);
  MHD_destroy_response(response);
  return queued;
}

ssize_t HttpServer::Loop::OnStream(void* connection_pointer, std::uint64_t /*position*/, char* out,
                                   std::size_t size) {
  constexpr std::string_view kComment = ":\n\n";
  HttpConnection& connection = *static_cast<HttpConnection*>(connection_pointer);
  HttpConnection::Exchange& exchange = connection.exchange;
  Loop& self = *connection.loop;
  if (connection.gone) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (self.close_by_ || exchange.events->AtEnd()) return MHD_CONTENT_READER_END_OF_STREAM;
  std::size_t count = exchange.events->Read(out, size);
  if (count == 0 && exchange.comment_due && size >= kComment.size()) {
    count = kComment.copy(out, size);
  }
  exchange.comment_due = false;
  if (count > 0) {
    self.SetDeadline(connection, self.now_ + self.options_.response_timeout);
    return static_cast<ssize_t>(count);
  }
  self.SetDeadline(connection, self.now_ + self.options_.stream_comment);
  self.Suspend(connection);
  return 0;
}

void HttpServer::Loop::OnRequestOver(void* loop, MHD_Connection* mhd, void** /*own*/,
                                     MHD_RequestTerminationCode /*why*/) {
  Loop& self = *static_cast<Loop*>(loop);
  HttpConnection& connection = ConnectionOf(mhd);
  HttpConnection::Exchange& exchange = connection.exchange;
  self.waiting_.erase(exchange.id);
  self.bodies_bytes_ -= exchange.body_bytes;
  if (exchange.events) --self.streams_;
  exchange = {};
  self.SetDeadline(connection, self.now_ + self.options_.idle_timeout);
  if (self.close_by_) shutdown(connection.fd, SHUT_RDWR);
}

void HttpServer::Loop::OnConnection(void* loop, MHD_Connection* mhd, void** own,
                                    MHD_ConnectionNotificationCode what) {
  Loop& self = *static_cast<Loop*>(loop);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    auto connection = std::make_unique<HttpConnection>();
    connection->loop = &self;
    connection->mhd = mhd;
    connection->fd = self.accepted_fd_;
    connection->id = ++self.last_id_;
    connection->peer = std::move(*self.accepted_);
    self.accepted_.reset();
    connection->deadline = self.deadlines_.end();
    self.SetDeadline(*connection, self.now_ + self.options_.request_timeout);
    *own = connection.get();
    self.connections_.emplace(connection->id, std::move(connection));
    return;
  }
  HttpConnection& connection = *static_cast<HttpConnection*>(*own);
  if (connection.unread_body) {
    Descriptor kept(fcntl(connection.fd, F_DUPFD_CLOEXEC, 0));
    const int fd = kept.get();
    if (self.lingering_.Add(std::move(kept), self.now_)) {
      self.Watch(fd, EPOLLIN, kLingering | static_cast<std::uint64_t>(fd));
    }
  }
  self.SetDeadline(connection, std::nullopt);
  self.limits_.Leave(connection.peer);
  if (self.accept_again_) self.accept_again_ = self.now_;
  self.connections_.erase(connection.id);
}

// Answers at a point where the library has no answer for. To be shut down afterwards.
void HttpServer::Loop::CutOff(HttpConnection& connection, int status, const char* reason,
                              const char* message) {
  const ApiResponse answer = Refusal(status, ErrorCode::kInvalidInput, message, "");
  std::string text = "HTTP/1.1 " + std::to_string(status) + ' ' + reason + "\r\n";
  for (const auto& [name, value] : HeaderFields(answer)) text += name + ": " + value + "\r\n";
  text += "Content-Length: " + std::to_string(answer.body.size()) +
          "\r\nConnection: close\r\n\r\n" + answer.body;
  (void)!send(connection.fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  connection.unread_body = true;
}

}  // namespace lockstep
