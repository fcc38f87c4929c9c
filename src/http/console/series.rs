//! `GET /series?find=WORDS` and `GET /series/{key}`: why something paged, and why something did not.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::course::{Course, course};
use super::frame::Frame;
use super::habits::{Picture, pictures};
use super::member::{Judged, Member, lines, verdicts};
use crate::domain::{Fingerprint, SeriesExplanation};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::inbox::questions::{FindSeries, Series, SeriesTold};
use crate::replay::report::legend;
use crate::replay::wording::several;

/// So many series are listed.
const MOST: usize = 200;

#[derive(Serialize)]
struct Page {
    frame: Frame,
    member: Member,
    lines: Vec<String>,
    pictures: Vec<Picture>,
    course: Option<Course>,
    svg: String,
    legend: String,
    verdicts: Vec<Judged>,
    matcher: String,
    /// Where it is tried that it never pages.
    what_if: String,
}

#[derive(Serialize)]
struct Found {
    frame: Frame,
    headline: String,
    found: Vec<One>,
    hint: String,
}

#[derive(Serialize)]
struct One {
    name: String,
    key: String,
}

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Words {
    #[serde(default)]
    find: String,
}

/// `GET /series?find=WORDS`: the series that fits, or those that do.
pub(super) async fn find(State(app): State<Arc<App>>, who: Who, words: Query<Words>) -> Result<Response, Failure> {
    let Query(Words { find }) = words;
    let asked = find.clone();
    let mut found = app.inbox.ask(FindSeries { words: asked, limit: MOST + 1 }).await?;
    let shadow = app.inbox.shadow().await?.on;
    if let [(_, key)] = found.as_slice() {
        return Ok(Redirect::to(&format!("/series/{key}")).into_response());
    }
    let more = found.len() > MOST;
    found.truncate(MOST);
    let page = Found {
        frame: Frame::new(&app, &who, "/series", shadow).looking_for(&find),
        headline: match found.len() {
            0 => "No series has these words in its name".to_owned(),
            all => several(all as u64, "series"),
        },
        found: found.iter().map(|(name, key)| One { name: name.to_string(), key: key.to_string() }).collect(),
        hint: if more { format!("and more than these {MOST}: use more words") } else { String::new() },
    };
    app.paper.page("found.html", &page)
}

/// `GET /series/{key}`.
pub(super) async fn page(State(app): State<Arc<App>>, Path(key): Path<String>, who: Who) -> Result<Response, Failure> {
    let unknown = || {
        let help = "look for it by words of its name";
        Failure::new(StatusCode::NOT_FOUND, format!("there is no series {key}"), help).at("path")
    };
    let fingerprint = Fingerprint::parse(&key).ok_or_else(unknown)?;
    let SeriesTold { series, habits, now, shadow } = app.inbox.ask(Series(fingerprint)).await?.ok_or_else(unknown)?;
    let story = app.chronicle.story(&FxHashSet::from_iter([fingerprint]), None, (series.heard.0, now));
    let page = Page {
        frame: Frame::new(&app, &who, "/series", shadow),
        lines: lines(&series, now),
        pictures: pictures(&habits),
        course: course(&app.chronicle.values(fingerprint, now), &habits, now),
        svg: if story.has_events() { story.drawing().svg } else { String::new() },
        legend: legend(),
        verdicts: verdicts(&series, now),
        what_if: what_if(&matcher(&series)),
        matcher: matcher(&series),
        member: Member::of(&series, now),
    };
    app.paper.page("series.html", &page)
}

fn what_if(matcher: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("never", matcher).finish();
    format!("/noise/what-if?{query}")
}

/// The matchers that fit this series.
fn matcher(series: &SeriesExplanation) -> String {
    let mut parts = series.name.splitn(5, '/');
    let names = ["source", "kind", "service", "host", "check"];
    let fields = names.iter().filter_map(|name| Some((name, parts.next()?)));
    let said = fields.filter(|(_, value)| !value.is_empty() && !value.contains('*'));
    said.map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(", ")
}
