#include "lockstep/testing/config_conformance.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <utility>

#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

ConfigValues ReadFrom(ConfigBackend& backend) {
  auto values = backend.Read();
  EXPECT_THAT(values, IsOk());
  return values ? std::move(values).assume_value() : ConfigValues();
}

const ConfigRule* RuleOf(const ConfigBackend& backend, const std::string& key) {
  const ConfigRule* beginning = nullptr;
  for (const ConfigRule& rule : backend.rules()) {
    if (rule.key == key) return &rule;
    const std::string start = rule.key.substr(0, rule.key.size() - 1);
    if (rule.key.ends_with('*') && key.starts_with(start)) beginning = &rule;
  }
  return beginning;
}

std::string Canonical(const ConfigBackend& backend, const std::string& key,
                      const std::string& value) {
  const ConfigRule* rule = RuleOf(backend, key);
  return rule != nullptr && rule->canonical ? rule->canonical(value) : value;
}

ConfigChanges Changes(const ConfigValues& values) { return {values.begin(), values.end()}; }

ConfigChanges Erasing(const ConfigValues& values) {
  ConfigChanges changes;
  for (const auto& [key, value] : values) changes[key] = std::nullopt;
  return changes;
}

void EachRuleIsItsOwnAndSaidOnce(ConfigPlace& place) {
  const ConfigBackend& backend = place.Open();
  EXPECT_FALSE(backend.rules().empty());
  std::set<std::string> keys;
  for (const ConfigRule& rule : backend.rules()) {
    EXPECT_EQ(rule.backend, backend.name());
    EXPECT_TRUE(rule.key.starts_with("BALENA_")) << rule.key;
    EXPECT_TRUE(keys.insert(rule.key).second) << rule.key << " twice";
  }
}

void ReadsOnlyKeysOfItsRules(ConfigPlace& place) {
  ConfigBackend& backend = place.Open();
  ASSERT_THAT(backend.Write(Changes(place.Settable())), IsOk());
  for (const auto& [key, value] : ReadFrom(backend)) EXPECT_NE(RuleOf(backend, key), nullptr);
}

// Else a device would be configured, and rebooted, again and again.
void WhatIsWrittenIsReadInCanonicalWords(ConfigPlace& place) {
  ASSERT_FALSE(place.Settable().empty());
  ASSERT_THAT(place.Open().Write(Changes(place.Settable())), IsOk());
  ConfigBackend& backend = place.Open();
  const ConfigValues read = ReadFrom(backend);
  for (const auto& [key, value] : place.Settable()) {
    ASSERT_EQ(read.count(key), 1U) << key;
    EXPECT_EQ(read.at(key), Canonical(backend, key, value)) << key;
    EXPECT_EQ(Canonical(backend, key, read.at(key)), read.at(key)) << key;
  }
}

void WhatIsReadCanBeWrittenAndChangesNothing(ConfigPlace& place) {
  ConfigBackend& backend = place.Open();
  ASSERT_THAT(backend.Write(Changes(place.Settable())), IsOk());
  ConfigValues read = ReadFrom(backend);
  // What nobody may change is not asked for.
  std::erase_if(
      read, [&](const auto& entry) { return !RuleOf(backend, entry.first)->forbidden.empty(); });
  for (const auto& [key, value] : read) {
    const ConfigRule* rule = RuleOf(backend, key);
    if (rule->refusal) {
      EXPECT_EQ(rule->refusal(key, value), "") << key;
    }
  }
  ASSERT_THAT(backend.Write(Changes(read)), IsOk());
  const ConfigValues again = ReadFrom(backend);
  for (const auto& [key, value] : read) EXPECT_EQ(again.at(key), value) << key;
}

void WhatIsErasedIsAsItWas(ConfigPlace& place) {
  ConfigBackend& backend = place.Open();
  ConfigValues before = ReadFrom(backend);
  ConfigValues settable = place.Settable();
  ASSERT_THAT(backend.Write(Changes(settable)), IsOk());
  std::erase_if(settable, [&](const auto& entry) {
    return before.count(entry.first) != 0 || RuleOf(backend, entry.first)->stays;
  });
  ASSERT_THAT(backend.Write(Erasing(settable)), IsOk());
  const ConfigValues after = ReadFrom(place.Open());
  for (const auto& [key, value] : settable) EXPECT_EQ(after.count(key), 0U) << key;
}

void NothingToWriteIsNoError(ConfigPlace& place) {
  ConfigBackend& backend = place.Open();
  const ConfigValues before = ReadFrom(backend);
  EXPECT_THAT(backend.Write({}), IsOk());
  EXPECT_EQ(ReadFrom(backend), before);
}

void RecoveringWhatIsWholeChangesNothing(ConfigPlace& place) {
  ConfigBackend& backend = place.Open();
  ASSERT_THAT(backend.Write(Changes(place.Settable())), IsOk());
  const ConfigValues before = ReadFrom(backend);
  EXPECT_THAT(backend.Recover(), IsOk());
  EXPECT_THAT(backend.Recover(), IsOk());
  EXPECT_EQ(ReadFrom(place.Open()), before);
}

class Check final : public ::testing::Test {
 public:
  using Body = void (*)(ConfigPlace&);
  Check(ConfigPlaceFactory make, Body body) : make_(std::move(make)), body_(body) {}
  void TestBody() override {
    const std::unique_ptr<ConfigPlace> place = make_();
    body_(*place);
  }

 private:
  ConfigPlaceFactory make_;
  Body body_;
};

struct NamedCheck {
  const char* name;
  Check::Body body;
};
constexpr NamedCheck kChecks[] = {
    {"EachRuleIsItsOwnAndSaidOnce", &EachRuleIsItsOwnAndSaidOnce},
    {"ReadsOnlyKeysOfItsRules", &ReadsOnlyKeysOfItsRules},
    {"WhatIsWrittenIsReadInCanonicalWords", &WhatIsWrittenIsReadInCanonicalWords},
    {"WhatIsReadCanBeWrittenAndChangesNothing", &WhatIsReadCanBeWrittenAndChangesNothing},
    {"WhatIsErasedIsAsItWas", &WhatIsErasedIsAsItWas},
    {"NothingToWriteIsNoError", &NothingToWriteIsNoError},
    {"RecoveringWhatIsWholeChangesNothing", &RecoveringWhatIsWholeChangesNothing},
};

}  // namespace

bool RegisterConfigConformance(const std::string& name, const ConfigPlaceFactory& make) {
  for (const NamedCheck& check : kChecks) {
    ::testing::RegisterTest(
        (name + "Conformance").c_str(), check.name, nullptr, nullptr, __FILE__, __LINE__,
        [make, body = check.body]() -> ::testing::Test* { return new Check(make, body); });
  }
  return true;
}

}  // namespace lockstep::test
