"""Every update strategy, remade networks and shared namespaces on a real engine."""
import unittest

from harness import APP, DEVICE, EngineTest, Proxy, read_until, wait_until

STRATEGY = "io.balena.update.strategy"


def calls(proxy, *words):
    """Of the requests, those that contain one of these words, shortened to the word, in their order."""
    found = []
    for request in proxy.requests:
        found += [word for word in words if word in request]
    return found


class StrategyTest(EngineTest):
    def release(self, *args, service="web", label=None, **more):
        document = self.shop(*args, **more)
        release = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))
        if label:
            release["services"][service]["labels"] = label
        return document

    def apply_watched(self, document):
        proxy = Proxy(self.engine.socket)
        self.addCleanup(proxy.close)
        self.assert_exit(0, self.device.run("apply", document, engine_url=proxy.url))
        return proxy

    def test_kill_then_download_asks_the_registry_then_stops_then_downloads(self):
        self.apply(self.release_a())
        before = self.engine.running()
        document = self.release("b", web="web:2", label={STRATEGY: "kill-then-download"})
        proxy = self.apply_watched(document)
        self.assertEqual(["/distribution/", "/stop", "/images/create"],
                         calls(proxy, "/distribution/", "/stop", "/images/create"))
        self.assertEqual(before["db"], self.engine.running()["db"])
        self.assert_at_rest(document)

    def test_kill_then_download_stops_nothing_for_an_image_that_is_not_there(self):
        self.apply(self.release_a())
        before = self.engine.running()
        document = self.release("b", web="missing:1", label={STRATEGY: "kill-then-download"})
        self.assert_error_line(self.apply(document, "--no-wait", expect=1))
        self.assertEqual(before, self.engine.running())

    def test_delete_then_download_removes_the_old_image_before_the_new_one_comes(self):
        self.apply(self.release_a())
        document = self.release("b", web="web:2", label={STRATEGY: "delete-then-download"})
        plan = self.device.json("plan", document)
        self.assertIn("no-way-back", [gap["code"] for gap in plan["apps"][0]["gaps"]])
        proxy = self.apply_watched(document)
        removals = [r for r in proxy.changes() if r.startswith("DELETE /v1.41/images/")]
        self.assertEqual(1, len(removals))
        pull = next(r for r in proxy.requests if "/images/create" in r)
        self.assertLess(proxy.requests.index(removals[0]), proxy.requests.index(pull))
        self.assert_at_rest(document)

    def test_hand_over_runs_both_until_the_new_one_says_so(self):
        self.apply(self.release_a())
        old, _ = self.engine.running()["web"]
        document = self.release("b", web="web:2", label={
            STRATEGY: "hand-over", "io.balena.update.handover-timeout": "60000"})
        update = self.device.start("apply", document, "--json")

        def up():
            return {c["Id"] for c in self.engine.containers()
                    if c["State"]["Running"] and c["Config"]["Labels"]["io.balena.service-name"] == "web"}

        wait_until(lambda: len(up()) == 2, "the old and the new container run side by side")
        new, = up() - {old}
        self.assertNotEqual([], self.engine.locks_on_disk(), "the locks are ours until the old one is gone")
        self.assertIsNone(update.poll())
        self.assertEqual(0, self.engine.execute(new, "touch", "/tmp/balena/handover-complete"))
        read_until(update, "committed")
        self.assertEqual(0, update.wait(60), update.stderr.read())
        self.assertEqual({new}, up())
        self.assert_at_rest(document)

    def test_hand_over_stops_the_old_one_when_its_time_is_up(self):
        self.apply(self.release_a())
        document = self.release("b", web="web:2", label={
            STRATEGY: "hand-over", "io.balena.update.handover-timeout": "300"})
        self.apply(document)
        self.assert_at_rest(document)

    def test_hand_over_is_refused_where_both_want_one_port(self):
        self.apply(self.shop("a", ports=["8099:80"]))
        before = self.engine.running()
        document = self.release("b", web="web:2", label={STRATEGY: "hand-over"}, ports=["8099:80"])
        self.apply(document, expect=6)
        self.assertEqual(before, self.engine.running())


class AttachmentTest(EngineTest):
    def with_network(self, release, definition, web="web:1"):
        document = self.shop(release, web=web, networks={"front": {}})
        made = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))
        made["networks"]["front"] = definition
        return document

    def sharing(self, release, web="web:1"):
        document = self.shop(release, web=web)
        made = next(iter(document[DEVICE]["apps"][APP]["releases"].values()))
        side = dict(made["services"]["worker"])
        side["composition"] = {"restart": "always", "network_mode": "service:web"}
        made["services"]["worker"] = side
        return document

    def test_changed_network_is_remade_with_what_is_on_it(self):
        self.apply(self.with_network("a", {}))
        before = self.engine.running()
        document = self.with_network("b", {"internal": True})
        self.apply(document)
        after = self.engine.running()
        self.assertEqual(before["db"], after["db"])
        self.assertEqual(before["web"][0], after["web"][0], "restarted, and not made anew")
        self.assertNotEqual(before["web"][1], after["web"][1])
        network = self.engine.call("GET", f"/networks/{APP}_front")
        self.assertTrue(network["Internal"])
        self.assertIn(after["web"][0], network["Containers"])
        self.assert_at_rest(document)

    def test_network_detached_by_hand_is_attached_again_without_a_restart(self):
        document = self.with_network("a", {})
        self.apply(document)
        before = self.engine.running()
        self.engine.call("POST", f"/networks/{APP}_front/disconnect", {"Container": before["web"][0]})
        self.apply(document)
        self.assertEqual(before, self.engine.running())
        self.assertIn(before["web"][0], self.engine.call("GET", f"/networks/{APP}_front")["Containers"])

    def test_who_shares_a_namespace_follows_the_service_that_is_made_anew(self):
        self.apply(self.sharing("a"))
        document = self.sharing("b", web="web:2")
        self.apply(document)
        running = self.engine.running()
        sharer = self.engine.inspect(running["worker"][0])
        self.assertEqual("container:" + running["web"][0], sharer["HostConfig"]["NetworkMode"])
        plan = self.device.json("plan", document)
        self.assertEqual(("in-sync", []), (plan["status"], plan["steps"]))

    def test_who_lost_a_shared_namespace_is_restarted(self):
        document = self.sharing("a")
        self.apply(document)
        before = self.engine.running()
        self.engine.call("POST", f"/containers/{before['web'][0]}/restart?t=1")
        plan = self.device.json("plan", document)
        self.assertEqual({"worker": "restart"}, {s["service"]: s["change"] for s in plan["apps"][0]["services"]
                                                 if s["change"] != "none"})
        self.apply(document)
        after = self.engine.running()
        self.assertEqual(before["worker"][0], after["worker"][0])
        self.assertNotEqual(before["worker"][1], after["worker"][1])
        self.assertEqual("in-sync", self.device.json("plan", document)["status"])


if __name__ == "__main__":
    unittest.main()
