#include "plan_page.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int kKeywordAt = 2;
constexpr int kLeastRoom = 24;  // On a terminal that is narrower lines are cut by the terminal.

std::string Blanks(int count) { return std::string(static_cast<std::size_t>(count), ' '); }

std::string ColouredKeyword(std::string_view keyword, const Style& style) {
  if (keyword == "blocked" || keyword == "refuse") return style.Red(keyword);
  if (keyword == "held by" || keyword == "defer") return style.Yellow(keyword);
  return style.Bold(keyword);
}

}  // namespace

void Page::Heading(std::string_view line) {
  text_ += std::string(line) + '\n';
  last_keyword_.clear();
}

void Page::Blank() {
  if (!text_.empty()) text_ += '\n';
  last_keyword_.clear();
}

std::string Page::Keyword(std::string_view keyword) {
  if (keyword == last_keyword_) return Blanks(kGutter);
  last_keyword_ = keyword;
  const int pad = kGutter - kKeywordAt - DisplayWidth(keyword);
  return Blanks(kKeywordAt) + ColouredKeyword(keyword, style_) + Blanks(std::max(pad, 1));
}

void Page::Entry(std::string_view keyword, std::string_view text, std::string_view lead) {
  const int indent = kGutter + DisplayWidth(lead);
  const int width = std::max(kGutter + room(), indent + kLeastRoom);
  text_ += Keyword(keyword) + std::string(lead) + Wrap(text, indent, width) + '\n';
}

void Page::Row(std::string_view keyword, std::string_view text) {
  text_ += Keyword(keyword) + std::string(text) + '\n';
}

}  // namespace lockstep
