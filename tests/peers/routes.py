#!/usr/bin/env python3
"""Makes random Alertmanager configurations, imports each with `squelch import`, and asks both who is told of random label
sets: amtool by the configuration itself (`config routes test`), Squelch by alerts with these labels (`receivers` of
`GET /api/v2/alerts`), and amtool again by what Squelch says of its own tree (`status.config.original`). All must agree.

usage: tests/peers/routes.py --amtool PATH --squelch PATH [--trees N] [--sets N] [--seed N]

Loopback only; everything it starts is stopped."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from compare import Side, free_port  # noqa: E402

VALUES = {
    "alertname": ["DiskFull", "Slow", "Down"],
    "severity": ["page", "critical", "warning", "none"],
    "team": ["db", "web", "ops it"],
    "service": ["shop", "db-1", "a\"b"],
    "größe": ["9", "klein"],
    "job": ["node", "kube"],
}
PATTERNS = ["db|web", ".*", "", "d.*", "[a-z]+", "(page|critical)", "ops.it", "a.b", "\\d+", "klei."]
DEEPEST = 4


def matcher(rng):
    """A matcher as one of the three forms writes it: the key, and what stands under it."""
    name = rng.choice(list(VALUES))
    value = rng.choice(VALUES[name] + [""])
    pattern = rng.choice(PATTERNS)
    # The two old forms take no other names.
    form = rng.random() if name.isascii() else 1
    if form < 0.15:
        return "match", (name, value)
    if form < 0.3:
        return "match_re", (name, pattern)
    sign = rng.choice(["=", "!=", "=~", "!~"])
    text = pattern if "~" in sign else value
    written = json.dumps(text, ensure_ascii=False) if rng.random() < 0.8 or not text.isalnum() else text
    key = json.dumps(name, ensure_ascii=False) if rng.random() < 0.2 else name
    return "matchers", f"{key}{sign}{written}"


def route(rng, receivers, depth):
    node = {}
    if rng.random() < 0.8:
        node["receiver"] = rng.choice(receivers)
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        key, said = matcher(rng)
        if key == "matchers":
            node.setdefault(key, []).append(said)
        else:
            node.setdefault(key, {})[said[0]] = said[1]
    if len(node.get("matchers", [])) == 2 and rng.random() < 0.5:
        node["matchers"] = ["{" + ", ".join(node["matchers"]) + "}"]
    if rng.random() < 0.35:
        node["continue"] = True
    if depth < DEEPEST and rng.random() < 0.6:
        node["routes"] = [route(rng, receivers, depth + 1) for _ in range(rng.randint(1, 3))]
    return node


def configuration(rng):
    receivers = [f"to {letter}" for letter in "abcdefgh"]
    root = {"receiver": receivers[0], "routes": [route(rng, receivers, 1) for _ in range(rng.randint(2, 6))]}
    used = [{"name": name, "webhook_configs": [{"url": "http://127.0.0.1:9/"}]} for name in receivers]
    # JSON is YAML.
    return {"route": root, "receivers": used}


def label_sets(rng, tree, count):
    # amtool takes no other names on its command line; matchers see them as absent.
    plain = [name for name in VALUES if name.isascii()]
    sets = []
    for number in range(count):
        names = rng.sample(plain, rng.randint(1, len(plain)))
        labels = {name: rng.choice(VALUES[name]) for name in names}
        # Alerts of trees before still fire: each has its own number.
        sets.append(dict(labels, number=f"{tree}.{number}"))
    return sets


def by_amtool(options, place, labels):
    words = [f"{json.dumps(name, ensure_ascii=False)}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    command = [options.amtool, "config", "routes", "test", *place, *words]
    done = subprocess.run(command, capture_output=True, timeout=30, env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]})
    if done.returncode:
        sys.exit(f"amtool refuses {place}: {done.stderr.decode()}")
    return unique(done.stdout.decode().strip().split(","))


def unique(names):
    return list(dict.fromkeys(name.strip() for name in names))


def by_squelch(side, sets):
    body = json.dumps([{"labels": labels} for labels in sets])
    answer = side.ask("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
    if answer["status"] != 200:
        sys.exit(f"Squelch takes no alerts: {answer}")
    alerts = json.loads(side.ask("GET", "/api/v2/alerts", None, {})["body"])
    return {alert["labels"]["number"]: unique(receiver["name"] for receiver in alert["receivers"]) for alert in alerts}


def follow(options, folder, side, config):
    """Imports a configuration and puts it into force."""
    path = folder / "alertmanager.yml"
    path.write_text(json.dumps(config, ensure_ascii=False, indent=1))
    rules = folder / "rules"
    done = subprocess.run(
        [options.squelch, "import", path, "-o", rules, "--secrets", "--force"], capture_output=True, timeout=30, cwd=folder)
    if done.returncode:
        sys.exit(f"squelch import: {done.stderr.decode()}\n{path.read_text()}")
    if side:
        answer = side.ask("POST", "/-/reload", "", {})
        if answer["status"] != 200:
            sys.exit(f"the imported rules are refused: {answer}")
    return path


def run(options, folder, pool, side):
    rng = random.Random(options.seed)
    wrong, pairs, outcomes = 0, 0, set()
    for tree in range(options.trees):
        config = configuration(rng)
        path = follow(options, folder, side, config)
        sets = label_sets(rng, tree, options.sets)
        ours = by_squelch(side, sets)
        theirs = list(pool.map(lambda labels: by_amtool(options, [f"--config.file={path}"], labels), sets))
        # What Squelch says of its tree, asked for a few: each is a process.
        few = sets[:: max(1, len(sets) // 4)]
        said = list(pool.map(lambda labels: by_amtool(options, [f"--alertmanager.url=http://127.0.0.1:{side.port}"], labels), few))
        told = dict(zip((labels["number"] for labels in few), said))
        for labels, expected in zip(sets, theirs):
            number = labels["number"]
            pairs += 1
            outcomes.add(tuple(expected))
            for who, got in (("alerts", ours.get(number)), ("config", told.get(number, expected))):
                if got != expected:
                    wrong += 1
                    print(f"tree {tree}, {labels}: Alertmanager tells {expected}, Squelch ({who}) {got}")
                    print(path.read_text())
                    return wrong, pairs, outcomes
    return wrong, pairs, outcomes


def main():
    parser = argparse.ArgumentParser()
    for name in ("amtool", "squelch"):
        parser.add_argument(f"--{name}", required=True)
    for name, usual in (("trees", 8), ("sets", 40), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    options.amtool, options.squelch = os.path.abspath(options.amtool), os.path.abspath(options.squelch)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(name)
        (folder / "squelch.yaml").write_text("store: {min_free: 1MiB}\n")
        follow(options, folder, None, configuration(random.Random(0)))
        port = free_port()
        with open(folder / "log", "wb") as log:
            side = Side("Squelch", [
                options.squelch, "serve", "--shadow", "--config", f"{folder}/squelch.yaml", "--rules", f"{folder}/rules",
                "--data-dir", f"{folder}/data", "--listen", f"127.0.0.1:{port}",
            ], port, log)
            try:
                side.wait()
                wrong, pairs, outcomes = run(options, folder, pool, side)
            finally:
                side.stop()
    print(f"{pairs} label sets in {options.trees} imported trees: {len(outcomes)} different answers, "
          f"{wrong} differ from amtool's, {time.monotonic() - began:.0f} s")
    sys.exit(1 if wrong or len(outcomes) < 10 else 0)


if __name__ == "__main__":
    main()
