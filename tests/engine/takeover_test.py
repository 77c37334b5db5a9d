"""What balena-supervisor left on a device goes on under the agent as if nothing had happened."""
import json
import unittest

from agent_harness import Agent, free_port, over_tcp
from harness import APP, APP_ID, DEVICE, EngineTest, wait_until

OLD_KEY = "5" * 32  # What containers were given to ask with.


class TakeoverTest(EngineTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def wanted(self, release, **images):
        """web asks for the supervisor's API by its label."""
        document = self.shop(release, **images)
        services = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))["services"]
        services["web"]["labels"] = {"io.balena.features.supervisor-api": "1"}
        return document

    def made_by_balena_supervisor(self, document):
        """Network, volume and containers of the release, with the names, labels and variables it gives them."""
        (commit, release), = document[DEVICE]["apps"][APP]["releases"].items()
        ours = {"io.balena.supervised": "true"}
        of_app = {**ours, "io.balena.app-id": str(APP_ID), "io.balena.app-uuid": APP}
        self.engine.call("POST", "/networks/create", {
            "Name": f"{APP}_default", "CheckDuplicate": True, "Labels": {**ours, "io.balena.app-id": str(APP_ID)}})
        self.engine.call("POST", "/volumes/create", {
            "Name": f"{APP_ID}_data", "Labels": {**ours, "io.balena.app-uuid": APP}})
        for name, service in release["services"].items():
            told = {"APP_ID": APP_ID, "APP_UUID": APP, "APP_NAME": "shop", "SERVICE_NAME": name, "DEVICE_UUID": DEVICE,
                    "DEVICE_TYPE": "intel-nuc", "DEVICE_ARCH": "amd64", "HOST_OS_VERSION": "balenaOS 6.5.24",
                    "APP_LOCK_PATH": "/tmp/balena/updates.lock", "DEVICE_NAME_AT_INIT": "device",
                    "SERVICE_HANDOVER_COMPLETE_PATH": "/tmp/balena/handover-complete"}
            if service["labels"]:
                told.update({"SUPERVISOR_API_KEY": OLD_KEY, "SUPERVISOR_HOST": "127.0.0.1", "SUPERVISOR_PORT": self.port,
                             "SUPERVISOR_ADDRESS": f"http://127.0.0.1:{self.port}"})
            locks = self.engine.locks_root / str(APP_ID) / name
            locks.mkdir(parents=True)
            binds = [f"{locks}:/tmp/resin", f"{locks}:/tmp/balena"]
            self.engine.pull(service["image"])
            made = self.engine.call("POST", f"/containers/create?name={name}_{service['image_id']}_{release['id']}_{commit}", {
                "Image": service["image"],
                "Env": [f"{prefix}_{key}={value}" for key, value in told.items() for prefix in ("BALENA", "RESIN")]
                + ["BALENA=1", "RESIN=1"],
                "Labels": {**of_app, **service["labels"], "io.balena.service-id": str(service["id"]), "io.balena.service-name": name},
                "Tty": True,
                "HostConfig": {"Binds": binds + [f"{APP_ID}_{v}" for v in service["composition"].get("volumes", [])],
                               "NetworkMode": f"{APP}_default", "IpcMode": "shareable",
                               "RestartPolicy": {"Name": "always"},
                               "LogConfig": {"Type": "json-file", "Config": {}}},
                "NetworkingConfig": {"EndpointsConfig": {f"{APP}_default": {"Aliases": [name]}}}})
            self.engine.call("POST", f"/containers/{made['Id']}/start")

    def ask(self, key):
        return over_tcp(self.port, "GET", f"/v2/applications/state?apikey={key}")

    def test_its_containers_run_on_and_keep_asking_with_their_keys(self):
        first = self.wanted("a")
        self.made_by_balena_supervisor(first)
        before = self.engine.running()
        self.assertEqual({"db", "web", "worker"}, set(before))

        agent = Agent(self.device, "--api-listen", f"127.0.0.1:{self.port}", "--api-address", "127.0.0.1")
        agent.put(first)
        agent.start()
        agent.await_release(first)
        self.assertEqual(before, self.engine.running(), "not one was touched")
        self.assertEqual([], [r for r in agent.events("step-done") if r.get("step", "").startswith("stop")])
        wait_until(lambda: self.ask(OLD_KEY)[0] == 200, "the old key opens")
        self.assertEqual(["shop"], list(json.loads(self.ask(OLD_KEY)[1])))
        self.assertEqual(401, self.ask("6" * 32)[0])

        self.take_lock("web")
        second = self.wanted("b", web="web:2")
        agent.put(second)
        wait_until(lambda: agent.events("held"), "held by the lock of a container that was taken over")
        self.assertEqual(before, self.engine.running())
        self.drop_lock("web")
        agent.await_release(second)
        after = self.engine.running()
        self.assertEqual({k: before[k] for k in ("db", "worker")}, {k: after[k] for k in ("db", "worker")})
        environment = dict(line.split("=", 1) for line in self.engine.inspect(after["web"][0])["Config"]["Env"])
        self.assertEqual(f"http://127.0.0.1:{self.port}", environment["BALENA_SUPERVISOR_ADDRESS"])
        self.assertEqual(200, self.ask(environment["BALENA_SUPERVISOR_API_KEY"])[0])
        self.assertEqual(0, agent.stop())


if __name__ == "__main__":
    unittest.main()
