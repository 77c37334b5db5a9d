// What holds for every config.txt, tried on files made by chance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config_backends/changed_text.h"
#include "config_backends/config_list.h"
#include "config_backends/config_txt.h"
#include "format_testing.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using Strings = std::vector<std::string>;

const Strings kKeys = {"gpu_mem", "arm_freq",          "hdmi_group:1",        "gpio",
                       "dtparam", "device_tree_param", "device_tree_overlay", "dtoverlay"};

std::string Indent(Chance& chance) { return chance.Of(Strings{"", "", "", "", " ", "\t", "   "}); }

std::string ValueFor(const std::string& key, Chance& chance) {
  static const Strings kParams = {"audio=on", "audio=off", "spi=on", "i2c_arm=on",
                                  "i2s=on",   "p=1",       "pin=4",  "i2c_vc_baudrate=9600"};
  static const Strings kNames = {"vc4-kms-v3d", "i2c-rtc", "w1-gpio", "dwc2", "spi"};
  if (key == "dtparam" || key == "device_tree_param") {
    std::string value = chance.Of(kParams);
    while (chance.OneIn(3) && value.size() < 50) value += ',' + chance.Of(kParams);
    return value;
  }
  if (key == "dtoverlay" || key == "device_tree_overlay") {
    std::string value = chance.Of(kNames);
    while (chance.OneIn(3) && value.size() < 50) value += ',' + chance.Of(kParams);
    if (key == "dtoverlay" && chance.OneIn(12))
      value += ',' + std::string(60, 'x') + ',' + std::string(40, 'y');
    return value;
  }
  if (key == "gpio") return std::to_string(chance.Below(8)) + "=op";
  return std::to_string(chance.Below(5));
}

std::string WantedFor(const std::string& key, Chance& chance) {
  if (std::find(ConfigTxtLists().begin(), ConfigTxtLists().end(), key) == ConfigTxtLists().end()) {
    return ValueFor(key, chance);
  }
  Strings list;
  do list.push_back(ValueFor(key, chance));
  while (!chance.OneIn(3));
  return FormatList(list);
}

std::string Line(Chance& chance) {
  static const Strings kFilters = {"[all]",  "[all]",      "[all]",    "[pi4]",
                                   "[none]", "[gpio4=1]",  "[EDID=X]", "[cm4",
                                   "[]",     "[0x1234ab]", "[ALL]",    " [all]"};
  static const Strings kOdd = {
      "",      "   ",        "#",        "# comment",   "#gpu_mem=1",    "include x.txt",
      "=",     "=1",         "gpu_mem",  "gpu_mem = 1", "initramfs a b", "\x01\xff",
      "a b=c", "dtoverlay=", "dtparam=", "dtparam=,",   "dtoverlay",     "gpu_mem= 2",
      "\t\t",  "\"\"=\"\""};
  switch (chance.Below(10)) {
    case 0:
    case 1:
      return chance.Of(kFilters);
    case 2:
    case 3:
      return chance.Of(kOdd);
    default: {
      const std::string& key = chance.Of(kKeys);
      return Indent(chance) + key + '=' + ValueFor(key, chance) + Indent(chance);
    }
  }
}

std::string File(Chance& chance) {
  const std::size_t count = chance.Below(25);
  const std::string end = chance.OneIn(3) ? "\r\n" : "\n";
  std::string text = chance.OneIn(10) ? "\xef\xbb\xbf" : "";
  for (std::size_t i = 0; i < count; ++i) {
    text += Line(chance);
    if (i + 1 < count || !chance.OneIn(4)) text += chance.OneIn(20) ? "\n" : end;
  }
  return text;
}

ConfigTxt Parsed(const std::string& text) {
  auto parsed = ConfigTxt::Parse(text);
  EXPECT_THAT(parsed, IsOk());
  return std::move(parsed).assume_value();
}

// The lines but for those that set one of `keys` for every board, and but for `[all]` and what
// leads back to the base. Written without the code under test.
Strings LinesBeside(const std::string& text, const std::set<std::string>& keys) {
  Strings out;
  bool for_all = true;
  for (std::string line : LinesOf(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text)) {
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    const std::string behind = line.substr(begin);
    if (behind.starts_with('[')) {
      for_all = line == "[all]";
      if (for_all) continue;
    }
    if (for_all && behind == "dtoverlay=") continue;
    const std::size_t equals = behind.find('=');
    if (for_all && equals != std::string::npos && keys.contains(behind.substr(0, equals))) continue;
    out.push_back(line);
  }
  return out;
}

std::set<std::string> KeysOfLines(const std::string& key) {
  if (key == "dtoverlay" || key == "dtparam") return {"dtoverlay", "dtparam"};
  return {key};
}

TEST(ConfigTxtPropertyTest, WhatIsNotChangedStaysToTheByte) {
  Chance chance(11);
  for (int round = 0; round < 5000; ++round) {
    const std::string text = File(chance);
    ASSERT_EQ(Parsed(text).ToText(), text);
  }
}

TEST(ConfigTxtPropertyTest, AChangeChangesItsKeyAndNoOtherLine) {
  Chance chance(12);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = File(chance);
    const std::string& key = chance.Of(kKeys);
    const std::string value = WantedFor(key, chance);
    ConfigTxt file = Parsed(text);
    ConfigValues expected = file.Values();
    expected[key] = ConfigTxt::Canonical(key, value);

    ASSERT_THAT(file.Set(key, value), IsOk()) << key << '=' << value;
    const std::string changed = file.ToText();
    ASSERT_EQ(Parsed(changed).Values(), expected) << key << '=' << value << '\n'
                                                  << text << "\n->\n"
                                                  << changed;
    ASSERT_EQ(LinesBeside(changed, KeysOfLines(key)), LinesBeside(text, KeysOfLines(key)))
        << key << '=' << value << '\n'
        << text << "\n->\n"
        << changed;
    for (const std::string& line : LinesOf(changed)) {
      ASSERT_TRUE(line.size() <= 98 || text.find(line) != std::string::npos) << line;
    }

    ConfigTxt again = Parsed(changed);
    ASSERT_THAT(again.Set(key, value), IsOk());
    ASSERT_EQ(again.ToText(), changed);
  }
}

TEST(ConfigTxtPropertyTest, AnErasedKeyLeavesAllElse) {
  Chance chance(13);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = File(chance);
    const std::string& key = chance.Of(kKeys);
    ConfigTxt file = Parsed(text);
    ConfigValues expected = file.Values();
    expected.erase(key);
    ASSERT_THAT(file.Erase(key), IsOk());
    ASSERT_EQ(Parsed(file.ToText()).Values(), expected) << key << '\n' << text;
    ASSERT_EQ(LinesBeside(file.ToText(), KeysOfLines(key)), LinesBeside(text, KeysOfLines(key)));
  }
}

TEST(ConfigTxtPropertyTest, WhatWasAddedAndErasedReadsAsBefore) {
  Chance chance(14);
  for (int round = 0; round < 10000; ++round) {
    const std::string text = File(chance);
    const std::string& key = chance.Of(kKeys);
    ConfigTxt file = Parsed(text);
    if (file.Values().contains(key)) continue;
    const ConfigValues before = file.Values();
    ASSERT_THAT(file.Set(key, WantedFor(key, chance)), IsOk());
    ASSERT_THAT(file.Erase(key), IsOk());
    ASSERT_EQ(Parsed(file.ToText()).Values(), before) << key << '\n' << text;
  }
}

TEST(ConfigTxtPropertyTest, SeveralChangesPassTheCheckBeforeWriting) {
  Chance chance(15);
  for (int round = 0; round < 10000; ++round) {
    const std::string text = File(chance);
    ConfigChanges changes;
    for (const std::string& key : kKeys) {
      if (chance.OneIn(2)) continue;
      changes["P_" + key] = chance.OneIn(3) ? std::nullopt : std::optional(WantedFor(key, chance));
    }
    ASSERT_THAT(ChangedText<ConfigTxt>(text, "P_", changes), IsOk()) << text;
  }
}

// For each line of parameters under a filter, the overlay that the firmware takes it to be for on a
// board that all filters are for.
Strings OwnersUnderFilters(const std::string& text) {
  Strings owners;
  std::string overlay;
  bool for_all = true;
  for (const std::string& line : LinesOf(text)) {
    const std::string behind = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    if (behind.starts_with('[')) for_all = line == "[all]";
    if (behind.starts_with("dtoverlay=") || behind.starts_with("device_tree_overlay=")) {
      overlay = behind;
    }
    if (!for_all && behind.starts_with("dtparam=")) owners.push_back(overlay + ": " + behind);
  }
  return owners;
}

TEST(ConfigTxtPropertyTest, ANewOverlayTakesNoParameterUnderAFilter) {
  Chance chance(16);
  int tried = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string text = File(chance);
    ConfigTxt file = Parsed(text);
    if (text.starts_with('\xef') || text.find('\x01') != std::string::npos) continue;
    Strings list;
    if (const auto values = file.Values(); values.contains("dtoverlay")) {
      list = ParseList(values.at("dtoverlay")).value();
    }
    for (int i = 0; i < 2; ++i) {
      const auto place = static_cast<std::ptrdiff_t>(chance.Below(list.size() + 1));
      list.insert(list.begin() + place, "new" + std::to_string(i));
    }
    const std::string value = FormatList(list);
    if (!ConfigTxtRefusal("dtoverlay", value).empty()) continue;
    ASSERT_THAT(file.Set("dtoverlay", value), IsOk());
    ASSERT_EQ(OwnersUnderFilters(file.ToText()), OwnersUnderFilters(text)) << value << '\n'
                                                                           << text << "\n->\n"
                                                                           << file.ToText();
    ++tried;
  }
  EXPECT_GT(tried, 10000);
}

TEST(ConfigTxtPropertyTest, ANewParameterOfTheBaseHasNoOverlayAbove) {
  Chance chance(17);
  for (int round = 0; round < 20000; ++round) {
    ConfigTxt file = Parsed(File(chance));
    ASSERT_THAT(file.Erase("dtparam"), IsOk());
    ASSERT_THAT(file.Set("dtparam", R"("new=1","audio=new")"), IsOk());
    const std::string changed = file.ToText();
    for (const std::string& line : LinesOf(changed.substr(0, changed.find("dtparam=new=1")))) {
      const std::string behind = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
      ASSERT_FALSE(behind.starts_with("dtoverlay=") && behind.size() > 10 && behind[10] != ' ' &&
                   behind[10] != '\t' && behind[10] != '\r')
          << changed;
    }
  }
}

}  // namespace
}  // namespace lockstep::test
