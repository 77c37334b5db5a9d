#include "config_backends/safe_file.h"

#include <utility>

#include "config_backends/safe_file_copy.h"
#include "config_backends/safe_file_folder.h"
#include "config_backends/safe_file_mount.h"

namespace lockstep {
namespace {

// Both contents and a line.
constexpr std::size_t kMostCopyBytes = 2 * SafeFile::kMostBytes + 256;

// At every instant one of these holds:
// - the file is the old one, and what lies beside it is litter;
// - the file is the new one, and likewise;
// - (FAT only) the file is anything, and a whole copy of old and new lies beside it, durable.
// Each step is made durable before the one that relies on it.
class Replacement {
 public:
  explicit Replacement(SafeFolder folder)
      : folder_(std::move(folder)), new_(folder_.Beside("new")), old_(folder_.Beside("old")) {}

  Result<void> Settle();
  // `expected`: what is there, or it is left; none: whatever is there.
  Result<void> Change(const std::optional<std::string>& next,
                      const std::optional<std::string>& expected);

 private:
  // An unreadable file is none of a person's: it says nothing, as if its sectors were blank.
  bool IsDamaged(const FileChange& change) const;
  // The change that a copy beside the file tells of; none where no whole one is there.
  Result<std::optional<FileChange>> Copy() const;
  Result<void> KeepCopy(const FileChange& change) const;
  // `over`: kConflict where the file is not that any more; null: whatever it is.
  Result<void> Put(const std::optional<std::string>& text,
                   const std::optional<std::string>* over) const;
  Result<void> CheckIsStill(const std::optional<std::string>& text) const;
  // After a failed Put(): the old one again, and nothing beside it.
  void PutBack(const std::optional<std::string>& old) const;
  Result<void> Discard() const;

  // The mount is closed last: it cannot become read-only while a file is open for writing.
  WritableMount mount_;
  SafeFolder folder_;
  std::string new_;
  std::string old_;
};

bool Replacement::IsDamaged(const FileChange& change) const {
  const auto found = folder_.Read(folder_.name(), SafeFile::kMostBytes);
  if (!found) return found.assume_error().code == ErrorCode::kUnavailable;
  return Judge(change, found.assume_value()) == FoundFile::kDamaged;
}

Result<std::optional<FileChange>> Replacement::Copy() const {
  const auto text = folder_.Read(old_, kMostCopyBytes);
  // Something else has its name.
  if (!text && text.assume_error().code == ErrorCode::kInvalidInput) {
    return std::optional<FileChange>();
  }
  if (!text) return text.as_failure();
  const auto& copy = text.assume_value();
  return copy ? ParseCopy(*copy) : std::optional<FileChange>();
}

Result<void> Replacement::KeepCopy(const FileChange& change) const {
  const std::string copy = CopyOf(change);
  LOCKSTEP_TRYV(folder_.Create(old_, copy, folder_.StatusOf(folder_.name())));
  LOCKSTEP_TRYV(folder_.SyncNames());
  return folder_.ReadBack(old_, copy);
}

Result<void> Replacement::CheckIsStill(const std::optional<std::string>& text) const {
  LOCKSTEP_TRY(const auto found, folder_.Read(folder_.name(), SafeFile::kMostBytes));
  if (found == text) return Ok();
  return WithContext(MakeError(ErrorCode::kConflict, "somebody else has changed it meanwhile",
                               "it is read and changed anew"),
                     "write " + folder_.path());
}

Result<void> Replacement::Put(const std::optional<std::string>& text,
                              const std::optional<std::string>* over) const {
  // FAT frees the clusters of a replaced file as soon as nobody has it open, while its entry may
  // still lead to them: they are kept until the entry is durable.
  const OwnedFd held = folder_.Hold(folder_.name());
  if (!text) {
    LOCKSTEP_TRYV(folder_.Unlink(folder_.name()));
    return folder_.SyncNames();
  }
  auto like = folder_.StatusOf(folder_.name());
  if (!like) like = folder_.StatusOf(old_);
  LOCKSTEP_TRY(const OwnedFd file, folder_.Create(new_, *text, like));
  if (!folder_.replaces_at_once()) {
    LOCKSTEP_TRYV(folder_.ReadBack(new_, *text));
  }
  if (over != nullptr) {  // To write it may have taken long.
    LOCKSTEP_TRYV(CheckIsStill(*over));
  }
  if (folder_.replaces_at_once()) {
    LOCKSTEP_TRYV(folder_.Rename(new_, folder_.name()));
    return folder_.SyncNames();
  }
  LOCKSTEP_TRYV(folder_.Rename(new_, folder_.name()));
  // In this order: two names must never lead to the same clusters. The entry under the new name is
  // written with the file, not with the directory.
  LOCKSTEP_TRYV(folder_.SyncNames());
  LOCKSTEP_TRYV(folder_.Sync(file));
  return folder_.ReadBack(folder_.name(), *text);
}

void Replacement::PutBack(const std::optional<std::string>& old) const {
  (void)folder_.Unlink(new_);
  const auto found = folder_.Read(folder_.name(), SafeFile::kMostBytes);
  const bool untouched = found && found.assume_value() == old;
  // Where even that fails the copy stays, for Settle().
  if (untouched || Put(old, nullptr)) (void)Discard();
}

Result<void> Replacement::Discard() const {
  LOCKSTEP_TRYV(folder_.Unlink(new_));
  LOCKSTEP_TRYV(folder_.Unlink(old_));
  return folder_.SyncNames();
}

Result<void> Replacement::Settle() {
  LOCKSTEP_TRY(const bool has_new, folder_.Has(new_));
  LOCKSTEP_TRY(const bool has_old, folder_.Has(old_));
  if (!has_new && !has_old) return Ok();
  LOCKSTEP_TRY(const std::optional<FileChange> change, Copy());
  const bool damaged = change && IsDamaged(*change);
  if (!damaged && !folder_.replaces_at_once() && folder_.ShareData(new_, folder_.name())) {
    return Ok();  // Whole, and stays so as long as nothing is touched; Change() says what helps.
  }
  LOCKSTEP_TRYV(mount_.Open(folder_.fd(), folder_.path()));
  if (damaged) {
    LOCKSTEP_TRYV(folder_.Unlink(new_));
    LOCKSTEP_TRYV(Put(change->old, nullptr));
  }
  return Discard();
}

Result<void> Replacement::Change(const std::optional<std::string>& next,
                                 const std::optional<std::string>& expected) {
  LOCKSTEP_TRYV(Settle());
  LOCKSTEP_TRY(const auto old, folder_.Read(folder_.name(), SafeFile::kMostBytes));
  if (old == next) return Ok();
  if (expected) {
    LOCKSTEP_TRYV(CheckIsStill(expected));
  }
  LOCKSTEP_TRY(const bool still_there, folder_.Has(new_));
  if (still_there) {
    return WithContext(
        MakeError(ErrorCode::kUnavailable, "a power cut has left its data under two names",
                  "check the file system (fsck.fat -a) before it is written"),
        "write " + folder_.path());
  }
  LOCKSTEP_TRYV(mount_.Open(folder_.fd(), folder_.path()));
  auto done = folder_.replaces_at_once() ? Result<void>(Ok()) : KeepCopy({old, next});
  if (done) done = Put(next, &old);
  if (!done) {
    if (done.assume_error().code == ErrorCode::kConflict) {
      (void)Discard();  // What is there is theirs, and whole.
    } else {
      PutBack(old);
    }
    return done;
  }
  // Durable already. A copy that cannot be removed is found whole, beside a whole file, and is
  // litter for the next one.
  if (!folder_.replaces_at_once()) (void)Discard();
  return Ok();
}

bool IsMissing(const Result<SafeFolder>& folder) {
  return !folder && folder.assume_error().code == ErrorCode::kNotFound;
}

}  // namespace

Result<std::optional<std::string>> SafeFile::Read() const {
  const auto folder = SafeFolder::Open(path_);
  if (IsMissing(folder)) return std::optional<std::string>();
  if (!folder) return folder.as_failure();
  return folder.assume_value().Read(folder.assume_value().name(), kMostBytes);
}

Result<void> SafeFile::Write(std::string_view text) const { return Put(text, std::nullopt); }

Result<void> SafeFile::Replace(const std::string& expected, std::string_view text) const {
  return Put(text, expected);
}

Result<void> SafeFile::Put(std::string_view text,
                           const std::optional<std::string>& expected) const {
  if (text.size() > kMostBytes) {
    return WithContext(
        MakeError(ErrorCode::kInvalidInput,
                  "it would be larger than " + std::to_string(kMostBytes >> 20) + " MiB",
                  "shorten what is to be written"),
        "write " + path_);
  }
  LOCKSTEP_TRY(SafeFolder folder, SafeFolder::Open(path_));
  return Replacement(std::move(folder)).Change(std::string(text), expected);
}

Result<void> SafeFile::Remove() const {
  auto folder = SafeFolder::Open(path_);
  if (IsMissing(folder)) return Ok();
  if (!folder) return std::move(folder).as_failure();
  return Replacement(std::move(folder).assume_value()).Change(std::nullopt, std::nullopt);
}

Result<void> SafeFile::Recover() const {
  auto folder = SafeFolder::Open(path_);
  if (IsMissing(folder)) return Ok();
  if (!folder) return std::move(folder).as_failure();
  return Replacement(std::move(folder).assume_value()).Settle();
}

}  // namespace lockstep
