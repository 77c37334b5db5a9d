// What a page of ours may do in a browser.
#ifndef LOCKSTEP_INTEGRATION_AGENT_PAGE_POLICY_H_
#define LOCKSTEP_INTEGRATION_AGENT_PAGE_POLICY_H_

#include <string>
#include <string_view>

namespace lockstep {

// A Content-Security-Policy (https://www.w3.org/TR/CSP3/) for `html`: what stands in its <script>
// and <style> elements may run, by its hash, and nothing that comes in beside it; it asks its own
// server only; and text is never taken as HTML (trusted types).
std::string PagePolicy(std::string_view html);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_AGENT_PAGE_POLICY_H_
