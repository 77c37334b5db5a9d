#include "balena_api/balena_device.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "balena_api/http_error.h"
#include "json_value.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kShortest = std::chrono::seconds(10);
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);

std::string TextAt(const Value& config, std::string_view key) {
  const Value* value = config.Find(key);
  if (value == nullptr) return {};
  if (const std::string* text = value->AsString()) return *text;
  return value->AsInt() != nullptr ? std::to_string(*value->AsInt()) : std::string();
}

bool IsThisMachine(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "::1";
}

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool IsUuid(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

Result<void> FillFrom(const std::string& path, bool poll_interval, BalenaDevice& device) {
  LOCKSTEP_TRY(const std::string text, ReadRegularFile(path, kMostBytes));
  auto config = ParseJson(text);
  if (!config) return WithContext(std::move(config).assume_error(), "read " + path);
  const Value& read = config.assume_value();
  if (device.api_endpoint.empty()) device.api_endpoint = TextAt(read, "apiEndpoint");
  if (device.uuid.empty()) device.uuid = TextAt(read, "uuid");
  if (device.api_key.empty()) device.api_key = TextAt(read, "deviceApiKey");
  if (poll_interval) {
    device.poll_interval =
        PollIntervalOf(TextAt(read, "appUpdatePollInterval")).value_or(device.poll_interval);
  }
  return Ok();
}

Error Missing(const std::string& what, const std::string& path) {
  return MakeError(ErrorCode::kInvalidInput, "there is no " + what + " in " + path,
                   "provision the device, or give it as an option");
}

}  // namespace

std::optional<std::chrono::milliseconds> PollIntervalOf(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || stop != end || number <= 0) return std::nullopt;
  return std::clamp(std::chrono::milliseconds(number), kShortest, kLongest);
}

std::string WrongEndpoint(const std::string& endpoint) {
  const auto site = ReadSite(endpoint);
  if (!site) return "it is no URL; give it as https://HOST";
  if (site->user) return "it has a user name in it; the device's key is all that is needed";
  if (site->rest) return "it has a query or fragment; give it as https://HOST";
  if (site->scheme == "https") return {};
  if (site->scheme == "http" && IsThisMachine(site->host)) return {};
  return "it would carry the device's key in the clear; give it as https://HOST";
}

Result<BalenaDevice> ReadBalenaDevice(const std::string& path, BalenaDevice given) {
  const bool poll_interval = given.poll_interval == BalenaDevice().poll_interval;
  const bool complete =
      !given.api_endpoint.empty() && !given.uuid.empty() && !given.api_key.empty();
  auto filled = FillFrom(path, poll_interval, given);
  if (!filled && !complete) return std::move(filled).assume_error();
  while (given.api_endpoint.ends_with('/')) given.api_endpoint.pop_back();
  if (given.api_endpoint.empty()) return Missing("apiEndpoint", path);
  if (given.uuid.empty()) return Missing("uuid", path);
  if (given.api_key.empty()) return Missing("deviceApiKey", path);
  if (const std::string wrong = WrongEndpoint(given.api_endpoint); !wrong.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "the backend's address is wrong: " + wrong,
                     "correct apiEndpoint in " + path + ", or the option");
  }
  if (!IsUuid(given.uuid)) {
    return MakeError(ErrorCode::kInvalidInput, "the device's uuid has what no uuid has",
                     "correct uuid in " + path + ", or the option");
  }
  if (!IsHeaderText(given.api_key)) {
    return MakeError(ErrorCode::kInvalidInput, "the device's key has blanks or worse in it",
                     "correct deviceApiKey in " + path + ", or the option");
  }
  return given;
}

}  // namespace lockstep
