#include "config_backends/known_backends.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "config_backends/config_json_backend.h"
#include "config_backends/config_txt_backend.h"
#include "config_backends/configfs_backend.h"
#include "config_backends/extlinux_backend.h"
#include "config_backends/extra_uenv_backend.h"
#include "config_backends/odmdata_backend.h"
#include "config_backends/splash_backend.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr const char* kConfigTxt = "/config.txt";
constexpr const char* kExtlinux = "/extlinux/extlinux.conf";
constexpr const char* kExtraUEnv = "/extra_uEnv.txt";
constexpr const char* kSplash = "/splash";
constexpr const char* kConfigJson = "/config.json";
constexpr const char* kAcpiTables = "/boot/acpi-tables";
constexpr const char* kBootPartition = "/dev/mmcblk0boot0";
constexpr const char* kForceRo = "/sys/block/mmcblk0boot0/force_ro";
constexpr const char* kLoadedTables = "/sys/kernel/config/acpi/table";

// Of the chips of a Jetson TX2 and a Jetson Orin, in their device trees.
constexpr std::string_view kTx2 = "nvidia,tegra186";
constexpr std::string_view kOrin = "nvidia,tegra234";

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool IsChip(const ConfigPlaces& places, std::string_view chip) {
  // Not by /proc/device-tree: that is a link to the root of whoever reads it.
  const auto names =
      ReadRegularFile(places.root + "/sys/firmware/devicetree/base/compatible", 1U << 16);
  return names && names.assume_value().find(chip) != std::string::npos;
}

// Whatever partition a boot loader counts paths from.
std::vector<std::string> DeviceTreesOf(const ConfigPlaces& places) {
  return {places.boot, places.boot + "/extlinux", places.root + "/boot", places.root};
}

template <typename Backend>
std::unique_ptr<ConfigBackend> OfBootFile(const ConfigPlaces& places, const char* file) {
  return std::make_unique<Backend>(places.boot + file);
}

using Backend = std::unique_ptr<ConfigBackend>;

struct KnownBackend {
  bool (*is_there)(const ConfigPlaces& places);
  Backend (*open)(const ConfigPlaces& places);
};

constexpr std::array<KnownBackend, 8> kKnown = {{
    {[](const ConfigPlaces& p) { return Exists(p.boot + kConfigTxt); },
     [](const ConfigPlaces& p) { return OfBootFile<ConfigTxtBackend>(p, kConfigTxt); }},
    // Where there is a config.txt, U-Boot does not read it.
    {[](const ConfigPlaces& p) {
       return Exists(p.boot + kExtraUEnv) && !Exists(p.boot + kConfigTxt);
     },
     [](const ConfigPlaces& p) -> Backend {
       return std::make_unique<ExtraUEnvBackend>(p.boot + kExtraUEnv, DeviceTreesOf(p));
     }},
    // The same keys; a board that has both starts with what U-Boot reads first.
    {[](const ConfigPlaces& p) {
       return Exists(p.boot + kExtlinux) && !Exists(p.boot + kExtraUEnv);
     },
     [](const ConfigPlaces& p) -> Backend {
       return std::make_unique<ExtlinuxBackend>(p.boot + kExtlinux, DeviceTreesOf(p));
     }},
    {[](const ConfigPlaces& p) {
       return Exists(p.boot + kSplash + "/balena-logo.png") ||
              Exists(p.boot + kSplash + "/resin-logo.png");
     },
     [](const ConfigPlaces& p) { return OfBootFile<SplashBackend>(p, kSplash); }},
    {[](const ConfigPlaces& p) { return Exists(p.boot + kConfigJson); },
     [](const ConfigPlaces& p) { return OfBootFile<ConfigJsonBackend>(p, kConfigJson); }},
    {[](const ConfigPlaces& p) { return Exists(p.boot + kConfigJson) && IsChip(p, kOrin); },
     [](const ConfigPlaces& p) { return OfBootFile<PowerFanBackend>(p, kConfigJson); }},
    {[](const ConfigPlaces& p) { return Exists(p.root + kBootPartition) && IsChip(p, kTx2); },
     [](const ConfigPlaces& p) -> Backend {
       return std::make_unique<OdmdataBackend>(p.root + kBootPartition, p.root + kForceRo);
     }},
    {[](const ConfigPlaces& p) { return Exists(p.root + kAcpiTables); },
     [](const ConfigPlaces& p) -> Backend {
       return std::make_unique<ConfigfsBackend>(p.boot + "/configfs.json", p.root + kAcpiTables,
                                                p.root + kLoadedTables);
     }},
}};

}  // namespace

ConfigPlaces FindConfigPlaces(const CommonOptions& options) {
  ConfigPlaces places;
  if (options.host_root != "/") places.root = options.host_root;
  if (!options.boot_dir.empty()) {
    places.boot = places.root + options.boot_dir;
    return places;
  }
  // The first that is there, be it empty: where the boot partition is not mounted (yet), files of
  // its names elsewhere are others.
  for (const char* usual : {"/mnt/boot", "/boot/firmware", "/boot"}) {
    places.boot = places.root + usual;
    if (Exists(places.boot)) break;
  }
  return places;
}

std::vector<std::unique_ptr<ConfigBackend>> BackendsOf(const ConfigPlaces& places) {
  std::vector<std::unique_ptr<ConfigBackend>> backends;
  for (const KnownBackend& known : kKnown) {
    if (known.is_there(places)) backends.push_back(known.open(places));
  }
  return backends;
}

std::vector<ConfigRule> KnownConfigRules() {
  std::vector<ConfigRule> rules;
  for (const KnownBackend& known : kKnown) {
    const auto backend = known.open({});
    rules.insert(rules.end(), backend->rules().begin(), backend->rules().end());
  }
  return rules;
}

}  // namespace lockstep
