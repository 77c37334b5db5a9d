"""The agent and a backend: a device that is told its target from there, and what is wrong with what it hears."""
import http.server
import json
import threading
import unittest

from agent_harness import Agent
from harness import DEVICE, EngineTest, wait_until

KEY = "k" * 32


class Backend:
    """GET /device/v3/<uuid>/state and PATCH /device/v3/state, on this machine."""

    def __init__(self):
        self.answer = None  # (status, headers, body); bytes alone are sent as they are.
        self.tag = 0
        self.asked = []     # (path, If-None-Match) of each GET.
        self.reports = []
        self.keys = set()
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                backend.keys.add(self.headers["Authorization"])
                backend.asked.append((self.path, self.headers["If-None-Match"]))
                answer = backend.answer
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                status, headers, body = answer
                if headers.get("ETag") and headers["ETag"] == self.headers["If-None-Match"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_PATCH(self):
                backend.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, document):
        self.tag += 1
        self.answer = (200, {"ETag": f'"{self.tag}"', "Content-Type": "application/json"}, json.dumps(document).encode())

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class BackendTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.backend = Backend()
        self.boot = self.device.dir / "boot"
        self.boot.mkdir()
        (self.boot / "config.json").write_text(json.dumps({
            "apiEndpoint": self.backend.url, "uuid": DEVICE, "deviceApiKey": KEY, "appUpdatePollInterval": "60000"}))
        self.agent = Agent(self.device, "--boot-dir", str(self.boot), source="balena")

    def ask_again(self):
        before = len(self.backend.asked)
        self.assertEqual(204, self.agent.request("POST", "/v1/update", {})[0])
        wait_until(lambda: len(self.backend.asked) > before, "it asks again")

    def test_follows_a_backend_and_nothing_that_it_hears_stops_what_runs(self):
        self.backend.serve(self.release_a())
        self.agent.start()
        self.agent.await_release(self.release_a())
        self.assertEqual({f"Bearer {KEY}"}, self.backend.keys)
        self.assertEqual((f"/device/v3/{DEVICE}/state", None), self.backend.asked[0])
        wait_until(lambda: '"Running"' in json.dumps(self.backend.reports), "the backend is told that it runs")
        before = self.engine.running()

        self.ask_again()
        self.assertEqual('"1"', self.backend.asked[-1][1])
        whole = json.dumps(self.release_b()).encode()
        other = json.dumps({"e" * 32: next(iter(self.release_b().values()))}).encode()
        # Each ask waits its turn: it has ten seconds between them. What else there is the unit tests try.
        for wrong in [(200, {}, b"<html>captive portal</html>"), (200, {}, whole[:len(whole) // 2]), b"", (200, {}, other),
                      (401, {}, b"{}"), (429, {"Retry-After": "1"}, b"")]:
            with self.subTest(wrong=str(wrong)[:60]):
                problems = len(self.agent.events("problem"))
                self.backend.answer = wrong
                self.ask_again()
                wait_until(lambda: len(self.agent.events("problem")) > problems, "it is reported")
                self.assertEqual(before, self.engine.running())

        self.backend.serve(self.release_b())
        # Asked once: each request makes it look again, and while it looks it is not at rest.
        self.ask_again()
        self.agent.await_release(self.release_b())
        self.assertEqual(0, self.agent.stop())

    def test_without_a_network_a_device_goes_on_with_its_last_target(self):
        self.backend.serve(self.release_a())
        self.agent.start()
        self.agent.await_release(self.release_a())
        self.agent.kill()
        self.backend.close()
        container, _ = self.engine.running()["web"]
        self.engine.call("POST", f"/containers/{container}/stop?t=1")
        self.agent.start()
        wait_until(lambda: set(self.engine.running()) == {"db", "web", "worker"}, "web runs again")
        self.agent.await_release(self.release_a())
        wait_until(lambda: self.agent.events("problem"), "that nobody answers is reported")
        self.assertEqual(0, self.agent.stop())


if __name__ == "__main__":
    unittest.main()
