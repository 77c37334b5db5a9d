// What a peer says, before anybody is shown it.
#include "peer_text.h"

#include <gmock/gmock.h>

#include <string>

#include "json_read.h"

namespace lockstep::test {
namespace {

struct TextCase {
  const char* what;
  std::string_view given;
  std::string_view expected;  // With "#" for U+FFFD.
};

TEST(PeerTextTest, IsOneLineOfHarmlessText) {
  for (const auto& [what, given, expected] : {
           TextCase{"plain", "no such image: x", "no such image: x"},
           TextCase{"other scripts", "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x9a\xa2",
                    "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x9a\xa2"},
           TextCase{"several lines", " a\r\n\tb \n", "a b"},
           TextCase{"escape", "a\x1b[2Jb", "a#[2Jb"},
           TextCase{"nul and delete", std::string_view("a\0b\x7f", 4), "a#b#"},
           TextCase{"CSI in one character", "a\xc2\x9b[2J", "a#[2J"},
           TextCase{"the other direction", "a\xe2\x80\xae,\xe2\x81\xa6,", "a#,#,"},
           TextCase{"the mark of Arabic", "a\xd8\x9c,\xd8\x9b", "a#,\xd8\x9b"},
           TextCase{"no UTF-8", "a\xff,", "a#,"},
           TextCase{"longer than need be", "a\xc0\xaf", "a##"},
           TextCase{"half a character", "a\xe6\xbc", "a#"},
           TextCase{"empty", "", ""},
           TextCase{"JSON", "[[[{\"a\\\":,,", "[[[{\"a\\\":,,"},
       }) {
    std::string shown;
    for (const char c : expected) {
      if (c == '#') {
        shown.append("\xef\xbf\xbd");
      } else {
        shown.push_back(c);
      }
    }
    EXPECT_EQ(docker::PeerText(given), shown) << what;
  }
}

TEST(PeerTextTest, IsCutBetweenCharacters) {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    for (const std::string character :
         {"x", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x9a\xa2", "\xff"}) {
      std::string text(shift, 'x');
      for (int i = 0; i < 3000; ++i) text += character;
      const std::string cut = docker::PeerText(text);
      EXPECT_LE(cut.size(), docker::kMaxPeerText);
      EXPECT_GT(cut.size(), docker::kMaxPeerText - 8);
      EXPECT_TRUE(cut.ends_with("..."));
      EXPECT_EQ(docker::ParseJson(docker::DumpJson(cut)), docker::Json(cut)) << "no valid UTF-8";
    }
  }
  const std::string fits(docker::kMaxPeerText, 'x');
  EXPECT_EQ(docker::PeerText(fits), fits);
}

}  // namespace
}  // namespace lockstep::test
