// The answer that a request waits for.
#ifndef LOCKSTEP_INTEGRATION_HTTP_API_API_REPLY_H_
#define LOCKSTEP_INTEGRATION_HTTP_API_API_REPLY_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "http_api/api_message.h"

namespace lockstep {

class AnswerBox;

// Answers one request, once. Given to the handler, which may keep it and answer later: until then
// the client waits, however long that is. Dropped without an answer, it answers 500.
//
// Thread-safety: may be moved to, used and dropped on any thread. Sending never blocks and never
// fails: where the client or the server is gone, the answer is dropped.
class ApiReply {
 public:
  ApiReply(std::shared_ptr<AnswerBox> box, std::uint64_t request)
      : box_(std::move(box)), request_(request) {}
  ApiReply(ApiReply&&) noexcept = default;
  ApiReply& operator=(ApiReply&& other) noexcept {
    std::swap(box_, other.box_);
    std::swap(request_, other.request_);
    return *this;
  }
  ~ApiReply();

  // A second answer does nothing.
  void Send(ApiResponse response);

 private:
  std::shared_ptr<AnswerBox> box_;  // None once it has answered.
  std::uint64_t request_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_HTTP_API_API_REPLY_H_
