"""What a person asks of an app, on a real engine: stop, start, restart, remove, purge, pause."""
import subprocess
import unittest

from harness import ENGINE_SH, EngineTest, wait_until


class RequestsTest(EngineTest):
    def ask(self, *args, expect=0):
        return self.assert_exit(expect, self.device.run(*args))

    def restart_engine(self):
        for word in ("term", "start-again"):
            subprocess.run([ENGINE_SH, word, self.engine.dir], check=True, capture_output=True)
        wait_until(lambda: {"db", "worker"} <= set(self.engine.running()), "the engine started what is to run")

    def test_what_is_stopped_stays_stopped(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.ask("stop", "shop", "web")
        rest = {name: before[name] for name in ("db", "worker")}
        self.assertEqual(rest, self.engine.running())
        self.apply(self.release_a())
        self.assertEqual(rest, self.engine.running())
        self.apply(self.release_b())
        self.assertEqual({"db", "worker"}, set(self.engine.running()))
        self.ask("start", "shop", "web")
        self.assert_at_rest(self.release_b())

    def test_what_is_stopped_does_not_come_back_with_the_engine(self):
        self.apply(self.release_a())
        self.ask("stop", "shop", "web")
        self.restart_engine()
        self.assertEqual({"db", "worker"}, set(self.engine.running()))
        # Nor what was made for a later release, and never ran.
        self.apply(self.release_b())
        self.restart_engine()
        self.assertEqual({"db", "worker"}, set(self.engine.running()))
        self.ask("start", "shop")
        self.assert_at_rest(self.release_b())
        self.stranger_before = self.engine.inspect(self.stranger)["State"]

    def test_a_restart_waits_for_the_locks(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("db")
        self.ask("restart", "shop", "web", "--no-wait", expect=3)
        self.assertEqual(before, self.engine.running())
        self.drop_lock("db")
        self.ask("restart", "shop", "web")
        after = self.engine.running()
        self.assertEqual(before["web"][0], after["web"][0])
        self.assertNotEqual(before["web"][1], after["web"][1])
        self.assertEqual(before["db"], after["db"])
        self.assert_at_rest(self.release_a())

    def test_a_restart_goes_along_dependencies_and_by_force(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("worker")
        self.ask("restart", "shop", "--force")
        after = self.engine.running()
        self.assertTrue(all(before[name][1] != after[name][1] for name in before))
        self.assertLess(after["db"][1], after["web"][1])
        self.assert_at_rest(self.release_a())

    def compose(self, image="db:1"):
        return self.device.write(
            f'name: till\nservices:\n  db: {{image: "{self.image(image)}", restart: always, volumes: ["data:/data"]}}\n'
            "volumes: {data: }\n", "till.yml")

    def marks(self, app):
        container, _ = self.engine.running(app)["db"]
        return container, self.engine.execute(container, "test", "-e", "/data/mark")

    def test_remove_keeps_the_volumes_and_touches_no_other_app(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.assert_exit(0, self.device.run("apply", self.compose()))
        container, _ = self.engine.running("till")["db"]
        self.assertEqual(0, self.engine.execute(container, "touch", "/data/mark"))
        self.ask("remove", "till")
        self.assertEqual([], self.engine.containers("till"))
        self.assertFalse((self.engine.locks_root / "till").exists())
        self.assertEqual(before, self.engine.running())
        self.assert_exit(0, self.device.run("apply", self.compose()))
        self.assertEqual(0, self.marks("till")[1], "the volume kept its data")

    def test_purge_gives_an_empty_volume(self):
        self.assert_exit(0, self.device.run("apply", self.compose()))
        container, _ = self.engine.running("till")["db"]
        self.assertEqual(0, self.engine.execute(container, "touch", "/data/mark"))
        self.ask("purge", "till", "data")
        after, missing = self.marks("till")
        self.assertNotEqual(container, after)
        self.assertEqual(1, missing)
        plan = self.device.json("plan", self.compose())
        self.assertEqual([], plan["steps"])

    def test_a_pause_downloads_and_does_not_cut_over(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.ask("pause", "shop")
        self.apply(self.release_b(), "--force", expect=3)
        self.assertEqual(before, self.engine.running())
        self.assertIn(self.image("web:2"), self.engine.images())
        self.assertEqual("held", self.device.json("plan", self.release_b())["status"])
        self.ask("resume", "shop")
        self.apply(self.release_b())
        self.assert_at_rest(self.release_b())


if __name__ == "__main__":
    unittest.main()
