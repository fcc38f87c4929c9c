//! A report without personal data: the file is sent around.
//!
//! Names of hosts and services stay, wherever they stand. Deliberately at the end of a run, when every name and text is there
//! once: a run over millions of events is not masked event by event.

use std::sync::Arc;

use super::{Report, WhatIf};
use crate::domain::Page;
use crate::domain::mask::Mask;
use crate::sinks::masked::{masked_incident, masked_page};

/// What is masked, and which names are not.
#[derive(Debug)]
pub(super) struct Hidden {
    mask: Mask,
    keep: Vec<String>,
}

impl Hidden {
    /// A text as it is shown.
    pub(super) fn text(&self, text: &str) -> String {
        self.with(text, &self.keep())
    }

    fn keep(&self) -> Vec<&str> {
        self.keep.iter().map(String::as_str).collect()
    }

    fn with(&self, text: &str, keep: &[&str]) -> String {
        self.mask.text(text, keep).into_owned()
    }
}

impl Report {
    /// The same report, masked.
    #[must_use]
    pub fn masked(mut self, mask: Mask) -> Self {
        let hidden = Hidden { keep: self.places(), mask };
        let keep = hidden.keep();
        let shown = |name: &Arc<str>| Arc::<str>::from(hidden.with(name, &keep));
        self.names = self.names.iter().map(&shown).collect();
        self.changes.iter_mut().for_each(|(_, text)| *text = hidden.with(text, &keep));
        self.flapping.iter_mut().for_each(|(_, series, _)| *series = shown(series));
        self.expired.iter_mut().for_each(|(_, series)| *series = shown(series));
        self.series = self.series.iter().map(|(series, component)| (shown(series), *component)).collect();
        hide_pages(&mut self.decided.pages, &hidden.mask, &keep);
        for incident in self.incidents.values_mut() {
            *incident = masked_incident(incident, &hidden.mask);
        }
        self.hidden = Some(hidden);
        self
    }

    /// The runs under other thresholds, masked as this one is.
    pub(super) fn hide(&self, mut steps: WhatIf) -> WhatIf {
        if let Some(hidden) = &self.hidden {
            let keep = hidden.keep();
            steps.others.iter_mut().for_each(|(_, run)| hide_pages(&mut run.pages, &hidden.mask, &keep));
        }
        steps
    }

    /// A text as it is shown.
    pub(super) fn shown(&self, text: &str) -> String {
        self.hidden.as_ref().map_or_else(|| text.to_owned(), |hidden| hidden.text(text))
    }

    /// The hosts and services of all series.
    fn places(&self) -> Vec<String> {
        let mut all: Vec<String> = self.series.keys().flat_map(|series| places(series)).map(str::to_owned).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The service and the host in the name of a series.
fn places(series: &str) -> impl Iterator<Item = &str> {
    series.splitn(5, '/').skip(2).take(2).filter(|name| !name.is_empty())
}

fn hide_pages(pages: &mut [Page], mask: &Mask, keep: &[&str]) {
    pages.iter_mut().for_each(|page| *page = masked_page(page, mask, keep));
}
