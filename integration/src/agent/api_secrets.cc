#include "agent/api_secrets.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <utility>

#include "private_file.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::size_t kSecretBytes = 32;

std::string Hex(const unsigned char* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

Result<std::string> NewSecret() {
  std::array<unsigned char, kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return MakeError(ErrorCode::kUnavailable, "the system gives no random bytes", "try again");
  }
  return Hex(bytes.data(), bytes.size());
}

// Whatever was cut short by a power cut is made anew.
bool IsSecret(const std::string& text) {
  return text.size() == 2 * kSecretBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<ApiSecrets> ApiSecrets::Open(const std::string& state_dir) {
  const std::string path = state_dir + "/api-secret";
  auto known = ReadRegularFile(path, 4096);
  if (!known && known.assume_error().code != ErrorCode::kNotFound) {
    return std::move(known).assume_error();
  }
  std::string secret = known ? std::move(known).assume_value() : std::string();
  if (!IsSecret(secret)) {
    LOCKSTEP_TRY(secret, NewSecret());
    LOCKSTEP_TRYV(WritePrivateFile(path, secret));
  }
  ApiSecrets secrets(std::move(secret));
  const std::string key = secrets.DeviceKey() + '\n';
  const auto shown = ReadRegularFile(state_dir + "/api-key", 4096);
  if (!shown || shown.assume_value() != key) {
    LOCKSTEP_TRYV(WritePrivateFile(state_dir + "/api-key", key));
  }
  return secrets;
}

std::string ApiSecrets::KeyFor(const std::string& whom) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(whom.data());
  if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), text, whom.size(),
           digest.data(), &size) == nullptr) {
    return {};  // Too short to be taken for a key.
  }
  return Hex(digest.data(), size);
}

}  // namespace lockstep
