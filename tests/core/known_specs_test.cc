#include "known_specs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ServiceSpec Made() {
  ServiceSpec spec;
  spec.image = "r/web:1";
  spec.environment = {{"A", "1"}};
  return spec;
}

StoreState AtRest() {
  StoreState stored;
  AppRecord record;
  record.app = "shop";
  record.committed = "c1";
  stored.apps = {record};
  stored.specs["shop"] = {Made()};
  return stored;
}

EngineState With(const std::string& image, bool owned = true) {
  ObservedContainer container;
  container.id = "c";
  container.app = "shop";
  container.owned = owned;
  container.image = image;
  container.config_hash = ConfigHash(Made());
  EngineState engine;
  engine.containers = {container};
  return engine;
}

TEST(KnownSpecsTest, AContainerOfTheCommittedReleaseNeedsNoLookIntoIt) {
  const StoreState stored = AtRest();
  const KnownSpecs known = KnownSpecsOf(stored);
  EXPECT_THAT(WithHashesOf(known, {"c1:zz", ConfigHash(Made())}),
              ElementsAre(ConfigHash(Made()), "c1:zz"));
  EngineState engine = With("r/web:1");
  FillIn(known, engine);
  EXPECT_EQ(engine.containers[0].spec, Made());
}

TEST(KnownSpecsTest, TheImageIsTheContainersOwn) {
  const StoreState stored = AtRest();
  EngineState engine = With("r/web:renamed");
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].spec->image, "r/web:renamed");
  engine = With("sha256:0123");
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].image, "r/web:1") << "its tag has moved on";
  EXPECT_EQ(engine.containers[0].spec->image, "r/web:1");
}

TEST(KnownSpecsTest, OfServicesWithOneHashEachHasItsOwn) {
  ServiceSpec other = Made();
  other.image = "r/db:1";
  other.depends_on = {Dependency{"web"}};
  ASSERT_EQ(ConfigHash(other), ConfigHash(Made()));
  StoreState stored = AtRest();
  stored.specs["shop"] = {other, Made()};
  for (const ServiceSpec& spec : stored.specs["shop"]) {
    EngineState engine = With(spec.image);
    FillIn(KnownSpecsOf(stored), engine);
    EXPECT_EQ(engine.containers[0].spec, spec);
  }
  EngineState engine = With("sha256:0123");
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].spec, std::nullopt) << "it may be either";
  EXPECT_EQ(engine.containers[0].image, "sha256:0123");
}

// Policies are set aside then, and no list tells.
TEST(KnownSpecsTest, InACutoverEveryContainerIsLookedInto) {
  for (const auto& disturb :
       {+[](AppRecord& r) { r.cutover = "c2"; }, +[](AppRecord& r) { r.interrupted = {"c"}; },
        +[](AppRecord& r) { r.committed.reset(); }}) {
    StoreState stored = AtRest();
    disturb(stored.apps[0]);
    EXPECT_THAT(KnownSpecsOf(stored), IsEmpty());
  }
}

TEST(KnownSpecsTest, WhatIsNotOwnedOrOfAnotherHashIsLeftAlone) {
  const StoreState stored = AtRest();
  EngineState engine = With("r/web:1", false);
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].spec, std::nullopt);
  engine = With("r/web:1");
  engine.containers[0].config_hash = "c1:other";
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].spec, std::nullopt);
  engine = With("r/web:1");
  ServiceSpec seen = Made();
  seen.running = false;
  engine.containers[0].spec = seen;
  FillIn(KnownSpecsOf(stored), engine);
  EXPECT_EQ(engine.containers[0].spec, seen) << "what was looked into is so";
}

}  // namespace
}  // namespace lockstep::test
