"""PagerDuty's own client against Squelch: an alert from its trigger to its end, a change, and what is refused."""

import json
import ssl
import sys
import urllib.request

import pagerduty

url, certificate, routing_key = sys.argv[1:]
trusted = ssl.create_default_context(cafile=certificate)


def seen(path):
    with urllib.request.urlopen(url + path, context=trusted) as answer:
        return json.load(answer)


client = pagerduty.EventsApiV2Client(routing_key, base_url=url, verify=trusted)

made = client.trigger("disk is full", "db-1", severity="critical", custom_details={"service": "shop"})
print("made a key:", len(made))
more = {"component": "db", "class": "disk"}
print("trigger:", client.trigger("disk is full", "db-1", dedup_key="db-1/disk", payload=more))
print("acknowledge:", client.acknowledge("db-1/disk"))
print("firing:", sorted(alert["labels"]["alertname"] for alert in seen("/api/v2/alerts")))
print("resolve:", client.resolve("db-1/disk"))
client.submit("deployed 41", source="shop", custom_details={"version": "41"}, timestamp="2026-11-23T05:00:00+00:00Z")
print("change: taken")
try:
    client.trigger("disk is full", "db-1", severity="loud")
except pagerduty.HttpError as error:
    print("refused:", error.response.status_code, error.response.json()["errors"])
print("firing:", sorted(alert["labels"]["alertname"] for alert in seen("/api/v2/alerts")))
print("accepted:", seen("/api/v1/tally")["accepted"])
