#include "http_api/api_access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <utility>

namespace lockstep {

std::string_view KeyOf(const ApiRequest& request) {
  const std::string_view field = request.Header("authorization");
  const std::size_t blank = field.find(' ');
  if (blank != std::string_view::npos) {
    const std::string_view scheme = field.substr(0, blank);
    if (EqualsIgnoringCase(scheme, "bearer") || EqualsIgnoringCase(scheme, "apikey")) {
      const std::size_t begin = field.find_first_not_of(' ', blank);
      return begin == std::string_view::npos ? std::string_view() : field.substr(begin);
    }
  }
  const auto parameter = request.query.find("apikey");
  return parameter == request.query.end() ? std::string_view()
                                          : std::string_view(parameter->second);
}

ApiAccess::ApiAccess(std::function<MonoTime()> now) : now_(std::move(now)) {}

bool ApiAccess::Hash(std::string_view key, Digest& digest) {
  return EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
}

std::size_t ApiAccess::SetKeys(const std::vector<ApiKey>& keys, KeysAre are) {
  std::vector<Known> known;
  for (const ApiKey& key : keys) {
    Known entry;
    entry.scope = key.scope;
    if (key.key.size() >= kMinKeyBytes && Hash(key.key, entry.digest)) known.push_back(entry);
  }
  const std::size_t left_out = keys.size() - known.size();
  const std::lock_guard lock(mutex_);
  keys_ = std::move(known);
  keys_are_ = are;
  return left_out;
}

ApiAccess::Answer ApiAccess::Check(std::string_view key, const std::string& limit_key) {
  Digest digest;
  const bool hashed = Hash(key, digest);
  const MonoTime now = now_();
  const std::lock_guard lock(mutex_);
  Answer answer;
  for (const Known& known : keys_) {
    const bool same = CRYPTO_memcmp(known.digest.data(), digest.data(), digest.size()) == 0;
    if (!same || !hashed) continue;
    answer.verdict = Verdict::kRight;
    answer.scope = known.scope;
  }
  if (answer.verdict == Verdict::kRight) return answer;
  if (keys_are_ == KeysAre::kSome) answer.verdict = Verdict::kNotYetKnown;
  answer.retry_after = wrong_.Count(limit_key, now);
  if (answer.retry_after.count() > 0) answer.verdict = Verdict::kTooManyWrong;
  return answer;
}

}  // namespace lockstep
