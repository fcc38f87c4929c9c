#!/usr/bin/env python3
"""A real Prometheus with 200 rules, 50 of which flap, sends to a real Alertmanager and to Squelch at the same time.
Counts what people are sent by each, and judges Squelch's history again: the same events must give the same decisions.

usage: tests/peers/prometheus.py --prometheus PATH --alertmanager PATH --squelch PATH [--seconds 120]

Loopback only; everything it starts is stopped."""

import argparse
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter

sys.dont_write_bytecode = True
from compare import Side, free_port  # noqa: E402

RULES, FLAPPING, SERVICES, INTERVAL = 200, 50, 20, 5
# Prometheus takes a group in one POST: twenty rules each.
GROUP = 20


class Hook(http.server.BaseHTTPRequestHandler):
    """Counts what arrives at each path."""

    counts = Counter()
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Hook.counts[self.path] += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def rule(number):
    flaps = number % (RULES // FLAPPING) == 0
    # Half a minute on, half a minute off, each with a phase of its own.
    expr = f"vector((time() + {number * 7}) % 60) < 30" if flaps else "vector(1) > 0"
    severity = ["critical", "warning", "warning"][number % 3]
    return {
        "alert": f"Rule{number:03}", "expr": expr,
        "labels": {"severity": severity, "service": f"svc-{number % SERVICES:02}", "team": f"team-{number % 5}"},
        "annotations": {"summary": f"rule {number} has value {{{{ $value }}}}", "runbook_url": f"https://runbooks.example.org/{number}"},
    }


def write_configs(folder, hook, ports):
    groups = [
        {"name": f"g{first}", "rules": [rule(number) for number in range(first, first + GROUP)]} for first in range(0, RULES, GROUP)
    ]
    # JSON is YAML.
    (folder / "rules.yml").write_text(json.dumps({"groups": groups}))
    targets = [f"127.0.0.1:{port}" for port in ports]
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"evaluation_interval": f"{INTERVAL}s"}, "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"api_version": "v2", "static_configs": [{"targets": targets}]}]},
    }))
    (folder / "alertmanager.yml").write_text(json.dumps({
        "route": {"receiver": "hook", "group_by": ["service"], "group_wait": "1s", "group_interval": "5s", "repeat_interval": "4h"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": f"http://127.0.0.1:{hook}/alertmanager", "send_resolved": True}]}],
    }))
    (folder / "rules").mkdir()
    (folder / "rules" / "told.yaml").write_text(json.dumps({
        "receivers": [{"name": "hook", "webhook": {"url": f"http://127.0.0.1:{hook}/squelch"}}],
        "routes": [{"name": "everything", "receivers": ["hook"]}],
    }))
    (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\n")


def start(options, folder, ports):
    log = lambda name: open(folder / f"{name}.log", "wb")  # noqa: E731
    return [
        Side("Alertmanager", [
            options.alertmanager, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{ports[0]}", "--cluster.listen-address=",
        ], ports[0], log("alertmanager")),
        Side("Squelch", [
            options.squelch, "serve", "--config", f"{folder}/squelch.yaml", "--rules", f"{folder}/rules",
            "--data-dir", f"{folder}/data", "--listen", f"127.0.0.1:{ports[1]}",
        ], ports[1], log("squelch")),
        Side("Prometheus", [
            options.prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{ports[2]}", "--log.level=warn",
            # It learns of its Alertmanagers after it has told of its first alerts, and tells of them again after a minute.
            f"--rules.alert.resend-delay={min(60, options.seconds // 4)}s",
        ], ports[2], log("prometheus")),
    ]


def get(side, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{side.port}{path}", timeout=20) as answer:
        return json.load(answer)


def active(side):
    return {alert["fingerprint"] for alert in get(side, "/api/v2/alerts")}


def again(options, folder, until):
    """The decisions of a replay of the history, up to the end of the live run."""
    out = folder / "decisions.jsonl"
    command = [options.squelch, "replay", "--rules", f"{folder}/rules", "--data-dir", f"{folder}/data", "--decisions", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    pages = sorted((line["ts"], line["incident"], line["title"]) for line in lines if line["type"] == "page" and line["ts"] <= until)
    return pages, sum(line["type"] == "verdict" for line in lines)


def live_pages(side, incidents):
    """What was paged, from the timelines of the incidents."""
    return sorted((incident["paged"], incident["incident"], incident["title"]) for incident in incidents if incident["paged"])


def told(options, sides):
    alertmanager, squelch, _ = sides
    same = active(alertmanager) & active(squelch)
    tally = get(squelch, "/api/v1/tally")
    incidents = get(squelch, "/api/v1/incidents?limit=1000")["incidents"]
    return {"active on both": len(same), "tally": tally, "incidents": incidents, "until": time.time()}


def run(options, folder):
    ports = [free_port() for _ in range(3)]
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    write_configs(folder, hook.server_port, ports[:2])
    sides = start(options, folder, ports)
    try:
        for side in sides:
            side.wait()
        time.sleep(options.seconds)
        state = told(options, sides)
    finally:
        for side in reversed(sides):
            side.stop()
        hook.shutdown()
    return state


def main():
    parser = argparse.ArgumentParser()
    for name in ("prometheus", "alertmanager", "squelch"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        state = run(options, folder)
        pages, verdicts = again(options, folder, state["until"])
    tally = state["tally"]
    live = sorted((incident["incident"], incident["title"]) for incident in state["incidents"] if incident["paged"] is not None)
    replayed = sorted({(str(incident), title) for _, incident, title in pages})
    print(f"{options.seconds} s, {RULES} rules, {FLAPPING} of them flapping: {tally['accepted']} alerts accepted, "
          f"{state['active on both']} active on both at the end")
    verdict_counts = {reason: count for reason, count in tally["verdicts"].items() if count}
    print(f"what became of them: {verdict_counts}, {tally['waiting']} still waiting")
    print(f"notifications: Alertmanager {Hook.counts['/alertmanager']}, Squelch {Hook.counts['/squelch']} "
          f"({tally['pages']['open']} pages of {len(live)} incidents)")
    wrong = []
    if state["active on both"] < RULES - FLAPPING:
        wrong.append("the steady alerts are not active on both")
    if [number for number, _ in live] != [number for number, _ in replayed]:
        wrong.append(f"the replay pages otherwise: live {live}, replayed {replayed}")
    if verdicts < tally["accepted"]:
        wrong.append(f"the replay has {verdicts} verdicts for {tally['accepted']} events accepted live")
    if Hook.counts["/squelch"] * 5 > Hook.counts["/alertmanager"]:
        wrong.append("Squelch does not send a fifth of Alertmanager's notifications or less")
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
