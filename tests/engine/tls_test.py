"""An engine by TCP, with TLS and client certificates: named by the variables of Docker's client."""
import os
import pathlib
import shutil
import subprocess

from harness import ENGINE_SH, EngineTest

URL = "tcp://127.0.0.1:2376"


class TlsTest(EngineTest):
    engine_environment = {"ENGINE_TLS": "1"}

    def over_tls(self, *args, certificates=None, verify="1"):
        """The command where the port of the engine is: in its namespaces."""
        binary, name, *rest = self.device.command(*args)
        at = rest.index("--engine")
        variables = {"DOCKER_HOST": URL, "DOCKER_TLS_VERIFY": verify,
                     "DOCKER_CERT_PATH": str(certificates or pathlib.Path(self.engine.dir, "tls"))}
        return subprocess.run([ENGINE_SH, "enter", self.engine.dir, "--", binary, name, *rest[:at], *rest[at + 2:]],
                              capture_output=True, text=True, timeout=120, env={**os.environ, **variables})

    def assert_refused(self, finished, *words):
        self.assert_exit(1, finished)
        self.assert_error_line(finished)
        for word in (URL, *words):
            self.assertIn(word, finished.stderr)

    def test_release_is_applied_over_tls(self):
        self.assert_exit(0, self.over_tls("apply", self.release_a()))
        self.assert_at_rest(self.release_a())
        self.assertIn('"web', self.assert_exit(0, self.over_tls("snapshot")).stdout)
        self.assertIn("web", self.assert_exit(0, self.over_tls("status")).stdout)

    def test_engine_and_client_must_know_each_other(self):
        certificates = self.device.dir / "certificates"
        certificates.mkdir()
        self.assert_refused(self.over_tls("status", certificates=certificates), str(certificates / "ca.pem"))
        shutil.copy(pathlib.Path(self.engine.dir, "tls", "ca.pem"), certificates)
        self.assert_refused(self.over_tls("status", certificates=certificates), "wants a client certificate")
        self.assert_refused(self.over_tls("status", verify=""), "DOCKER_TLS_VERIFY=1")
