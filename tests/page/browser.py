"""Chromium without a window, driven by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) over a pipe."""
import atexit
import base64
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 30
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def eventually(is_so, what):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = is_so()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.05)


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="lsp.", dir="/tmp")
        commands, self._out = os.pipe()
        self._in, replies = os.pipe()
        # It reads commands from descriptor 3 and answers on 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{replies}', "-", PROGRAM, "--headless=new", "--no-sandbox",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
             "--no-proxy-server", "--lang=en"],
            pass_fds=(commands, replies), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.profile, "stderr"), "w"), start_new_session=True)
        os.close(commands)
        os.close(replies)
        atexit.register(self.close)  # Also when the tests are interrupted.
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._replies = {}
        self._pages = {}
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while True:
            data = os.read(self._in, 1 << 16)
            if not data:
                break
            *whole, rest = (rest + data).split(b"\0")
            for text in whole:
                message = json.loads(text)
                with self._changed:
                    if "id" in message:
                        self._replies[message["id"]] = message
                    elif message.get("sessionId") in self._pages:
                        self._pages[message["sessionId"]].heard(message["method"], message["params"])
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def call(self, method, params=None, session=None):
        message = {"id": next(self._ids), "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        with self._changed:
            if not self._changed.wait_for(lambda: message["id"] in self._replies or self._ended, PATIENCE_S):
                raise RuntimeError(f"{method}: the browser does not answer")
            if message["id"] not in self._replies:
                said = pathlib.Path(self.profile, "stderr").read_text(errors="replace")
                raise RuntimeError(f"the browser has ended: {said[-2000:]}")
            reply = self._replies.pop(message["id"])
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def page(self):
        """A page that shares nothing with another."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        return Page(self, context, session)

    def close(self):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # Its own processes: it leads their session.
        self._process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, browser, context, session):
        self.browser, self.context, self.session = browser, context, session
        self.problems = []  # Exceptions, what the console says, violations of the policy.
        self.failed_requests = []  # What the browser says of requests that fail.
        self.urls = []
        browser._pages[session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.viewport(1280, 900)

    def heard(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded":
            entry = params["entry"]
            (self.failed_requests if entry["source"] == "network" else self.problems).append(entry["text"])
        elif method == "Network.requestWillBeSent":
            self.urls.append(params["request"]["url"])

    def call(self, method, params=None):
        return self.browser.call(method, params, self.session)

    def close(self):
        self.browser.call("Target.disposeBrowserContext", {"browserContextId": self.context})
        self.browser._pages.pop(self.session, None)

    def viewport(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def media(self, **features):
        """media(prefers_color_scheme="dark")"""
        self.call("Emulation.setEmulatedMedia",
                  {"features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})

    def goto(self, url):
        self.call("Page.navigate", {"url": url})
        self.wait("document.readyState === 'complete' && location.href.startsWith(%s)" % json.dumps(url))

    def eval(self, script):
        answer = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True, "allowUnsafeEvalBlockedByCSP": False})
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {json.dumps(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait(self, script):
        return eventually(lambda: self.eval(script), script)

    def text(self, selector="body"):
        """What is to be read there: hidden text is not."""
        return self.eval(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait_text(self, text, selector="body"):
        try:
            return eventually(lambda: text in self.text(selector), "")
        except AssertionError:
            raise AssertionError(f"never {text!r} in {selector}, but: {self.text(selector)}") from None

    def press(self, key):
        code = KEYS[key]
        event = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event, **({"text": "\r" if key == "Enter" else key} if key in ("Enter", " ") else {})})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def click(self, selector):
        """With the mouse, where it is."""
        x, y = self.wait(f"""(() => {{
          const node = document.querySelector({json.dumps(selector)});
          if (!node) return null;
          node.scrollIntoView({{block: 'center'}});
          const box = node.getBoundingClientRect();
          return box.width ? [box.x + box.width / 2, box.y + box.height / 2] : null;
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})

    def screenshot(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.call("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {
            "x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}})
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))
