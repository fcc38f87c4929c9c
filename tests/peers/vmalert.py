#!/usr/bin/env python3
"""A real vmalert tells Squelch of an alert, through both doors: as if it were an Alertmanager, and at /ingest/vmalert. It
fires, it is resolved, and vmalert counts no error: it takes nothing but a 200 for an answer.

usage: tests/peers/vmalert.py --vmalert PATH --squelch PATH

Loopback only; at most a minute; everything it starts is stopped."""

import argparse
import http.server
import json
import pathlib
import re
import sys
import tempfile
import threading
import time
import urllib.request

sys.dont_write_bytecode = True
from compare import Side, free_port  # noqa: E402


class Source(http.server.BaseHTTPRequestHandler):
    """Answers every query as VictoriaMetrics would: one full disk, or none."""

    full = True

    def do_GET(self):
        found = [{"metric": {"instance": "db-1:9100"}, "value": [time.time(), "97"]}] if Source.full else []
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": found}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def start(options, folder, source, ports):
    rule = {
        "alert": "DiskFull", "expr": "disk > 90", "labels": {"severity": "critical", "service": "shop"},
        "annotations": {"summary": "disk at {{ $value }} %"},
    }
    # JSON is YAML.
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "disks", "interval": "1s", "rules": [rule]}]}))
    (folder / "rules").mkdir()
    (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\n")
    log = lambda name: open(folder / f"{name}.log", "wb")  # noqa: E731
    squelch = Side("Squelch", [
        options.squelch, "serve", "--config", f"{folder}/squelch.yaml", "--rules", f"{folder}/rules",
        "--data-dir", f"{folder}/data", "--listen", f"127.0.0.1:{ports[0]}",
    ], ports[0], log("squelch"))
    squelch.wait()
    vmalert = Side("vmalert", [
        options.vmalert, f"-rule={folder}/rules.yml", f"-datasource.url=http://127.0.0.1:{source}",
        f"-notifier.url=http://127.0.0.1:{ports[0]}", f"-notifier.url=http://127.0.0.1:{ports[0]}/ingest/vmalert",
        f"-httpListenAddr=127.0.0.1:{ports[1]}", "-evaluationInterval=1s",
    ], ports[1], log("vmalert"))
    return squelch, vmalert


def text(side, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{side.port}{path}", timeout=20) as answer:
        return answer.read().decode()


def active(squelch):
    return [alert["labels"] for alert in json.loads(text(squelch, "/api/v2/alerts"))]


def wait(holds):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return False


def number(metrics, name):
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", metrics, re.M))


def watch(squelch, vmalert):
    """What goes wrong."""
    if not wait(lambda: len(active(squelch)) == 2):
        yield f"it does not fire through both doors: {active(squelch)}"
    if any(labels.get("alertname") != "DiskFull" or labels.get("severity") != "critical" for labels in active(squelch)):
        yield f"other alerts than that of vmalert: {active(squelch)}"
    Source.full = False
    if not wait(lambda: not active(squelch)):
        yield f"it is not resolved: {active(squelch)}"
    metrics = text(vmalert, "/metrics")
    sent, failed = (number(metrics, f"vmalert_alerts_{name}_total") for name in ("sent", "send_errors"))
    print(f"vmalert sent {sent:.0f} alerts, {failed:.0f} with an error")
    if not sent or failed:
        yield "vmalert is not content with the answers"


def main():
    parser = argparse.ArgumentParser()
    for name in ("vmalert", "squelch"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    source = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=source.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        sides = start(options, pathlib.Path(name), source.server_port, [free_port(), free_port()])
        try:
            wrong = list(watch(*sides))
        finally:
            for side in reversed(sides):
                side.stop()
            source.shutdown()
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
