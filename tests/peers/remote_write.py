#!/usr/bin/env python3
"""A real Prometheus scrapes a small exporter and sends everything to Squelch by remote write. Of a fortnight that Squelch
knows, one of its series leaves what is usual: that one is paged, and no other sample is kept.

usage: tests/peers/remote_write.py --prometheus PATH --squelch PATH

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

DAYS, EVERY, OTHERS = 14, 1200, 300
RULE = {
    "name": "queues by their own past", "match": '__name__="queue_length"', "page": "always",
    "adaptive": {"severity": "error", "for": "0s"},
}


class Exporter(http.server.BaseHTTPRequestHandler):
    """One queue that is far too long, and many values that nobody asks for."""

    def do_GET(self):
        others = "".join(f'other{{number="{number}"}} {number}\n' for number in range(OTHERS))
        body = f'queue_length{{queue="mail"}} 61.2\n{others}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def write_configs(folder, exporter, squelch):
    job = {"job_name": "shop", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"], "labels": {"instance": "web-1:9100"}}]}
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s"}, "scrape_configs": [job],
        "remote_write": [{"url": f"http://127.0.0.1:{squelch}/api/v1/write", "queue_config": {"batch_send_deadline": "1s"}}],
    }))
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(json.dumps({"rules": [RULE]}))
    (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\nlimits: {per_source: 1000000 events/s}\n")


def start(options, folder, ports):
    log = lambda name: open(folder / f"{name}.log", "wb")  # noqa: E731
    squelch = Side("Squelch", [
        options.squelch, "serve", "--config", f"{folder}/squelch.yaml", "--rules", f"{folder}/rules",
        "--data-dir", f"{folder}/data", "--listen", f"127.0.0.1:{ports[0]}",
    ], ports[0], log("squelch"))
    squelch.wait()
    history(squelch)
    prometheus = Side("Prometheus", [
        options.prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{ports[1]}", "--log.level=warn",
    ], ports[1], log("prometheus"))
    return squelch, prometheus


def history(squelch):
    """A fortnight of the same series, as Squelch's own events."""
    now, count = time.time(), DAYS * 86400 // EVERY
    common = {
        "source": "remote-write", "service": "shop", "host": "web-1", "check": "queue_length{queue=mail}", "status": "sample",
        "labels": {"__name__": "queue_length"},
    }
    events = [{**common, "ts": now - number * EVERY, "value": [10, 16, 22][number % 3]} for number in range(count, 0, -1)]
    body = json.dumps(events).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{squelch.port}/api/v1/events", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["accepted"] == count


def text(side, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{side.port}{path}", timeout=20) as answer:
        return answer.read().decode()


def number(metrics, name):
    found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", metrics, re.M)
    return sum(float(value) for value in found)


def seen(squelch):
    """Waits for the page."""
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline:
        incidents = json.loads(text(squelch, "/api/v1/incidents"))["incidents"]
        if any(incident["paged"] for incident in incidents):
            return incidents
        time.sleep(0.5)
    return []


def complaints(incidents, squelch, prometheus):
    if [incident["title"].split(":")[0] for incident in incidents] != ["queue_length{queue=mail}"]:
        yield f"other incidents than that of the queue: {incidents}"
    if number(squelch, "squelch_samples_left_out_total") < OTHERS:
        yield "what no rule asks for is not counted"
    if number(squelch, "squelch_series") != 1:
        yield "more than one series is kept"
    for name in ("failed", "dropped", "retried"):
        if number(prometheus, f"prometheus_remote_storage_samples_{name}_total"):
            yield f"Prometheus has samples that {name}"


def main():
    parser = argparse.ArgumentParser()
    for name in ("prometheus", "squelch"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    exporter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder, ports = pathlib.Path(name), [free_port(), free_port()]
        write_configs(folder, exporter.server_port, ports[0])
        squelch, prometheus = start(options, folder, ports)
        try:
            incidents = seen(squelch)
            told = [text(side, "/metrics") for side in (squelch, prometheus)]
        finally:
            for side in (prometheus, squelch):
                side.stop()
            exporter.shutdown()
    wrong = list(complaints(incidents, *told))
    taken, left = (number(told[0], f"squelch_samples_{name}_total") for name in ("accepted", "left_out"))
    print(f"samples kept {taken:.0f}, left out {left:.0f}; paged: {[incident['title'] for incident in incidents]}")
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
