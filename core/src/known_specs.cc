#include "known_specs.h"

#include <algorithm>
#include <iterator>

namespace lockstep {

KnownSpecs KnownSpecsOf(const StoreState& stored) {
  KnownSpecs known;
  for (const AppRecord& record : stored.apps) {
    const auto specs = stored.specs.find(record.app);
    const bool at_rest = record.committed && !record.cutover && record.interrupted.empty();
    if (!at_rest || specs == stored.specs.end()) continue;
    for (const ServiceSpec& spec : specs->second)
      known[record.app].emplace(ConfigHash(spec), &spec);
  }
  return known;
}

std::vector<std::string> WithHashesOf(const KnownSpecs& known, std::vector<std::string> hashes) {
  for (const auto& [app, specs] : known) {
    for (const auto& [hash, spec] : specs) hashes.push_back(hash);
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

void FillIn(const KnownSpecs& known, EngineState& engine) {
  for (ObservedContainer& container : engine.containers) {
    if (!container.owned || container.spec) continue;
    const auto app = known.find(container.app);
    if (app == known.end()) continue;
    const auto [first, last] = app->second.equal_range(container.config_hash);
    if (first == last) continue;
    auto spec = std::find_if(
        first, last, [&](const auto& entry) { return entry.second->image == container.image; });
    if (spec == last) {
      if (std::next(first) != last) continue;  // Whose it is, nothing tells.
      spec = first;
    }
    container.spec = *spec->second;
    // The image is no part of the hash. An engine tells its id once the tag has moved on.
    if (container.image.starts_with("sha256:")) container.image = container.spec->image;
    container.spec->image = container.image;
  }
}

}  // namespace lockstep
