#!/usr/bin/env python3
"""The story of `squelch demo`, live: the binary serves with a clock that goes faster (`--rehearse`), the events come over HTTP at their
time, a pager (a stand-in for PagerDuty's Events API) and a real mail server take what is told. What a person on call would
have got is held against the three faults of the story, and every event is accounted for.

usage: tests/peers/story.py --squelch PATH [--shots DIR] [--pace N]   (with aiosmtpd and, for pictures, selenium)

Loopback only; some two minutes; everything it starts is stopped."""

import argparse
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import datetime, timezone
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

sys.dont_write_bytecode = True
from compare import Side, free_port  # noqa: E402


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


# As in src/story: when each fault begins, by when somebody must know, and a word of the pages that tell of it.
FAULTS = {
    "disk-full": ("2026-03-04T13:00", "2026-03-04T16:45", "db-1"),
    "payments": ("2026-03-05T10:25", "2026-03-05T10:35", "error_rate"),
    "memory-outage": ("2026-03-06T16:50", "2026-03-07T00:50", "swap_used"),
}
OUTAGE = ("2026-03-07T01:50", "2026-03-07T02:10")
LIVE_FROM = at("2026-03-04T12:00")
# `squelch demo` pages 13 times in six days; live, the events come a moment later than they did.
MOST_PAGES = 16


class Pager(http.server.BaseHTTPRequestHandler):
    """Takes events as PagerDuty does, and refuses every tenth as one that is overloaded."""

    taken, asked = [], 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Pager.asked += 1
        refuses = Pager.asked % 10 == 0
        if not refuses:
            Pager.taken.append(body)
        text = json.dumps({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}).encode()
        self.send_response(500 if refuses else 202)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Post:
    """Keeps the mails."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


def rules(pager, post):
    smtp = {"host": "127.0.0.1", "port": post, "tls": "none"}
    return {
        "receivers": [
            {"name": "pager", "pagerduty": {"url": f"http://127.0.0.1:{pager}/v2/enqueue", "routing_key_env": "ROUTING_KEY"}},
            {"name": "mail", "email": {"to": ["night@example.org"], "from": "squelch@example.org", "smtp": smtp}},
        ],
        "routes": [{"name": "everything", "receivers": ["pager", "mail"]}],
        "digests": [{"name": "every day", "receivers": ["mail"], "at": "08:00"}],
    }


def start(options, folder, ports):
    story = folder / "story.jsonl"
    subprocess.run([options.squelch, "demo", "--write", story], check=True, stdout=subprocess.DEVNULL)
    events = [json.loads(line) for line in story.read_text().splitlines()]
    before, live = ([e for e in events if (e["ts"] < LIVE_FROM) == early] for early in (True, False))
    (folder / "before.jsonl").write_text("".join(json.dumps(event) + "\n" for event in before))
    subprocess.run([options.squelch, "learn", "--data-dir", folder / "data", folder / "before.jsonl"],
                   check=True, stdout=subprocess.DEVNULL)
    (folder / "rules").mkdir()
    # JSON is YAML.
    (folder / "rules" / "people.yaml").write_text(json.dumps(rules(*ports[1:])))
    (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\n")
    os.environ["ROUTING_KEY"] = "R0"
    squelch = Side("Squelch", [
        options.squelch, "serve", "--config", folder / "squelch.yaml", "--rules", folder / "rules", "--data-dir", folder / "data",
        "--listen", f"127.0.0.1:{ports[0]}", "--rehearse", str(options.pace),
    ], ports[0], open(folder / "log", "wb"))
    squelch.wait()
    return squelch, len(before), live


def clock(folder, pace):
    """A function that tells what the rehearsal's clock shows: the log says what it showed when."""
    line = next(line for line in (folder / "log").read_text().splitlines() if "this is a rehearsal" in line)
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    real, shown = datetime.fromisoformat(line.split()[0]).timestamp(), float(re.search(r"clock=([\d.]+)", line)[1])
    return lambda: shown + (time.time() - real) * pace


def play(url, events, now, until):
    """Sends the events at their time, together what is due together."""
    sent, events = 0, list(events)
    while sent < len(events) or now() < until:
        due = [event for event in events[sent:sent + 500] if event["ts"] <= now()]
        if due:
            body = "\n".join(json.dumps(event) for event in due).encode()
            request = urllib.request.Request(f"{url}/api/v1/events", body, {"Content-Type": "application/x-ndjson"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 200, answer.read()
            sent += len(due)
        else:
            time.sleep(0.005)
    return sent


def settle(url):
    """Waits until nothing is owed any more."""
    for _ in range(300):
        if metric(url, "squelch_outbox") == 0:
            return
        time.sleep(0.1)
    raise AssertionError("messages are still owed after half a minute")


def metric(url, name, label=""):
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    values = [float(line.split()[-1]) for line in lines if re.match(rf"{name}(\{{.*{label}.*\}})? ", line)]
    assert values, f"there is no metric {name}"
    return sum(values)


def triggers(taken, begin, end, word=""):
    """The pages in a stretch of time: when, and their first line."""
    found = []
    for event in taken:
        if event["event_action"] != "trigger":
            continue
        when = datetime.fromisoformat(event["payload"]["timestamp"].replace("Z", "+00:00")).timestamp()
        if at(begin) <= when <= at(end) and word in json.dumps(event["payload"]):
            found.append((when, event["payload"]["summary"], event["dedup_key"]))
    return found


def hold_against_the_story(taken, mails):
    subjects = [mail["Subject"] for mail in mails]
    for name, (begin, deadline, word) in FAULTS.items():
        told = triggers(taken, begin, deadline, word)
        assert told, f"nobody was paged for {name} in time: {[e['payload'] for e in taken if 'payload' in e]}"
        when = datetime.fromtimestamp(told[0][0], timezone.utc)
        print(f"{name}: paged {when:%a %H:%M:%S}, {(at(deadline) - told[0][0]) / 60:.0f} min before it was too late: {told[0][1]}")
    worse = [page for page in triggers(taken, *OUTAGE) if page[2].endswith("-worse")]
    assert worse, "the outage made nothing worse"
    print(f"the outage: {worse[0][1]}")
    opened = {event["dedup_key"] for event in taken if event["event_action"] == "trigger"}
    closed = {event["dedup_key"] for event in taken if event["event_action"] == "resolve"}
    assert opened <= closed, f"never resolved: {opened - closed}"
    pages = {event["payload"]["summary"] for event in taken if event["event_action"] == "trigger"}
    assert len(pages) <= MOST_PAGES, f"{len(pages)} pages: {pages}"
    rung = [subject for subject in subjects if not re.match(r"\[(RESOLVED|TAKEN|BACK)\]", subject)]
    assert len(rung) >= len(opened) // 2, f"the mails tell less than the pager: {subjects}"
    print(f"{len(pages)} pages, {len(opened)} alerts at the pager, all resolved; {len(subjects)} mails")


def hold_digests_against(mails, url, accepted):
    digests = [mail for mail in mails if "digest" in mail["Subject"].lower()]
    assert digests, f"no digest came by mail: {[mail['Subject'] for mail in mails]}"
    kinds = [part.get_content_type() for part in digests[-1].walk()]
    assert {"text/plain", "text/html", "image/png"} <= set(kinds), kinds
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/digest?since=7d", headers={"Accept": "text/plain"}),
                                timeout=60) as answer:
        words = answer.read().decode()
    told = f"Every event is accounted for: {accepted:,.0f} came in"
    assert told in " ".join(words.split()), words
    print(f"{len(digests)} digests by mail, the last: {digests[-1]['Subject']}; the week's: {words.splitlines()[0]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--squelch", required=True)
    parser.add_argument("--shots")
    parser.add_argument("--pace", type=int, default=1800)
    options = parser.parse_args()
    options.squelch = pathlib.Path(options.squelch).resolve()
    pager = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pager)
    threading.Thread(target=pager.serve_forever, daemon=True).start()
    post, smtp = Post(), free_port()
    controller = Controller(post, hostname="127.0.0.1", port=smtp)
    controller.start()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        squelch, learned, live = start(options, folder, (free_port(), pager.server_port, smtp))
        url = f"http://127.0.0.1:{squelch.port}"
        try:
            now = clock(folder, options.pace)
            sent = play(url, live, now, at("2026-03-08T02:00"))
            settle(url)
            hold_against_the_story(Pager.taken, post.mails)
            accepted, waiting = metric(url, "squelch_events_accepted_total"), metric(url, "squelch_events_waiting")
            verdicts = metric(url, "squelch_verdicts_total")
            assert accepted == learned + sent, f"{learned} learned and {sent} sent, {accepted} accepted"
            assert verdicts + waiting == accepted, f"{accepted} accepted, {verdicts} verdicts, {waiting} wait"
            print(f"{learned} events learned, {sent} sent; {verdicts:.0f} verdicts, {waiting:.0f} wait: every one is accounted for")
            hold_digests_against(post.mails, url, accepted)
            shoot(options, url)
        except BaseException:
            print((folder / "log").read_text()[-4000:])
            raise
        finally:
            squelch.stop()
            controller.stop()
            pager.shutdown()


def shoot(options, url):
    """The incident of the outage and the digest of the week, as people see them."""
    if not options.shots:
        return
    shots = pathlib.Path(options.shots).resolve()
    shots.mkdir(parents=True, exist_ok=True)
    digest = shots / "story-digest.html"
    subprocess.run([options.squelch, "digest", "--server", url, "--since", "7d", "--preview", digest], check=True)
    from selenium import webdriver  # noqa: PLC0415
    chromium = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"):
        chromium.add_argument(flag)
    chromium.binary_location = "/usr/bin/chromium"
    page = webdriver.Chrome(options=chromium, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        with urllib.request.urlopen(f"{url}/api/v1/incidents?state=all", timeout=20) as answer:
            incidents = json.load(answer)["incidents"]
        during = [one for one in incidents if one["opened"] < at(OUTAGE[1]) and (one["resolved"] or at(OUTAGE[1])) > at(OUTAGE[0])]
        memory = max(during, key=lambda incident: incident["alerts"])
        page.set_window_size(1320, 1900)
        page.get(f"{url}/incidents/{memory['incident']}")
        time.sleep(1)
        page.save_screenshot(str(shots / "story-incident.png"))
        for width in (1000, 390):
            page.set_window_size(width, 2400)
            page.get(digest.as_uri())
            page.save_screenshot(str(shots / f"story-digest-{width}.png"))
    finally:
        page.quit()


main()
