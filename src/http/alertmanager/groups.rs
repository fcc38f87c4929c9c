//! `GET /api/v2/alerts/groups`: the alerts by receiver and `alertname`, as `status.config.original` says.
//!
//! Deliberately not Squelch's incidents: clients look for alerts here, and show them in their own order.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use super::board::{Board, Shown};
use super::filter::Filter;
use super::{Refused, shown};
use crate::domain::PostedText;
use crate::http::app::App;

/// `GET /api/v2/alerts/groups`.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    let board = Board::ask(&app.inbox, Filter::read(query.as_deref())?).await?;
    Ok(shown(&groups(&board)))
}

/// The alerts of one receiver and one name. Written as JSON it is Alertmanager's `alertGroup`.
#[derive(Serialize)]
struct Group<'a> {
    alerts: Vec<Shown>,
    labels: BTreeMap<&'static str, &'a str>,
    receiver: Receiver<'a>,
}

#[derive(Serialize)]
struct Receiver<'a> {
    name: &'a str,
}

fn groups(board: &Board) -> Vec<Group<'_>> {
    // Without `alertname` first: Alertmanager sorts label sets by their size, then by value, then by receiver.
    let mut groups: BTreeMap<(&str, &str), Vec<&Shown>> = BTreeMap::new();
    for alert in &board.alerts {
        let name = alert.posting.text.label("alertname");
        for receiver in alert.receivers.iter().filter(|receiver| board.filter.wants_receiver(receiver)) {
            groups.entry((name, receiver.as_str())).or_default().push(alert);
        }
    }
    groups.into_iter().map(|(of, alerts)| group(of, alerts, &board.filter)).collect()
}

fn group<'a>((name, receiver): (&'a str, &'a str), mut alerts: Vec<&Shown>, filter: &Filter) -> Group<'a> {
    alerts.sort_by_cached_key(|alert| order(&alert.posting.text));
    let alerts = alerts.into_iter().map(|alert| told(alert, filter)).collect();
    let labels = Some(("alertname", name)).filter(|(_, name)| !name.is_empty()).into_iter().collect();
    Group { alerts, labels, receiver: Receiver { name: receiver } }
}

/// The alert with those of its receivers that are asked for, in order of name.
fn told(alert: &Shown, filter: &Filter) -> Shown {
    let mut told: Vec<_> = alert.receivers.iter().filter(|name| filter.wants_receiver(name)).cloned().collect();
    told.sort();
    alert.told_only(Arc::from(told))
}

/// By what Alertmanager orders the alerts of a group: `job`, `instance`, then all labels (`types.AlertSlice`): the
/// smaller set, then who lacks the first name, then the values (`model.LabelSet.Before`). Who has no job comes last.
type Order<'a> = ([(bool, &'a str); 2], usize, Vec<(Reverse<&'a str>, &'a str)>);

fn order(text: &PostedText) -> Order<'_> {
    let known = |name| (text.label(name).is_empty(), text.label(name));
    let labels: Vec<_> = text.labels().map(|(name, value)| (Reverse(name), value)).collect();
    ([known("job"), known("instance")], labels.len(), labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Event;

    #[test]
    fn alerts_stand_in_alertmanagers_order() {
        let event = Event::new("prometheus", "");
        let texts = [
            vec![("job", "a"), ("instance", "2")],
            vec![("job", "a"), ("instance", "10"), ("x", "1")],
            vec![("job", "b")],
            vec![("instance", "1")],
            vec![("b", "1")],
            vec![("a", "1")],
            vec![("a", "2")],
            vec![("a", "0"), ("b", "0")],
        ];
        let texts: Vec<_> = texts.iter().map(|labels| PostedText::new(labels.iter().copied(), [], &event)).collect();
        let mut sorted: Vec<usize> = (0..texts.len()).collect();
        sorted.sort_by_key(|at| order(&texts[*at]));
        assert_eq!(sorted, [1, 0, 2, 3, 4, 5, 6, 7]);
    }
}
