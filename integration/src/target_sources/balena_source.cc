#include "target_sources/balena_source.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "balena_api/backend_answer.h"
#include "balena_api/http_error.h"
#include "balena_target.h"
#include "target_sources/news.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMostJitter = std::chrono::minutes(1);
constexpr milliseconds kBetweenAsks = std::chrono::seconds(10);
constexpr std::size_t kMostEtagBytes = 512;
constexpr const char* kPollIntervalKey = "BALENA_SUPERVISOR_POLL_INTERVAL";

bool IsEtag(const std::string& text) {
  return text.size() <= kMostEtagBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

bool IsWebPage(const HttpReply& reply) {
  const std::size_t first = reply.body.find_first_not_of(" \t\r\n");
  return reply.content_type.starts_with("text/html") ||
         (first != std::string::npos && reply.body[first] == '<');
}

class BalenaSource final : public TargetSource {
 public:
  BalenaSource(BalenaDevice device, Clock& clock, std::function<double()> random, HttpFunction http)
      : device_(std::move(device)),
        clock_(clock),
        random_(random ? std::move(random) : MakeRandom()),
        http_(http ? std::move(http) : PerformHttp),
        site_(SiteOf(device_.api_endpoint)),
        interval_(device_.poll_interval) {}

  Result<void> Run(TargetSink& sink, std::stop_token stop) override {
    if (const std::string wrong = WrongEndpoint(device_.api_endpoint); !wrong.empty()) {
      return MakeError(ErrorCode::kInvalidInput, "the backend's address is wrong: " + wrong);
    }
    News news(sink);
    while (!stop.stop_requested()) {
      {
        const std::scoped_lock lock(mutex_);
        asked_ = false;
      }
      const MonoTime began = clock_.Monotonic();
      const milliseconds wait = Poll(news, stop);
      WaitFor(began, wait, stop);
    }
    return Ok();
  }

  void LookNow() override {
    const std::scoped_lock lock(mutex_);
    asked_ = true;
    ++asks_;
    changed_.notify_all();
  }

 private:
  // How long to wait until the next one.
  milliseconds Poll(News& news, const std::stop_token& stop) {
    may_ask_at_ = clock_.Monotonic();
    HttpRequest request;
    request.url = device_.api_endpoint + "/device/v3/" + device_.uuid + "/state";
    request.bearer = device_.api_key;
    request.ca_file = device_.ca_file;
    if (!etag_.empty()) request.headers.push_back("If-None-Match: " + etag_);
    auto reply = http_(request, stop);
    if (stop.stop_requested()) return milliseconds(0);
    auto taken = reply ? Take(std::move(reply).assume_value(), news)
                       : Result<void>(std::move(reply).assume_error());
    if (taken) {
      back_off_.Reset();
      news.TellProblems({});
      return interval_ + Part(kMostJitter);
    }
    news.TellProblems({WithContext(taken.assume_error(), "ask the backend for the target")});
    // A key that is refused will not get better by itself.
    const bool refused = taken.assume_error().code == ErrorCode::kPermissionDenied;
    const milliseconds wait =
        refused ? interval_ + Part(kMostJitter) : back_off_.Next(interval_, random_());
    return std::max(wait, std::chrono::ceil<milliseconds>(may_ask_at_ - clock_.Monotonic()));
  }

  Result<void> Take(HttpReply reply, News& news) {
    if (reply.status == 304) {
      if (!etag_.empty()) return Ok();
      return MakeError(ErrorCode::kNotFound,
                       site_ + " says that nothing is new, though it was not asked that",
                       "the device may have been deleted there: provision it again");
    }
    if (reply.status != 200) {
      if (const auto wait = RetryAfter(reply, clock_.Now())) {
        may_ask_at_ = clock_.Monotonic() + *wait + Part(std::min(kMostJitter, *wait / 10));
      }
      return BackendError(reply, site_);
    }
    if (reply.body.empty()) {
      return MakeError(ErrorCode::kBadReply, site_ + " sends nothing where a target should be");
    }
    if (IsWebPage(reply)) {
      return MakeError(ErrorCode::kBadReply, site_ + " sends a web page, no target",
                       "check its address, and what is in between (a proxy, a captive portal)");
    }
    auto target = ReadBalenaTarget(reply.body, {device_.uuid, UnknownFields::kGaps});
    if (!target)
      return WithContext(std::move(target).assume_error(), "read what " + site_ + " sends");
    LoadedTarget loaded{std::move(target).assume_value(), std::move(reply.body)};
    etag_ = IsEtag(reply.etag) ? std::move(reply.etag) : std::string();
    interval_ = IntervalIn(loaded.target);
    news.Tell(std::move(loaded));
    return Ok();
  }

  milliseconds IntervalIn(const Target& target) const {
    const auto key = target.config.find(kPollIntervalKey);
    if (key == target.config.end()) return device_.poll_interval;
    return PollIntervalOf(key->second).value_or(device_.poll_interval);
  }

  void WaitFor(MonoTime began, milliseconds wait, const std::stop_token& stop) {
    const MonoTime regular = clock_.Monotonic() + wait;
    const MonoTime when_asked = std::max(began + kBetweenAsks, may_ask_at_);
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const MonoTime due = asked_ ? std::min(regular, when_asked) : regular;
      if (clock_.Monotonic() >= due) return;
      const auto seen = asks_;
      clock_.WaitUntil(changed_, lock, due, stop, [&] { return asks_ != seen; });
    }
  }

  milliseconds Part(milliseconds whole) {
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * random_()));
  }

  const BalenaDevice device_;
  Clock& clock_;
  const std::function<double()> random_;
  const HttpFunction http_;
  const std::string site_;

  // Of the thread in Run().
  milliseconds interval_;
  std::string etag_;  // Of the last target that was read; empty: there is none.
  BackOff back_off_;
  MonoTime may_ask_at_{};  // As the backend wishes.

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool asked_ = false;
  std::uint64_t asks_ = 0;
};

}  // namespace

std::unique_ptr<TargetSource> MakeBalenaSource(BalenaDevice device, Clock& clock,
                                               std::function<double()> random, HttpFunction http) {
  return std::make_unique<BalenaSource>(std::move(device), clock, std::move(random),
                                        std::move(http));
}

}  // namespace lockstep
