#include "http_api/http_loop.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace lockstep {
namespace {

constexpr unsigned kMemoryOfConnection = 16384;  // A head of a request must fit.
constexpr std::chrono::milliseconds kAcceptPause{500};

// Half of what the process may have: the rest is for engines, stores and locks.
std::size_t BoundedByDescriptors(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  return std::min(wanted, static_cast<std::size_t>(limit.rlim_cur / 2));
}

Error NoResources(const char* what) {
  return WithContext(
      MakeError(ErrorCode::kUnavailable, "the system has no descriptor or memory left",
                "raise LimitNOFILE, or free memory"),
      what);
}

}  // namespace

HttpServer::Loop::Loop(const HttpServerOptions& options, HttpHandler& handler,
                       std::vector<ListeningSocket> sockets)
    : options_(options),
      handler_(handler),
      wake_(std::make_shared<WakeUp>()),
      box_(std::make_shared<AnswerBox>(wake_)),
      sockets_(std::move(sockets)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      now_(std::chrono::steady_clock::now()),
      limits_(BoundedByDescriptors(options.max_connections), options.max_connections_per_address),
      last_id_(kFirstId) {}

Result<std::unique_ptr<HttpServer::Loop>> HttpServer::Loop::Make(
    const HttpServerOptions& options, HttpHandler& handler, std::vector<ListeningSocket> sockets) {
  std::unique_ptr<Loop> loop(new Loop(options, handler, std::move(sockets)));
  const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
  loop->daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &OnRequest, loop.get(),                    //
      MHD_OPTION_URI_LOG_CALLBACK, &OnFirstLine, loop.get(),                 //
      MHD_OPTION_NOTIFY_COMPLETED, &OnRequestOver, loop.get(),               //
      MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, loop.get(),               //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{kMemoryOfConnection},  //
      MHD_OPTION_CONNECTION_LIMIT, std::numeric_limits<unsigned>::max(),     //
      MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (loop->daemon_ == nullptr || !loop->epoll_.valid()) return NoResources("serve HTTP");
  const MHD_DaemonInfo* const info = MHD_get_daemon_info(loop->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  bool watched = info != nullptr && loop->Watch(info->epoll_fd, EPOLLIN, kLibrary) &&
                 loop->Watch(loop->wake_->fd(), EPOLLIN, kWake);
  for (std::size_t i = 0; i < loop->sockets_.size(); ++i) {
    watched = watched && loop->Watch(loop->sockets_[i].fd(), EPOLLIN, kFirstSocket + i);
  }
  if (!watched) return NoResources("serve HTTP");
  return loop;
}

HttpServer::Loop::~Loop() {
  // What is suspended must not be when the library ends; it calls no handler any more.
  box_->Close();
  for (const auto& [id, connection] : connections_) Resume(*connection);
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

void HttpServer::Loop::Run() {
  while (!close_by_ || (!connections_.empty() && now_ < *close_by_)) Step();
}

void HttpServer::Loop::Stop() {
  stop_.store(true);
  wake_->Wake();
}

void HttpServer::Loop::Step() {
  std::array<epoll_event, 64> events;
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), WaitMs());
  now_ = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    OnEvent(event.data.u64);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    HttpConnection& late = *deadlines_.begin()->second;
    SetDeadline(late, std::nullopt);
    OnDeadline(late);
  }
  lingering_.Expire(now_);
  if (accept_again_ && *accept_again_ <= now_) {
    accept_again_.reset();
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      Watch(sockets_[i].fd(), EPOLLIN, kFirstSocket + i);
    }
  }
  MHD_run(daemon_);
}

int HttpServer::Loop::WaitMs() const {
  MHD_UNSIGNED_LONG_LONG library_ms = 0;
  if (MHD_get_timeout(daemon_, &library_ms) == MHD_YES && library_ms == 0) return 0;
  std::optional<HttpTime> next = lingering_.NextDeadline();
  const auto sooner = [&](const std::optional<HttpTime>& time) {
    if (time && (!next || *time < *next)) next = time;
  };
  if (!deadlines_.empty()) sooner(deadlines_.begin()->first);
  sooner(accept_again_);
  sooner(close_by_);
  if (!next) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*next - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

bool HttpServer::Loop::Watch(int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void HttpServer::Loop::OnEvent(std::uint64_t key) {
  if (key == kWake) {
    OnWake();
  } else if ((key & kLingering) != 0) {
    lingering_.Read(static_cast<int>(key & ~kLingering));
  } else if (key >= kFirstId) {
    // Only of one that is suspended, and then only that its client has gone.
    const auto found = connections_.find(key);
    if (found == connections_.end()) return;
    found->second->gone = true;
    Resume(*found->second);
  } else if (key >= kFirstSocket && key - kFirstSocket < sockets_.size()) {
    Accept(key - kFirstSocket);
  }
}

void HttpServer::Loop::Accept(std::size_t socket) {
  constexpr int kAtOnce = 64;  // Others have something to do, too.
  constexpr char kFull[] =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  for (int i = 0; i < kAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    Descriptor fd(accept4(sockets_[socket].fd(), reinterpret_cast<sockaddr*>(&address), &size,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        PauseAccepting();
      }
      return;
    }
    ApiPeer peer = PeerOf(fd.get(), address);
    if (!limits_.Enter(peer)) {
      (void)!send(fd.get(), kFull, sizeof(kFull) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
      continue;
    }
    accepted_ = peer;
    accepted_fd_ = fd.get();
    // Closes it where it fails; OnConnection() has taken `accepted_` where it got that far.
    MHD_add_connection(daemon_, fd.Release(), reinterpret_cast<sockaddr*>(&address), size);
    if (accepted_) limits_.Leave(*accepted_);
    accepted_.reset();
  }
}

// Who waits to be accepted would wake the loop again and again.
void HttpServer::Loop::PauseAccepting() {
  for (const ListeningSocket& socket : sockets_) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket.fd(), nullptr);
  }
  accept_again_ = now_ + kAcceptPause;
}

void HttpServer::Loop::OnWake() {
  wake_->Clear();
  if (stop_.load() && !close_by_) BeginClosing();
  TakeAnswers();
  if (streams_ == 0) return;
  for (const auto& [id, connection] : connections_) {
    if (!connection->suspended || !connection->exchange.events) continue;
    EventCursor& events = *connection->exchange.events;
    if (events.HasNews() || events.AtEnd()) Resume(*connection);
  }
}

void HttpServer::Loop::TakeAnswers() {
  for (AnswerBox::Answer& answer : box_->TakeAll()) {
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) continue;  // Its client has gone.
    HttpConnection& connection = *found->second;
    waiting_.erase(found);
    connection.exchange.answer = std::move(answer.response);
    Resume(connection);
  }
}

void HttpServer::Loop::OnDeadline(HttpConnection& connection) {
  if (connection.suspended) {  // Only an event stream has one then.
    connection.exchange.comment_due = true;
    Resume(connection);
    return;
  }
  if (connection.exchange.stage == Stage::kReading) {
    CutOff(connection, 408, "Request Timeout", "the request did not come in time");
  }
  shutdown(connection.fd, SHUT_RDWR);
}

void HttpServer::Loop::BeginClosing() {
  close_by_ = now_ + options_.close_grace;
  accept_again_.reset();
  sockets_.clear();
  for (const auto& [id, connection] : connections_) {
    switch (connection->exchange.stage) {
      case Stage::kIdle:
      case Stage::kReading:
        shutdown(connection->fd, SHUT_RDWR);
        break;
      case Stage::kWaiting:
        waiting_.erase(connection->exchange.id);
        connection->exchange.answer = ErrorResponse(
            503, MakeError(ErrorCode::kUnavailable, "Lockstep is ending", "ask again later"));
        Resume(*connection);
        break;
      case Stage::kStreaming:
        Resume(*connection);
        break;
      case Stage::kAnswering:
        break;
    }
  }
}

void HttpServer::Loop::SetDeadline(HttpConnection& connection, std::optional<HttpTime> deadline) {
  if (connection.deadline != deadlines_.end()) deadlines_.erase(connection.deadline);
  connection.deadline = deadline ? deadlines_.emplace(*deadline, &connection) : deadlines_.end();
}

void HttpServer::Loop::Suspend(HttpConnection& connection) {
  MHD_suspend_connection(connection.mhd);
  connection.suspended = true;
  // Who reads events says goodbye by ending its side; who waits for an answer may have ended it
  // right after the request, so only both sides count.
  const bool reads_events = connection.exchange.events != nullptr;
  Watch(connection.fd, reads_events ? std::uint32_t{EPOLLRDHUP} : 0U, connection.id);
}

void HttpServer::Loop::Resume(HttpConnection& connection) {
  if (!connection.suspended) return;
  connection.suspended = false;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd, nullptr);
  MHD_resume_connection(connection.mhd);
}

}  // namespace lockstep
