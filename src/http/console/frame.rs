//! The frame of every page: where one is, how Squelch is, and who looks.
//!
//! Deliberately the same for all pages, so that trouble is seen from each.

use serde::Serialize;

use super::paper;
use crate::http::admission::Who;
use crate::http::app::App;
use crate::inbox::missing;

const PAGES: [(&str, &str); 4] = [("/", "Now"), ("/noise", "Noise"), ("/rules", "Rules"), ("/audit", "Audit")];

/// What stands around a page.
#[derive(Debug, Serialize)]
pub(super) struct Frame {
    edition: String,
    pages: Vec<Link>,
    find: String,
    /// How Squelch is, in a word that the style sheet knows.
    state: &'static str,
    says: String,
    /// Nobody is paged.
    shadow: bool,
    condition: String,
    troubles: Vec<String>,
    version: &'static str,
    /// The colour of the dot in the tab.
    dot: &'static str,
    pub(super) who: String,
    /// What who looks may: `operator` or `reader`.
    role: &'static str,
    /// Whether who looks may act, too.
    may: bool,
}

#[derive(Debug, Serialize)]
struct Link {
    href: &'static str,
    name: &'static str,
    here: bool,
}

impl Frame {
    /// The frame of the page at `path`. `shadow` = nobody is paged.
    pub(super) fn new(app: &App, who: &Who, path: &str, shadow: bool) -> Self {
        let mut condition = app.condition();
        let missing = missing::noted();
        if let Some(why) = missing.values().next() {
            let text = format!("this page is not all: the {} did not answer ({why})", missing::named(&missing));
            condition.warnings.insert(0, text);
        }
        let (state, says) = match (condition.problems.is_empty(), condition.warnings.is_empty(), shadow) {
            (false, ..) => ("broken", "not ready".to_owned()),
            (.., true) => ("shadowed", "shadow mode: nobody is paged".to_owned()),
            (_, false, _) => ("warned", "ready, with warnings".to_owned()),
            _ => ("well", "ready".to_owned()),
        };
        let dot = match state {
            "broken" => "c4233a",
            "warned" => "b35c00",
            "shadowed" => "7c4dbd",
            _ => "1a7f4b",
        };
        let waiting = app.inbox.depth().0;
        Self {
            edition: paper::edition(),
            pages: PAGES.map(|(href, name)| Link { href, name, here: href == path }).into(),
            find: String::new(),
            state,
            says,
            shadow,
            condition: format!("{waiting} events wait to be judged"),
            troubles: condition.problems.into_iter().chain(condition.warnings).collect(),
            version: env!("CARGO_PKG_VERSION"),
            dot,
            who: who.name().to_owned(),
            role: who.role.word(),
            may: who.may_act(),
        }
    }

    /// The same frame, with what was looked for.
    pub(super) fn looking_for(mut self, text: &str) -> Self {
        text.clone_into(&mut self.find);
        self
    }
}
