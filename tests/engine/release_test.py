"""The main job on a real engine: from release A to release B, held by a lock that a real tool took."""
import json
import shutil
import unittest

from harness import APP, APP_ID, BINARY, DEVICE, EngineTest, Proxy, read_until, wait_until


class ReleaseTest(EngineTest):
    def test_release_waits_for_the_lock_and_is_applied_when_it_goes(self):
        self.apply(self.release_a())
        self.assert_at_rest(self.release_a())
        before = self.engine.running()
        self.take_lock("web")

        update = self.device.start("apply", self.release_b(), "--json")
        held = read_until(update, "held")
        self.assertEqual(APP, held["app"])
        # Everything that interrupts nobody is done meanwhile, and the three run on as they were.
        wait_until(lambda: len(self.engine.containers()) == 5, "the new containers are made")
        self.assertLessEqual({self.image("web:2"), self.image("worker:2")}, self.engine.images())
        self.assertEqual(before, self.engine.running())
        self.assertEqual({"created", "running"}, {c["State"]["Status"] for c in self.engine.containers()})

        holders = [lock for lock in self.device.json("locks") if lock["held"]]
        self.assertEqual([("web", "exclusive-file", "")],
                         [(lock["service"], lock["kind"], lock["holder"]) for lock in holders])
        plan = self.device.json("plan", self.release_b())
        self.assertEqual("held", plan["status"])
        self.assertEqual(["web"], [holder["service"] for holder in plan["apps"][0]["holders"]])
        self.assertIsNone(update.poll())

        self.drop_lock("web")
        read_until(update, "released")
        self.assertEqual(0, update.wait(90), update.stderr.read())
        self.assert_at_rest(self.release_b())
        after = self.engine.running()
        self.assertEqual(before["db"], after["db"], "db did not change and must not restart")
        for service in ("web", "worker"):
            self.assertNotEqual(before[service][0], after[service][0])
        self.assertNotIn(self.image("web:1"), self.engine.images())
        self.assertEqual(1, len(self.engine.call("GET", "/volumes")["Volumes"]))

    def test_plan_in_sync_needs_at_most_five_engine_calls(self):
        self.apply(self.release_a())
        proxy = Proxy(self.engine.socket)
        self.addCleanup(proxy.close)
        finished = self.device.run("plan", self.release_a(), "--detailed-exitcode", engine_url=proxy.url)
        self.assert_exit(0, finished)
        self.assertGreater(len(proxy.requests), 0)
        self.assertLessEqual(len(proxy.requests), 5, proxy.requests)

    def test_applying_what_runs_changes_nothing(self):
        self.apply(self.release_a())
        before = self.engine.running()
        proxy = Proxy(self.engine.socket)
        self.addCleanup(proxy.close)
        self.assert_exit(0, self.device.run("apply", self.release_a(), engine_url=proxy.url))
        self.assertEqual([], proxy.changes())
        self.assertEqual(before, self.engine.running())

    def test_release_of_renames_alone_needs_no_lock(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("web")
        self.apply(self.shop("c"), "--no-wait")
        self.assertEqual(before, self.engine.running())
        self.drop_lock("web")
        self.assert_at_rest(self.shop("c"))

    def test_each_way_to_lock_holds_the_update(self):
        self.apply(self.release_a())
        before = self.engine.running()
        path = "/tmp/balena/updates.lock"
        for service, kind, command in (
                ("web", "exclusive-file", ("lockfile", "-r0", path)),
                ("db", "exclusive-file", ("sh", "-c", f"set -C; : >{path}")),
                ("worker", "directory", ("mkdir", path)),
                ("worker", "symlink", ("ln", "-s", "x", path))):
            with self.subTest(kind=kind, service=service):
                self.take_lock(service, *command)
                self.apply(self.release_b(), "--no-wait", expect=3)
                self.assertEqual(before, self.engine.running())
                lock, = (entry for entry in self.device.json("locks") if entry["held"])
                self.assertEqual((service, kind), (lock["service"], lock["kind"]))
                self.drop_lock(service)
        self.apply(self.release_b())
        self.assert_at_rest(self.release_b())

    def test_flock_in_a_container_holds_the_update(self):
        self.apply(self.release_a())
        before = self.engine.running()
        container, _ = before["web"]
        self.engine.execute_beside(container, "flock", "/tmp/balena/updates.lock", "sleep", "1000")
        wait_until(self.engine.locks_on_disk, "flock's file")
        self.apply(self.release_b(), "--no-wait", expect=3)
        self.assertEqual(before, self.engine.running())
        lock, = (entry for entry in self.device.json("locks") if entry["held"])
        self.assertEqual(("web", "flock"), (lock["service"], lock["kind"]))
        self.assertRegex(lock["holder"], rf"^\w+ \(pid \d+\) in container {container[:12]}$")

    def test_update_goes_on_when_flock_ends_though_its_file_stays(self):
        self.apply(self.release_a())
        container, _ = self.engine.running()["web"]
        self.engine.execute_beside(container, "flock", "/tmp/balena/updates.lock", "sleep", "5")
        wait_until(self.engine.locks_on_disk, "flock's file")
        self.assert_held_until_its_holder_ends(container)

    def assert_held_until_its_holder_ends(self, container):
        update = self.device.start("apply", self.release_b(), "--json")
        read_until(update, "held")
        self.assertEqual(container, self.engine.running()["web"][0])
        read_until(update, "released")
        self.assertEqual(0, update.wait(90), update.stderr.read())
        self.assert_at_rest(self.release_b())

    def test_with_lock_in_a_container_holds_the_update_until_its_command_ends(self):
        self.apply(self.release_a())
        container, _ = self.engine.running()["web"]
        program = self.engine.locks_root / str(APP_ID) / "web" / "lockstep-with-lock"  # The container's /tmp/balena.
        shutil.copy(BINARY.with_name("lockstep-with-lock"), program)
        self.assertEqual(7, self.engine.execute(container, "/tmp/balena/lockstep-with-lock", "--", "sh", "-c", "exit 7"))
        self.assertEqual([], self.engine.locks_on_disk())
        self.engine.execute_beside(container, "/tmp/balena/lockstep-with-lock", "--", "sleep", "5")
        wait_until(self.engine.locks_on_disk, "the lock")
        self.assert_held_until_its_holder_ends(container)

    def test_lasting_override_deletes_locks_once_and_later_ones_at_the_update(self):
        def with_override(document, value):
            document[DEVICE]["config"] = {"BALENA_SUPERVISOR_OVERRIDE_LOCK": value}
            return document

        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("web")
        self.apply(with_override(self.release_a(), "1"))
        self.assertEqual([], self.engine.locks_on_disk())
        self.assertEqual(before, self.engine.running())
        self.take_lock("web")
        self.apply(with_override(self.release_a(), "1"))
        self.assertEqual(1, len(self.engine.locks_on_disk()), "deleted when it is set, and not again")
        self.apply(with_override(self.release_b(), "1"))
        self.assert_at_rest(with_override(self.release_b(), "1"))
        self.take_lock("web")
        self.apply(with_override(self.release_a(), "0"), "--no-wait", expect=3)

    def test_time_out_while_held_ends_as_held(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("worker")
        # formats.md: held (3) also when the time-out passes while held.
        self.apply(self.release_b(), "--timeout", "3s", expect=3)
        self.assertEqual(before, self.engine.running())

    def test_stopped_service_is_started_again_in_spite_of_a_lock(self):
        self.apply(self.release_a())
        self.take_lock("web")
        stopped, _ = self.engine.running()["worker"]
        self.engine.call("POST", f"/containers/{stopped}/stop?t=1")
        self.apply(self.release_a())
        self.assertEqual(stopped, self.engine.running()["worker"][0])

    def test_force_runs_over_the_lock_and_takes_it_away(self):
        self.apply(self.release_a())
        self.take_lock("web")
        self.apply(self.release_b(), "--force")
        self.assert_at_rest(self.release_b())

    def test_a_job_and_a_health_check_settle(self):
        release = self.shop("e", db="healthy:1")
        services = next(iter(release["d" * 32]["apps"][APP]["releases"].values()))["services"]
        services["worker"]["image"] = self.image("job:1")
        services["worker"]["composition"]["restart"] = "no"
        self.apply(release)
        self.assertEqual({"web", "db"}, set(self.engine.running()))
        self.assertEqual("in-sync", self.device.json("plan", release)["status"])

    def test_removed_service_goes_and_its_volume_stays(self):
        self.apply(self.release_a())
        smaller = self.shop("f")
        services = next(iter(smaller["d" * 32]["apps"][APP]["releases"].values()))["services"]
        del services["worker"]
        self.apply(smaller)
        self.assert_at_rest(smaller)
        self.assertEqual(1, len(self.engine.call("GET", "/volumes")["Volumes"]))

    def test_snapshot_gives_the_same_plan_as_the_device(self):
        self.apply(self.release_a())
        snapshot = self.device.run("snapshot")
        self.assert_exit(0, snapshot)
        path = self.device.write(json.loads(snapshot.stdout), "snapshot.json")
        live = self.device.json("plan", self.release_b())
        offline = self.device.json("plan", self.release_b(), "--snapshot", path)
        self.assertEqual(live["fingerprint"], offline["fingerprint"])


if __name__ == "__main__":
    unittest.main()
