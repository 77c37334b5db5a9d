#include "fat_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <utility>

namespace lockstep::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEntry = 32;
// Up to so many sectors every combination is tried.
constexpr std::size_t kMostCombined = 6;

std::size_t Number(const std::string& bytes, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  while (size-- > 0) value = value << 8 | static_cast<unsigned char>(bytes[at + size]);
  return value;
}

std::size_t FatOf(const std::string& bytes) { return Number(bytes, 14, 2) * FatImage::kSector; }
std::size_t FatSize(const std::string& bytes) { return Number(bytes, 22, 2) * FatImage::kSector; }
std::size_t RootOf(const std::string& bytes) { return FatOf(bytes) + 2 * FatSize(bytes); }

// Of the name that the entry before `entry` is a piece of. It goes backwards, 13 to an entry.
std::string LongPiece(const std::string& bytes, std::size_t entry) {
  constexpr std::array kPlaces = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
  std::string piece;
  for (const int place : kPlaces) {
    const char letter = bytes[entry + static_cast<std::size_t>(place)];
    if (letter == '\0' || letter == '\xff') break;
    piece += letter;
  }
  return piece;
}

std::string ShortName(const std::string& bytes, std::size_t entry) {
  std::string name = bytes.substr(entry, 8);
  name.erase(name.find_last_not_of(' ') + 1);
  std::string extension = bytes.substr(entry + 8, 3);
  extension.erase(extension.find_last_not_of(' ') + 1);
  return extension.empty() ? name : name + '.' + extension;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::vector<std::size_t> ChangedSectors(const std::string& from, const std::string& to) {
  std::vector<std::size_t> changed;
  for (std::size_t at = 0; at < from.size(); at += FatImage::kSector) {
    if (from.compare(at, FatImage::kSector, to, at, FatImage::kSector) != 0) changed.push_back(at);
  }
  return changed;
}

// Which of `count` are there: each combination, or where these are too many, beginnings, single
// ones and all but one.
std::vector<std::vector<bool>> Combinations(std::size_t count) {
  std::vector<std::vector<bool>> all;
  if (count <= kMostCombined) {
    for (std::size_t bits = 0; bits < (std::size_t{1} << count); ++bits) {
      auto& chosen = all.emplace_back(count);
      for (std::size_t i = 0; i < count; ++i) chosen[i] = (bits >> i & 1) != 0;
    }
    return all;
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto& beginning = all.emplace_back(count);
    std::fill_n(beginning.begin(), i + 1, true);
    all.emplace_back(count)[i] = true;
    all.emplace_back(count, true)[i] = false;
  }
  all.emplace_back(count);
  return all;
}

}  // namespace

std::string FatImage::MissingTools() {
  std::string missing;
  for (const std::string tool : {"mkfs.vfat", "fsck.vfat", "mcopy", "mdel"}) {
    if (std::system(("PATH=$PATH:/usr/sbin:/sbin command -v " + tool + " >/dev/null").c_str()) !=
        0) {
      missing += tool + ' ';
    }
  }
  return missing;
}

FatImage::FatImage(const Tree& tree) : image_(scratch_.path() + "/image") {
  EXPECT_TRUE(Run("mkfs.vfat -F 16 -s 1 -C " + image_ + " 4096"));
  for (const auto& [name, content] : tree) Copy(name, content);
}

bool FatImage::Run(const std::string& command) const {
  const std::string all = "export MTOOLS_SKIP_CHECK=1 PATH=$PATH:/usr/sbin:/sbin; " + command +
                          " >" + scratch_.path() + "/said 2>&1 </dev/null";
  return std::system(all.c_str()) == 0;
}

void FatImage::Copy(const std::string& name, const std::string& content) {
  const std::string source = scratch_.path() + "/source";
  std::ofstream(source) << content;
  EXPECT_TRUE(Run("mcopy -o -i " + image_ + ' ' + source + " ::" + name)) << name;
}

std::string FatImage::Bytes() const {
  std::ifstream file(image_);
  return {std::istreambuf_iterator<char>(file), {}};
}

void FatImage::SetBytes(const std::string& bytes) { std::ofstream(image_) << bytes; }

FatImage::Place FatImage::Find(const std::string& bytes, const std::string& name) {
  std::string spelt;
  std::size_t first = 0;
  const std::size_t end = RootOf(bytes) + Number(bytes, 17, 2) * kEntry;
  for (std::size_t at = RootOf(bytes); at < end && bytes[at] != '\0'; at += kEntry) {
    if (bytes[at] == '\xe5') {
      spelt.clear();
    } else if (bytes[at + 11] == '\x0f') {
      if (spelt.empty()) first = at;
      spelt = LongPiece(bytes, at) + spelt;
    } else {
      if (spelt.empty()) first = at;
      if (Lower(spelt) == Lower(name) || Lower(ShortName(bytes, at)) == Lower(name)) {
        return {first, at};
      }
      spelt.clear();
    }
  }
  return {};
}

void FatImage::FreeChain(std::string& bytes, std::size_t entry) {
  std::size_t cluster = Number(bytes, entry + 26, 2);
  while (cluster >= 2 && cluster < 0xfff0) {
    const std::size_t next = Number(bytes, FatOf(bytes) + 2 * cluster, 2);
    for (const std::size_t fat : {FatOf(bytes), FatOf(bytes) + FatSize(bytes)}) {
      bytes.replace(fat + 2 * cluster, 2, 2, '\0');
    }
    cluster = next;
  }
}

void FatImage::RenameOver(const std::string& from, const std::string& to) {
  std::string bytes = Bytes();
  const Place source = Find(bytes, from);
  const Place target = Find(bytes, to);
  ASSERT_TRUE(source.entry != 0 && target.entry != 0);
  FreeChain(bytes, target.entry);
  bytes.replace(target.entry + 26, 6, bytes, source.entry + 26, 6);
  for (std::size_t at = source.first; at <= source.entry; at += kEntry) bytes[at] = '\xe5';
  SetBytes(bytes);
}

void FatImage::Apply(const FsOp& op, const Tree& tree) {
  switch (op.kind) {
    case FsOp::Kind::kCreate:
    case FsOp::Kind::kTruncate:
    case FsOp::Kind::kWrite:
      return Copy(op.name, tree.at(op.name));
    case FsOp::Kind::kRename:
      if (Find(Bytes(), op.to).entry != 0) return RenameOver(op.name, op.to);
      EXPECT_TRUE(Run("mren -i " + image_ + " ::" + op.name + " ::" + op.to));
      return;
    case FsOp::Kind::kUnlink:
      EXPECT_TRUE(Run("mdel -i " + image_ + " ::" + op.name));
      return;
    case FsOp::Kind::kSync:
    case FsOp::Kind::kMode:
      return;
  }
}

Tree FatImage::CheckAndRead(const std::set<std::string>& spelt) {
  (void)Run("fsck.vfat -a " + image_);  // Not 0 where something was mended.
  EXPECT_TRUE(Run("fsck.vfat -n " + image_));
  const ScratchTree out;
  (void)Run("mcopy -n -i " + image_ + " '::*' " + out.path());  // Not 0 where there is none.
  Tree tree;
  for (const auto& [name, content] : out.Read()) {
    if (name.starts_with("FSCK")) continue;
    // FAT finds "config.txt" under "CONFIG.TXT", too, which is what is left of it when its long
    // name is torn.
    const auto same = std::find_if(
        spelt.begin(), spelt.end(),
        [&name = name](const std::string& known) { return Lower(known) == Lower(name); });
    tree[same == spelt.end() ? name : *same] = content;
  }
  return tree;
}

void ExpectSurvivesTornSectors(const CrashCase& crash) {
  const AsFat as_fat;
  std::vector<FsOp> ops;
  Tree after;
  {
    const ScratchTree dir(crash.before);
    ops = Record(dir.path(), crash.change);
    after = dir.Read();
  }
  std::set<std::string> names;
  for (const Tree* tree : {&crash.before, static_cast<const Tree*>(&after)}) {
    for (const auto& [name, content] : *tree) names.insert(name);
  }
  FatImage image(crash.before);
  std::set<Tree> seen;
  std::string synced = image.Bytes();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    image.Apply(ops[i], TreeAfter(crash.before, std::span(ops).first(i + 1)));
    if (ops[i].kind != FsOp::Kind::kSync) continue;
    const std::string bytes = image.Bytes();
    const auto changed = ChangedSectors(synced, bytes);
    for (const auto& chosen : Combinations(changed.size())) {
      std::string torn = synced;
      for (std::size_t n = 0; n < changed.size(); ++n) {
        if (chosen[n]) {
          torn.replace(changed[n], FatImage::kSector, bytes, changed[n], FatImage::kSector);
        }
      }
      image.SetBytes(torn);
      const Tree left = image.CheckAndRead(names);
      if (!seen.insert(left).second) continue;
      const ScratchTree dir(left);
      EXPECT_TRUE(crash.recover(dir.path()));
      const Tree found = dir.Read();
      ASSERT_TRUE(crash.acceptable ? crash.acceptable(found)
                                   : found == crash.before || found == after)
          << "torn before: " << Describe(ops[i]) << "\n  left: " << Show(left)
          << "\n  found: " << Show(found);
    }
    image.SetBytes(bytes);
    synced = bytes;
  }
  EXPECT_EQ(Show(image.CheckAndRead(names)), Show(after));
  EXPECT_GT(seen.size(), 2U) << "nothing was torn";
  ::testing::Test::RecordProperty("torn_states", static_cast<int>(seen.size()));
}

}  // namespace lockstep::test
