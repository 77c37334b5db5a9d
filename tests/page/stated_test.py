"""The status page of an agent that says what a test wants: what is rare, what is hostile, what is large."""
import json
import pathlib

import agents
from agents import app, container, error, lock, service, status_document, step, with_steps
from pages import PageTest

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "\"'><script>document.title='owned'</script>",
    "\u202egnp.exe\u2066",
    "{{constructor}} ${7*7} &lt;b&gt; javascript:alert(1)",
]
# Every text that is to be seen, with the contrast to what is behind it (WCAG 2.1).
CONTRASTS = """(() => {
  const rgb = text => { const c = /rgba?\\(([\\d.]+), ([\\d.]+), ([\\d.]+)(?:, ([\\d.]+))?\\)/.exec(text); return c ? [+c[1], +c[2], +c[3], c[4] === undefined ? 1 : +c[4]] : [0, 0, 0, 0]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = node => {
    if (!node) return [255, 255, 255];
    if (node.matches('.node text')) { const r = getComputedStyle(node.previousSibling); return over(rgb(r.fill), behind(node.closest('.graph'))); }
    return over(rgb(getComputedStyle(node).backgroundColor), behind(node.parentElement));
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.matches('script, style, title') || !node.checkVisibility()) continue;
    const style = getComputedStyle(node), back = behind(node);
    let opacity = 1;
    for (let n = node; n; n = n.parentElement) opacity *= getComputedStyle(n).opacity;
    const colour = rgb(node.matches('.node text') ? style.fill : style.color), front = over([...colour.slice(0, 3), colour[3] * opacity], back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), walker.currentNode.data.trim().slice(0, 60)]);
  }
  return found;
})()"""


def everything(api):
    """All colours that the page has, at once."""
    states = [step(1, "pull-image", status="ready"), step(2, "create-container", after=[1]), step(3, "take-locks", None, [2], "held"),
              step(4, "await-health", "db", [3], "ready"), step(5, "remove-image", None, [4], "deferred"), step(6, "stop-container", "db", [3], "ready")]
    with_steps(api, states, running=[1], locks=[lock(holder="sh in web", notes=["it is old"])], target_problem=error("no target"), apps=[
        app(error=error("the registry is down"), gaps=[{"code": "x", "message": "it may not go on", "blocks": False}], services=[
            service(change="recreate", stopped=True, unhealthy=True, logs=["oh no"], containers=[container(health="unhealthy"), container(state="exited", exit_code=3, release="a0a")]),
            service("db", containers=[], change="create"), service("ok", containers=[container(health="healthy")]), service("new", containers=[container(health="starting")])]),
        app("held", status="held"), app("stuck", status="blocked", gaps=[{"code": "y", "message": "a cycle", "blocks": True}]), app("going", status="ready"),
        app("paused", paused=True), app("fine")])
    return states


class StatedPageTest(PageTest):
    def show(self, api):
        self.open(api.url, api.KEY)
        self.page.wait("document.querySelectorAll('.app').length > 0")

    def show_everything(self):
        api = self.open_api()
        states = everything(api)
        self.show(api)
        self.page.wait("document.querySelectorAll('.node').length === 6")
        api.publish("step-failed", app="shop", service="db", step=states[5]["id"], kind="stop-container", error=error("it will not"), logs=["last words"])
        api.publish("held", app="shop", holders=[lock()])
        api.publish("committed", app="shop")
        api.publish("step-done", app="shop", service="web", step=states[1]["id"], kind="create-container")
        self.page.wait_text("create: done", "#log")
        return api

    def test_texts_have_contrast_in_light_and_dark(self):
        self.show_everything()
        for scheme in ("light", "dark"):
            self.page.media(prefers_color_scheme=scheme)
            for open_dialog in (False, True):
                if open_dialog:
                    self.page.click("#force")
                with self.subTest(scheme=scheme, open_dialog=open_dialog):
                    found = self.page.eval(CONTRASTS)
                    self.assertGreater(len(found), 60)
                    self.assertEqual([f for f in found if f[0] < 4.5], [])
            self.page.press("Escape")
        background = "getComputedStyle(document.body).backgroundColor"
        dark = self.page.eval(background)
        self.page.media(prefers_color_scheme="light")
        self.assertNotEqual(self.page.eval(background), dark)

    def test_the_key_form_has_contrast_in_light_and_dark(self):
        api = self.open_api()
        self.page.goto(api.url)
        for scheme in ("light", "dark"):
            self.page.media(prefers_color_scheme=scheme)
            found = self.page.eval(CONTRASTS)
            self.assertGreater(len(found), 5)
            self.assertEqual([f for f in found if f[0] < 4.5], [])

    def test_fits_narrow_screens(self):
        self.show_everything()
        for width in (320, 390, 768):
            self.page.viewport(width, 800)
            self.assertLessEqual(self.page.eval("document.documentElement.scrollWidth"), width)

    def test_everything_that_can_be_used_has_a_name(self):
        self.show_everything()
        self.page.call("Accessibility.enable")
        nodes = self.page.call("Accessibility.getFullAXTree")["nodes"]
        used = [n for n in nodes if n.get("role", {}).get("value") in ("button", "textbox", "progressbar", "img", "image", "list", "dialog") and not n["ignored"]]
        self.assertGreater(len([n for n in used if n["role"]["value"] == "button"]), 10)
        names = [n.get("name", {}).get("value") for n in used if n["role"]["value"] not in ("list",)]
        self.assertNotIn("", names)
        self.assertNotIn(None, names)
        buttons = [n["name"]["value"] for n in used if n["role"]["value"] == "button"]
        self.assertEqual(len(buttons), len(set(buttons)), buttons)
        self.assertEqual(self.page.eval("[...document.querySelectorAll('[role=status]')].map(n => n.id || n.firstElementChild.id)"), ["link", "words", "notice"])

    def test_motion_stops_where_it_is_not_wanted(self):
        self.show_everything()
        name = "getComputedStyle(document.querySelector('.node.running rect')).animationName"
        self.assertEqual(self.page.eval(name), "walk")
        self.page.media(prefers_reduced_motion="reduce")
        self.assertEqual(self.page.eval(name), "none")

    def test_errors_are_said_in_words(self):
        api = self.show_everything()
        apps = self.page.text("#apps")
        for text in ("Has a problem", "the registry is down", "do this", "it may not go on", "Waits for a lock", "Cannot go on", "a cycle", "Updating", "Paused",
                     "stopped by request", "unhealthy", "ended with 3", "is to be replaced", "It printed last:", "oh no", "not there"):
            self.assertIn(text, apps)
        self.assertIn("A newer target could not be used: no target", self.page.text("#headline"))
        self.assertIn("it will not", self.page.text("#log"))
        self.assertIn("last words", self.page.text("#log"))
        api.status = status_document(look_error=error("no daemon answers", "start it"))
        api.publish("done")
        self.page.wait_text("The container engine cannot be looked at", "#headline")
        self.assertIn("no daemon answers\nstart it", self.page.text("#headline"))

    def test_hostile_names_stay_text(self):
        api = self.open_api()
        for evil in HOSTILE:
            with self.subTest(evil=evil):
                steps = [step(1, "pull-image", evil, status="ready", app=evil, subject=evil), step(2, "take-locks", None, [1], "held", app=evil, detail=evil, why=[
                    {"code": "lock-held", **lock(app=evil, service=evil, path=evil)}])]
                with_steps(api, steps, running=[1], device=evil, engine={"kind": evil, "version": evil}, locks=[lock(app=evil, service=evil, path=evil, holder=evil, notes=[evil], kind=evil)],
                           target_problem=error(evil, evil), apps=[app(evil, status="held", error=error(evil, evil), gaps=[{"code": evil, "message": evil, "blocks": True}],
                                                                       **{"from": evil, "to": "b0b"}, back_to=evil,
                                                                       services=[service(evil, logs=[evil], health_output=evil, engine_error=evil, containers=[container(image=evil, release=evil)])])])
                self.show(api)
                api.publish("held", app=evil, holders=[lock(service=evil)])
                api.publish("step-failed", app=evil, service=evil, step=evil, kind=evil, subject=evil, error=error(evil, evil), logs=[evil])
                self.page.wait("document.querySelector('#log').children.length === 2")
                self.page.wait("document.querySelectorAll('.node').length === 2")
                for place in ("#headline", "#apps h3", ".service > b", ".service .image", "#locks", "#pulls", ".lane", "#log", "#apps .says"):
                    self.assertIn(evil, self.page.eval(f"document.querySelector({json.dumps(place)}).textContent"), place)
                self.page.click("#force")
                self.assertIn(evil, self.page.eval("document.querySelector('#ask-list').textContent"))
                # Nothing of it became an element, or ran.
                self.assertEqual(self.page.eval("[document.querySelectorAll('img, b b, main script, iframe, a').length, document.scripts.length, document.title.includes('Lockstep')]"), [0, 1, True])
                self.page.eval("document.querySelector('#forget').click()")

    def test_text_that_turns_round_stays_within_its_name(self):
        api = self.open_api()
        api.status = status_document(apps=[app("\u202egnp.exe", services=[service("\u05d0\u05d1")])])
        self.show(api)
        self.assertEqual(self.page.eval("['#apps h3', '.service > b'].map(s => document.querySelector(s).dir)"), ["auto", "auto"])
        self.assertEqual(self.page.eval("getComputedStyle(document.querySelector('.chip')).direction"), "ltr")

    def test_the_policy_lets_nothing_else_run(self):
        api = self.open_api()
        self.show(api)
        self.assertEqual(self.page.eval("(() => { try { document.body.innerHTML = '<p>'; } catch (e) { return e.name; } return 'taken'; })()"), "TypeError")
        self.assertEqual(self.page.eval("(() => { try { return String(window.eval('1')); } catch (e) { return e.name; } })()"), "EvalError")
        self.page.eval("(() => { const s = document.createElement('style'); s.textContent = 'body { background: red }'; document.head.append(s); })()")
        self.assertNotEqual(self.page.eval("getComputedStyle(document.body).backgroundColor"), "rgb(255, 0, 0)")
        self.assertGreaterEqual(len(self.page.problems), 2)  # The browser says so in each case.
        self.page.problems.clear()

    def test_a_download_shows_bytes_rate_and_what_is_left(self):
        api = self.open_api()
        steps = [step(1, "pull-image", status="ready", subject="registry.example/web:2"), step(2, after=[1])]
        with_steps(api, steps, running=[1])
        self.show(api)
        self.page.wait_text("registry.example/web:2\nbegins", "#pulls")
        api.publish("progress", app="shop", service="web", step=steps[0]["id"], kind="pull-image", subject="registry.example/web:2",
                    current_bytes=12_300_000, total_bytes=40_000_000, bytes_per_s=2_100_000, left_s=14)
        self.page.wait_text("12.3 MB of 40.0 MB, 2.1 MB/s, 14 s left", "#pulls")
        self.assertAlmostEqual(self.page.eval("document.querySelector('progress').position"), 0.3075, places=3)
        api.status = status_document()
        api.publish("step-done", app="shop", service="web", step=steps[0]["id"], kind="pull-image", subject="registry.example/web:2")
        self.page.wait_text("Nothing is being downloaded", "main")

    def test_a_download_whose_end_was_missed_goes(self):
        api = self.open_api()
        self.show(api)
        api.publish("progress", app="shop", service="web", step=step(1)["id"], kind="pull-image", subject="web:2", current_bytes=1, total_bytes=2)
        self.page.wait_text("web:2", "#pulls")
        api.publish("missed", missed=7)
        self.page.wait_text("Nothing is being downloaded", "main")
        self.assertIn("Some events were missed", self.page.text("#log"))

    def test_the_plan_is_a_picture_of_its_order(self):
        api = self.open_api()
        services = [f"service-{n}" for n in range(20)]
        steps = [step(n, "pull-image", name, status="ready") for n, name in enumerate(services)]
        steps += [step(1000, "take-locks", None, range(20), "held"), step(2000, "remove-image", None), step(2001, "remove-image", None)]
        for n, name in enumerate(services):
            steps += [step(100 + n, "stop-container", name, [1000, n]), step(200 + n, "start-container", name, [100 + n]),
                      step(300 + n, "await-health", name, [200 + n])]
        with_steps(api, steps, apps=[app(services=[service(name) for name in services])])
        self.show(api)
        self.page.wait("document.querySelectorAll('.node').length === 83")
        boxes = self.page.eval("""[...document.querySelectorAll('.node')].map(g => { const b = g.getBoundingClientRect(); return [g.node.id, b.left, b.top, b.right, b.bottom]; })""")
        place = {box[0]: box[1:] for box in boxes}
        for s in steps:
            for before in s["after"]:
                self.assertGreater(place[s["id"]][0], place[before][2], "what comes first is to the left")
        places = list(place.values())
        for i, a in enumerate(places):
            for b in places[:i]:
                self.assertFalse(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], "two steps lie on each other")
        # A line for each order that no other line tells: the gate comes after 20, and each chain has 3 links.
        self.assertEqual(self.page.eval("document.querySelectorAll('.edge').length"), 20 + 20 * 3)
        clipped = self.page.eval("[...document.querySelectorAll('.node')].filter(g => g.lastChild.getComputedTextLength() + 9 > 128).map(g => g.textContent)")
        self.assertEqual(clipped, [])

    def test_ten_thousand_steps_are_summed_up(self):
        api = self.open_api()
        services = [service(f"s{n}") for n in range(2000)]
        steps = [step(n, service_name=f"s{n // 5}", status="ready" if n < 3 else "waiting") for n in range(10_000)]
        with_steps(api, steps, running=[1], apps=[app(services=services)])
        self.show(api)
        self.page.wait_text("10,000 steps left, too many for a picture. Under way: 1; can begin: 3; waits for others: 9,997", ".plan")
        api.publish("plan", plan=api.plan)
        api.publish("done")
        self.page.wait_text("Nothing is left to do", "#log")
        self.assertNotIn("/v1/plan", api.gets)
        self.assertLess(self.page.eval("document.querySelectorAll('*').length"), 2000)
        self.page.click("article > button")
        self.page.wait("document.querySelectorAll('.service').length === 2000")

    def test_what_cannot_be_asked_says_why(self):
        self.failing_requests = True
        api = self.open_api()
        self.show(api)
        api.refusal = (404, {"error": error("there is no such service", "see GET /v1/plan")})
        self.page.click("[aria-label='Restart web of shop']")
        self.page.wait_text("That was refused: there is no such service", "#notice")
        self.assertEqual(api.posts, [("/v2/applications/shop/restart-service", {"serviceName": "web"})])
        self.page.click("#cancel")
        self.page.wait_text("Downloads under way are dropped", "#notice")
        self.assertEqual(api.posts[-1], ("/v1/update", {"cancel": True}))

    def test_goes_on_from_the_last_event(self):
        api = self.open_api()
        self.show(api)
        api.publish("committed", app="shop")
        self.page.wait_text("shop has settled", "#log")
        for stream in list(api.streams):
            stream.put(None)
        self.page.wait_text("No answer; trying again", "header")
        self.page.wait_text("Live", "header")
        self.assertIn("1-1", api.last_event_ids)

    def test_is_small(self):
        self.page.goto(self.agent.url)
        _, headers, page = self.agent.get("/")
        self.assertLess(len(page), 40_000)
        self.assertEqual(page, pathlib.Path(agents.ROOT, "integration/src/agent/status_page.html").read_bytes())
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
