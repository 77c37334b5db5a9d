// Which fields of balenaOS's config.json a target may set, and with what. The file also holds the
// keys of the device; nothing but these fields is looked at.
//
// BALENA_SUPERVISOR_PERSISTENT_LOGGING, BALENA_HOST_CONFIG_power_mode and _fan_profile are balena's
// names. For the others balena has a field and no variable; the names are Lockstep's own.
#ifndef LOCKSTEP_INTEGRATION_CONFIG_JSON_FIELDS_H_
#define LOCKSTEP_INTEGRATION_CONFIG_JSON_FIELDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "config_backends/json_text.h"

namespace lockstep {

struct ConfigJsonField {
  enum class Type {
    kBool,
    kText,  // A string; an integer that stands in its place is read as one.
  };
  std::string key;
  JsonPath path;
  Type type = Type::kText;
  // False where balenaOS sees the change of the file and does what is needed by itself: it starts
  // the units again that meta-balena's unit-conf.json names for the field. (Releases before 2.82.6,
  // of 2021, look at the file at the next boot only.)
  bool needs_reboot = true;
  std::string absent = {};                                   // See ConfigRule.
  std::string (*refusal)(std::string_view value) = nullptr;  // See ConfigRule.
  std::string (*canonical)(std::string_view value) = nullptr;
};

// On every device with balenaOS.
std::vector<ConfigJsonField> HostFields();
// On a Jetson Orin whose balenaOS looks after its power mode and its fan.
std::vector<ConfigJsonField> PowerFanFields();

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_CONFIG_JSON_FIELDS_H_
