#include "config_backends/config_txt_backend.h"

#include <array>
#include <optional>
#include <utility>

#include "config_backends/changed_text.h"
#include "config_backends/config_txt.h"

namespace lockstep {
namespace {

constexpr std::string_view kPrefix = "BALENA_HOST_CONFIG_";

struct Forbidden {
  std::string_view key;
  std::string_view why;
};

constexpr std::string_view kBoots = "decides what the device boots, and belongs to the host OS";
constexpr std::string_view kElsewhere = "belongs to another backend";

constexpr std::array<Forbidden, 14> kForbidden = {{
    {"disable_commandline_tags", kBoots},
    {"cmdline", kBoots},
    {"kernel", kBoots},
    {"kernel_address", kBoots},
    {"kernel_old", kBoots},
    {"ramfsfile", kBoots},
    {"ramfsaddr", kBoots},
    {"initramfs", kBoots},
    {"device_tree_address", kBoots},
    {"init_emmc_clock", "can make the storage unreadable, and belongs to the host OS"},
    {"avoid_safe_mode", "takes away the way to boot without this configuration"},
    {"include", "names a file that is not looked at"},
    {"power_mode", kElsewhere},
    {"fan_profile", kElsewhere},
}};

// Keys of others, whatever a config.txt may say under their name.
bool IsForeign(std::string_view key) {
  for (const Forbidden& entry : kForbidden) {
    if (entry.key == key) return entry.why == kElsewhere || key == "include";
  }
  return false;
}

std::string Refusal(std::string_view key, std::string_view value) {
  if (!key.starts_with(kPrefix)) return "belongs to another backend";
  return ConfigTxtRefusal(key.substr(kPrefix.size()), value);
}

}  // namespace

ConfigTxtBackend::ConfigTxtBackend(std::string path) : file_(std::move(path)) {
  const auto rule = [&](std::string_view key) {
    ConfigRule made;
    made.backend = name();
    made.key = std::string(kPrefix).append(key);
    made.refusal = Refusal;
    return made;
  };
  rules_.push_back(rule("*"));
  for (const std::string& key : ConfigTxtLists()) {
    rules_.push_back(rule(key));
    rules_.back().canonical = [key](std::string_view value) {
      return CanonicalConfigTxtList(key, value);
    };
  }
  for (const Forbidden& entry : kForbidden) {
    rules_.push_back(rule(entry.key));
    rules_.back().forbidden = entry.why;
  }
}

Result<std::string> ConfigTxtBackend::Text() const {
  LOCKSTEP_TRY(std::optional<std::string> text, file_.Read());
  if (text) return *std::move(text);
  return WithContext(
      MakeError(ErrorCode::kNotFound, "there is no such file",
                "check that the boot partition is mounted there; it is never made from nothing"),
      "read " + file_.path());
}

Result<ConfigValues> ConfigTxtBackend::Read() {
  LOCKSTEP_TRY(const std::string text, Text());
  auto values = ReadValues<ConfigTxt>(text, kPrefix);
  if (!values) return WithContext(std::move(values).assume_error(), "read " + file_.path());
  std::erase_if(values.assume_value(),
                [](const auto& value) { return IsForeign(value.first.substr(kPrefix.size())); });
  return std::move(values).assume_value();
}

Result<void> ConfigTxtBackend::Write(const ConfigChanges& changes) {
  LOCKSTEP_TRY(const std::string text, Text());
  auto changed = ChangedText<ConfigTxt>(text, kPrefix, changes);
  if (!changed) return WithContext(std::move(changed).assume_error(), "change " + file_.path());
  if (changed.assume_value() == text) return Ok();
  return file_.Write(changed.assume_value());
}

}  // namespace lockstep
