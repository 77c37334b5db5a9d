"""An update survives a bad engine: connections that are cut, replies that are lost, half or wrong, and an engine that dies."""
import os
import random
import subprocess
import time
import unittest

import fault_proxy
from harness import APP, APP_ID, DEVICE, ENGINE_SH, EngineTest, Proxy, read_until, target, wait_until

TRIES = 6  # Of `apply`, as an agent would make them. Faults are spent long before.
# As CI runs it: of each way to fail one, and of each death.
CHOSEN = ["cut-reply-0", "kill-after", "error-after", "powercut", "cut-request", "term"]
# Ends with an error when it is told to stop: one that ends with 0 is done, as far as `on-failure` goes.
UNTIL_STOPPED = ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 3600 & wait $!; done"]
SETTLES_BY_HEALTH = {"test": ["CMD", "true"], "interval": "1s", "timeout": "5s", "retries": 5}


class FaultTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.proxy = fault_proxy.FaultProxy(self.engine.socket, self.harm_engine)
        self.addCleanup(self.proxy.close)

    def harm_engine(self, what):
        for verb in (what, "start-again"):
            subprocess.run([ENGINE_SH, verb, self.engine.dir], check=True, capture_output=True)

    def check_stranger(self):
        # It stops with the engine; that is not Lockstep's doing.
        self.assertEqual("/" + "web_1_1_" + "a" * 40, self.engine.inspect(self.stranger)["Name"])

    def release(self, seed):
        """What a seed makes the target. That of the next one differs in every service."""
        dice = random.Random(f"target {seed}")
        number = seed % 2 + 1
        common = {"environment": {"SEED": str(seed)}, "networks": {"default": {}}}
        if dice.random() < 0.85:  # Else each settles in ten seconds.
            common["healthcheck"] = SETTLES_BY_HEALTH
        both = {"default": {}, "front": {"aliases": ["shop"]}}
        services = {
            "db": {"image": self.image(f"db:{number}"), "volumes": ["data:/data"]},
            "web": {"image": self.image(f"web:{number}"), "depends_on": ["db"], "networks": both},
            "worker": {"image": self.image(f"worker:{number}"), "restart": "on-failure", "depends_on": ["db"],
                       "command": UNTIL_STOPPED},
            "cache": {"image": self.image(f"app:v{number}"), "restart": "unless-stopped"},
            "edge": {"image": self.image(f"app:v{number}"), "depends_on": ["web"], "networks": {"front": {}}}}
        document = target("a", {name: {**common, **service} for name, service in services.items()})
        releases = document[DEVICE]["apps"][APP]["releases"]
        release = releases.pop("a" * 40)
        releases[f"{seed + 1:040x}"] = release
        release["id"] = seed + 1
        for service in release["services"].values():
            service["image_id"] = seed + 1
        release["networks"]["front"] = {"labels": {"shape": "other"}} if dice.random() < 0.3 else {}
        if dice.random() < 0.3:
            release["volumes"]["more"] = {}
            release["services"]["cache"]["composition"]["volumes"] = ["more:/more"]
        if dice.random() < 0.25:
            strategy = dice.choice(["kill-then-download", "hand-over", "delete-then-download"])
            release["services"][dice.choice(sorted(services))]["labels"] = {
                "io.balena.update.strategy": strategy, "io.balena.update.handover-timeout": "300"}
        return document

    def in_volume(self, *command):
        container, _ = self.engine.running()["db"]
        return self.engine.execute(container, *command)

    def assert_at_rest(self, document):
        (commit, release), = document[DEVICE]["apps"][APP]["releases"].items()
        services = release["services"]
        containers = self.engine.containers()
        self.assertEqual(sorted(services), sorted(c["Config"]["Labels"]["io.balena.service-name"] for c in containers))
        self.assertEqual(set(services), set(self.engine.running()))
        everything = self.engine.call("GET", "/containers/json?all=1")
        self.assertEqual({self.stranger} | {c["Id"] for c in containers}, {c["Id"] for c in everything})
        networks = self.engine.call("GET", "/networks")
        own = {f"{APP}_{name}" for name in release["networks"]}
        self.assertEqual(sorted({"bridge", "host", "none"} | own), sorted(n["Name"] for n in networks))
        ids = {n["Name"]: n["Id"] for n in networks}
        for container in containers:
            name = container["Config"]["Labels"]["io.balena.service-name"]
            service = services[name]
            self.assertEqual(f"/{name}_{release['id']}_{release['id']}_{commit}", container["Name"])
            self.assertEqual(service["image"], container["Config"]["Image"])
            self.assertEqual(service["composition"]["restart"], container["HostConfig"]["RestartPolicy"]["Name"])
            attached = {n: e["NetworkID"] for n, e in container["NetworkSettings"]["Networks"].items()}
            self.assertEqual({n: ids[n] for n in (f"{APP}_{m}" for m in service["composition"]["networks"])}, attached)
        volumes = {v["Name"] for v in self.engine.call("GET", "/volumes")["Volumes"]}
        wanted = {f"{APP_ID}_{name}" for name in release["volumes"]}
        # A volume that no target names any more is kept.
        self.assertEqual(wanted, volumes - {f"{APP_ID}_more"} | wanted)
        self.assertLessEqual(wanted, volumes)
        self.assertEqual({s["image"] for s in services.values()} | {self.image("app:v1")}, self.engine.images())
        self.assertEqual([], self.engine.locks_on_disk())
        recorder = Proxy(self.engine.socket)
        try:
            finished = self.device.run("plan", document, "--detailed-exitcode", engine_url=recorder.url)
        finally:
            recorder.close()
        self.assert_exit(0, finished)
        self.assertLessEqual(len(recorder.requests), 5, recorder.requests)

    def apply_through(self, path, *args):
        finished = self.device.run("apply", path, *args, timeout=300, engine_url=self.proxy.url)
        self.proxy.await_engine()
        return finished

    def hold(self, path):
        """Nothing that runs is touched while an app has the lock of one of its services."""
        before = self.engine.running()
        self.take_lock("web")
        for _ in range(TRIES):
            finished = self.apply_through(path, "--no-wait")
            self.assertEqual(before, self.engine.running(), "touched while its lock was held")
            if finished.returncode == 3:
                break
        self.assert_exit(3, finished)
        self.assertEqual(1, len(self.engine.locks_on_disk()), "the app's own lock stays, ours does not")
        self.drop_lock("web")

    def update(self, seed, first):
        document = self.release(seed)
        path = self.device.write(document)
        self.assertEqual(0, self.in_volume("sh", "-c", f"echo {seed} >/data/marker"))
        dice = random.Random(f"lock {seed}")
        locked = first is None and dice.random() < 0.25
        self.proxy.arm(fault_proxy.schedule(seed, engine_faults=not locked, first=first))
        if locked:
            self.hold(path)
        ends = []
        for _ in range(TRIES):
            deaths = self.proxy.deaths
            finished = self.apply_through(path)
            ends.append(finished.returncode)
            self.assertIn(finished.returncode, (0, 1), finished.stderr)
            # Who died after the last look needs another one.
            if finished.returncode == 0 and deaths == self.proxy.deaths:
                break
        self.proxy.settle()
        self.assert_exit(0, finished)
        self.assertEqual(deaths, self.proxy.deaths)
        self.assert_at_rest(document)
        self.assertEqual(0, self.in_volume("grep", "-qx", str(seed), "/data/marker"), "the volume lost its data")
        return ends

    def test_update_ends_in_its_target_whatever_the_engine_does(self):
        only = os.environ.get("LOCKSTEP_FAULT_SEED")
        count = int(os.environ.get("LOCKSTEP_FAULTS", 0))
        if only:
            runs = [(int(only), None)]
        elif count:
            begin = int(os.environ.get("LOCKSTEP_FAULT_BEGIN", 1))
            runs = [(seed, None) for seed in range(begin, begin + count)]
        else:
            runs = list(enumerate(CHOSEN, 1))
        at = None  # The seed of what runs.
        for seed, first in runs:
            with self.subTest(seed=seed, first=first):
                if at != seed - 1:
                    self.apply(self.release(seed - 1))
                at = None
                self.proxy.fired.clear()
                begin = time.monotonic()
                try:
                    ends = self.update(seed, first)
                except BaseException:
                    self.proxy.settle()
                    print(f"\nLOCKSTEP_FAULT_SEED={seed} failed after", *self.proxy.fired, sep="\n  ", flush=True)
                    if os.environ.get("LOCKSTEP_FAULT_STOP"):
                        raise SystemExit(1) from None
                    self.engine.clear()
                    self.stranger = self.engine.run("web_1_1_" + "a" * 40, self.image("app:v1"))
                    raise
                at = seed
                kinds = [fired.split(":")[0] for fired in self.proxy.fired]
                print(f"seed {seed}: {time.monotonic() - begin:.0f} s, apply ended with {ends}; {' '.join(kinds)}", flush=True)


class EngineDeathTest(FaultTest):
    """The engine dies while an update waits for a lock."""

    test_update_ends_in_its_target_whatever_the_engine_does = None

    def setUp(self):
        super().setUp()
        self.apply(self.release(0))
        self.before = self.engine.running()
        self.take_lock("web")
        self.goal = self.release(1)
        self.process = self.device.start("apply", self.goal, "--json", engine_url=self.proxy.url)
        read_until(self.process, "held")
        wait_until(lambda: self.proxy.streams, "it listens to the engine")

    def harm(self, verb):
        subprocess.run([ENGINE_SH, verb, self.engine.dir], check=True, capture_output=True)

    def ids(self, running):
        return {service: container for service, (container, _) in running.items()}

    def assert_goes_on(self):
        read_until(self.process, "released")
        self.assertEqual(0, self.process.wait(120), self.process.stderr.read())
        self.assert_at_rest(self.goal)

    def test_it_waits_without_haste_and_starts_what_the_engine_left_stopped(self):
        self.harm("kill")
        # Each attempt is a call of its own; the pauses between them grow.
        wait_until(lambda: self.proxy.refused >= 3, "it looks for the engine")
        self.harm("start-again")
        self.assertLess(self.proxy.refused, 20)
        # The engine brings `always` back, and not `unless-stopped` and `on-failure`.
        wait_until(lambda: self.ids(self.engine.running()) == self.ids(self.before), "the release runs again as it was", 60)
        self.assertIsNone(self.process.poll())
        self.assertEqual(1, len(self.engine.locks_on_disk()))
        self.drop_lock("web")
        self.assert_goes_on()

    def test_it_hears_of_a_lock_that_was_released_while_the_engine_was_away(self):
        self.harm("kill")
        lock, = self.engine.locks_on_disk()
        os.unlink(lock)
        self.harm("start-again")
        self.assert_goes_on()

    def test_power_cut_leaves_the_lock_and_it_waits_on(self):
        self.harm("powercut")
        self.harm("start-again")
        wait_until(lambda: self.ids(self.engine.running()) == self.ids(self.before), "the release runs again as it was", 60)
        if self.process.poll() is not None:
            self.fail("\n".join(self.process.communicate()))
        self.drop_lock("web")
        self.assert_goes_on()


if __name__ == "__main__":
    unittest.main()
