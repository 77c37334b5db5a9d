#include "http_api/api_reply.h"

#include "http_api/answer_box.h"

namespace lockstep {

ApiReply::~ApiReply() {
  if (!box_) return;
  Send(ErrorResponse(500, MakeError(ErrorCode::kInternal, "the request was not answered",
                                    "report this as a defect of Lockstep")));
}

void ApiReply::Send(ApiResponse response) {
  if (const auto box = std::exchange(box_, nullptr)) box->Put(request_, std::move(response));
}

}  // namespace lockstep
