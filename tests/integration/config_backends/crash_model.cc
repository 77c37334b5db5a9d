#include "crash_model.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep::test {
namespace {

constexpr std::size_t kSector = 512;

struct Gone {};
// What a name leads to: nothing, a file by its number, or something damaged.
using Entry = std::variant<Gone, std::size_t, std::string>;
using Entries = std::map<std::string, Entry>;

struct File {
  std::string now;
  std::string synced;
  bool dirty = false;
};

// A change of names that is not durable yet.
struct Pending {
  std::string directory;
  std::optional<std::size_t> file;  // Has to be synced, too.
  bool directory_synced = false;
  Entries done;                   // What it comes to.
  std::vector<Entries> partly{};  // And what may be found in between.
};

std::string DirectoryOf(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

class Model {
 public:
  Model(const Tree& before, Storage storage) : storage_(storage) {
    for (const auto& [name, content] : before) {
      names_[name] = files_.size();
      durable_[name] = files_.size();
      files_.push_back({content, content});
    }
  }

  void Apply(const FsOp& op);
  Tree Now() const;
  std::set<Tree> AfterPowerCut() const {
    std::set<Tree> trees;
    ChooseNames(0, durable_, trees);
    return trees;
  }

 private:
  File* FileAt(const std::string& name) {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : &files_[found->second];
  }
  void Create(const std::string& name);
  void Rename(const std::string& from, const std::string& to);
  void Unlink(const std::string& name);
  void Sync(const std::string& name);
  void MakeDurable();
  std::vector<Entries> Damages(const std::string& name) const;
  void ChooseNames(std::size_t next, const Entries& chosen, std::set<Tree>& trees) const;
  void ChooseData(Entries::const_iterator next, const Entries& chosen, Tree tree,
                  std::set<Tree>& trees) const;

  Storage storage_;
  std::vector<File> files_;
  std::map<std::string, std::size_t> names_;
  Entries durable_;
  std::vector<Pending> pending_;
};

void Model::Apply(const FsOp& op) {
  switch (op.kind) {
    case FsOp::Kind::kCreate:
      return Create(op.name);
    case FsOp::Kind::kTruncate:
      if (File* file = FileAt(op.name)) {
        file->now.resize(op.offset);
        file->dirty = true;
      }
      return;
    case FsOp::Kind::kWrite:
      if (File* file = FileAt(op.name)) {
        file->now.resize(std::max(file->now.size(), op.offset + op.data.size()));
        file->now.replace(op.offset, op.data.size(), op.data);
        file->dirty = true;
      }
      return;
    case FsOp::Kind::kSync:
      return Sync(op.name);
    case FsOp::Kind::kRename:
      return Rename(op.name, op.to);
    case FsOp::Kind::kUnlink:
      return Unlink(op.name);
    case FsOp::Kind::kMode:
      return;
  }
}

void Model::Create(const std::string& name) {
  names_[name] = files_.size();
  pending_.push_back({DirectoryOf(name), {}, false, {{name, files_.size()}}});
  files_.push_back({"", "", true});
}

std::vector<Entries> Model::Damages(const std::string& name) const {
  std::vector<Entries> damages;
  const auto found = names_.find(name);
  if (storage_ != Storage::kFat || found == names_.end()) return damages;
  for (const std::string& damaged : DamagedBy(storage_, files_[found->second].now)) {
    damages.push_back({{name, damaged}});
  }
  return damages;
}

void Model::Rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return;
  const std::size_t file = found->second;
  if (storage_ == Storage::kPosix) {
    pending_.push_back({DirectoryOf(to), {}, false, {{from, Gone{}}, {to, file}}});
  } else {
    Pending target{DirectoryOf(to), file, false, {{to, file}}, Damages(to)};
    for (Entries& damage : Damages(from)) target.partly.push_back({{to, damage.begin()->second}});
    target.partly.push_back({{to, Gone{}}});
    pending_.push_back(std::move(target));
    pending_.push_back({DirectoryOf(from), {}, false, {{from, Gone{}}}});
  }
  names_.erase(from);
  names_[to] = file;
}

void Model::Unlink(const std::string& name) {
  pending_.push_back({DirectoryOf(name), {}, false, {{name, Gone{}}}, Damages(name)});
  names_.erase(name);
}

void Model::Sync(const std::string& name) {
  if (const auto found = names_.find(name); found != names_.end()) {
    File& file = files_[found->second];
    file.synced = file.now;
    file.dirty = false;
    for (Pending& pending : pending_) {
      if (pending.file == found->second) pending.file.reset();
    }
  } else {
    for (Pending& pending : pending_) {
      if (pending.directory == name) pending.directory_synced = true;
    }
  }
  MakeDurable();
}

void Model::MakeDurable() {
  for (std::size_t i = 0; i < pending_.size();) {
    if (!pending_[i].directory_synced || pending_[i].file) {
      ++i;
      continue;
    }
    for (const auto& [name, entry] : pending_[i].done) {
      durable_.insert_or_assign(name, entry);
      for (std::size_t earlier = 0; earlier < i; ++earlier) {
        pending_[earlier].done.erase(name);
        for (Entries& partly : pending_[earlier].partly) partly.erase(name);
      }
    }
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

Tree Model::Now() const {
  Tree tree;
  for (const auto& [name, file] : names_) tree[name] = files_[file].now;
  return tree;
}

void Model::ChooseNames(std::size_t next, const Entries& chosen, std::set<Tree>& trees) const {
  if (next == pending_.size()) return ChooseData(chosen.begin(), chosen, {}, trees);
  ChooseNames(next + 1, chosen, trees);
  const auto with = [&](const Entries& changes) {
    Entries changed = chosen;
    for (const auto& [name, entry] : changes) changed.insert_or_assign(name, entry);
    ChooseNames(next + 1, changed, trees);
  };
  with(pending_[next].done);
  for (const Entries& partly : pending_[next].partly) with(partly);
}

void Model::ChooseData(Entries::const_iterator next, const Entries& chosen, Tree tree,
                       std::set<Tree>& trees) const {
  if (next == chosen.end()) {
    trees.insert(std::move(tree));
    return;
  }
  const auto& [name, entry] = *next++;
  const auto with = [&, &name = name](const std::string& content) {
    tree[name] = content;
    ChooseData(next, chosen, tree, trees);
  };
  if (const auto* damaged = std::get_if<std::string>(&entry)) return with(*damaged);
  const auto* number = std::get_if<std::size_t>(&entry);
  if (number == nullptr) return ChooseData(next, chosen, std::move(tree), trees);
  const File& file = files_[*number];
  with(file.now);
  if (!file.dirty) return;
  const std::size_t size = file.now.size();
  const std::string half = file.now.substr(0, size / 2);
  for (const std::string& content : {file.synced, std::string(), half, std::string(size, '\0'),
                                     half + std::string(size - half.size(), '\0')}) {
    with(content);
  }
}

// The place next to the middle that is not at a line's end; 0 where there is none.
std::size_t WithinALine(const std::string& content) {
  const auto fits = [&](std::size_t at) {
    return at > 0 && at < content.size() && content[at - 1] != '\n' && content[at] != '\n' &&
           content[at] != '\r';
  };
  const std::size_t middle = content.size() / 2;
  for (std::size_t off = 0; off <= middle; ++off) {
    if (fits(middle + off)) return middle + off;
    if (fits(middle - off)) return middle - off;
  }
  return 0;
}

}  // namespace

std::set<std::string> DamagedBy(Storage storage, const std::string& content) {
  if (storage == Storage::kPosix) return {};
  std::set<std::string> damaged = {"", std::string(content.size(), '\0'),
                                   content.substr(0, WithinALine(content))};
  if (content.size() > kSector) {
    damaged.insert(content.substr(0, kSector));
    std::string blank = content;
    std::fill(blank.begin() + kSector, blank.end(), '\xff');
    damaged.insert(std::move(blank));
  }
  return damaged;
}

Tree TreeAfter(const Tree& before, std::span<const FsOp> ops) {
  Model model(before, Storage::kPosix);
  for (const FsOp& op : ops) model.Apply(op);
  return model.Now();
}

std::set<Tree> TreesAfterPowerCut(const Tree& before, std::span<const FsOp> ops, Storage storage) {
  Model model(before, storage);
  for (const FsOp& op : ops) model.Apply(op);
  return model.AfterPowerCut();
}

}  // namespace lockstep::test
