#!/usr/bin/env python3
"""The console in a real Chromium: it opens, live updates arrive, and what a person clicks is done.

usage: browser.py --squelch PATH [--shots DIR]

Starts a server of its own on loopback. Each step waits for what it expects, and names it when it does not come. With --shots, screenshots at
the widths of a desk and of a phone are kept.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

RULES = "rules: [{name: always, match: 'service=\"ledger\"', page: always}]\n"
PATIENCE = 20


class House:
    """A squelch of its own."""

    def __init__(self, binary):
        self.folder = tempfile.TemporaryDirectory()
        rules = pathlib.Path(self.folder.name, "rules")
        rules.mkdir()
        (rules / "always.yaml").write_text(RULES)
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--rules", rules, "--data-dir", self.folder.name + "/data"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://" + self.process.stdout.readline().strip().rsplit("/", 1)[1]

    def send(self, **event):
        body = json.dumps(event).encode()
        request = urllib.request.Request(self.url + "/api/v1/events", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=PATIENCE).read()

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


def run(house, page, shots):
    def text():
        return page.find_element(By.TAG_NAME, "body").text

    # Between two pages there is none, and a live page replaces its parts: what is gone is looked for again.
    gone = [NoSuchElementException, StaleElementReferenceException]
    patiently = WebDriverWait(page, PATIENCE, poll_frequency=0.1, ignored_exceptions=gone)

    def until(words):
        try:
            patiently.until(lambda _: words in text())
        except TimeoutException:
            raise AssertionError(f"`{words}` never came:\n{text()[:3000]}") from None

    def click(css):
        patiently.until(lambda _: page.find_element(By.CSS_SELECTOR, css).click() or True, css)

    def write(css, *keys):
        patiently.until(lambda _: page.find_element(By.CSS_SELECTOR, css).send_keys(*keys) or True, css)

    def shoot(name, width=1320, height=1500):
        page.set_window_size(width, height)
        inner = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert inner[0] <= inner[1], f"{name} at {width} is wider than its window: {inner}"
        if shots:
            page.save_screenshot(str(pathlib.Path(shots, f"{name}-{width}.png")))

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
    page.set_window_size(1320, 1500)
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
    page.set_window_size(1320, 1500)
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
    page.get(house.url + "/incidents/1")
    click("form[action$='/resolve'] button")
    until("over")
    # What the policy of the page forbids, and what a script gets wrong, stands in the log.
    wrong = [line["message"] for line in page.get_log("browser") if line["level"] == "SEVERE"]
    assert not wrong, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--squelch", required=True)
    parser.add_argument("--shots")
    options = parser.parse_args()
    if options.shots:
        pathlib.Path(options.shots).mkdir(parents=True, exist_ok=True)
    house = House(options.squelch)
    try:
        page = browser()
        try:
            run(house, page, options.shots)
        finally:
            page.quit()
    finally:
        house.stop()
    print("the console works in a real browser")


main()
