#include "lockstep/resource_definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using List = Value::List;
using Map = Value::Map;

struct DefinitionCase {
  std::string name;
  Result<Value> (*normalize)(const Value&);
  Value raw;
  std::string expected;  // The canonical text, or a part of the error's message.
};

void PrintTo(const DefinitionCase& definition, std::ostream* out) {
  *out << ToText(definition.raw);
}

constexpr auto kNameOf = [](const auto& param_info) { return param_info.param.name; };

class DefinitionTest : public ::testing::TestWithParam<DefinitionCase> {};

TEST_P(DefinitionTest, BecomesCanonical) {
  const auto result = GetParam().normalize(GetParam().raw);
  ASSERT_TRUE(result) << result.assume_error().message;
  EXPECT_EQ(ToText(result.assume_value()), GetParam().expected);
  const auto again = GetParam().normalize(result.assume_value());
  ASSERT_TRUE(again) << again.assume_error().message;
  EXPECT_EQ(again.assume_value(), result.assume_value());
}

const Value kPlainNetwork = Map{
    {"driver", "bridge"},
    {"driver_opts", Map{}},
    {"internal", false},
    {"attachable", "false"},
    {"enable_ipv6", false},
    {"config_only", false},
    {"labels", List{}},
    {"ipam", Map{{"driver", "default"}, {"options", Map{}}, {"config", List{Map{}, Map{}}}}},
    {"x-note", List{1}},
};

const Value kFullNetwork = Map{
    {"driver", "macvlan"},
    {"driver_opts", Map{{"parent", "eth0"}, {"mtu", 1400}}},
    {"internal", true},
    {"labels", List{"b=2", "a"}},
    {"ipam", Map{{"driver", "dhcp"},
                 {"config", List{Map{{"subnet", "10.1.0.0/24"}, {"gateway", "10.1.0.1"}},
                                 Map{{"subnet", "10.0.0.0/24"},
                                     {"aux_addresses", Map{{"a", "10.0.0.5"}}}}}}}},
};

const std::vector<DefinitionCase> kCanonical = {
    {"NullNetwork", NormalizeNetworkDefinition, Value(), "{}"},
    {"EmptyNetwork", NormalizeNetworkDefinition, Map{}, "{}"},
    {"PlainNetwork", NormalizeNetworkDefinition, kPlainNetwork, "{}"},
    {"FullNetwork", NormalizeNetworkDefinition, kFullNetwork,
     R"({"driver":"macvlan","driver_opts":{"mtu":"1400","parent":"eth0"},"internal":true,)"
     R"("ipam":{"config":[{"aux_addresses":{"a":"10.0.0.5"},"subnet":"10.0.0.0/24"},)"
     R"({"gateway":"10.1.0.1","subnet":"10.1.0.0/24"}],"driver":"dhcp"},)"
     R"("labels":{"a":"","b":"2"}})"},
    {"NullVolume", NormalizeVolumeDefinition, Value(), "{}"},
    {"PlainVolume", NormalizeVolumeDefinition,
     Map{{"driver", "local"}, {"driver_opts", Value()}, {"labels", Map{}}}, "{}"},
    {"FullVolume", NormalizeVolumeDefinition,
     Map{{"driver", "nfs"}, {"driver_opts", Map{{"o", "ro"}}}, {"labels", List{"a=1"}}},
     R"({"driver":"nfs","driver_opts":{"o":"ro"},"labels":{"a":"1"}})"},
};

INSTANTIATE_TEST_SUITE_P(Cases, DefinitionTest, ::testing::ValuesIn(kCanonical), kNameOf);

class RefusedDefinitionTest : public ::testing::TestWithParam<DefinitionCase> {};

TEST_P(RefusedDefinitionTest, SaysWhatIsWrong) {
  const auto result = GetParam().normalize(GetParam().raw);
  ASSERT_FALSE(result) << ToText(result.assume_value());
  EXPECT_EQ(result.assume_error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(result.assume_error().message, HasSubstr(GetParam().expected));
}

const std::vector<DefinitionCase> kRefused = {
    {"NetworkAsText", NormalizeNetworkDefinition, "bridge", "\"bridge\" is no map of driver"},
    {"NetworkMember", NormalizeNetworkDefinition, Map{{"external", true}},
     "\"external\" is not known here; allowed are driver, driver_opts, internal"},
    {"NetworkFlag", NormalizeNetworkDefinition, Map{{"internal", 1}},
     "internal: 1 is no truth value"},
    {"IpamAsList", NormalizeNetworkDefinition, Map{{"ipam", List{}}}, "ipam: [] is no map of"},
    {"IpamConfigAsMap", NormalizeNetworkDefinition, Map{{"ipam", Map{{"config", Map{}}}}},
     "ipam: config: {} is no list of address pools"},
    {"IpamMember", NormalizeNetworkDefinition,
     Map{{"ipam", Map{{"config", List{Map{{"subnett", "10.0.0.0/8"}}}}}}},
     "ipam: config: \"subnett\" is not known here"},
    {"VolumeMember", NormalizeVolumeDefinition, Map{{"name", "x"}}, "\"name\" is not known here"},
    {"VolumeLabels", NormalizeVolumeDefinition, Map{{"labels", Map{{"a", List{}}}}},
     "labels: [] is no text"},
};

INSTANTIATE_TEST_SUITE_P(Cases, RefusedDefinitionTest, ::testing::ValuesIn(kRefused), kNameOf);

}  // namespace
}  // namespace lockstep
