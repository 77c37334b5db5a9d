"""Device configuration on a real engine: boot files, locks of real containers, and a machine that goes down.

A machine that reboots is a PID namespace: reboot(2) inside ends all of its processes at once, and nothing else
(pid_namespaces(7)). Which boot it is, is a file mounted over the kernel's."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile

from harness import APP, DEVICE, EngineTest, kill, read_until, wait_until

CONFIG_TXT = """# what the factory says
dtparam=audio=on
gpu_mem=16
[pi4]
gpu_mem=32
[all]
dtoverlay=vc4-kms-v3d
"""
GPU = "BALENA_HOST_CONFIG_gpu_mem"
NTP = "BALENA_HOST_NTP_SERVERS"


def can_make_namespaces():
    made = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"], capture_output=True)
    return made.returncode == 0


class ConfigTest(EngineTest):
    def setUp(self):
        super().setUp()
        if not can_make_namespaces():
            self.skipTest("makes no namespaces here")
        self.boot = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-boot.", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.boot)
        (self.boot / "config.txt").write_text(CONFIG_TXT)
        (self.boot / "config.json").write_text('{\n  "deviceApiKey": "secret"\n}\n')
        self.boots = 0
        self.reboots()

    def reboots(self):
        """The next boot: another boot id."""
        self.boots += 1
        (self.boot / "boot_id").write_text(f"boot-{self.boots}\n")

    def config_txt(self):
        return (self.boot / "config.txt").read_text()

    def with_config(self, document=None, **config):
        document = document or self.release_a()
        document[DEVICE]["config"] = config
        return document

    def inside(self, *args, reboot="syscall"):
        """The command line of Lockstep on the machine that may go down."""
        command = self.device.command(*args) + ["--boot-dir", str(self.boot), "--reboot", reboot]
        mount = f"mount --bind {self.boot}/boot_id /proc/sys/kernel/random/boot_id"
        return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", mount + ' && exec "$@"', "sh", *command]

    def start_inside(self, *args, **options):
        process = subprocess.Popen(self.inside(*args, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.device.started.append(process)
        return process

    def run_inside(self, *args, **options):
        return subprocess.run(self.inside(*args, **options), capture_output=True, text=True, timeout=120)

    def assert_went_down(self, process):
        output = process.communicate(timeout=60)
        # What the kernel sends to the first process of the namespace; unshare dies of it as well.
        self.assertIn(process.returncode, (-signal.SIGHUP, 128 + signal.SIGHUP), output)
        self.assertNotIn("lockstep: ", output[1])

    def test_waits_for_the_lock_of_any_service_then_writes_and_reboots_once(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.take_lock("worker")
        document = self.with_config(**{GPU: "64", NTP: "ntp.example"})
        process = self.start_inside("apply", document, "--json")
        held = read_until(process, "held")
        self.assertEqual(["worker"], [holder["service"] for holder in held["holders"]])
        # What needs no reboot is applied at once; nothing of the rest is written.
        wait_until(lambda: "ntp.example" in (self.boot / "config.json").read_text(), "the time servers")
        self.assertEqual(CONFIG_TXT, self.config_txt())
        plan = json.loads(self.run_inside("plan", document, "--json").stdout)
        self.assertEqual("held", plan["status"])
        self.assertEqual([("defer", GPU)], [(c["action"], c["key"]) for c in plan["config"]])
        self.assertEqual({"deferred"}, {step["status"] for step in plan["steps"]})

        self.drop_lock("worker")
        self.assert_went_down(process)
        self.assertEqual(CONFIG_TXT.replace("gpu_mem=16", "gpu_mem=64"), self.config_txt())
        self.assertIn('"deviceApiKey": "secret"', (self.boot / "config.json").read_text())
        self.assertEqual(before, self.engine.running())
        self.assertNotEqual([], self.engine.locks_on_disk(), "they go with the machine")

        self.reboots()
        done = self.run_inside("apply", document)
        self.assert_exit(0, done)
        self.assertIn(f"rebooted for {GPU}", done.stdout)
        self.assertEqual([], self.engine.locks_on_disk())
        plan = json.loads(self.run_inside("plan", document, "--json").stdout)
        self.assertEqual(("in-sync", []), (plan["status"], plan["steps"]))
        self.assertEqual(before, self.engine.running())

    def test_an_update_goes_first_and_the_reboot_behind_it(self):
        self.apply(self.release_a())
        document = self.with_config(self.release_b(), **{GPU: "64"})
        process = self.start_inside("apply", document)
        self.assert_went_down(process)
        self.reboots()
        self.assert_exit(0, self.run_inside("apply", document))
        self.assertIn("gpu_mem=64", self.config_txt())
        self.assert_at_rest(self.release_b())

    def test_a_file_that_is_put_back_at_each_boot_reboots_three_times_at_most(self):
        self.apply(self.release_a())
        document = self.with_config(**{GPU: "64"})
        for _ in range(3):
            self.assert_went_down(self.start_inside("apply", document))
            (self.boot / "config.txt").write_text(CONFIG_TXT)
            self.reboots()
        last = self.run_inside("apply", document)
        self.assert_exit(0, last)
        self.assertIn("3 reboots", last.stdout)
        self.assertEqual(CONFIG_TXT, self.config_txt())
        self.assertEqual([], self.engine.locks_on_disk())

    def test_left_to_others_it_says_so_and_is_done_after_the_reboot(self):
        self.apply(self.release_a())
        document = self.with_config(**{GPU: "64"})
        left = self.assert_exit(0, self.run_inside("apply", document, reboot="never"))
        self.assertIn("left to others", left.stdout)
        self.assertEqual([], self.engine.locks_on_disk())
        status = json.loads(self.run_inside("status", "--json").stdout)["device"]
        self.assertEqual((True, [GPU]), (status["reboot_pending"], status["reboot_for"]))
        self.reboots()
        self.assertIn("rebooted for", self.assert_exit(0, self.run_inside("apply", document, reboot="never")).stdout)
        status = json.loads(self.run_inside("status", "--json").stdout)["device"]
        self.assertEqual((False, {GPU: "64"}), (status["reboot_pending"], status["config"]))

    def test_what_cannot_be_set_is_said_and_keeps_nothing_from_being_set(self):
        self.apply(self.release_a())
        document = self.with_config(**{GPU: "64\nkernel=evil.img", "BALENA_HOST_CONFIG_kernel": "evil.img",
                                       "BALENA_HOST_TELEPORT": "1", NTP: "ntp.example"})
        done = self.assert_exit(0, self.run_inside("apply", document))
        for key in (GPU, "BALENA_HOST_CONFIG_kernel", "BALENA_HOST_TELEPORT"):
            self.assertIn(f"not set: {key}", done.stdout)
        self.assertIn("ntp.example", (self.boot / "config.json").read_text())
        self.assertEqual(CONFIG_TXT, self.config_txt())

    def test_a_file_of_another_format_is_left_and_said(self):
        self.apply(self.release_a())
        (self.boot / "config.txt").write_bytes(b"\x7fELF\0\0\1")
        done = self.assert_exit(0, self.run_inside("apply", self.with_config(**{GPU: "64"})))
        self.assertIn(f"not set: {GPU}", done.stdout)
        self.assertEqual(b"\x7fELF\0\0\1", (self.boot / "config.txt").read_bytes())

    def test_a_snapshot_plans_as_the_device_does(self):
        self.apply(self.release_a())
        document = self.with_config(**{GPU: "64", "BALENA_HOST_EXTLINUX_fdt": "a.dtb"})
        here = json.loads(self.run_inside("plan", document, "--json").stdout)
        snapshot = self.device.write(self.run_inside("snapshot").stdout, "snapshot.json")
        there = json.loads(self.run_inside("plan", document, "--snapshot", snapshot, "--json").stdout)
        self.assertEqual(here, there)

    def test_killed_at_any_moment_it_leaves_a_whole_file_and_goes_on(self):
        self.apply(self.release_a())
        dice = random.Random(int(os.environ.get("LOCKSTEP_SEED", "1")))
        whole = {CONFIG_TXT.replace("gpu_mem=16", f"gpu_mem={n}") for n in (16, 64, 128)}
        for i in range(int(os.environ.get("LOCKSTEP_KILLS", "12"))):
            document = self.with_config(**{GPU: ("64", "128")[i % 2]})
            process = subprocess.Popen(
                self.device.command("apply", document) + ["--boot-dir", str(self.boot), "--reboot", "never"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(dice.uniform(0.0, 0.25))
            except subprocess.TimeoutExpired:
                kill(process)
            process.wait()
            self.assertIn(self.config_txt(), whole)
        self.assert_exit(0, self.run_inside("apply", self.with_config(**{GPU: "64"}), reboot="never"))
        self.assertIn("gpu_mem=64", self.config_txt())
        self.assertEqual({"boot_id", "config.json", "config.txt"}, {path.name for path in self.boot.iterdir()})
        self.assertEqual([], self.engine.locks_on_disk())
        self.assertEqual(3, len(self.engine.running(APP)))
