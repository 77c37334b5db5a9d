#include "balena_api/state_reporter.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "balena_api/backend_answer.h"
#include "balena_api/http_error.h"
#include "balena_api/report_json.h"
#include "json_value.h"

namespace lockstep {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kBetween = std::chrono::seconds(10);
constexpr milliseconds kBetweenMetrics = std::chrono::minutes(5);
constexpr milliseconds kMostJitter = std::chrono::minutes(1);
constexpr std::size_t kMostAnswerBytes = std::size_t{1} << 20;  // It is of no interest.

bool IsAllMetrics(const ordered_json& fields) {
  for (const auto& field : fields.items()) {
    if (!IsMetric(field.key())) return false;
  }
  return true;
}

// Every release that it names.
std::set<std::string> ReleasesIn(const DeviceReport& report) {
  std::set<std::string> commits;
  for (const auto& [uuid, app] : report.apps) {
    if (app.release_uuid) commits.insert(uuid + ' ' + *app.release_uuid);
    for (const auto& [commit, release] : app.releases) commits.insert(uuid + ' ' + commit);
  }
  return commits;
}

}  // namespace

class StateReporter::Impl {
 public:
  Impl(BalenaDevice device, Clock& clock, std::function<void(Error)> on_problem,
       std::function<double()> random, HttpFunction http)
      : device_(std::move(device)),
        clock_(clock),
        on_problem_(std::move(on_problem)),
        random_(random ? std::move(random) : MakeRandom()),
        http_(http ? std::move(http) : PerformHttp),
        site_(SiteOf(device_.api_endpoint)) {}

  void Set(DeviceReport report) {
    const std::scoped_lock lock(mutex_);
    if (newest_ == report) return;
    newest_ = std::move(report);
    ++version_;
    changed_.notify_all();
  }

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (auto report = Await(stop)) Send(*report, stop);
    }
  }

 private:
  // Until there is something to be sent, and time to; none when stopped.
  std::optional<DeviceReport> Await(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto seen = version_;
      const auto due = DueAt();
      if (due && clock_.Monotonic() >= *due) return newest_;
      clock_.WaitUntil(changed_, lock, due, stop, [&] { return version_ != seen; });
    }
    return std::nullopt;
  }

  std::optional<MonoTime> DueAt() const {
    const ordered_json fresh = WhatIsNew(accepted_, ReportJson(Worded(newest_)));
    if (fresh.empty()) return std::nullopt;
    if (!sent_at_) return not_before_;
    return std::max(not_before_, *sent_at_ + (IsAllMetrics(fresh) ? kBetweenMetrics : kBetween));
  }

  // In the words that the backend is known to take.
  DeviceReport Worded(const DeviceReport& report) const {
    return refused_ && *refused_ == ReleasesIn(report) ? TargetsAlone(report) : report;
  }

  void Send(const DeviceReport& report, const std::stop_token& stop) {
    const DeviceReport worded = Worded(report);
    const ordered_json whole = ReportJson(worded);
    const ordered_json fresh = WhatIsNew(accepted_, whole);
    HttpRequest request;
    request.method = "PATCH";
    request.url = device_.api_endpoint + "/device/v3/state";
    request.bearer = device_.api_key;
    request.ca_file = device_.ca_file;
    request.max_body = kMostAnswerBytes;
    request.body = Dump({{device_.uuid, fresh}});
    const auto reply = http_(request, stop);
    if (stop.stop_requested()) return;
    const MonoTime now = clock_.Monotonic();
    sent_at_ = now;
    if (reply && reply.assume_value().status / 100 == 2) return Accepted(whole);
    if (reply && reply.assume_value().status / 100 == 4 && fresh.contains("apps") &&
        TargetsAlone(worded) != worded && reply.assume_value().status != 429) {
      refused_ = ReleasesIn(report);  // It may be one release alone that is not known there.
      return;
    }
    Failed(reply, now);
  }

  void Accepted(const ordered_json& whole) {
    // What was told once and is not known any more stays known there.
    for (const auto& [field, value] : whole.items()) accepted_[field] = value;
    if (!whole.contains("apps")) accepted_.erase("apps");
    back_off_.Reset();
    not_before_ = {};
    problem_.clear();
  }

  void Failed(const Result<HttpReply>& reply, MonoTime now) {
    const Error error = reply ? BackendError(reply.assume_value(), site_) : reply.assume_error();
    const bool refused = error.code == ErrorCode::kPermissionDenied;
    milliseconds wait = refused ? device_.poll_interval + Part(kMostJitter)
                                : back_off_.Next(device_.poll_interval, random_());
    if (reply) {
      if (const auto asked = RetryAfter(reply.assume_value(), clock_.Now())) {
        wait = std::max(wait, *asked + Part(std::min(kMostJitter, *asked / 10)));
      }
    }
    not_before_ = now + wait;
    Tell(WithContext(error, "report what runs here"));
  }

  void Tell(const Error& error) {
    std::string text = Describe(error);
    if (text == problem_) return;
    problem_ = std::move(text);
    if (on_problem_) on_problem_(error);
  }

  milliseconds Part(milliseconds whole) {
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * random_()));
  }

  const BalenaDevice device_;
  Clock& clock_;
  const std::function<void(Error)> on_problem_;
  const std::function<double()> random_;
  const HttpFunction http_;
  const std::string site_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  DeviceReport newest_;
  std::uint64_t version_ = 0;

  // Of the thread in Run().
  ordered_json accepted_ = ordered_json::object();
  std::optional<MonoTime> sent_at_;
  MonoTime not_before_{};
  BackOff back_off_;
  // Releases that it would not hear of all together.
  std::optional<std::set<std::string>> refused_;
  std::string problem_;
};

StateReporter::StateReporter(BalenaDevice device, Clock& clock,
                             std::function<void(Error)> on_problem, std::function<double()> random,
                             HttpFunction http)
    : impl_(std::make_unique<Impl>(std::move(device), clock, std::move(on_problem),
                                   std::move(random), std::move(http))) {}
StateReporter::~StateReporter() = default;

void StateReporter::Set(DeviceReport report) { impl_->Set(std::move(report)); }
void StateReporter::Run(std::stop_token stop) { impl_->Run(stop); }

}  // namespace lockstep
