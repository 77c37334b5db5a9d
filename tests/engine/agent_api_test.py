"""The agent's API beside a real engine: what people and containers ask of it, and what does not hold up an update."""
import concurrent.futures
import json
import socket
import threading
import time
import unittest

from agent_harness import Agent, free_port, over_tcp
from harness import APP, APP_ID, EngineTest, wait_until


class AgentApiTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.agent = Agent(self.device, "--api-listen", f"127.0.0.1:{self.port}")
        self.agent.put(self.release_a())
        self.agent.start()
        self.agent.await_release(self.release_a())

    def over_tcp(self, method, path, key=None, body=None, **headers):
        if key:
            headers["Authorization"] = "Bearer " + key
        return over_tcp(self.port, method, path, json.dumps(body) if body is not None else None, headers)

    def device_key(self):
        return (self.device.dir / "state" / "api-key").read_text().strip()

    def command(self, *args):
        return self.device.run(*args, "--api-socket", self.agent.socket)

    def test_what_locks_forbid_is_423_with_the_holders(self):
        before = self.engine.running()
        self.take_lock("web")
        for path, body in [(f"/v2/applications/{APP_ID}/restart-service", {"serviceName": "web"}),
                           (f"/v2/applications/{APP_ID}/stop-service", {"serviceName": "db"}),
                           (f"/v2/applications/{APP_ID}/restart", {}), (f"/v2/applications/{APP}/purge", {}),
                           ("/v1/restart", {"appId": APP_ID}), ("/v1/reboot", {}), ("/v1/shutdown", {})]:
            status, text = self.agent.request("POST", path, body)
            self.assertEqual(423, status, f"{path}: {text}")
            self.assertEqual("failed", json.loads(text)["status"])
            self.assertEqual(["web"], [holder["service"] for holder in json.loads(text)["holders"]])
        self.assertEqual(["web"], [holder["service"] for holder in self.agent.get("/v1/locks")])
        self.assertEqual(before, self.engine.running())
        self.drop_lock("web")

    def test_restarts_a_service_and_no_other(self):
        before = self.engine.running()
        status, text = self.agent.request("POST", f"/v2/applications/{APP_ID}/restart-service", {"serviceName": "web"})
        self.assertEqual((200, "OK"), (status, text))
        wait_until(lambda: self.engine.running().get("web", before["web"])[1] != before["web"][1], "web restarted")
        wait_until(lambda: self.agent.is_in_sync(40 * "a"), "in sync")
        after = self.engine.running()
        self.assertEqual({k: v for k, v in before.items() if k != "web"}, {k: v for k, v in after.items() if k != "web"})
        self.assertEqual(before["web"][0], after["web"][0], "the same container")

    def test_a_service_that_is_stopped_stays_so_until_it_is_started(self):
        self.assert_exit(0, self.command("stop", "shop", "web"))
        wait_until(lambda: set(self.engine.running()) == {"db", "worker"}, "web is stopped")
        self.agent.put(self.release_b())
        wait_until(lambda: self.agent.is_in_sync(40 * "b"), "the next release", 90)
        self.assertEqual({"db", "worker"}, set(self.engine.running()))
        self.assert_exit(0, self.command("start", "shop", "web"))
        wait_until(lambda: set(self.engine.running()) == {"db", "web", "worker"}, "web runs")

    def test_a_command_that_does_not_wait_is_held_by_a_lock(self):
        self.take_lock("db")
        self.assert_exit(3, self.command("restart", "shop", "--no-wait"))
        self.assertEqual(1, self.command("restart", "shopp").returncode)
        self.drop_lock("db")

    def test_a_paused_app_downloads_and_changes_nothing(self):
        before = self.engine.running()
        self.assert_exit(0, self.command("pause"))
        self.agent.put(self.release_b())
        wait_until(lambda: self.image("web:2") in self.engine.images(), "it downloads")
        wait_until(lambda: self.agent.get("/v1/plan")["status"] == "held", "held")
        self.assertEqual(before, self.engine.running())
        for force in (False, True):
            status, text = self.agent.request("POST", "/v1/reboot", {"force": force})
            self.assertEqual(423, status, text)
            self.assertIn("paused by a person", json.loads(text)["message"])
        self.assert_exit(0, self.command("resume"))
        self.agent.await_release(self.release_b())

    def test_force_runs_over_a_lock_once(self):
        self.take_lock("web")
        self.agent.put(self.release_b())
        wait_until(lambda: self.agent.events("held"), "held")
        self.assertEqual(204, self.agent.request("POST", "/v1/update", {"force": True})[0])
        self.agent.await_release(self.release_b())
        self.assertEqual([], self.engine.locks_on_disk())

    def test_over_tcp_a_key_opens_what_is_its_own(self):
        self.assertEqual(401, self.over_tcp("GET", "/v1/device")[0])
        self.assertEqual(401, self.over_tcp("GET", "/v1/device", "0" * 64)[0])
        self.assertEqual(200, self.over_tcp("GET", "/v1/plan", self.device_key())[0])
        self.assertEqual(200, self.over_tcp("GET", "/v1/healthy")[0])
        self.assertEqual(421, self.over_tcp("GET", "/", Host="evil.example")[0])
        self.assertEqual(403, self.over_tcp("POST", "/v1/update", self.device_key(), {},
                                            Origin="http://evil.example")[0])
        wrong = [self.over_tcp("GET", "/v1/device", f"{i:064d}")[0] for i in range(20)]
        self.assertIn(429, wrong)
        self.assertEqual(200, self.over_tcp("GET", "/v1/plan", self.device_key())[0], "the right key still opens")

    def test_a_container_is_given_a_key_for_its_own_app(self):
        document = self.release_a()
        app = document["d" * 32]["apps"][APP]
        (release,) = app["releases"].values()
        release["services"]["web"]["labels"]["io.balena.features.supervisor-api"] = "1"
        self.agent.stop()
        self.agent.args += ["--api-address", "192.0.2.1"]
        self.agent.put(document)
        self.agent.start()
        wait_until(lambda: self.agent.is_in_sync(40 * "a"), "in sync", 60)
        container, _ = self.engine.running()["web"]
        variables = dict(v.split("=", 1) for v in self.engine.inspect(container)["Config"]["Env"])
        self.assertEqual(f"http://192.0.2.1:{self.port}", variables["BALENA_SUPERVISOR_ADDRESS"])
        key = variables["BALENA_SUPERVISOR_API_KEY"]
        self.assertEqual(200, self.over_tcp("GET", f"/v2/applications/state?apikey={key}")[0])
        self.assertEqual(401, self.over_tcp("GET", "/v1/plan", key)[0], "the plan is the device's")
        self.assertEqual(401, self.over_tcp("POST", "/v2/applications/99/restart", key, {})[0])
        self.assertEqual(200, self.over_tcp("POST", f"/v2/applications/{APP_ID}/restart", key, {})[0])

    def test_slow_readers_and_a_thousand_clients_do_not_hold_up_an_update(self):
        quiet = self.time_of_an_update(self.release_b())
        slow = []
        for _ in range(20):  # Read nothing of the stream of events.
            client = socket.socket(socket.AF_UNIX)
            client.connect(self.agent.socket)
            client.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            slow.append(client)
        stop = threading.Event()
        answered = [0]

        def ask():
            while not stop.is_set():
                status, _ = self.agent.request("GET", "/v1/device")
                answered[0] += status == 200
                time.sleep(1)  # A thousand of them are a thousand requests a second.
        with concurrent.futures.ThreadPoolExecutor(1000) as pool:
            for _ in range(1000):
                pool.submit(ask)
            wait_until(lambda: answered[0] > 1000, "all are answered", 60)
            busy = self.time_of_an_update(self.release_a())
            stop.set()
        for client in slow:
            client.close()
        print(f"an update with nobody else: {quiet:.1f} s; with 1,000 clients and 20 slow readers: {busy:.1f} s")

    def time_of_an_update(self, document):
        begin = time.monotonic()
        self.agent.put(document)
        self.agent.await_release(document, 180)
        return time.monotonic() - begin


if __name__ == "__main__":
    unittest.main()
