#!/usr/bin/env python3
"""Drives a real Alertmanager and Squelch side by side with the same amtool commands and the same raw requests, and
prints where their answers differ. What `allowed.txt` does not explain makes it fail, and so does an explanation that
explains nothing any more.

usage: tests/peers/compare.py --alertmanager PATH --amtool PATH --squelch PATH [--verbose]

Identities of silences are numbered in the order in which they were made, and times are compared to a few seconds.
Loopback only; everything it starts is stopped."""

import argparse
import concurrent.futures
import fnmatch
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

sys.dont_write_bytecode = True
import steps  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
# So many seconds may the same moment differ.
SLACK = 8
HEADERS = ["Content-Type", "Cache-Control", "Allow"]


class Side:
    """One of the two servers."""

    def __init__(self, name, command, port, log):
        self.name, self.port = name, port
        self.uuids = {}
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.ask("GET", "/-/ready", None, {})["status"] == 200:
                    return
            except OSError:
                time.sleep(0.05)
            if self.process.poll() is not None:
                break
        sys.exit(f"{self.name} does not start")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def ask(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=None if body is None else body.encode(), headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (http.client.HTTPException, ConnectionError) as error:
            return {"status": f"no answer ({type(error).__name__})", "headers": {}, "body": ""}
        finally:
            connection.close()
        seen = {name: answer.getheader(name) for name in HEADERS}
        if not text:
            seen["Content-Type"] = None
        # Alertmanager names the methods in any order.
        if seen["Allow"]:
            seen["Allow"] = ",".join(sorted(word.strip() for word in seen["Allow"].split(",")))
        text = re.sub(r"but \[([A-Z,]+)\] are", lambda found: f"but {sorted(found[1].split(','))} are".replace("'", ""), text)
        return {"status": answer.status, "headers": seen, "body": text}

    def filled(self, text):
        """Puts this side's identities for {silence 1}, {silence 2} ..."""
        numbers = {f"{{silence {number}}}": uuid for uuid, number in self.uuids.items()}
        for mark, uuid in numbers.items():
            text = text.replace(mark, uuid)
        return text

    def learned(self, text):
        for uuid in UUID.findall(text):
            if uuid not in steps.STRANGERS:
                self.uuids.setdefault(uuid, len(self.uuids) + 1)

    def plain(self, text):
        """The text without identities and times, and the times."""
        text = UUID.sub(lambda found: f"{{silence {self.uuids.get(found[0], found[0])}}}", text)
        times = [datetime.fromisoformat(found.replace("Z", "+00:00")).timestamp() for found in TIME.findall(text)]
        return TIME.sub("<time>", text), times


def in_order(value):
    """Lists whose order hangs on the identities or on milliseconds, in an order of their own."""
    if isinstance(value, dict):
        return {name: in_order(inner) for name, inner in value.items()}
    if isinstance(value, list):
        items = [in_order(item) for item in value]
        silences = items and all(isinstance(item, dict) and "createdBy" in item for item in items)
        uuids = items and all(isinstance(item, str) and item.startswith("{silence") for item in items)
        return sorted(items, key=json.dumps) if silences or uuids else items
    return value


def body_of(side, text):
    """What a body says: JSON where it is that; and its times."""
    plain, times = side.plain(text)
    try:
        return in_order(json.loads(plain)), sorted(times)
    except ValueError:
        return plain.strip(), times


def near(one, other):
    return len(one) == len(other) and all(abs(a - b) <= SLACK for a, b in zip(one, other))


def raw(side, step):
    body = None if step.body is None else side.filled(step.body)
    headers = {"Content-Type": "application/json"} if step.headers is None else step.headers
    answer = side.ask(step.method, side.filled(step.path), body, headers)
    if step.makes:
        side.learned(answer["body"])
    content, times = body_of(side, answer["body"])
    return {"status": answer["status"], "headers": answer["headers"], "body": content, "times": times}


def amtool(side, step, program):
    command = [program, "--alertmanager.url", f"http://127.0.0.1:{side.port}", "--date.format", "2006-01-02T15:04:05Z07:00"]
    command += [side.filled(word) for word in step.words]
    stdin = side.filled(step.stdin).encode() if step.stdin else b""
    done = subprocess.run(
        command, input=stdin, capture_output=True, timeout=30, env={"TZ": "UTC", "HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    )
    text = done.stdout.decode() + done.stderr.decode()
    if step.makes:
        side.learned(text)
    # Under `-q` an update prints where its identities are in memory.
    text = re.sub(r"0x[0-9a-f]+", "0x", text.replace(f"127.0.0.1:{side.port}", "SERVER"))
    if "-o" in step.words and "json" in step.words:
        content, times = body_of(side, text)
    else:
        content, times = side.plain(text)
        lines = [re.sub(r" +", " ", line).strip() for line in content.splitlines()]
        # The columns are as wide as what stands in them, and silences of the same moment have no order.
        content = lines[:1] + sorted(lines[1:]) if step.words[:2] in (["silence", "query"], ["silence"]) else lines
        times.sort()
    return {"exit": done.returncode, "output": content, "times": times}


def differences(one, other):
    """Which parts of two answers differ, the most telling word for each."""
    found = []
    for part in one:
        a, b = one[part], other[part]
        if part == "times":
            if not near(a, b) and not any(name in ("body", "output") for name in found):
                found.append("times")
        elif part == "headers":
            found += [f"header {name}" for name in sorted(a) if a[name] != b.get(name)] if b or a else []
        elif a != b:
            coded = all(isinstance(x, dict) and set(x) == {"code", "message"} for x in (a, b))
            if part == "body" and coded and a["code"] == b["code"]:
                found.append("message")
            elif part == "body" and all(isinstance(x, str) for x in (a, b)):
                found.append("text")
            else:
                found.append(part)
    return found


def allowed():
    """The explained differences: `PATTERN OF STEPS | PART | WHY`, one a line."""
    entries = []
    for line in (HERE / "allowed.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, part, why = (word.strip() for word in line.split(" | ", 2))
            entries.append({"pattern": pattern, "part": part, "why": why, "used": 0})
    return entries


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(options, folder):
    (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\n")
    peer, squelch = free_port(), free_port()
    logs = [open(folder / name, "wb") for name in ("alertmanager.log", "squelch.log")]
    sides = [
        Side("Alertmanager", [
            options.alertmanager, f"--config.file={HERE}/alertmanager.yml", f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{peer}", "--cluster.listen-address=",
        ], peer, logs[0]),
        Side("Squelch", [
            options.squelch, "serve", "--shadow", "--config", f"{folder}/squelch.yaml", "--rules", f"{HERE}/rules",
            "--data-dir", f"{folder}/squelch", "--listen", f"127.0.0.1:{squelch}",
        ], squelch, logs[1]),
    ]
    return sides


def run(sides, options, entries):
    """Takes every step on both sides; how many differed without an explanation."""
    unexplained, counts = 0, {"amtool": 0, "raw": 0, "same": 0}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for step in steps.all_steps():
            if step.pause:
                time.sleep(step.pause)
            act = (lambda side: amtool(side, step, options.amtool)) if step.words else (lambda side: raw(side, step))
            one, other = pool.map(act, sides)
            counts["amtool" if step.words else "raw"] += 1
            parts = differences(one, other)
            left = []
            for part in parts:
                entry = next((e for e in entries if e["part"] == part and fnmatch.fnmatchcase(step.name, e["pattern"])), None)
                if entry:
                    entry["used"] += 1
                else:
                    left.append(part)
            counts["same"] += not parts
            if left or options.verbose:
                print(f"{'DIFFERS in ' + ', '.join(left) if left else 'ok'}: {step.name}")
            if left:
                unexplained += 1
                for side, answer in zip(sides, (one, other)):
                    print(f"  {side.name}: {json.dumps(answer, ensure_ascii=False)[:1500]}")
    print(f"{counts['amtool']} amtool commands and {counts['raw']} raw requests on both: {counts['same']} answers are the same")
    return unexplained


def main():
    parser = argparse.ArgumentParser()
    for name in ("alertmanager", "amtool", "squelch"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    entries = allowed()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sides = start(options, pathlib.Path(folder))
        try:
            for side in sides:
                side.wait()
            unexplained = run(sides, options, entries)
        finally:
            for side in sides:
                side.stop()
    print("allowed differences:")
    for entry in entries:
        print(f"  {entry['used']:3} x {entry['part']:20} {entry['why']}")
    stale = [entry for entry in entries if not entry["used"]]
    for entry in stale:
        print(f"explains nothing any more: {entry['pattern']} | {entry['part']}")
    print(f"{unexplained} unexplained differences, {time.monotonic() - began:.0f} s")
    sys.exit(1 if unexplained or stale else 0)


if __name__ == "__main__":
    main()
