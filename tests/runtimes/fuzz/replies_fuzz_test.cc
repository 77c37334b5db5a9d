// Each parser on damaged replies, the same ones every time. fuzz_replies looks for others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "damage.h"
#include "reply_parsers.h"

namespace lockstep::test {

void PrintTo(const ReplyParser& parser, std::ostream* out) { *out << parser.name; }

namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 200;  // Of damaged bytes, for each example.

std::vector<std::string> CorpusOf(const ReplyParser& parser) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(fs::path(LOCKSTEP_REPLY_CORPUS) / parser.name, none)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> texts;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

// The reply, short enough for a message.
std::string Shown(const std::string& reply) {
  constexpr std::size_t kMost = 20'000;
  return reply.size() <= kMost ? reply : reply.substr(0, kMost) + "...";
}

class RepliesFuzzTest : public ::testing::TestWithParam<ReplyParser> {};

TEST_P(RepliesFuzzTest, WhatEnginesSayIsRead) {
  const auto corpus = CorpusOf(GetParam());
  EXPECT_FALSE(corpus.empty()) << "no examples in " << LOCKSTEP_REPLY_CORPUS;
  for (const std::string& reply : corpus) {
    EXPECT_EQ(GetParam().judge(reply), "") << Shown(reply);
  }
}

TEST_P(RepliesFuzzTest, AnyValueAnywhereIsReadOrRefused) {
  std::set<std::string> done;
  for (const std::string& reply : CorpusOf(GetParam())) {
    DamageEachValue(reply, done, [&](const std::string& damaged) {
      const std::string wrong = GetParam().judge(damaged);
      ASSERT_EQ(wrong, "") << Shown(damaged);
    });
    if (HasFatalFailure()) return;
  }
  EXPECT_FALSE(done.empty());
  RecordProperty("places", static_cast<int>(done.size()));
}

TEST_P(RepliesFuzzTest, DamagedBytesAreReadOrRefused) {
  const auto corpus = CorpusOf(GetParam());
  std::mt19937_64 random(1);
  for (const std::string& reply : corpus) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string& other = corpus[random() % corpus.size()];
      const std::string damaged = DamageBytes(reply, other, random);
      ASSERT_EQ(GetParam().judge(damaged), "") << Shown(damaged);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Replies, RepliesFuzzTest,
                         ::testing::ValuesIn(ReplyParsers().begin(), ReplyParsers().end()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace lockstep::test
