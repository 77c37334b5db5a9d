"""apply is killed, or asked to end, at moments of an update: no lock is stranded, nothing is half or twice."""
import os
import random
import signal
import unittest

from harness import EngineTest, Proxy, kill, read_until


class InterruptionTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.proxy = Proxy(self.engine.socket)
        self.addCleanup(self.proxy.close)

    def start_apply(self, document, act):
        """Starts apply; `act(process, number, line)` sees each change before the engine does."""
        self.proxy.requests.clear()
        process = None

        def on_request(line):
            if line.startswith(("GET", "HEAD")):
                return True
            return act(process, len(self.proxy.changes()), line)

        self.proxy.on_request = None
        document = self.device.write(document)
        gate = self.proxy.lock
        with gate:  # No request passes before `process` is known.
            process = self.device.start("apply", document, engine_url=self.proxy.url)
            self.proxy.on_request = on_request
        self.addCleanup(setattr, self.proxy, "on_request", None)
        return process

    def test_killed_at_any_moment_the_next_apply_finishes(self):
        releases = [self.release_a(), self.release_b()]
        self.apply(releases[0])
        process = self.start_apply(releases[1], lambda *_: True)
        self.assertEqual(0, process.wait(90))
        changes = len(self.proxy.changes())
        first_stop = next(i for i, line in enumerate(self.proxy.changes(), 1) if "/stop" in line)

        seed = int(os.environ.get("LOCKSTEP_SEED", random.randrange(10**6)))
        dice = random.Random(seed)
        rounds = int(os.environ.get("LOCKSTEP_KILLS", 4))
        # The first stop always; then any moment from there to the end of the update.
        moments = [first_stop] + [dice.randint(first_stop, changes) for _ in range(rounds - 1)]
        for index, moment in enumerate(moments):
            goal = releases[index % 2]
            seen_by_engine = dice.random() < 0.5
            with self.subTest(seed=seed, moment=moment, of=changes, seen_by_engine=seen_by_engine):
                def act(victim, number, _line, moment=moment, seen=seen_by_engine):
                    if number < moment:
                        return True
                    kill(victim)
                    return seen and number == moment
                process = self.start_apply(goal, act)
                # The way back may take fewer changes than the way there, and end before this moment.
                self.assertIn(process.wait(90), [-signal.SIGKILL] + [0] * (moment > first_stop))
                self.proxy.on_request = None
                self.engine.running()  # No service runs twice.
                self.apply(goal)
                self.assert_at_rest(goal)

    def test_interrupt_in_the_cutover_leaves_a_whole_release(self):
        self.apply(self.release_a())

        sent = []

        def act(process, _number, line):
            if "/stop" in line and not sent:  # A second one would end it where it is.
                sent.append(line)
                process.send_signal(signal.SIGINT)
            return True

        process = self.start_apply(self.release_b(), act)
        self.assertEqual(130, process.wait(90), process.stderr.read())
        self.assertEqual({"db", "web", "worker"}, set(self.engine.running()))
        images = {c["Config"]["Labels"]["io.balena.service-name"]: c["Config"]["Image"]
                  for c in self.engine.containers() if c["State"]["Running"]}
        self.assertIn((images["web"], images["worker"]),
                      [(self.image(f"web:{n}"), self.image(f"worker:{n}")) for n in (1, 2)])
        self.assertEqual([], self.engine.locks_on_disk())
        self.apply(self.release_b())
        self.assert_at_rest(self.release_b())

    def test_interrupt_while_held_ends_at_once_and_touches_nothing(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("web")
        process = self.device.start("apply", self.release_b(), "--json")
        read_until(process, "held")
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(10))
        self.assertEqual(before, self.engine.running())
        self.assertEqual(1, len(self.engine.locks_on_disk()), "the app's own lock stays, ours does not")
        self.drop_lock("web")

    def test_killed_while_it_downloads_the_next_apply_finishes(self):
        self.apply(self.release_a())

        def act(process, _number, line):
            if "/images/create" in line:
                kill(process)
            return True

        process = self.start_apply(self.release_b(), act)
        self.assertEqual(-signal.SIGKILL, process.wait(30))
        self.apply(self.release_b())
        self.assert_at_rest(self.release_b())


if __name__ == "__main__":
    unittest.main()
