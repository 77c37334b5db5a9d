"""What a person is told of a service that fails: how it ended, and what it printed last."""
import json
import unittest

from harness import EngineTest, target


class FailedServiceTest(EngineTest):
    def failing(self, release, command, **more):
        return target(release, {"web": {"image": self.image("web:1"), "command": command, "restart": "no", **more}})

    def events(self, document, expect):
        finished = self.assert_exit(expect, self.device.run("apply", document, "--json"))
        return [json.loads(line) for line in finished.stdout.splitlines()]

    def failure(self, document, expect):
        failed, = (e for e in self.events(document, expect) if e.get("event") == "step-failed")
        return failed

    def test_one_that_ends_at_once_is_told_with_its_last_lines(self):
        script = "printf '\\033[31mreading\\033[0m the file\\n'; echo no such file; exit 3"
        finished = self.apply(self.failing("a", ["sh", "-c", script]), expect=4)
        self.assertIn("it did not stay up: it exited with 3", finished.stdout)
        self.assertIn("  it printed last:\n    reading the file\n    no such file\n", finished.stdout)
        self.assertIn("not healthy: web (it exited with 3)", finished.stdout)

    def test_events_carry_the_exit_code_and_the_last_lines(self):
        script = "for i in $(seq 100); do echo line $i; done; exit 3"
        failed = self.failure(self.failing("a", ["sh", "-c", script]), expect=4)
        self.assertEqual(("web", "await-health", 3), (failed["service"], failed["kind"], failed["exit_code"]))
        self.assertEqual([f"line {i}" for i in range(81, 101)], failed["logs"])

    def test_a_terminal_and_a_line_without_an_end_are_read(self):
        script = "echo first; head -c 3000000 /dev/zero | tr '\\0' x; printf end; exit 3"
        failed = self.failure(self.failing("a", ["sh", "-c", script], tty=True), expect=4)
        self.assertTrue(failed["logs"][-1].endswith("xxxend"), failed["logs"][-1][-100:])
        self.assertLessEqual(sum(map(len, failed["logs"])), 4096)

    def test_one_that_cannot_be_run_is_told_in_the_words_of_the_engine(self):
        failed = self.failure(self.failing("a", ["/no/such/program"]), expect=1)
        self.assertEqual("start-container", failed["kind"])
        self.assertEqual(1, failed["error"]["message"].count("/no/such/program: no such file"), failed)
        self.assertNotIn("exit_code", failed)

    def test_why_a_log_cannot_be_read_is_said(self):
        finished = self.apply(self.failing("a", ["false"], logging={"driver": "none"}), expect=4)
        self.assertIn("what it printed cannot be read: configured logging driver does not support reading "
                      "(log driver none)", finished.stdout)

    def test_one_that_runs_out_of_memory_is_told_so(self):
        command = ["sh", "-c", "echo big; x=x; while :; do x=$x$x; done"]
        failed = self.failure(self.failing("a", command, mem_limit="16m"), expect=4)
        if "oom" not in failed:
            self.skipTest("this machine does not limit memory")
        self.assertEqual((137, True, ["big"]), (failed["exit_code"], failed["oom"], failed["logs"]))
        self.assertIn("it ran out of memory", failed["error"]["message"])


if __name__ == "__main__":
    unittest.main()
