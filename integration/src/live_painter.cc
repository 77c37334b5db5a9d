#include "live_painter.h"

#include <algorithm>

#include "text.h"

namespace lockstep {

std::string LivePainter::Frame(const std::vector<std::string>& kept,
                               const std::vector<std::string>& live, int width) {
  width = std::max(width, 1);
  int rows = 0;
  for (const int painted : painted_) rows += std::max(1, (painted + width - 1) / width);
  std::string frame;
  if (rows > 0) frame += "\r\x1b[" + std::to_string(rows) + 'A';
  // A kept line may be longer than the terminal is wide: what it would run into goes first.
  if (rows > 0 && !kept.empty()) frame += "\x1b[J";
  for (const std::string& line : kept) frame += line + '\n';
  painted_.clear();
  for (const std::string& line : live) {
    frame += line + "\x1b[K\n";
    painted_.push_back(DisplayWidth(line));
  }
  if (rows > static_cast<int>(live.size())) frame += "\x1b[J";
  return frame;
}

}  // namespace lockstep
