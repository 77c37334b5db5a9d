"""The agent on a real engine: it follows its target, and is killed after each of its steps, as the engine is."""
import contextlib
import os
import pathlib
import random
import subprocess
import threading
import unittest

from agent_harness import Agent
from harness import APP, ENGINE_SH, EngineTest, target, wait_until

# How many of the steps of an update are tried: all by hand, some in CI.
ROUNDS = int(os.environ.get("LOCKSTEP_KILLS", 4))


@contextlib.contextmanager
def after(moment, steps, seed):
    """Says in an error what came before it. What comes after it would say nothing more."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"after step {moment} of {steps}, LOCKSTEP_SEED={seed}: {error}") from error


class AgentTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.agent = Agent(self.device)

    def five(self, release, number):
        """Five services, of which four change between the releases; db keeps its data."""
        return target(release, {
            "db": {"image": self.image("db:1"), "volumes": ["data:/data"]},
            "web": {"image": self.image(f"web:{number}"), "depends_on": ["db"]},
            "worker": {"image": self.image(f"worker:{number}")},
            "api": {"image": self.image("app:v1"), "environment": {"RELEASE": str(number)}, "depends_on": ["db"]},
            "ui": {"image": self.image("app:v1"), "environment": {"RELEASE": str(number)}, "depends_on": ["web"]}})

    def start(self, document):
        self.agent.put(document)
        self.agent.start()
        self.agent.await_release(document)

    def volumes(self):
        return {v["Name"]: v["CreatedAt"] for v in self.engine.call("GET", "/volumes")["Volumes"] or []}

    def test_follows_its_target(self):
        self.start(self.release_a())
        self.agent.put(self.release_b())
        self.agent.await_release(self.release_b())
        self.assertEqual(0, self.agent.stop())
        self.assert_at_rest(self.release_b())

    def test_waits_for_a_lock_and_goes_on_when_it_is_released(self):
        self.start(self.release_a())
        before = self.engine.running()
        self.take_lock("web")
        self.agent.put(self.release_b())
        wait_until(lambda: self.agent.events("held"), "held")
        self.assertEqual(before, self.engine.running())
        self.drop_lock("web")
        self.agent.await_release(self.release_b())

    def test_starts_again_what_somebody_stops(self):
        self.start(self.release_a())
        container, _ = self.engine.running()["web"]
        self.engine.call("POST", f"/containers/{container}/stop?t=1")
        wait_until(lambda: set(self.engine.running()) == {"db", "web", "worker"}, "web runs again")

    def test_an_unreadable_target_changes_nothing_and_is_reported(self):
        self.start(self.release_a())
        before = self.engine.running()
        self.agent.put("{ this is no target")
        wait_until(lambda: self.agent.events("problem"), "a problem")
        self.agent.put(self.release_a())
        self.assertEqual(before, self.engine.running())
        self.agent.put(self.release_b())
        self.agent.await_release(self.release_b())

    def test_targets_that_flip_lose_nothing_and_the_last_one_wins(self):
        self.start(self.release_a())
        volumes = self.volumes()
        for _ in range(4):
            for document in (self.release_b(), self.release_a()):
                self.agent.put(document)
                self.assertIsNone(self.agent.process.poll())
                wait_until(lambda: self.agent.get("/v1/plan") is not None, "an answer")
                self.engine.running()  # No service runs twice.
        self.agent.put(self.release_b())
        self.agent.await_release(self.release_b())
        self.assertEqual(volumes, self.volumes())
        self.assertEqual(0, self.agent.stop())
        self.assert_at_rest(self.release_b())

    def test_a_clock_that_jumps_by_years_holds_up_nothing_and_forgets_nothing(self):
        library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
        self.assertIsNotNone(library, "faketime is missing; run integration/setup.sh")
        clock = self.device.dir / "clock"
        self.agent.environment.update(LD_PRELOAD=str(library), FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1",
                                      FAKETIME_DONT_FAKE_MONOTONIC="1")

        def jump(offset):
            whole = clock.with_suffix(".new")  # An empty one means today.
            whole.write_text(offset)
            os.replace(whole, clock)

        jump("+0")
        self.start(self.release_a())
        volumes = self.volumes()
        self.take_lock("web")
        before = self.engine.running()
        for offset, document in (("+20y", self.release_b()), ("-30y", self.release_b())):
            jump(offset)
            self.agent.put(document)
            wait_until(lambda: self.agent.events("held"), "held")
            self.assertEqual(before, self.engine.running())
            self.agent.kill()
            self.agent.start()
        wait_until(lambda: self.agent.events("held"), "held")
        self.drop_lock("web")
        self.agent.await_release(self.release_b())
        jump("+50y")
        self.agent.put(self.release_a())
        self.agent.await_release(self.release_a())
        self.assertEqual(volumes, self.volumes())
        self.assertTrue(self.agent.records[-1]["time"].startswith("207"), self.agent.records[-1])
        self.assertEqual(0, self.agent.stop())

    def moments(self, steps, seed):
        """Which of the steps are the last ones before a kill."""
        if "LOCKSTEP_MOMENTS" in os.environ:
            return [int(m) for m in os.environ["LOCKSTEP_MOMENTS"].split(",")]
        if ROUNDS >= steps:
            return list(range(1, steps + 1))
        return sorted(random.Random(seed).sample(range(1, steps + 1), ROUNDS))

    def kill_after(self, number, act):
        """Calls act() when this many steps were done, from the thread that reads the log."""
        done = threading.Event()
        counter = [0]

        def on_record(record):
            if record.get("event") != "step-done" or done.is_set() or counter[0] >= number:
                return
            counter[0] += 1
            if counter[0] >= number:
                try:
                    act()
                finally:
                    done.set()
        self.agent.on_record = on_record
        return done

    def steps_of_an_update(self, releases):
        self.start(releases[0])
        before = len(self.agent.events("step-done"))
        self.agent.put(releases[1])
        self.agent.await_release(releases[1])
        return len(self.agent.events("step-done")) - before

    def check(self, document, volumes):
        self.engine.running()  # No service runs twice.
        self.assertEqual(volumes, self.volumes())
        self.assertEqual([], self.engine.locks_on_disk())
        containers = self.engine.containers()
        self.assertEqual(5, len(containers), [c["Name"] for c in containers])
        running = self.engine.running()
        self.assertEqual({"db", "web", "worker", "api", "ui"}, set(running))
        ours = {self.stranger} | {container for container, _ in running.values()}
        wait_until(lambda: set(self.engine.processes()) <= ours, "nothing runs that the engine does not know of")

    def test_killed_after_any_step_the_next_start_converges(self):
        releases = [self.five("a", 1), self.five("b", 2)]
        steps = self.steps_of_an_update(releases)
        volumes = self.volumes()
        seed = int(os.environ.get("LOCKSTEP_SEED", random.randrange(10**6)))
        for index, moment in enumerate(self.moments(steps, seed)):
            goal = releases[index % 2]
            with after(moment, steps, seed):
                done = self.kill_after(moment, self.agent.process.kill)
                self.agent.put(goal)
                wait_until(lambda: done.is_set() or self.agent.is_in_sync(next(iter(
                    goal["d" * 32]["apps"][APP]["releases"]))), "the step", 90)
                self.agent.on_record = None
                self.agent.kill()
                self.engine.running()
                self.agent.start()
                self.agent.await_release(goal)
                self.check(goal, volumes)
        self.assertEqual(0, self.agent.stop())

    def test_killed_while_an_app_is_locked_it_interrupts_nobody(self):
        self.start(self.release_a())
        before = self.engine.running()
        self.take_lock("web")
        self.agent.put(self.release_b())
        wait_until(lambda: self.agent.events("held"), "held")
        for _ in range(3):
            self.agent.kill()
            self.agent.start()
            wait_until(lambda: self.agent.events("held"), "held")
            self.assertEqual(before, self.engine.running())
        self.assertEqual(1, len(self.engine.locks_on_disk()), "the app's own lock stays, ours does not")
        self.drop_lock("web")
        self.agent.await_release(self.release_b())

    def test_with_the_engine_killed_after_any_step_it_converges(self):
        releases = [self.five("a", 1), self.five("b", 2)]
        steps = self.steps_of_an_update(releases)
        volumes = self.volumes()
        seed = int(os.environ.get("LOCKSTEP_SEED", random.randrange(10**6)))
        for index, moment in enumerate(self.moments(steps, seed)):
            goal = releases[index % 2]
            with after(moment, steps, seed):
                done = self.kill_after(moment, lambda: subprocess.run([ENGINE_SH, "kill", self.engine.dir], check=True))
                self.agent.put(goal)
                wait_until(done.is_set, "the step", 90)
                self.agent.on_record = None
                subprocess.run([ENGINE_SH, "start-again", self.engine.dir], check=True, capture_output=True)
                self.agent.await_release(goal)
                self.check(goal, volumes)
        self.stranger_before = self.engine.inspect(self.stranger)["State"]  # The engine's end was its end, too.
        self.assertEqual(0, self.agent.stop())


if __name__ == "__main__":
    unittest.main()
