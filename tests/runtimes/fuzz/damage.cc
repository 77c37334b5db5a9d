#include "damage.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace lockstep::test {
namespace {

using Json = nlohmann::ordered_json;

// Stands where the damage goes: no reply has it.
constexpr std::string_view kMark = "\"<<damage>>\"";

std::string Nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += R"({"a":[)";
  for (int i = 0; i < depth; ++i) text += "]}";
  return text;
}

// As they are written, since some are no JSON.
const std::vector<std::string>& Replacements() {
  static const std::vector<std::string> kReplacements = [] {
    std::vector<std::string> all = {"null",
                                    "true",
                                    "false",
                                    "0",
                                    "-1",
                                    "1",
                                    "0.5",
                                    "1e308",
                                    "1e999",
                                    "-0.0",
                                    "2147483648",
                                    "9223372036854775807",
                                    "-9223372036854775808",
                                    "9223372036854775",
                                    "253402300800",
                                    "18446744073709551615",
                                    "123456789012345678901234567890",
                                    R"("")",
                                    R"("x")",
                                    R"("/")",
                                    R"("=")",
                                    R"(":")",
                                    R"("\u0000")",
                                    R"("a\u0000b")",
                                    R"("\ud800")",
                                    R"("\n\u001b[2J")",
                                    "\"\xff\xfe\"",
                                    "\"\xc3\"",
                                    R"("-1")",
                                    R"("99999999999999999999")",
                                    R"("container:")",
                                    R"("service:db")",
                                    R"("on-failure")",
                                    R"("<none>:<none>")",
                                    R"("/a/b")",
                                    R"("1.41")",
                                    R"("1.99999999999999999999")",
                                    R"("9999-12-31T99:99:99.999999999Z")",
                                    R"("2026-11-22T22:59:42.637364106Z")",
                                    "[]",
                                    "{}",
                                    "[[]]",
                                    "[{}]",
                                    "[null]",
                                    "[0, \"\"]",
                                    R"(["", "x", "x"])",
                                    R"(["CMD"])",
                                    R"(["NONE"])",
                                    R"({"": null})",
                                    R"({"": ""})",
                                    R"({"x": "y"})",
                                    R"({"x": {"y": ["z"]}})",
                                    R"([{"x": "y"}, {"x": "y"}])",
                                    "nul",
                                    "",
                                    "}"};
    std::string umlauts;
    for (int i = 0; i < 700; ++i) umlauts += "\xc3\xa4";
    all.push_back('"' + umlauts + '"');
    all.push_back("\"x" + umlauts + '"');
    all.push_back('"' + std::string(150'000, 'x') + '"');
    all.push_back(Nested(20));
    all.push_back(Nested(100'000));
    return all;
  }();
  return kReplacements;
}

class Damager {
 public:
  Damager(std::string before, std::string after, Json whole, std::set<std::string>& done,
          const Attempt& attempt)
      : before_(std::move(before)),
        after_(std::move(after)),
        whole_(std::move(whole)),
        done_(done),
        attempt_(attempt) {}

  void Run() { Each(whole_, "$"); }

 private:
  void Each(Json& part, const std::string& place) {
    if (!part.is_structured()) return;
    std::vector<std::string> keys;
    for (const auto& [key, value] : part.items()) keys.push_back(key);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Json& item = part.is_array() ? part[i] : part[keys[i]];
      const std::string own = place + (part.is_array() ? "[]" : "." + keys[i]);
      if (done_.insert(own).second) Replace(part, item, keys[i]);
      Each(item, own);
    }
  }

  void Replace(const Json& part, Json& item, const std::string& key) {
    Json kept = "<<damage>>";
    std::swap(item, kept);
    const std::string text = whole_.dump();
    std::swap(item, kept);
    const auto at = text.find(kMark);
    const std::string head = before_ + text.substr(0, at);
    const std::string tail = text.substr(at + kMark.size()) + after_;
    for (const std::string& with : Replacements()) attempt_(head + with + tail);
    const std::string own = item.dump();
    const std::string again = part.is_array() ? "" : Json(key).dump() + ":";
    for (const std::string& twice : {own + "," + again + own, own + "," + again + "null",
                                     "null," + again + own, '"' + own + '"'}) {
      attempt_(head + twice + tail);
    }
    attempt_(head.substr(0, head.rfind(again.empty() ? "[" : "\"" + key)) + tail);
  }

  const std::string before_;
  const std::string after_;
  Json whole_;
  std::set<std::string>& done_;
  const Attempt& attempt_;
};

}  // namespace

void DamageEachValue(const std::string& text, std::set<std::string>& done, const Attempt& attempt) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    Json line = Json::parse(text.substr(at, end - at), nullptr, false);
    if (!line.is_discarded()) {
      Damager(text.substr(0, at), text.substr(end), std::move(line), done, attempt).Run();
    }
    at = end + 1;
  }
}

std::string DamageBytes(std::string text, std::string_view other, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(random() % limit);
  };
  for (std::size_t times = 1 + below(4); times > 0 && !text.empty(); --times) {
    const std::size_t at = below(text.size());
    const std::size_t size = below(std::min<std::size_t>(text.size() - at, 64)) + 1;
    switch (below(6)) {
      case 0:
        text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
        break;
      case 1:
        text[at] = "\"{}[],:\\ 09-\n\0\xff"[below(14)];
        break;
      case 2:
        text.erase(at, size);
        break;
      case 3:
        text.insert(at, text.substr(at, size));
        break;
      case 4:
        text.resize(at);
        break;
      default:
        text.insert(at, other.substr(below(other.size()), size));
    }
  }
  return text;
}

}  // namespace lockstep::test
