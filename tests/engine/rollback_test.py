"""A release that does not become healthy: its app goes back to the containers that ran before, on a real engine."""
import concurrent.futures
import datetime
import json
import os
import pathlib
import signal
import time
import unittest

from harness import APP, DEVICE, EngineTest, Proxy, kill, read_until

ROLLBACK = "--rollback-on-failure"
NOW = {"command": ["sh", "-c", "echo no table; exit 3"], "restart": "no"}
TOLD = {"command": ["sh", "-c", "until [ -e /tmp/fail ]; do sleep 0.1; done; echo no table; exit 3"], "restart": "no"}
CHECK = {"test": ["CMD", "false"], "interval": "1s", "retries": 2}


def at(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


class RollbackTest(EngineTest):
    def release(self, letter, **jobs):
        """All three services are new in release b: web needs db. `jobs`: more of them."""
        document = self.shop(letter, web="web:2" if letter == "b" else "web:1")
        services = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))["services"]
        for service in services.values():
            service["environment"] = {"OF": letter}
        for name, composition in jobs.items():
            services[name] = {**services["worker"], "id": 90, "image_id": 90, "image": self.image("worker:2"),
                              "composition": {"networks": {"default": {}}, **composition}}
        return document

    def events(self, process, expect=4):
        lines, errors = process.communicate(timeout=200)
        self.assertEqual(expect, process.returncode, errors)
        return [json.loads(line) for line in lines.splitlines()]

    def assert_back(self, before):
        """The same containers, under their names and policies, and nothing of the other release."""
        after = self.engine.running()
        self.assertEqual({s: c for s, (c, _) in before.items()}, {s: c for s, (c, _) in after.items()})
        containers = self.engine.containers()
        self.assertEqual(len(before), len(containers), [c["Name"] for c in containers])
        for container in containers:
            self.assertTrue(container["Name"].endswith("a" * 40), container["Name"])
            self.assertEqual("always", container["HostConfig"]["RestartPolicy"]["Name"])
        self.assertEqual([], self.engine.locks_on_disk())

    def test_failing_health_check_brings_the_old_containers_back_in_order(self):
        self.apply(self.release("a"))
        before = self.engine.running()
        self.assertEqual(0, self.engine.execute(before["db"][0], "touch", "/data/mark"))
        document = self.release("b")
        release = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))
        release["services"]["web"]["composition"]["healthcheck"] = CHECK
        proxy = Proxy(self.engine.socket)
        self.addCleanup(proxy.close)
        events = self.events(self.device.start("apply", document, "--json", ROLLBACK, engine_url=proxy.url))
        self.assertEqual(1, len([e for e in events if e["event"] == "rolled-back"]))
        self.assertEqual([], [e for e in events if e["event"] == "committed"])
        failed = next(e for e in events if e["event"] == "step-failed")
        self.assertEqual(("web", "await-health"), (failed["service"], failed["kind"]))
        self.assert_back(before)
        self.assertEqual(0, self.engine.execute(before["db"][0], "test", "-e", "/data/mark"), "the volume is kept")
        self.assertNotIn(self.image("web:2"), self.engine.images())

        calls = [line for line in proxy.changes() if "/stop" in line or "/start" in line]
        def place(service, what):
            return next(i for i, line in enumerate(calls) if before[service][0] in line and what in line)
        self.assertLess(place("db", "/start"), place("web", "/start"))
        stops = [i for i, line in enumerate(calls) if "/stop" in line][3:]
        self.assertEqual(3, len(stops))
        self.assertLess(max(stops), place("db", "/start"))

        plan = self.device.json("plan", document)
        gap, = plan["apps"][0]["gaps"]
        self.assertEqual("release-failed", gap["code"])
        self.assertIn("did not become healthy on this device (web)", gap["message"])
        self.assertEqual([], plan["steps"])

    def start_with_a_job_that_can_fail(self):
        """Release a runs, and b has been started, but for its settling: the job fails when it is told to."""
        self.apply(self.release("a"))
        before = self.engine.running()
        update = self.device.start("apply", self.release("b", job=TOLD), "--json", "--settle", "50s", ROLLBACK)
        for line in update.stdout:
            event = json.loads(line)
            if (event["event"], event.get("kind")) == ("step-done", "release-locks"):
                return before, update
        self.fail("it ended before")

    def let_the_job_fail(self):
        self.engine.execute_beside(self.engine.running()["job"][0], "touch", "/tmp/fail")

    def test_lock_taken_in_between_holds_the_way_back(self):
        before, update = self.start_with_a_job_that_can_fail()
        self.take_lock("worker")
        self.let_the_job_fail()
        read_until(update, "held")
        new = self.engine.running()
        self.assertEqual({"db", "web", "worker"}, set(new), "the new services stay up")
        for service, (container, _) in before.items():
            self.assertNotEqual(container, new[service][0])
            self.assertFalse(self.engine.inspect(container)["State"]["Running"])
        self.assertIn(self.image("web:1"), self.engine.images())
        self.assertIsNone(update.poll())
        self.assertEqual(0, self.engine.execute(new["worker"][0], "rm", "-f", "/tmp/balena/updates.lock"))
        events = self.events(update)
        self.assertIn("rolled-back", [e["event"] for e in events])
        self.assert_back(before)

    def stop_registry(self):
        """It answers nobody any more, until the test ends. Ours alone has its configuration in this directory."""
        serves = f"serve\0{self.engine.dir}/registry.yml\0".encode()
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found = entry.read_bytes()
            except OSError:
                continue
            if found.startswith(b"docker-registry\0") and serves in found:
                registry = int(entry.parent.name)
                self.addCleanup(os.kill, registry, signal.SIGCONT)
                return os.kill(registry, signal.SIGSTOP)
        self.fail("no registry")

    def test_needs_no_registry(self):
        before, update = self.start_with_a_job_that_can_fail()
        self.stop_registry()
        self.let_the_job_fail()
        self.events(update)
        self.assert_back(before)

    def test_killed_on_its_way_back_the_next_run_goes_on(self):
        # Going forward three are stopped, four are started, and nothing is removed.
        for stage, number in (("/stop", 4), ("/stop", 6), ("/start", 5), ("/start", 7), ("DELETE", 1), ("DELETE", 3)):
            with self.subTest(stage=stage, number=number):
                self.apply(self.release("a"))
                before = self.engine.running()
                proxy = Proxy(self.engine.socket)
                self.addCleanup(proxy.close)

                def on_request(line, stage=stage, number=number, proxy=proxy):
                    if stage in line and sum(stage in r for r in proxy.changes()) == number:
                        kill(update)

                with proxy.lock:  # No request passes before `update` is known.
                    update = self.device.start("apply", self.release("b", job=NOW), "--json", ROLLBACK,
                                               engine_url=proxy.url)
                    proxy.on_request = on_request
                update.communicate(timeout=100)
                proxy.on_request = None
                self.assertEqual(-signal.SIGKILL, update.returncode)
                finished = self.device.run("apply", self.release("b", job=NOW))
                self.assertEqual(4, finished.returncode, finished.stdout + finished.stderr)
                self.assertIn("it went back to release aaaaaaaa", finished.stdout)
                self.assert_back(before)

    def by_hand(self, containers):
        """Seconds for stopping and starting these, two at once, in the same order."""
        def both(what, services):
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda s: self.engine.call("POST", f"/containers/{containers[s][0]}/{what}"), services))
        begin = time.monotonic()
        both("stop", ["web", "worker"])
        both("stop", ["db"])
        both("start", ["db", "worker"])
        both("start", ["web"])
        return time.monotonic() - begin

    def test_takes_little_more_than_the_engine_does(self):
        self.apply(self.release("a"))
        before = self.engine.running()
        ratios = []
        for _ in range(3):
            events = self.events(self.device.start("apply", self.release("b", job=NOW), "--json", ROLLBACK))
            seen = at(next(e for e in events if e["event"] == "step-failed"))
            up = max(at(e) for e in events if e["event"] == "step-done" and e["kind"] == "start-container"
                     and at(e) > seen)
            hand = self.by_hand(before)
            ratios.append((up - seen) / hand)
            print(f"back in {up - seen:.2f} s; by hand {hand:.2f} s; ratio {ratios[-1]:.2f}", flush=True)
        self.assertLess(min(ratios), 1.5)


if __name__ == "__main__":
    unittest.main()
