"""What the tests of the page share: one browser, one agent, and what every test ends with."""
import os
import pathlib
import unittest
import urllib.parse

import agents
import browser

_shared = {}


def shared(name, make):
    if name not in _shared:
        _shared[name] = make()
    return _shared[name]


class PageTest(unittest.TestCase):
    """Each has a page of its own. In the end the console must have said nothing, no policy been violated, and nobody else
    been asked for anything."""

    failing_requests = False  # A test may expect some.

    def setUp(self):
        self.browser = shared("browser", browser.Browser)
        self.agent = shared("agent", agents.Agent)
        self.page = self.browser.page()
        self.addCleanup(self.page.close)

    def tearDown(self):
        pictures = os.environ.get("LOCKSTEP_PICTURES")
        if pictures:
            self.page.screenshot(pathlib.Path(pictures, self._testMethodName + ".png"))
        self.assertEqual(self.page.problems, [])
        if not self.failing_requests:
            self.assertEqual(self.page.failed_requests, [])
        origin = urllib.parse.urlsplit(self.page.eval("location.origin")).netloc
        elsewhere = [url for url in self.page.urls if urllib.parse.urlsplit(url).netloc != origin and not url.startswith(("data:", "about:"))]
        self.assertEqual(elsewhere, [])

    def open(self, url, key):
        self.page.goto(url)
        self.page.wait("document.activeElement.id === 'key'")
        self.page.type(key)
        self.page.press("Enter")
        self.page.wait_text("Live", "header")

    def open_agent(self):
        self.agent.wait_at_rest()
        self.open(self.agent.url, self.agent.key)
        self.page.wait_text("Everything is as it should be")

    def open_api(self):
        self.api = agents.Api(self.agent)
        self.addCleanup(self.api.close)
        return self.api
