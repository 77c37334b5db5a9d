// Books: what the runtime knows of its containers, networks and volumes, and keeps in a file.
#ifndef CUSTOM_AGENT_BOOKS_H_
#define CUSTOM_AGENT_BOOKS_H_

#include <lockstep/observed_state.h>
#include <lockstep/result.h>

#include <map>
#include <string>
#include <vector>

namespace custom {

struct Container {
  lockstep::ObservedContainer seen;                // All there is to know, `networks` apart.
  std::map<std::string, std::string> environment;  // Of its process.
  std::map<std::string, std::string> networks;     // Name -> id of the one that it is attached to.
  std::string process;                             // Process::identity(), while it runs.
};

struct Books {
  std::map<std::string, Container> containers;  // By id.
  std::vector<lockstep::ObservedNetwork> networks;
  std::vector<lockstep::ObservedVolume> volumes;
};

// Fills in what the labels and the name of a container say: whose it is, and of which release.
void Recognise(lockstep::ObservedContainer& container);

// Empty ones where there is no file. Error: kUnavailable (it cannot be read, or is damaged).
lockstep::Result<Books> ReadBooks(const std::string& file);
// Replaces the file whole; durable when it returns. Errors: kNoSpace, kPermissionDenied,
// kUnavailable.
lockstep::Result<void> WriteBooks(const std::string& file, const Books& books);

}  // namespace custom

#endif  // CUSTOM_AGENT_BOOKS_H_
