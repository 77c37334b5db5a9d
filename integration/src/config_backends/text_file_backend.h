// What the backends of a text file have in common.
#ifndef LOCKSTEP_INTEGRATION_TEXT_FILE_BACKEND_H_
#define LOCKSTEP_INTEGRATION_TEXT_FILE_BACKEND_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_backends/changed_text.h"
#include "config_backends/safe_file.h"
#include "lockstep/config_backend.h"

namespace lockstep {

// A file of `Format` (see changed_text.h), whose keys begin with `prefix`. Further errors of
// Write(): kInvalidInput (the file has no room for a value, or the value is refused), kInternal
// (the changed text would not say what was asked for); nothing was written then.
template <typename Format>
class TextFileBackend : public ConfigBackend {
 public:
  const std::vector<ConfigRule>& rules() const override { return rules_; }
  Result<void> Recover() override { return file_.Recover(); }

  // kNotFound where there is no file.
  Result<ConfigValues> Read() override {
    LOCKSTEP_TRY(const std::optional<std::string> text, file_.Read());
    if (!text) return Missing();
    auto values = ReadValues<Format>(*text, prefix_);
    if (!values) return WithContext(std::move(values).assume_error(), "read " + file_.path());
    return values;
  }

  Result<void> Write(const ConfigChanges& changes) override {
    if (check_) {
      LOCKSTEP_TRYV(check_(changes));
    }
    LOCKSTEP_TRY(std::optional<std::string> text, file_.Read());
    const bool is_there = text.has_value();
    if (!is_there) {
      if (missing_ == MissingFile::kIsAnError) return Missing();
      text = "";
    }
    auto changed = ChangedText<Format>(*text, prefix_, changes);
    if (!changed) return WithContext(std::move(changed).assume_error(), "change " + file_.path());
    if (changed.assume_value() == *text) return Ok();
    return is_there ? file_.Replace(*text, changed.assume_value())
                    : file_.Write(changed.assume_value());
  }

 protected:
  enum class MissingFile { kIsAnError, kIsEmpty };
  // What else must be so before anything is written.
  using Check = std::function<Result<void>(const ConfigChanges&)>;

  TextFileBackend(std::string path, std::string_view prefix, MissingFile missing,
                  std::vector<ConfigRule> rules, Check check = nullptr)
      : file_(std::move(path)),
        prefix_(prefix),
        missing_(missing),
        rules_(std::move(rules)),
        check_(std::move(check)) {}

 private:
  Error Missing() const {
    return WithContext(
        MakeError(ErrorCode::kNotFound, "there is no such file",
                  missing_ == MissingFile::kIsAnError
                      ? "check that the boot partition is mounted; it is never made from nothing"
                      : "check that the boot partition is mounted"),
        "read " + file_.path());
  }

  SafeFile file_;
  std::string prefix_;
  MissingFile missing_;
  std::vector<ConfigRule> rules_;
  Check check_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_TEXT_FILE_BACKEND_H_
