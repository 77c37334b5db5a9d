"""Pulls from a registry that wants a login: none, a wrong one, docker's config.json, a credential helper."""
import base64
import json
import os
import subprocess
import unittest

from harness import ENGINE_SH, EngineTest, target, wait_until

PRIVATE = "127.0.0.1:5056"
USER, PASSWORD = "ann", "pw-of-the-test"
SALT = "$2b$05$" + "abcdefghijklmnopqrstuu"


class RegistryAuthTest(EngineTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve_private_registry()

    @classmethod
    def serve_private_registry(cls):
        """The same images behind a password; it ends with the engine's namespaces."""
        hashed = subprocess.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", PASSWORD, SALT],
                                check=True, capture_output=True, text=True).stdout
        directory = cls.engine.dir
        with open(f"{directory}/htpasswd", "w", encoding="ascii") as file:
            file.write(f"{USER}:{hashed}\n")
        with open(f"{directory}/private.yml", "w", encoding="ascii") as file:
            file.write(f"""version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {directory}/registry}}}}
auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}
http: {{addr: "{PRIVATE}"}}
""")
        registry = subprocess.Popen([ENGINE_SH, "enter", directory, "--", "docker-registry", "serve", f"{directory}/private.yml"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(registry.wait)
        cls.addClassCleanup(registry.kill)
        probe = [ENGINE_SH, "enter", directory, "--", "bash", "-c", f"exec 3<>/dev/tcp/{PRIVATE.replace(':', '/')}"]
        wait_until(lambda: subprocess.run(probe, capture_output=True).returncode == 0, "the registry answers")

    def setUp(self):
        super().setUp()
        self.config = self.device.dir / "docker"
        self.config.mkdir()
        self.document = self.of_image("a", "healthy:1")

    def of_image(self, release, image, **more):
        """Healthy at once, so that nothing waits until it has run for a while."""
        return target(release, {"web": {"image": self.image(image), **more}})

    def image(self, name):
        # A stranger's container is not of the registry that is tried.
        return f"{self.engine.registry if name == 'app:v1' else PRIVATE}/{name}"

    def log_in(self, password=PASSWORD, **more):
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        (self.config / "config.json").write_text(json.dumps(more or {"auths": {PRIVATE: {"auth": auth}}}))

    def apply_with_logins(self, document=None, expect=0, path=()):
        command = self.device.command("apply", document or self.document) + ["--docker-config", str(self.config), "--log-level", "debug"]
        environment = {**os.environ, "PATH": os.pathsep.join([*path, os.environ["PATH"]])}
        finished = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        self.assert_exit(expect, finished)
        encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        for secret in (PASSWORD, encoded):
            self.assertNotIn(secret, finished.stdout + finished.stderr)
        return finished

    def write_helper(self, script):
        helper = self.device.dir / "docker-credential-test"
        helper.write_text("#!/bin/sh\n" + script)
        helper.chmod(0o755)
        self.log_in(credHelpers={PRIVATE: "test"})
        return (str(self.device.dir),)

    def assert_refused(self, finished, *words):
        for word in words:
            self.assertIn(word, finished.stderr)
        self.assertEqual({}, self.engine.running())

    def test_without_a_login_it_says_to_log_in(self):
        self.assert_refused(self.apply_with_logins(expect=1), "no basic auth credentials", f"docker login {PRIVATE}")

    def test_wrong_password_says_whose(self):
        self.log_in("wrong")
        self.assert_refused(self.apply_with_logins(expect=1), "unauthorized", f"{PRIVATE} refuses the credentials from {self.config}/config.json")

    def test_login_of_docker_is_enough(self):
        self.assert_refused(self.apply_with_logins(expect=1), "log in")
        self.log_in()
        self.apply_with_logins()
        self.assertEqual({"web"}, set(self.engine.running()))

    def test_helper_is_asked(self):
        path = self.write_helper(f"""[ "$1 $(cat)" = "get {PRIVATE}" ] && echo '{{"Username":"{USER}","Secret":"{PASSWORD}"}}'""")
        self.apply_with_logins(path=path)
        self.assertEqual({"web"}, set(self.engine.running()))

    def test_helper_that_fails_is_named(self):
        path = self.write_helper("echo the keychain is locked; exit 1")
        self.assert_refused(self.apply_with_logins(expect=1, path=path), "docker-credential-test", PRIVATE, "the keychain is locked")

    def test_registry_is_looked_at_with_the_login(self):
        """What is downloaded only when the old one is gone is asked for before."""
        late = {"io.balena.update.strategy": "delete-then-download"}

        def document(release, image):
            made = self.of_image(release, image)
            for device in made.values():
                for app in device["apps"].values():
                    for released in app["releases"].values():
                        released["services"]["web"]["labels"] = late
            return made

        self.log_in()
        self.apply_with_logins(document("a", "healthy:1"))
        before = self.engine.running()
        self.log_in("wrong")
        finished = self.apply_with_logins(document("b", "web:2"), expect=1)
        self.assertIn("ask the registry for image", finished.stderr)
        self.assertIn(f"{PRIVATE} refuses the credentials", finished.stderr)
        self.assertEqual(before, self.engine.running())


if __name__ == "__main__":
    unittest.main()
