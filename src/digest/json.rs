//! A digest as JSON, for programs: the same numbers, under names.

use serde_json::{Map, Value, json};

use super::gather::Gathered;
use super::paper::Paper;
use super::proposal::Proposals;
use crate::domain::daybook::{Chapter, FlapEnd, Flapped, Near, Talk};
use crate::domain::{Outcome, Timestamp};

/// So many series are named.
const SERIES: usize = 50;

/// The digest as one JSON object.
#[must_use]
pub fn value(gathered: &Gathered, paper: &Paper, proposals: Option<&Proposals>) -> Value {
    let extract = &gathered.extract;
    let (opened, worse) = extract.pages();
    let outcomes: Map<String, Value> =
        Outcome::ALL.iter().map(|outcome| (outcome.word().to_owned(), extract.count(*outcome).into())).collect();
    let reasons: Map<String, Value> =
        extract.reasons().into_iter().map(|(reason, number)| (reason.word().to_owned(), number.into())).collect();
    let holds = extract.holds();
    let held: Vec<&Talk> = extract.talks.iter().take(SERIES).collect();
    let named: u64 = held.iter().map(|talk| talk.count(Outcome::Suppress)).sum();
    let events = json!({
        "accepted": (!gathered.parted).then(|| extract.accepted()),
        "waited_before": (!gathered.parted).then_some(extract.waited),
        "wait": (!gathered.parted).then_some(extract.waits),
        "decided": extract.decided(),
    });
    json!({
        "digest": gathered.digest,
        "from": secs(extract.from),
        "until": secs(extract.until),
        "zone": gathered.zone.name(),
        "shadow": gathered.shadow,
        "missing_shards": gathered.missing,
        "sentence": paper.headline,
        "events": events,
        "outcomes": outcomes,
        "reasons": reasons,
        "incidents": opened,
        "pages": {"open": opened, "escalate": worse},
        "before": gathered.before.map(|before| json!({
            "decided": before.decided, "held": before.held, "pages": before.pages,
        })),
        "chart": paper.buckets.iter().map(|bucket| json!({
            "label": bucket.label, "events": bucket.events, "incidents": bucket.incidents, "pages": bucket.pages,
        })).collect::<Vec<_>>(),
        "sources": extract.sources().iter().map(|(source, counts)| json!({
            "source": &**source,
            "outcomes": Outcome::ALL.iter().zip(counts).map(|(outcome, number)| (outcome.word().to_owned(), Value::from(*number)))
                .collect::<Map<_, _>>(),
        })).collect::<Vec<_>>(),
        "series": held.iter().map(|talk| series(talk)).collect::<Vec<_>>(),
        "other_series": {"held": extract.count(Outcome::Suppress) - named},
        "near": extract.near.iter().map(near).collect::<Vec<_>>(),
        "flapping": extract.flaps.iter().map(flap).collect::<Vec<_>>(),
        "silences": extract.silences().iter().map(|(id, number)| json!({"id": &**id, "events": number})).collect::<Vec<_>>(),
        "incidents_told": extract.chapters.iter().map(|chapter| incident(gathered, chapter)).collect::<Vec<_>>(),
        "holds": {
            "by_itself": holds.by_itself, "ordinary": holds.ordinary, "joined": holds.joined, "paged": holds.paged,
            "otherwise": holds.otherwise, "late_seconds": holds.late, "latest_seconds": holds.latest,
        },
        "new": {"series": extract.new_series(), "checks": extract.fresh.iter().map(|check| &**check).collect::<Vec<_>>(),
            "sources": gathered.new_sources},
        "proposals": proposals.map(|all| json!({
            "pages": all.pages, "together": all.together, "acknowledged": all.acknowledged, "patch": all.patch,
            "changes": all.changes.iter().map(|one| json!({"words": one.words, "pages": one.pages, "lost": one.lost}))
                .collect::<Vec<_>>(),
        })),
    })
}

fn secs(at: Timestamp) -> f64 {
    at.secs()
}

fn series(talk: &Talk) -> Value {
    let reasons: Map<String, Value> =
        talk.reasons.iter().map(|(reason, number)| (reason.word().to_owned(), (*number).into())).collect();
    json!({
        "series": &*talk.series,
        "key": talk.fingerprint.to_string(),
        "held": talk.count(Outcome::Suppress),
        "reasons": reasons,
        "hours": talk.hours,
    })
}

fn near(near: &Near) -> Value {
    json!({
        "series": &*near.series, "key": near.fingerprint.to_string(), "ts": secs(near.at), "bits": near.bits,
        "threshold": near.threshold, "reason": near.reason.word(),
    })
}

fn flap(flap: &Flapped) -> Value {
    let end = match flap.end {
        FlapEnd::Not => "flaps on",
        FlapEnd::Well => "well",
        FlapEnd::Bad => "bad",
    };
    json!({
        "series": &*flap.series, "key": flap.fingerprint.to_string(), "since": secs(flap.since),
        "until": flap.until.map(secs), "changes": flap.changes, "end": end, "paged": flap.paged,
    })
}

fn incident(gathered: &Gathered, chapter: &Chapter) -> Value {
    json!({
        "incident": chapter.incident.0, "opened": secs(chapter.opened), "severity": chapter.severity.word(),
        "title": chapter.title, "alerts": chapter.alerts, "resolved": chapter.resolved.map(secs),
        "acknowledged": chapter.acknowledged.map(secs),
        "pages": chapter.pages.iter().map(|(at, _)| secs(*at)).collect::<Vec<_>>(),
        "feedback": gathered.words.get(&chapter.incident).map(|word| word.word()),
    })
}
