// A backend that answers as a test says, in place of PerformHttp.
#ifndef LOCKSTEP_TESTS_INTEGRATION_BALENA_API_FAKE_BACKEND_H_
#define LOCKSTEP_TESTS_INTEGRATION_BALENA_API_FAKE_BACKEND_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "balena_api/http_request.h"
#include "scripted_clock.h"

namespace lockstep::test {

inline HttpReply Status(long status, const std::string& retry_after = {}) {
  HttpReply reply;
  reply.status = status;
  reply.retry_after = retry_after;
  return reply;
}

class FakeBackend {
 public:
  explicit FakeBackend(ScriptedClock& clock) : clock_(clock) {}

  // The next answers; the last one is given again and again.
  void Answer(std::vector<Result<HttpReply>> replies) {
    replies_.assign(replies.begin(), replies.end());
  }

  HttpFunction function() {
    return [this](const HttpRequest& request, std::stop_token) -> Result<HttpReply> {
      requests.push_back(request);
      times.push_back(clock_.seconds());
      if (replies_.empty()) return Status(200);
      Result<HttpReply> reply = replies_.front();
      if (replies_.size() > 1) replies_.pop_front();
      return reply;
    };
  }

  std::vector<HttpRequest> requests;
  std::vector<std::int64_t> times;  // Of the requests, in seconds.

 private:
  ScriptedClock& clock_;
  std::deque<Result<HttpReply>> replies_;
};

inline Error Offline() { return MakeError(ErrorCode::kUnavailable, "no answer"); }

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_INTEGRATION_BALENA_API_FAKE_BACKEND_H_
