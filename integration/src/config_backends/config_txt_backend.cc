#include "config_backends/config_txt_backend.h"

#include <array>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

constexpr std::string_view kPrefix = "BALENA_HOST_CONFIG_";

struct Forbidden {
  std::string_view key;
  std::string_view why;
};

constexpr std::string_view kBoots = "decides what the device boots, and belongs to the host OS";
constexpr std::string_view kElsewhere = "belongs to another backend";

constexpr std::array<Forbidden, 21> kForbidden = {{
    {"disable_commandline_tags", kBoots},
    {"cmdline", kBoots},
    {"kernel", kBoots},
    {"kernel_address", kBoots},
    {"kernel_old", kBoots},
    {"ramfsfile", kBoots},
    {"ramfsaddr", kBoots},
    {"initramfs", kBoots},
    {"device_tree_address", kBoots},
    {"device_tree", kBoots},
    {"start_file", kBoots},
    {"fixup_file", kBoots},
    {"armstub", kBoots},
    {"os_prefix", kBoots},
    {"overlay_prefix", kBoots},
    {"upstream_kernel", kBoots},
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

std::vector<ConfigRule> Rules() {
  std::vector<ConfigRule> rules;
  const auto add = [&](std::string_view key) -> ConfigRule& {
    ConfigRule& rule = rules.emplace_back();
    rule.backend = "config.txt";
    rule.key = std::string(kPrefix).append(key);
    rule.refusal = Refusal;
    return rule;
  };
  add("*");
  for (const std::string& key : ConfigTxtLists()) {
    add(key).canonical = [key](std::string_view value) {
      return CanonicalConfigTxtList(key, value);
    };
  }
  for (const Forbidden& entry : kForbidden) add(entry.key).forbidden = entry.why;
  return rules;
}

}  // namespace

ConfigTxtBackend::ConfigTxtBackend(std::string path)
    : TextFileBackend(std::move(path), kPrefix, MissingFile::kIsAnError, Rules()) {}

Result<ConfigValues> ConfigTxtBackend::Read() {
  LOCKSTEP_TRY(ConfigValues values, TextFileBackend::Read());
  std::erase_if(values, [](const auto& value) {
    return IsForeign(std::string_view(value.first).substr(kPrefix.size()));
  });
  return values;
}

}  // namespace lockstep
