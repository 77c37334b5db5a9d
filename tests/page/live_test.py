"""The status page of an agent that runs."""
from browser import eventually
from pages import PageTest


class LivePageTest(PageTest):
    releases = iter(range(2, 1000))

    def new_release(self):
        number = next(self.releases)
        self.agent.release(number)
        return number

    def hold(self):
        """An update waits for the lock of web."""
        path = self.agent.lock("web")
        self.addCleanup(path.unlink, missing_ok=True)
        number = self.new_release()
        self.page.wait_text("shop waits for an update lock", "#headline")
        return path, number

    def test_shows_apps_and_services(self):
        self.open_agent()
        apps = self.page.text("#apps")
        for text in ("shop", "Up to date", "db", "web", "running", "postgres:15", "registry.example/web:", "release "):
            self.assertIn(text, apps)
        self.assertIn("1 app, 2 services, nothing to do", self.page.text("#headline"))
        self.assertIn("There is nothing to do", self.page.text(".plan"))

    def test_a_lock_on_disk_is_shown_with_its_age_until_it_goes(self):
        self.open_agent()
        self.page.wait_text("No app holds an update lock")
        path = self.agent.lock("web")
        self.addCleanup(path.unlink, missing_ok=True)
        self.page.wait_text("web of shop has held its update lock for ", "#locks")
        self.assertIn(str(path), self.page.text("#locks"))
        age = "Number(/ for (\\d+) s/.exec(document.querySelector('#locks').innerText)[1])"
        young = self.page.eval(age)
        self.page.wait(f"{age} > {young}")
        path.unlink()
        self.page.wait_text("No app holds an update lock")

    def test_an_update_is_followed_to_its_end(self):
        self.open_agent()
        number = self.new_release()
        self.page.wait_text("An update is under way", "#headline")
        self.page.wait_text("✓ start", "#graph")
        self.page.wait_text("▶ settle", "#graph")
        self.page.wait_text("shop has settled on its release", "#log")
        self.page.wait_text("Everything is as it should be", "#headline")
        self.page.wait_text(f"registry.example/web:{number}", "#apps")
        self.assertEqual(self.page.eval("[...document.querySelectorAll('.node')].every(n => n.classList.contains('done'))"), True)

    def test_a_held_update_goes_on_when_the_lock_is_gone(self):
        self.open_agent()
        path, number = self.hold()
        self.page.wait_text("Held by web of shop", "#headline")
        self.page.wait_text("‖ take locks", "#graph")
        path.unlink()
        self.page.wait_text(f"registry.example/web:{number}", "#apps")
        self.page.wait_text("Everything is as it should be", "#headline")

    def test_force_asks_first_and_says_what_it_runs_over(self):
        self.open_agent()
        path, number = self.hold()
        self.page.click("#force")
        self.page.wait("document.querySelector('#ask').open")
        self.assertIn(str(path), self.page.text("#ask"))
        self.assertIn("It interrupts web of shop", self.page.text("#ask"))
        self.page.click("#ask-no")
        self.page.wait("!document.querySelector('#ask').open")
        self.assertEqual([u for u in self.page.urls if u.endswith("/v1/update")], [])
        self.assertTrue(path.exists())
        self.page.click("#force")
        self.page.click("#ask-yes")
        self.page.wait_text(f"registry.example/web:{number}", "#apps")
        self.page.wait_text("Everything is as it should be", "#headline")
        self.assertFalse(path.exists())

    def test_a_locked_restart_says_who_holds_and_may_be_done_anyway(self):
        self.failing_requests = True  # 423.
        self.open_agent()
        path = self.agent.lock("web")
        self.addCleanup(path.unlink, missing_ok=True)
        before = self.agent.status()["apps"][0]["services"][0]["containers"][0]["started_at"]
        self.page.click("[aria-label='Restart db of shop']")
        self.page.wait_text("An update lock is held", "#ask")
        self.assertIn(str(path), self.page.text("#ask"))
        self.page.click("#ask-yes")
        self.page.wait_text("Asked for: restart db", "#notice")
        eventually(lambda: self.agent.status()["apps"][0]["services"][0]["containers"][0]["started_at"] not in (before, None), "restarted")

    def test_stops_and_starts_a_service(self):
        self.open_agent()
        self.page.click("[aria-label='Stop web of shop']")
        self.page.wait_text("stopped by request", "#apps")
        self.page.wait_text("ended with 0", "#apps")
        self.page.click("[aria-label='Start web of shop']")
        self.page.wait("!document.querySelector('#apps').innerText.includes('ended')")
        self.page.wait_text("Everything is as it should be", "#headline")

    def test_pauses_an_app_and_lets_it_go_on(self):
        self.open_agent()
        self.page.click("[aria-label='Pause shop']")
        self.page.wait_text("Paused", "#apps")
        number = self.new_release()
        self.page.wait_text("shop is paused", "#headline")
        self.assertNotIn(f"running\nrelease {number}", self.page.text("#apps"))
        self.page.click("[aria-label='Resume shop']")
        self.page.wait_text(f"registry.example/web:{number}", "#apps")
        self.page.wait_text("Everything is as it should be", "#headline")

    def test_works_by_keyboard_alone(self):
        self.open_agent()  # The key was typed where the focus was.
        self.hold()
        focus = "(document.activeElement.ariaLabel || document.activeElement.id || document.activeElement.textContent)"
        seen = []
        for _ in range(40):
            self.page.press("Tab")
            seen.append(self.page.eval("document.activeElement === document.body ? '' : " + focus))
            if seen[-1]:
                style = self.page.eval("""(() => { const n = document.activeElement, s = getComputedStyle(n.matches('.node') ? n.firstChild : n);
                  return n.matches('.node') ? s.strokeWidth : s.outlineStyle + ' ' + s.outlineWidth; })()""")
                self.assertIn(style, ("solid 3px", "3.5px"), f"the focus on {seen[-1]} is not to be seen")
            if seen[-1] == "log" or len(seen) > 1 and not seen[-1]:
                break
        self.assertEqual(seen[:4] if seen[0] != "forget" else seen[1:5], ["update", "force", "cancel", "Restart all of shop"], seen)
        for name in ("Pause shop", "Restart db of shop", "Stop db of shop", "Restart web of shop", "Stop web of shop", "log"):
            self.assertIn(name, seen)
        self.assertTrue([name for name in seen if ": " in name], f"no step of the plan in {seen}")

        self.page.eval("document.querySelector('.node[tabindex=\"0\"]').focus()")
        before = self.page.eval(focus)
        self.page.press("ArrowRight")
        self.assertNotEqual(self.page.eval(focus), before)
        self.assertIn(self.page.eval(focus).split(":")[0], self.page.text("#detail"))

        self.page.eval("document.querySelector('#update').focus()")
        self.page.press("Enter")
        self.page.wait_text("An update was asked for", "#notice")
        self.page.press("Tab")
        self.page.press(" ")
        self.page.wait("document.querySelector('#ask').open")
        self.assertEqual(self.page.eval(focus), "ask-no")
        for _ in range(4):
            self.page.press("Tab")
            self.assertNotIn(self.page.eval(focus), ("update", "force", "cancel"))
        self.page.press("Escape")
        self.page.wait("!document.querySelector('#ask').open")
        self.assertEqual(self.page.eval(focus), "force")

    def test_a_wrong_key_is_refused_in_words(self):
        self.failing_requests = True  # 401.
        self.page.goto(self.agent.url)
        self.page.type("x" * 32)
        self.page.press("Enter")
        self.page.wait_text("This key does not open this device", "#key-error")
        self.assertEqual(self.page.eval("[document.querySelector('#main').checkVisibility(), document.activeElement.id, sessionStorage.getItem('key')]"),
                         [False, "key", None])
        self.page.type("schlüssel")  # No header field can hold it.
        self.page.press("Enter")
        self.page.wait_text("This key does not open this device", "#key-error")
        self.page.type(self.agent.key)
        self.page.press("Enter")
        self.page.wait_text("Live", "header")

    def test_the_key_is_kept_by_the_tab_until_it_is_forgotten(self):
        self.open_agent()
        self.page.goto(self.agent.url)
        self.page.wait_text("Everything is as it should be")
        self.assertEqual(self.page.eval("document.cookie + localStorage.length"), "0")
        self.page.click("#forget")
        self.page.wait("document.activeElement.id === 'key'")
        self.assertIsNone(self.page.eval("sessionStorage.getItem('key')"))
        self.page.goto(self.agent.url)
        self.page.wait("document.activeElement.id === 'key'")

    def test_a_right_key_is_not_wrong_while_the_agent_starts(self):
        self.page.goto(self.agent.url)
        self.agent.stop()
        self.agent.start()
        codes = set()

        def works():
            try:
                codes.add(self.agent.get("/v1/status")[0])
            except OSError:
                pass
            return 200 in codes

        eventually(works, "it works")
        self.assertLessEqual(codes, {200, 503})

    def test_says_that_the_agent_is_gone_and_recovers(self):
        self.failing_requests = True  # Nobody answers.
        self.open_agent()
        self.addCleanup(lambda: self.agent.process.poll() is None or self.agent.start())
        self.agent.stop()
        self.page.wait_text("The agent does not answer", "#headline")
        self.page.wait_text("No answer; trying again", "header")
        self.page.click("#update")
        self.page.wait_text("nothing was asked of it", "#notice")
        self.agent.start()
        self.page.wait_text("Live", "header")
        self.page.wait_text("Everything is as it should be", "#headline")
