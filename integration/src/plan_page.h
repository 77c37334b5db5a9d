// A page of text in two columns: a keyword, and what is said to it.
#ifndef LOCKSTEP_INTEGRATION_PLAN_PAGE_H_
#define LOCKSTEP_INTEGRATION_PLAN_PAGE_H_

#include <string>
#include <string_view>

#include "text.h"

namespace lockstep {

// All text given to it is harmless to a terminal already.
class Page {
 public:
  static constexpr int kGutter = 14;  // Where the second column begins.

  // `width`: columns of the terminal; 0: there is none, and nothing is cut.
  Page(Style style, int width) : style_(style), width_(width) {}

  // A line of its own, over both columns.
  void Heading(std::string_view line);
  void Blank();
  // `text` at the second column, wrapped at blanks; `keyword` before it, unless it is the one of
  // the entry above. `lead` is put before it as it is, and further lines begin below its end.
  void Entry(std::string_view keyword, std::string_view text, std::string_view lead = {});
  // The same, with `text` as it is: not wrapped, so it may hold colours and must fit.
  void Row(std::string_view keyword, std::string_view text);

  // Columns for text beside the keyword.
  int room() const { return (width_ > 0 ? width_ : kPaper) - kGutter; }
  bool cuts() const { return width_ > 0; }
  const Style& style() const { return style_; }
  const std::string& text() const { return text_; }

 private:
  static constexpr int kPaper = 100;  // Where lines of words are wrapped without a terminal.

  std::string Keyword(std::string_view keyword);

  Style style_;
  int width_;
  std::string text_;
  std::string last_keyword_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_PLAN_PAGE_H_
