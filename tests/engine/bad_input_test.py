"""What goes wrong outside: each a one-line error with what to do, nothing broken, and the next apply mends it."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import APP, BINARY, DEVICE, EngineTest


class BadInputTest(EngineTest):
    def assert_refused(self, finished, *words):
        self.assert_exit(1, finished)
        self.assert_error_line(finished)
        for word in words:
            self.assertIn(word, finished.stderr)

    def test_missing_image_leaves_the_release_that_runs(self):
        self.apply(self.release_a())
        before = self.engine.running()
        self.assert_refused(self.device.run("apply", self.shop("b", web="none:1", worker="worker:2")), "none:1")
        self.assertEqual(before, self.engine.running())
        self.apply(self.release_b())
        self.assert_at_rest(self.release_b())

    def test_port_in_use_goes_back_to_the_release_that_ran(self):
        taken = self.engine.run("somebody", self.image("app:v1"), ExposedPorts={"80/tcp": {}},
                                HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}})
        self.apply(self.release_a())
        before = self.engine.running()
        self.assert_refused(self.device.run("apply", self.release_b(ports=["8080:80"])), "8080")
        self.assertEqual({s: i for s, (i, _) in before.items()}, {s: i for s, (i, _) in self.engine.running().items()})
        self.assertEqual([], self.engine.locks_on_disk())
        self.assertTrue(self.engine.inspect(taken)["State"]["Running"])
        self.engine.call("DELETE", f"/containers/{taken}?force=1")
        self.apply(self.release_b(ports=["8080:80"]))
        self.assert_at_rest(self.release_b(ports=["8080:80"]))

    def test_engine_that_is_not_there(self):
        for command in ("plan", "apply"):
            self.assert_refused(self.device.run(command, self.release_a(), engine_url="unix:///nowhere/d.sock"),
                                "/nowhere/d.sock")

    def test_socket_that_is_not_permitted(self):
        # Somewhere that everybody may read, wherever this tree is.
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            os.chmod(directory, 0o755)
            binary = shutil.copy(BINARY, directory)
            command = self.device.command("plan", self.release_a())
            for path in (self.device.dir, self.device.dir / "target.json"):
                path.chmod(0o755)
            finished = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, *command[1:]],
                                      capture_output=True, text=True)
        self.assert_refused(finished, self.engine.socket)

    def test_engine_that_is_too_old(self):
        path = str(pathlib.Path(self.device.dir) / "old.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        self.addCleanup(listener.close)
        threading.Thread(target=answer_as_old_engine, args=(listener,), daemon=True).start()
        self.assert_refused(self.device.run("plan", self.release_a(), engine_url="unix://" + path), "1.12")

    def test_target_that_cannot_be_read_changes_nothing(self):
        self.apply(self.release_a())
        before = self.engine.running()
        unknown = self.release_b()
        release, = unknown[DEVICE]["apps"][APP]["releases"].values()
        release["services"]["web"]["composition"]["prots"] = ["80:80"]
        whole = json.dumps(self.release_b())
        for document, word in ((whole[:len(whole) // 2], "target.json"), (json.dumps(unknown), "prots"),
                               ("[]", "target.json"), ("", "target.json")):
            with self.subTest(word=word, begin=document[:20]):
                path = self.device.write(document)
                self.assert_refused(self.device.run("apply", path), word)
                self.assertEqual(before, self.engine.running())


def answer_as_old_engine(listener):
    body = b'{"Version": "1.0", "ApiVersion": "1.12", "MinAPIVersion": "1.0"}'
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.12\r\nContent-Type: application/json\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class FullDiskTest(EngineTest):
    """The engine's data is on a file system that has no room for the three images of release B."""

    engine_environment = {"DATA_ROOT_MB": "28"}

    def small(self, release):
        return self.shop(release, web="app:v1", db="app:v1", worker="app:v1")

    def test_full_disk_during_a_download_leaves_the_release_that_runs(self):
        self.apply(self.small("a"))
        before = self.engine.running()
        finished = self.device.run("apply", self.shop("b", web="web:2", db="db:2", worker="worker:2"))
        self.assert_exit(1, finished)
        self.assert_error_line(finished)
        self.assertIn("space", finished.stderr)
        self.assertEqual(before, self.engine.running())
        self.apply(self.shop("c", web="app:v2", db="app:v1", worker="app:v1"))
        self.assert_at_rest(self.shop("c", web="app:v2", db="app:v1", worker="app:v1"))


if __name__ == "__main__":
    unittest.main()
