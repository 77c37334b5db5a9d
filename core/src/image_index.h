// The images of an engine by every name they have: a look-up for the planner.
#ifndef LOCKSTEP_IMAGE_INDEX_H_
#define LOCKSTEP_IMAGE_INDEX_H_

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "lockstep/image_reference.h"
#include "lockstep/observed_state.h"

namespace lockstep {

// The engine's state must outlive it.
class ImageIndex {
 public:
  explicit ImageIndex(const EngineState& engine) {
    for (const ObservedImage& image : engine.images) {
      for (const std::string& reference : image.references) {
        std::string normal = NormalizedReference(reference);
        // Engines normalise most themselves.
        const bool same = normal == reference;
        ids_.emplace(same ? reference : names_.emplace_back(std::move(normal)), image.id);
      }
    }
  }

  // The local id of the image; empty where it is not here.
  std::string_view Find(std::string_view reference) const {
    const auto it = ids_.find(NormalizedReference(reference));
    return it == ids_.end() ? std::string_view() : it->second;
  }

 private:
  std::deque<std::string> names_;  // Those that the engine spells otherwise.
  std::unordered_map<std::string_view, std::string_view> ids_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_IMAGE_INDEX_H_
