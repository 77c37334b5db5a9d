// Where answers lie until the server's thread takes them.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_ANSWER_BOX_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_ANSWER_BOX_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "http_api/api_message.h"
#include "http_api/wake_up.h"

namespace lockstep {

// Outlives the server for as long as somebody has a reply: that is what makes late answers safe.
// Thread-safety: every method may be called from several threads at once.
class AnswerBox {
 public:
  struct Answer {
    std::uint64_t request;
    ApiResponse response;
  };

  explicit AnswerBox(std::shared_ptr<WakeUp> server) : server_(std::move(server)) {}

  void Put(std::uint64_t request, ApiResponse response) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      answers_.push_back({request, std::move(response)});
    }
    server_->Wake();
  }

  std::vector<Answer> TakeAll() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

  // From here on answers are dropped.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    answers_.clear();
  }

 private:
  const std::shared_ptr<WakeUp> server_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
  bool closed_ = false;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_ANSWER_BOX_H_
