//! `GET /api/v2/alerts/groups`: the alerts by receiver and `alertname`, as `status.config.original` says.
//!
//! Deliberately not Squelch's incidents: clients look for alerts here, and show them in their own order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::json;

use super::board::{Board, Shown};
use super::filter::Filter;
use super::{Refused, shown};
use crate::domain::PostedText;
use crate::http::app::App;

/// `GET /api/v2/alerts/groups`.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    let filter = Filter::read(query.as_deref())?;
    let board = Board::ask(&app.inbox).await?;
    // Without `alertname` first: Alertmanager sorts label sets by their size.
    let mut groups: BTreeMap<(bool, String, String), Vec<Shown>> = BTreeMap::new();
    for alert in board.alerts.iter().filter(|alert| alert.is_wanted(&filter)) {
        let name = alert.posting.text.label("alertname").to_owned();
        let told: Vec<_> = alert.receivers.iter().filter(|name| filter.wants_receiver(name)).cloned().collect();
        let mut sorted = told.clone();
        sorted.sort();
        let only: Arc<[String]> = Arc::from(sorted);
        for receiver in told {
            let alert = alert.told_only(Arc::clone(&only));
            groups.entry((!name.is_empty(), name.clone(), receiver)).or_default().push(alert);
        }
    }
    let groups: Vec<_> = groups
        .into_iter()
        .map(|((named, name, receiver), mut alerts)| {
            alerts.sort_by(|a, b| order(&a.posting.text, &b.posting.text));
            let labels = if named { json!({"alertname": name}) } else { json!({}) };
            json!({"alerts": alerts, "labels": labels, "receiver": {"name": receiver}})
        })
        .collect();
    Ok(shown(&groups))
}

/// Alertmanager's order within a group: by `job`, by `instance`, then by all labels (`types.AlertSlice`).
fn order(a: &PostedText, b: &PostedText) -> Ordering {
    let by = |name| match (a.label(name), b.label(name)) {
        (one, other) if one == other => Ordering::Equal,
        ("", _) => Ordering::Greater,
        (_, "") => Ordering::Less,
        (one, other) => one.cmp(other),
    };
    by("job").then_with(|| by("instance")).then_with(|| before(a, b))
}

/// The order of label sets: the smaller set, then who lacks the first name, then the values (`model.LabelSet.Before`).
fn before(a: &PostedText, b: &PostedText) -> Ordering {
    let by_size = a.labels().count().cmp(&b.labels().count());
    let mut names: Vec<_> = a.labels().chain(b.labels()).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().fold(by_size, |order, name| order.then_with(|| a.label(name).cmp(b.label(name))))
}
