"""What is asked of both servers, in order. Each step sees the state that the steps before it left."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

# Identities that neither side made.
STRANGERS = {"2f5a7e36-0ee5-4a6f-9a61-1d2bd6d9c2ab"}
STRANGER = next(iter(STRANGERS))
NOW = datetime.now(timezone.utc).replace(microsecond=0)
ALERTS, GROUPS, SILENCES = "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"


# What answers with the identity of a silence that may be new.
MAKERS = ("POST /api/v2/silences", "amtool silence add", "amtool silence update", "amtool silence import")


@dataclass
class Step:
    name: str
    words: list = None
    stdin: str = None
    method: str = None
    path: str = None
    body: str = None
    headers: dict = None
    pause: float = 0

    @property
    def makes(self):
        return self.name.startswith(MAKERS)


def at(seconds):
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def amtool(*words, stdin=None, pause=0):
    return Step("amtool " + " ".join(words), words=list(words), stdin=stdin, pause=pause)


def get(path, headers=None, pause=0):
    return Step(f"GET {path}", method="GET", path=path, headers=headers or {}, pause=pause)


def ask(method, path, headers=None):
    return Step(f"{method} {path}", method=method, path=path, headers=headers or {})


def post(path, body, name=None, headers=None):
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return Step(f"POST {path} {name or text}", method="POST", path=path, body=text, headers=headers)


def filtered(path, *matchers, **more):
    pairs = [("filter", matcher) for matcher in matchers] + list(more.items())
    return get(path + "?" + "&".join(f"{name}={quote(value)}" for name, value in pairs))


def bad_alerts():
    """Bodies that are refused, or taken in part."""
    z = '{"labels":{"alertname":"z"}'
    bodies = [
        None, "", "null", "[]", "[null]", "{}", '"x"', "[{}]", "[1]", "[", '[{"labels":{}}]', '[{"labels":null}]',
        '[{"labels":{"a":1}}]', '[{"labels":{"a":true}}]', '[{"labels":{"a":["b"]}}]', '[{"labels":["a"]}]',
        '[{"labels":{"a":null}}]', '[{"labels":{"a":""}}]', '[{"labels":{"":"x"}}]', f'[{z},"startsAt":"foo"}}]',
        f'[{z},"startsAt":1}}]', f'[{z},"startsAt":"2020-01-01T00:00:00Z","endsAt":"2019-01-01T00:00:00Z"}}]',
        f'[{z},"generatorURL":"::bad"}}]', f'[{z},"generatorURL":"foo bar"}}]', f'[{z},"generatorURL":"foo"}}]',
        f'[{z},"annotations":{{"":"x"}}}}]', f'[{z},"annotations":{{"a":1}}}}]', f'[{z},"endsAt":"2019-01-01T00:00:00Z"}}]',
    ]
    return [post(ALERTS, body, name=f"bad {body}") for body in bodies] + [
        get(ALERTS),
        post(ALERTS, "[]", name="without a type", headers={}),
        post(ALERTS, "[]", name="text/plain", headers={"Content-Type": "text/plain"}),
        post(ALERTS, "[]", name="a form", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        post(ALERTS, "[]", name="with a charset", headers={"Content-Type": "application/json; charset=utf-8"}),
    ]


def good_alerts():
    """Alerts of many kinds, and every way to ask for them."""
    def alert(labels, **more):
        return {"labels": labels, **more}

    shop = {"alertname": "ShopSlow", "service": "shop", "instance": "web-1:9100", "job": "shop", "severity": "critical", "cluster": "a"}
    return [
        post(ALERTS, [alert(shop, annotations={"summary": "slow — very"}, generatorURL="http://prom/graph?g0.expr=x")], name="shop"),
        post(ALERTS, [
            alert({"alertname": "DiskFull", "instance": "db-1", "severity": "critical", "level": "high", "cluster": "b"}),
            alert({"alertname": "DiskFull", "instance": "db-2", "severity": "warning", "level": "low", "cluster": "b"}),
            alert({"alertname": "DiskFull", "instance": "db-3", "severity": "warning", "level": "low", "cluster": "c"}),
            alert({"alertname": "Info", "severity": "info"}),
            alert({"alertname": "Watchdog", "severity": "none"}),
        ], name="disks and more"),
        post(ALERTS, [alert({"alertname": "Good"}), alert({}), alert({"alertname": "AlsoGood", "gone": ""})], name="one bad among good"),
        post(ALERTS, [alert({"größe": "riesig", "with space": "x", "a-b": "c"})], name="UTF-8 names"),
        post(ALERTS, [alert({"alertname": "Timed"}, startsAt=at(-7200), endsAt=at(1800))], name="timed"),
        post(ALERTS, [alert({"alertname": "Timed"}, startsAt=at(-60), endsAt=at(600))], name="timed again, shorter"),
        post(ALERTS, [alert({"alertname": "Epoch"}, startsAt="")], name="an empty time"),
        post(ALERTS, [alert({"alertname": "Zero"}, startsAt="0001-01-01T00:00:00Z", endsAt="0001-01-01T00:00:00Z")], name="zero times"),
        post(ALERTS, [alert({"alertname": "Day"}, startsAt="2026-01-02")], name="a day"),
        post(ALERTS, [alert({"alertname": "Future"}, startsAt=at(600), endsAt=at(1200))], name="in the future"),
        post(ALERTS, [alert({"alertname": "Extra"}, status="resolved", fingerprint="x", annotations=None)], name="unknown fields"),
        post(ALERTS, '[{"labels":{"alertname":"Trailing"}}] and more', name="trailing text"),
        post(ALERTS, [alert({"alertname": "Gone"}, endsAt=at(3600))], name="to be resolved"),
        post(ALERTS, [alert({"alertname": "Gone"}, startsAt=at(-60), endsAt=at(-1))], name="resolved"),
        get(ALERTS, pause=0.3), get(ALERTS + "/"), get(GROUPS, pause=0.3), get(GROUPS + "?muted=false"),
        filtered(ALERTS, 'alertname="DiskFull"'), filtered(ALERTS, "alertname=DiskFull", "cluster=b"),
        filtered(ALERTS, 'alertname=~"Disk.*|Shop.*"'), filtered(ALERTS, 'severity!~"critical|warning"'),
        filtered(ALERTS, "severity="), filtered(ALERTS, "severity!="), filtered(ALERTS, '"with space"=x'),
        filtered(ALERTS, '"größe"=~"r.*"'), filtered(ALERTS, "größe=riesig"), filtered(ALERTS, "foo"), filtered(ALERTS, ""),
        filtered(ALERTS, "{a=b}"), filtered(ALERTS, 'a=~"("'), filtered(ALERTS, "a=b,c=d"), filtered(ALERTS, 'a="b"c"'),
        filtered(ALERTS, receiver="shop"), filtered(ALERTS, receiver="shop|oncall"), filtered(ALERTS, receiver="sh"),
        filtered(ALERTS, receiver="("), filtered(ALERTS, receiver=""), filtered(ALERTS, active="false"),
        filtered(ALERTS, inhibited="false"), filtered(ALERTS, active="foo"), filtered(ALERTS, active="0"),
        filtered(ALERTS, active=""), filtered(ALERTS, unprocessed="false"), filtered(ALERTS, foo="bar"),
        get(ALERTS + "?active=false&active=true"), filtered(GROUPS, "alertname=DiskFull"), filtered(GROUPS, receiver="oncall"),
        filtered(GROUPS, "x"), filtered(GROUPS, inhibited="false"), filtered(GROUPS, receiver="("),
        get(ALERTS, headers={"Accept": "text/html"}), get(ALERTS, headers={"Accept": "application/json, text/plain, */*"}),
    ]


def matcher(name="alertname", value="ShopSlow", **more):
    fields = {"name": name, "value": value, "isRegex": False, **more}
    return {key: inner for key, inner in fields.items() if inner != "LEFT OUT"}


def silence(what, **changes):
    fields = {"matchers": [matcher()], "startsAt": at(0), "endsAt": at(3600), "createdBy": "ada", "comment": "a test", **changes}
    return post(SILENCES, {key: inner for key, inner in fields.items() if inner != "LEFT OUT"}, name=what)


def raw_silences():
    out = "LEFT OUT"
    return [
        post(SILENCES, "", name="nothing"), post(SILENCES, "null"), post(SILENCES, "{}"), post(SILENCES, "[]"), post(SILENCES, "{"),
        *[silence(f"without {name}", **{name: out}) for name in ("matchers", "startsAt", "endsAt", "createdBy", "comment")],
        silence("no matcher", matchers=[]), silence("matchers null", matchers=None), silence("a null matcher", matchers=[None]),
        *[silence(f"matcher without {name}", matchers=[matcher(**{name: out})]) for name in ("name", "value", "isRegex")],
        silence("matches the empty text", matchers=[matcher(value="")]),
        silence("matches everything", matchers=[matcher(value=".*", isRegex=True)]),
        silence("a bad pattern", matchers=[matcher(value="(", isRegex=True)]), silence("a nameless matcher", matchers=[matcher(name="")]),
        silence("a number as value", matchers=[matcher(value=1)]), silence("a number as comment", comment=1),
        silence("over already", startsAt=at(-20), endsAt=at(-10)), silence("ends before it begins", endsAt=at(-10)),
        silence("ends as it begins", startsAt=at(50), endsAt=at(50)), silence("a bad time", startsAt="foo"),
        silence("of an unknown id", id=STRANGER), silence("of an id that is none", id="foo"),
        silence("number 1"), silence("number 2, to come", startsAt=at(600)),
        silence("number 3, began before", startsAt=at(-600), matchers=[matcher("cluster", "b|c", isRegex=True)], endsAt=at(1800)),
        silence("number 4, negative", matchers=[matcher("severity", "critical|warning", isRegex=True, isEqual=False), matcher("alertname", "Info")], extra=1),
        silence("number 5, UTF-8", matchers=[matcher("größe", "riesig", isEqual=True)]),
        get(SILENCES), get("/api/v2/silence/{silence 1}"), get("/api/v2/silence/{silence 2}"),
        get("/api/v2/silence/" + STRANGER), get("/api/v2/silence/foo"), get(ALERTS), filtered(ALERTS, silenced="false"),
        filtered(ALERTS, active="false"), get(GROUPS), filtered(GROUPS, silenced="false"),
        filtered(SILENCES, "alertname=ShopSlow"), filtered(SILENCES, 'alertname=~"ShopSlow"'), filtered(SILENCES, 'cluster=~"b|c"'),
        filtered(SILENCES, "foo"), filtered(SILENCES, 'severity!~"critical|warning"', "alertname=Info"),
        silence("1 made longer, from another second: number 6", id="{silence 1}", endsAt=at(7200)), get("/api/v2/silence/{silence 1}"),
        get("/api/v2/silence/{silence 6}"), silence("2 moved", id="{silence 2}", startsAt=at(900), endsAt=at(4000)), get("/api/v2/silence/{silence 2}"),
        silence("6 with another matcher: number 7", id="{silence 6}", matchers=[matcher(value="Shop.*", isRegex=True)]),
        get("/api/v2/silence/{silence 6}"), get("/api/v2/silence/{silence 7}"),
        ask("DELETE", "/api/v2/silence/{silence 7}"), ask("DELETE", "/api/v2/silence/{silence 7}"),
        ask("DELETE", "/api/v2/silence/{silence 2}"), ask("DELETE", "/api/v2/silence/" + STRANGER), ask("DELETE", "/api/v2/silence/foo"),
        get("/api/v2/silence/{silence 7}"), get("/api/v2/silence/{silence 2}"), get(SILENCES), get(ALERTS),
        silence("7 after its end: number 8", id="{silence 7}"), get("/api/v2/silence/{silence 8}"),
        ask("DELETE", "/api/v2/silence/{silence 8}"),
    ]


def at_the_end():
    """What Squelch refuses and Alertmanager does not: nothing may come after it."""
    return [silence("an empty author", createdBy=""), silence("an empty comment", comment="")]


def around():
    return [
        get("/api/v2/status"), get("/api/v2/receivers"), get("/api/v2/"), get("/api/v2/foo"), get("/api/v2/silence"),
        get("/api/v1/alerts"), ask("POST", "/api/v1/alerts"), get("/api/v1/status"), get("/api/v1/receivers"),
        get("/-/healthy"), get("/-/ready"), ask("HEAD", "/-/healthy"), ask("HEAD", "/-/ready"), ask("POST", "/-/reload"),
        ask("PUT", ALERTS), ask("DELETE", ALERTS), ask("POST", "/api/v2/status", {"Content-Type": "application/json"}),
        ask("HEAD", "/api/v2/status"), ask("PUT", "/api/v2/silence/" + STRANGER), ask("PATCH", SILENCES),
    ]


def amtool_alerts():
    add = ("alert", "add")
    query = ("alert", "query")
    return [
        amtool(*add, "CliOne", "severity=critical", "level=high", "host=cli-1"),
        amtool(*add, "alertname=CliTwo", "severity=warning", "level=low", "--annotation=summary=two of them", "--generator-url=http://prom/graph"),
        amtool(*add, "CliThree", f"--start={at(-3600)}", f"--end={at(3600)}"),
        amtool(*add, "CliFour", f"--end={at(3600)}", 'note="quoted text"'), amtool(*add, "CliFour", f"--start={at(-60)}", f"--end={at(-1)}"),
        amtool(*add), amtool(*add, "foo=bar"), amtool(*add, "alertname=A", "alertname=B"), amtool(*add, "CliBad", "--start=yesterday"),
        amtool(*add, "CliWrong", f"--start={at(10)}", f"--end={at(-1)}"), amtool(*add, "CliUtf", "größe=klein"),
        amtool(*query, "CliOne"), amtool(*query, "alertname=CliOne"), amtool(*query, 'alertname=~"Cli.*"', "-o", "json"),
        amtool(*query, 'alertname=~"Cli.*"'), amtool(*query, 'alertname=~"Cli.*"', "severity!=warning"),
        amtool(*query, "severity=critical", "-o", "extended"), amtool(*query, "--active", "severity=critical"),
        amtool(*query, "--inhibited", "-o", "json"), amtool(*query, "--silenced"), amtool(*query, "--unprocessed"),
        amtool(*query, "--receiver=shop", "-o", "json"), amtool(*query, "--receiver=none"), amtool(*query, "foo=~("),
        amtool(*query, '{alertname="CliOne"}'), amtool(*query, '{"größe"="klein"}', "-o", "json"), amtool(*query, "größe=klein"),
        amtool("alert", "-o", "json"), amtool(*query, "nothing=here", "-o", "json"), amtool(*query, "CliFour"),
    ]


def amtool_silences():
    add = ("silence", "add", "--author=ada")
    query = ("silence", "query")
    imported = [{"id": "", "matchers": [matcher("job", "imported", isEqual=True)], "startsAt": at(0), "endsAt": at(5000), "createdBy": "bob", "comment": "imported"}]
    kept = [dict(imported[0], id="{silence 9}", endsAt=at(9000), createdBy="ada", comment="of host cli-1", matchers=[matcher("host", "cli-1", isEqual=True)])]
    return [
        amtool(*add, "--comment=of host cli-1", "host=cli-1"),
        amtool(*add, "--comment=two hours", "--duration=2h", 'alertname=~"CliT.*"'),
        amtool(*add, "--comment=not that", "alertname!=CliOne", "job=cli"),
        amtool(*add, "--comment=no pattern", 'alertname!~"Cli.*"', "job=cli"),
        amtool(*add, "--comment=a name alone", "CliOne"),
        amtool(*add, "--comment=from to", f"--start={at(1000)}", f"--end={at(2000)}", "job=later"),
        amtool(*add, "--comment=UTF-8", '"größe"=klein'), amtool(*add, "--comment=braces", '{job="x",host=~"y.*"}'),
        amtool(*add, "job=x"), amtool(*add, "--comment=nothing"), amtool(*add, "--comment=bad", "job=~("), amtool(*add, "--comment=bad", "--duration=long", "job=x"),
        amtool(*add, "--comment=bad", f"--end={at(-5)}", "job=x"), amtool(*add, "--comment=empty", "job="), amtool(*add, "--comment=all", 'job=~".*"'),
        amtool(*query), amtool(*query, "-q"), amtool(*query, "-o", "json"), amtool(*query, "-o", "extended"), amtool(*query, "host=cli-1"),
        amtool(*query, "--created-by=ada", "-q"), amtool(*query, "--created-by=nobody"), amtool(*query, "--expired", "-o", "json"),
        amtool(*query, "--id={silence 9}"), amtool(*query, "--id=" + STRANGER), amtool(*query, "--within=90m", "-q"), amtool(*query, "--expired", "--within=2h", "-q"),
        amtool(*query, "CliOne"), amtool(*query, 'alertname=~"CliT.*"'), amtool(*query, 'alertname!="CliOne"'), amtool("silence"),
        amtool("alert", "query", "--silenced", "-o", "json"), amtool("alert", "query"),
        amtool("silence", "update", "--duration=3h", "{silence 9}"), amtool("silence", "update", "--comment=changed", "{silence 10}"),
        amtool("silence", "update", f"--end={at(-5)}", "{silence 11}"), amtool("silence", "update", "-q", "--duration=30m", "{silence 11}", "{silence 12}"),
        amtool("silence", "update", "--duration=1h", STRANGER), amtool("silence", "update", "--duration=1h"), amtool("silence", "update", "--duration=1h", "foo"),
        amtool(*query, "-o", "json"), amtool("silence", "import", "--worker=1", stdin=json.dumps(imported)),
        amtool("silence", "import", "--worker=1", stdin=json.dumps(kept)), amtool("silence", "import", "--force", "--worker=1", stdin=json.dumps(kept)),
        amtool("silence", "import", "--worker=1", stdin="[]"), amtool("silence", "import", "--worker=1", stdin="{"),
        amtool(*query, "-o", "json"), amtool("silence", "expire", "{silence 9}"), amtool("silence", "expire", "{silence 9}"),
        amtool("silence", "expire", "{silence 10}", "{silence 11}"), amtool("silence", "expire", STRANGER), amtool("silence", "expire"), amtool("silence", "expire", "foo"),
        amtool(*query, "-q"), amtool(*query, "--expired", "-o", "json"), amtool("alert", "query", "-o", "json"),
    ]


def amtool_config():
    test = ("config", "routes", "test")
    return [
        amtool("config", "routes", "show"), amtool("config", "routes"), amtool(*test, "service=shop"), amtool(*test, "alertname=DiskFull", "severity=critical"),
        amtool(*test, "alertname=DiskFull", "severity=warning"), amtool(*test, "foo=bar"), amtool(*test), amtool(*test, "--tree", "service=shop"),
        amtool(*test, "--verify.receivers=shop", "service=shop"), amtool(*test, "--verify.receivers=shop", "service=web"),
        amtool("cluster", "show"), amtool("cluster"), amtool("--version-check", "alert", "query", "nothing=here"), amtool("config", "show"),
    ]


def all_steps():
    return bad_alerts() + good_alerts() + raw_silences() + around() + amtool_alerts() + amtool_silences() + amtool_config() + at_the_end()
