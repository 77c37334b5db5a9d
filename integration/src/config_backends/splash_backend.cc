#include "config_backends/splash_backend.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config_backends/base64.h"

namespace lockstep {
namespace {

constexpr std::string_view kKey = "BALENA_HOST_SPLASH_image";
constexpr std::size_t kMostBytes = 1U << 20;
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

bool IsPng(std::string_view bytes) { return bytes.starts_with(kPngSignature); }

// The base64 of a value. Line ends in it are common: most programs that write base64 make them.
std::string Base64Of(std::string_view value) {
  constexpr std::string_view kMark = ";base64,";
  if (value.starts_with("data:")) {
    const std::size_t mark = value.find(kMark);
    if (mark != std::string_view::npos) value.remove_prefix(mark + kMark.size());
  }
  std::string text(value);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

std::string Refusal(std::string_view value) {
  if (value.size() > 2 * kMostBytes) return "is larger than 1 MiB";
  const std::string text = Base64Of(value);
  if (text.empty()) return "is empty (leave the variable out to have the picture of the OS)";
  const auto picture = DecodeBase64(text);
  if (!picture) return "is no base64";
  if (!IsPng(*picture)) return "is no PNG";
  return picture->size() > kMostBytes ? "is larger than 1 MiB" : "";
}

std::string Canonical(std::string_view value) {
  const auto picture = DecodeBase64(Base64Of(value));
  return picture ? EncodeBase64(*picture) : std::string(value);
}

}  // namespace

struct SplashBackend::Pictures {
  const SafeFile* file;  // The one that the OS shows.
  std::string shown;
  std::optional<std::string> os;  // None where it has not been replaced yet.
};

SplashBackend::SplashBackend(std::string directory)
    : shown_({SafeFile(directory + "/balena-logo.png"), SafeFile(directory + "/resin-logo.png")}),
      default_(directory + "/balena-logo-default.png"),
      rules_({{.backend = "splash",
               .key = std::string(kKey),
               .needs_reboot = true,
               .forbidden = {},
               .refusal = [](std::string_view, std::string_view value) { return Refusal(value); },
               .canonical = Canonical}}) {}

Result<SplashBackend::Pictures> SplashBackend::Find() const {
  LOCKSTEP_TRY(std::optional<std::string> os, default_.Read());
  for (const SafeFile& file : shown_) {
    LOCKSTEP_TRY(std::optional<std::string> shown, file.Read());
    if (shown) {
      return Pictures{.file = &file, .shown = *std::move(shown), .os = std::move(os)};
    }
  }
  return WithContext(MakeError(ErrorCode::kNotFound, "there is no such file, nor resin-logo.png",
                               "see that the OS of the device shows a picture when it starts and "
                               "that its boot partition is mounted there"),
                     "read " + shown_.front().path());
}

Result<void> SplashBackend::Recover() {
  for (const SafeFile& file : shown_) {
    LOCKSTEP_TRYV(file.Recover());
  }
  return default_.Recover();
}

Result<ConfigValues> SplashBackend::Read() {
  LOCKSTEP_TRY(const Pictures now, Find());
  // One that is cut short or no picture at all is nobody's choice. To say nothing lets a target
  // replace it.
  if (!now.os || now.shown == *now.os || !IsPng(now.shown)) return ConfigValues();
  return ConfigValues{{std::string(kKey), EncodeBase64(now.shown)}};
}

Result<void> SplashBackend::Write(const ConfigChanges& changes) {
  for (const auto& [key, value] : changes) {
    if (key != kKey) return MakeError(ErrorCode::kInvalidInput, key + " is no key of the splash");
    if (!value) {
      LOCKSTEP_TRYV(PutBack());
      continue;
    }
    if (std::string why = Refusal(*value); !why.empty()) {
      return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + why);
    }
    LOCKSTEP_TRYV(Replace(*DecodeBase64(Base64Of(*value))));
  }
  return Ok();
}

Result<void> SplashBackend::Replace(const std::string& picture) const {
  LOCKSTEP_TRY(const Pictures now, Find());
  if (picture == now.os.value_or(now.shown)) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "it is the picture of the OS itself",
                                 "leave the variable out to have that one"),
                       "set " + std::string(kKey));
  }
  if (now.os) return now.file->Write(picture);
  if (!IsPng(now.shown)) {
    return WithContext(
        MakeError(ErrorCode::kInvalidInput, "it is no PNG that could be kept for later",
                  "put the picture of the OS there"),
        "replace " + now.file->path());
  }
  LOCKSTEP_TRYV(default_.Write(now.shown));
  auto written = now.file->Write(picture);
  // On a failure nothing stays of it. That this could fail too does no harm: a second copy of the
  // picture changes nothing.
  if (!written) (void)default_.Remove();
  return written;
}

Result<void> SplashBackend::PutBack() const {
  LOCKSTEP_TRY(const Pictures now, Find());
  if (!now.os) return Ok();
  if (!IsPng(*now.os)) {
    return WithContext(MakeError(ErrorCode::kInvalidInput, "it is no PNG",
                                 "put the picture of the OS there, or remove it"),
                       "read " + default_.path());
  }
  return now.file->Write(*now.os);
}

}  // namespace lockstep
