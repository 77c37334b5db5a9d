// The thread of the server: which client has something to do, and for whom time is up.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_HTTP_LOOP_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_HTTP_LOOP_H_

#include <microhttpd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "http_api/answer_box.h"
#include "http_api/connection_limits.h"
#include "http_api/descriptor.h"
#include "http_api/http_connection.h"
#include "http_api/http_server.h"
#include "http_api/lingering_sockets.h"
#include "http_api/listening_socket.h"
#include "http_api/wake_up.h"

namespace lockstep {

// libmicrohttpd has no thread of its own here: this loop waits for its sockets together with those
// that accept, and calls it. So nothing of it is called from two threads, one thread serves all
// addresses, and a deadline may be about a whole request and not only about silence.
//
// http_loop.cc: waiting, accepting, deadlines, the end. http_exchange.cc: what libmicrohttpd calls.
class HttpServer::Loop {
 public:
  static Result<std::unique_ptr<Loop>> Make(const HttpServerOptions& options, HttpHandler& handler,
                                            std::vector<ListeningSocket> sockets);
  ~Loop();

  void Run();   // Until Stop(), and then until clients have their answers.
  void Stop();  // From any thread.

 private:
  using Stage = HttpConnection::Stage;

  // What an event of the loop's epoll is about: one of these, a socket that accepts (its index on
  // top of kFirstSocket), the id of a connection (from kFirstId on), or, with this bit, the
  // descriptor of one that lingers.
  static constexpr std::uint64_t kWake = 0;
  static constexpr std::uint64_t kLibrary = 1;
  static constexpr std::uint64_t kFirstSocket = 2;
  static constexpr std::uint64_t kFirstId = 1000;
  static constexpr std::uint64_t kLingering = std::uint64_t{1} << 63;

  Loop(const HttpServerOptions& options, HttpHandler& handler,
       std::vector<ListeningSocket> sockets);

  // http_loop.cc
  void Step();
  int WaitMs() const;
  bool Watch(int fd, std::uint32_t events, std::uint64_t key);
  void OnEvent(std::uint64_t key);
  void Accept(std::size_t socket);
  void PauseAccepting();
  void OnWake();
  void TakeAnswers();
  void OnDeadline(HttpConnection& connection);
  void BeginClosing();
  void SetDeadline(HttpConnection& connection, std::optional<HttpTime> deadline);
  void Suspend(HttpConnection& connection);
  void Resume(HttpConnection& connection);

  // http_exchange.cc
  static void* OnFirstLine(void* loop, const char* target, MHD_Connection* mhd);
  static MHD_Result OnRequest(void* loop, MHD_Connection* mhd, const char* url, const char* method,
                              const char* version, const char* data, std::size_t* size, void** own);
  static void OnRequestOver(void* loop, MHD_Connection* mhd, void** own,
                            MHD_RequestTerminationCode why);
  static void OnConnection(void* loop, MHD_Connection* mhd, void** own,
                           MHD_ConnectionNotificationCode what);
  static ssize_t OnStream(void* connection, std::uint64_t position, char* out, std::size_t size);
  std::optional<ApiResponse> Admit(HttpConnection& connection, const char* method);
  bool TakeBody(HttpConnection& connection, const char* data, std::size_t size);
  MHD_Result Dispatch(HttpConnection& connection);
  MHD_Result SendAnswer(HttpConnection& connection);
  void CutOff(HttpConnection& connection, int status, const char* reason, const char* message);

  const HttpServerOptions options_;
  HttpHandler& handler_;
  const std::shared_ptr<WakeUp> wake_;
  const std::shared_ptr<AnswerBox> box_;
  std::vector<ListeningSocket> sockets_;
  Descriptor epoll_;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> stop_ = false;

  HttpTime now_;  // When this round began.
  ConnectionLimits limits_;
  std::unordered_map<std::uint64_t, std::unique_ptr<HttpConnection>> connections_;
  std::unordered_map<std::uint64_t, HttpConnection*> waiting_;  // By the id of the exchange.
  std::optional<ApiPeer> accepted_;  // Whom libmicrohttpd is just told of.
  int accepted_fd_ = -1;
  HttpDeadlines deadlines_;
  LingeringSockets lingering_;
  std::uint64_t last_id_;
  std::size_t bodies_bytes_ = 0;
  std::size_t streams_ = 0;
  std::optional<HttpTime> accept_again_;  // Where descriptors had run out.
  std::optional<HttpTime> close_by_;      // Once it is closing.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_HTTP_LOOP_H_
