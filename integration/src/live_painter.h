// Draws lines on a terminal, some that stay and below them some that change. Pure: gives the bytes.
#ifndef LOCKSTEP_INTEGRATION_LIVE_PAINTER_H_
#define LOCKSTEP_INTEGRATION_LIVE_PAINTER_H_

#include <string>
#include <vector>

namespace lockstep {

// Nothing is cleared before it is written over, and the cursor stays visible: there is no flicker,
// and nothing to be put right when the process ends in the middle.
class LivePainter {
 public:
  // What to write, in one go, so that `kept` scrolls away above and `live` (each narrower than
  // `width`) takes the place of the last frame's. `width` may differ from frame to frame: lines
  // that a narrower terminal has broken in two are accounted for.
  std::string Frame(const std::vector<std::string>& kept, const std::vector<std::string>& live,
                    int width);

 private:
  std::vector<int> painted_;  // Widths of the live lines on the screen.
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_LIVE_PAINTER_H_
