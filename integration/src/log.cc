#include "log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

// Their own file, line and function are of no interest in the journal.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "json_value.h"
#include "snapshot.h"
#include "text.h"

namespace lockstep {
namespace {

// Of the line that this thread logs just now: spdlog knows of none.
thread_local const LogFields* g_fields = nullptr;

std::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

std::string Time(const spdlog::details::log_msg& message) {
  return FormatTime(std::chrono::time_point_cast<std::chrono::milliseconds>(message.time));
}

// spdlog's patterns do not escape what is logged, for a terminal or for JSON.
class LineFormat final : public spdlog::formatter {
 public:
  explicit LineFormat(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string level(View(spdlog::level::to_string_view(message.level)));
    const std::string text(View(message.payload));
    const std::string line = json_ ? InJson(Time(message), level, text)
                                   : Time(message) + ' ' + level + ": " + Printable(text);
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormat>(json_);
  }

 private:
  static std::string InJson(const std::string& time, const std::string& level,
                            const std::string& text) {
    nlohmann::ordered_json line = {{"time", time}, {"level", level}, {"message", text}};
    for (const auto& [name, value] : g_fields != nullptr ? *g_fields : LogFields()) {
      line[std::string(name)] = value;
    }
    return Dump(line);
  }

  bool json_;
};

int Priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::critical:
      return LOG_CRIT;
    default:
      return LOG_INFO;
  }
}

// systemd's journal: see sd_journal_sendv(3).
class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::vector<std::string> fields = {"SYSLOG_IDENTIFIER=lockstep",
                                       "PRIORITY=" + std::to_string(Priority(message.level)),
                                       "MESSAGE=" + std::string(View(message.payload))};
    for (const auto& [name, value] : g_fields != nullptr ? *g_fields : LogFields()) {
      std::string field = "LOCKSTEP_";
      for (const char c : name)
        field += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      fields.push_back(std::move(field) + '=' + value);
    }
    std::vector<iovec> parts;
    for (std::string& field : fields) parts.push_back({field.data(), field.size()});
    (void)sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));  // Nowhere to say it.
  }
  void flush_() override {}
};

void SetDefault(spdlog::sink_ptr sink) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("lockstep", std::move(sink)));
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void Log(LogLevel level, const std::string& message, const LogFields& fields) {
  g_fields = &fields;
  spdlog::log(LevelOf(level), spdlog::string_view_t(message.data(), message.size()));
  g_fields = nullptr;
}

struct LogScope::Before {
  std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  spdlog::level::level_enum level = spdlog::get_level();
};

LogScope::LogScope(std::ostream& out, const std::string& level, const std::string& format)
    : before_(std::make_unique<Before>()) {
  if (format == "journal") {
    SetDefault(std::make_shared<JournalSink>());
  } else {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true);
    sink->set_formatter(std::make_unique<LineFormat>(format == "json"));
    SetDefault(std::move(sink));
  }
  spdlog::set_level(spdlog::level::from_str(level));
}

LogScope::~LogScope() {
  spdlog::set_default_logger(before_->logger);
  spdlog::set_level(before_->level);
}

bool IsLoggedToJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");  // "device:inode", see systemd.exec(5)
  struct stat info {};
  return stream != nullptr && fstat(STDERR_FILENO, &info) == 0 &&
         std::to_string(info.st_dev) + ':' + std::to_string(info.st_ino) == stream;
}

}  // namespace lockstep
