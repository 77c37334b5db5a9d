"""How many calls of the engine a look and an update take, for any number of services."""
import collections
import re
import unittest

from harness import APP, DEVICE, EngineTest, Proxy, target


def by_kind(requests):
    """How many of each kind, for who has to find those that are too many."""
    kinds = collections.Counter(re.sub(r"[0-9a-f]{64}|(?<=name)=.*|(?<=filters)=.*", "X", r.removesuffix(" HTTP/1.1")) for r in requests)
    return "\n".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def own_network(service):
    return "net-" + service


class CallsTest(EngineTest):
    def release(self, letter, count, networks=None):
        """`count` services. Release b differs from a in the image and many other fields of each. `networks`: each has one
        of its own, that is the same in both ("kept") or not ("remade")."""
        number = 1 + (letter == "b")
        services = {}
        for index in range(count):
            name = f"s{index:02}"
            services[name] = {
                "image": self.image(f"app:v{number}"), "environment": {"RELEASE": letter}, "hostname": name + letter,
                "command": ["sh", "-c", f"trap 'exit 0' TERM; while :; do sleep 1{number}; done & wait"],
                "healthcheck": {"test": ["CMD", "true"], "interval": f"{number}s", "retries": number},
                "volumes": ["data:/data" + letter], "restart": "always" if number == 1 else "unless-stopped",
                "mem_limit": f"{63 + number}m", "cap_add": ["NET_ADMIN"] * (number - 1), "working_dir": "/tmp" * (number - 1) or "/",
                "depends_on": [f"s{index - 1:02}"] * (index > 0 and number == 2)}
            if networks:
                services[name]["networks"] = {"default": {}, own_network(name): {"aliases": [f"alias{number}"]}}
        document = target(letter, services)
        release, = document[DEVICE]["apps"][APP]["releases"].values()
        if networks:
            labels = {"release": letter if networks == "remade" else "any"}
            release["networks"].update({own_network(name): {"labels": labels} for name in services})
        return document

    def release_of_images(self, letter):
        """Four services, each with an image of its own."""
        document = self.release(letter, 4)
        release, = document[DEVICE]["apps"][APP]["releases"].values()
        number = 1 + (letter == "b")
        for service, image in zip(release["services"].values(), (f"app:v{number}", *(f"{n}:{number}" for n in ("db", "web", "worker")))):
            service["image"] = self.image(image)
        return document

    def calls(self, command, document):
        proxy = Proxy(self.engine.socket)
        self.addCleanup(proxy.close)
        self.assert_exit(0, self.device.run(command, document, engine_url=proxy.url, timeout=300))
        return proxy.requests

    def assert_calls(self, what, bound, old, new):
        # On a busy machine time may ask for one look more: the bound is of the calls that the update itself needs.
        for attempts_left in (2, 1, 0):
            self.apply(old)
            update = self.calls("apply", new)
            look = self.calls("plan", new)
            print(f"{what}: update {len(update)} calls (at most {bound}), look {len(look)}", flush=True)
            self.engine.clear()
            self.stranger = self.engine.run("web_1_1_" + "a" * 40, self.image("app:v1"))
            self.stranger_before = self.engine.inspect(self.stranger)["State"]
            self.assertLessEqual(len(look), 5, look)
            if len(update) <= bound or attempts_left == 0:
                break
        self.assertLessEqual(len(update), bound, by_kind(update))

    def test_full_change_takes_at_most_eight_calls_a_service(self):
        for count, networks, more in ((5, None, 0), (10, None, 0), (5, "kept", 5), (5, "remade", 5)):
            with self.subTest(services=count, networks=networks):
                self.assert_calls(f"{count} services, networks of their own: {networks}", 8 * count + 25 + more,
                                  self.release("a", count, networks), self.release("b", count, networks))

    def test_images_of_their_own_take_no_more(self):
        self.assert_calls("4 services, 4 images", 8 * 4 + 25, self.release_of_images("a"), self.release_of_images("b"))

    def test_look_in_sync_takes_five_calls_for_thirty_services(self):
        goal = self.release("a", 30)
        self.apply(goal)
        self.assertLessEqual(len(self.calls("plan", goal)), 5)
        self.assertLessEqual(len(self.calls("apply", goal)), 6)  # And the word that nothing changed.


if __name__ == "__main__":
    unittest.main()
