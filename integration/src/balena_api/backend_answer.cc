#include "balena_api/backend_answer.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>

#include "text.h"

namespace lockstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongest = std::chrono::hours(24);
constexpr milliseconds kFirst = seconds(15);
constexpr int kMostDoublings = 20;
constexpr std::size_t kMostShown = 200;

std::optional<std::int64_t> SecondsAt(const std::string& date) {
  const std::time_t time = curl_getdate(date.c_str(), nullptr);
  if (date.empty() || time == -1) return std::nullopt;
  return static_cast<std::int64_t>(time);
}

// What it says of itself; a page for browsers says nothing to people who read logs.
std::string Shown(const HttpReply& reply) {
  const std::size_t first = reply.body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || reply.body[first] == '<') return {};
  return ": " + Printable(std::string_view(reply.body).substr(first, kMostShown));
}

}  // namespace

Error BackendError(const HttpReply& reply, const std::string& site) {
  const std::string status = std::to_string(reply.status);
  switch (reply.status) {
    case 401:
    case 403:
      return MakeError(ErrorCode::kPermissionDenied,
                       site + " refuses the device's key (" + status + ')',
                       "provision the device again; until then all runs on as it is");
    case 404:
      return MakeError(ErrorCode::kNotFound, site + " knows nothing of this device (404)",
                       "check apiEndpoint and uuid in config.json, or provision it again");
    case 429:
      return MakeError(ErrorCode::kUnavailable, site + " is asked too often (429)",
                       "it is asked again later");
    default:
      break;
  }
  if (reply.status >= 500) {
    return MakeError(ErrorCode::kUnavailable, site + " cannot answer now (" + status + ')',
                     "it is asked again later");
  }
  return MakeError(ErrorCode::kBadReply, site + " answered with " + status + Shown(reply),
                   "check its address, and what is in between (a proxy, a captive portal)");
}

std::optional<milliseconds> RetryAfter(const HttpReply& reply, WallTime now) {
  const std::string& text = reply.retry_after;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (stop == end && !text.empty()) {
    if (fault == std::errc::result_out_of_range && text.front() != '-') return kLongest;
    if (fault != std::errc() || number < 0) return std::nullopt;
    return std::min<seconds>(seconds(number), kLongest);
  }
  const auto until = SecondsAt(text);
  if (!until) return std::nullopt;
  const std::int64_t from =
      SecondsAt(reply.date)
          .value_or(std::chrono::duration_cast<seconds>(now.time_since_epoch()).count());
  return seconds(std::clamp<std::int64_t>(*until - from, 0, kLongest.count()));
}

std::function<double()> MakeRandom() {
  const auto engine = std::make_shared<std::minstd_rand>(std::random_device()());
  return [engine] { return std::uniform_real_distribution<double>(0, 1)(*engine); };
}

milliseconds BackOff::Next(milliseconds most, double random) {
  const milliseconds full = std::min(most, kFirst * (std::int64_t{1} << failures_));
  failures_ = std::min(failures_ + 1, kMostDoublings);
  return full -
         milliseconds(static_cast<std::int64_t>(static_cast<double>(full.count()) * random / 4));
}

}  // namespace lockstep
