// The lines of a config.txt that make up the device tree: `dtoverlay` and `dtparam`.
//
// A parameter belongs to the overlay above it until the next overlay, or until an empty
// `dtoverlay=`, which leads back to the base; without an overlay above it, to the base. Some
// (audio, spi, i2c, ...) always count as the base's, as balena has it. Only lines that hold for
// every board are looked at.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_TXT_DEVICE_TREE_H_
#define LOCKSTEP_INTEGRATION_CONFIG_TXT_DEVICE_TREE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config_backends/config_txt_lines.h"
#include "config_backends/text_lines.h"

namespace lockstep {

inline constexpr std::string_view kOverlayKey = "dtoverlay";
inline constexpr std::string_view kParamKey = "dtparam";

// In the order of the file. An overlay is "name,param,param=value", wherever its parameters stand.
std::vector<std::string> ReadOverlays(const std::vector<ConfigTxtLine>& lines);
std::vector<std::string> ReadBaseParams(const std::vector<ConfigTxtLine>& lines);

// What makes the overlays, or the base's parameters, these. Whatever stays keeps its line. A new
// overlay never comes between another and its parameters, also not those under a filter. New
// parameters of the base go where no overlay is above them, on any board.
LineEdits SetOverlays(const std::vector<ConfigTxtLine>& lines,
                      const std::vector<std::string>& overlays);
LineEdits SetBaseParams(const std::vector<ConfigTxtLine>& lines,
                        const std::vector<std::string>& params);

// The lines of an overlay: one if it fits; else its parameters on lines of their own, but for those
// that would count as the base's there. A line that is too long even so has no shorter form.
std::vector<std::string> OverlayLines(std::string_view overlay);

// The lines of an empty `dtoverlay=` before all others of a device tree. There it makes the
// firmware leave out the overlay of a HAT, so it must not come there by the removal of others.
std::vector<std::size_t> LeadingResets(const std::vector<ConfigTxtLine>& lines);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_TXT_DEVICE_TREE_H_
