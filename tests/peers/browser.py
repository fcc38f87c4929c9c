#!/usr/bin/env python3
"""The console in a real Chromium: it opens, live updates arrive, and what a person clicks is done.

usage: browser.py --squelch PATH [--shots DIR]

Starts a server of its own on loopback. Each step waits for what it expects, and names it when it does not come. With --shots, screenshots at
the widths of a desk and of a phone are kept.
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

RULES = """rules:
  - {name: always, match: 'service="ledger"', page: always}
  - {name: load, match: 'check="load"', adaptive: {}}
"""
PATIENCE = 20
TOKENS = {"operator": "operator-token", "reader": "reader-token"}
# What a console may weigh before anything is clicked, in bytes: page, style and script.
FIRST_VIEW = 100_000


class House:
    """A squelch of its own. With `tokens` it asks who comes."""

    def __init__(self, binary, tokens=None):
        self.folder = tempfile.TemporaryDirectory()
        self.token = tokens and tokens["operator"]
        rules = pathlib.Path(self.folder.name, "rules")
        rules.mkdir()
        (rules / "always.yaml").write_text(RULES)
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--rules", rules, "--data-dir", self.folder.name + "/data"]
        for name, token in (tokens or {}).items():
            pathlib.Path(self.folder.name, name).write_text(token)
        if tokens:
            settings = pathlib.Path(self.folder.name, "squelch.yaml")
            settings.write_text(f"auth: {{token_file: {self.folder.name}/operator, reader_token_file: {self.folder.name}/reader}}\n")
            command += ["--config", settings]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://" + self.process.stdout.readline().strip().rsplit("/", 1)[1]

    def send(self, *events, **event):
        body = json.dumps(list(events) or event).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        request = urllib.request.Request(self.url + "/api/v1/events", body, headers)
        urllib.request.urlopen(request, timeout=PATIENCE).read()

    def at(self, name, token):
        """The address of somebody who shows a name and a token."""
        return self.url.replace("http://", f"http://{name}:{token}@")

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.folder.cleanup()


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1320,1500"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


class Visitor:
    """Somebody who looks, waits and clicks."""

    def __init__(self, page, shots):
        self.page, self.shots = page, shots
        # Between two pages there is none, and a live page replaces its parts: what is gone is looked for again.
        gone = [NoSuchElementException, StaleElementReferenceException]
        self.patiently = WebDriverWait(page, PATIENCE, poll_frequency=0.1, ignored_exceptions=gone)

    def text(self):
        return self.page.find_element(By.TAG_NAME, "body").text

    def until(self, words):
        try:
            self.patiently.until(lambda _: words in self.text())
        except TimeoutException:
            raise AssertionError(f"`{words}` never came:\n{self.text()[:3000]}") from None

    def click(self, css):
        self.patiently.until(lambda _: self.page.find_element(By.CSS_SELECTOR, css).click() or True, css)

    def write(self, css, *keys):
        self.patiently.until(lambda _: self.page.find_element(By.CSS_SELECTOR, css).send_keys(*keys) or True, css)

    def shoot(self, name, width=1320, height=1500):
        """By day and by night; nothing is wider than its window."""
        self.page.set_window_size(width, height)
        inner = self.page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert inner[0] <= inner[1], f"{name} at {width} is wider than its window: {inner}"
        for scheme in ("light", "dark") if self.shots else ():
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            self.page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            night = "-dark" if scheme == "dark" else ""
            self.page.save_screenshot(str(pathlib.Path(self.shots, f"{name}-{width}{night}.png")))
        self.page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        self.page.set_window_size(1320, 1500)

    def nothing_went_wrong(self, *but):
        """What the policy of a page forbids, and what a script gets wrong, stands in the log."""
        lines = [line["message"] for line in self.page.get_log("browser") if line["level"] == "SEVERE"]
        wrong = [line for line in lines if not any(words in line for words in but)]
        assert not wrong, wrong


def run(house, page, shots):
    visitor = Visitor(page, shots)
    until, click, write, shoot, patiently = visitor.until, visitor.click, visitor.write, visitor.shoot, visitor.patiently

    page.get(house.url + "/")
    until("Nothing needs you")
    until("ready")
    # What comes now must appear without loading the page again.
    house.send(source="deployer", kind="change", service="ledger", check="deploy", summary="ledger 4.2.1 by ada")
    house.send(source="nagios", kind="host", service="ledger", host="db-1", check="disk", severity="critical", value=97,
               threshold=92, unit="%", summary="disk <b>97 %</b> full")
    until("disk <b>97 %</b> full on ledger (db-1)")
    until("a rule says that it always pages")
    until("1 open incident nobody has taken")
    for width in (1320, 390):
        shoot("now", width)
    weight = page.execute_script("""return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(one => !one.name.includes('/live')).reduce((sum, one) => sum + one.encodedBodySize, 0)""")
    assert 5_000 < weight < FIRST_VIEW, f"the first view weighs {weight} bytes"
    write("body", "j")
    assert page.switch_to.active_element.get_attribute("href").endswith("/incidents/1"), "j goes to the first incident"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    until("open, nobody has taken it")
    until("ledger 4.2.1 by ada")
    assert page.find_elements(By.CSS_SELECTOR, "#run .page circle"), "its page is drawn"
    # The keyboard goes along a lane, and says what is there.
    page.execute_script("document.querySelector('#run .lane').focus()")
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert page.find_element(By.ID, "tip").text, "a stretch of a lane has words"
    for width in (1320, 390):
        shoot("incident", width)
    click(".acts .first")
    until("open, taken")
    # Another alert joins: the page tells it by itself.
    house.send(source="nagios", kind="host", service="ledger", host="db-1", check="replication", severity="critical")
    until("replication")
    click("button[value=noise]")
    until("called it noise")
    write("input[name=reason]", "the rack moves")
    write("input[name=owner]", "ada", Keys.ENTER)
    # The form leads back to the incident; only then it is done.
    patiently.until(lambda _: not page.find_element(By.CSS_SELECTOR, "input[name=reason]").get_attribute("value"))
    page.get(house.url + "/rules")
    until("ada: the rack moves")
    shoot("rules")
    write("body", "/")
    page.switch_to.active_element.send_keys("db-1 disk", Keys.ENTER)
    until("What is known of it")
    shoot("series")
    page.get(house.url + "/noise")
    until("By the hour")
    shoot("noise")
    shoot("noise", 390)
    what_if(house, visitor)
    values(house, visitor)
    shadow(house, visitor)
    page.get(house.url + "/audit")
    for words in ("ack", "feedback", "what-if", "page: never", "on: nobody is paged", "off: pages are sent"):
        until(words)
    for width in (1320, 390):
        shoot("audit", width)
    page.get(house.url + "/incidents/1")
    click("form[action$='/resolve'] button")
    until("over")
    visitor.nothing_went_wrong()


def what_if(house, visitor):
    """A knob is turned by a form: the page that would not have come is told, and leads to its incident."""
    visitor.page.get(house.url + "/noise")
    visitor.write("input[name=never]", 'host="db-1"', Keys.ENTER)
    visitor.until("0 pages instead of 1")
    visitor.until("people took it")
    visitor.until("page: never")
    assert visitor.page.find_elements(By.CSS_SELECTOR, ".trial .lost circle"), "the page that is lost is drawn"
    for width in (1320, 390):
        visitor.shoot("what-if", width)
    visitor.click(".trials a[href='/incidents/1']")
    visitor.until("incident #1")
    visitor.page.get(house.url + "/noise/what-if")
    visitor.write("input[name=hold]", "soon", Keys.ENTER)
    visitor.until("`soon` is no duration")
    visitor.nothing_went_wrong("400 (Bad Request)")


def values(house, visitor):
    """Three days of samples, then two that are unusual: drawn before the band that was learned."""
    now = time.time()

    def sample(ago, value):
        return {"source": "collectd", "kind": "host", "host": "web-1", "check": "load", "status": "sample", "ts": now - ago, "value": value}

    steady = [sample(60 * ago, 40 + 15 * math.sin(ago / 229) + ago % 7) for ago in range(3 * 1440, 60, -5)]
    house.send(*steady, sample(1800, 96), sample(1200, 99))
    visitor.page.get(house.url + "/series?find=web-1+load")
    visitor.until("Its values")
    visitor.until("The band is where its values usually lie, by the hour; 2 of these lie outside")
    drawn = visitor.page.find_elements(By.CSS_SELECTOR, "#values ~ figure .value")
    assert len(drawn) > 200, f"{len(drawn)} values are drawn"
    for width in (1320, 390):
        visitor.shoot("values", width)


def shadow(house, visitor):
    """Shadow mode is turned on and off; every page says that it is on."""
    visitor.page.get(house.url + "/rules")
    visitor.until("Pages are sent to those who are told below")
    visitor.click("form[action='/shadow'] button")
    assert "Shadow mode:" not in visitor.text(), "who does not say that nobody will be woken turns nothing on"
    visitor.click("form[action='/shadow'] input[type=checkbox]")
    visitor.click("form[action='/shadow'] button")
    visitor.until("somebody at the console turned it on")
    for width in (1320, 390):
        visitor.shoot("shadow", width)
    visitor.page.get(house.url + "/noise")
    visitor.until("everything is judged, and nobody is paged")
    visitor.page.get(house.url + "/rules")
    visitor.click("form[action='/shadow'] button")
    visitor.until("nobody said otherwise")
    assert "Shadow mode:" not in visitor.text()


ROLES = (("eve", "reader", False), ("ada", "operator", True))


def role(house, page, shots, who):
    """A reader sees everything, has no buttons, and gets nothing done; an operator has them."""
    visitor, (name, word, may) = Visitor(page, shots), who
    page.get(house.at(name, TOKENS[word]) + "/")
    visitor.until("nobody has taken")
    # With a name in the address a browser asks for style and script without it.
    page.get_log("browser")
    for path in ("/", "/incidents/1", "/rules", "/noise", "/noise/what-if"):
        page.get(house.url + path)
        visitor.until(word if may else "operators act")
        forms = page.find_elements(By.CSS_SELECTOR, "form[method=post]")
        assert bool(forms) == may, f"{name} at {path} has {len(forms)} forms"
    page.get(house.url + "/incidents/1")
    visitor.until("nobody has taken it")
    visitor.shoot(word)
    send = """const [path, body, done] = arguments;
        fetch(path, {method: 'POST', body, headers: {'content-type': 'application/x-www-form-urlencoded'}})
            .then(answer => done(answer.status), error => done(String(error)))"""
    for path, form in (("/incidents/1/ack", ""), ("/shadow", "on=no"), ("/noise/what-if", "hold=5m")):
        status = page.execute_async_script(send, path, form)
        assert status == (200 if may else 403), f"{name}: {path}: {status}"
    page.get(house.url + "/incidents/1")
    visitor.until("ada has taken it" if may else "nobody has taken it")
    page.get(house.url + "/audit")
    visitor.until("ada" if may else "readers may look at everything and change nothing")
    visitor.nothing_went_wrong(*[] if may else ["403 (Forbidden)"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--squelch", required=True)
    parser.add_argument("--shots")
    options = parser.parse_args()
    if options.shots:
        pathlib.Path(options.shots).mkdir(parents=True, exist_ok=True)
    house = House(options.squelch)
    try:
        in_browser(lambda page: run(house, page, options.shots))
    finally:
        house.stop()
    house = House(options.squelch, TOKENS)
    try:
        house.send(source="nagios", kind="host", service="ledger", host="db-1", check="disk", severity="critical")
        for who in ROLES:
            in_browser(lambda page, who=who: role(house, page, options.shots, who))
    finally:
        house.stop()
    print("the console works in a real browser")


def in_browser(work):
    """Works with a browser of its own, which remembers nobody's password."""
    page = browser()
    try:
        work(page)
    finally:
        page.quit()


main()
