//! Which alerts: the query of `GET /api/v2/alerts` and its kin.

use regex::Regex;
use url::form_urlencoded;

use super::{Refused, bad};
use crate::domain::matcher::alertmanager;
use crate::domain::{Matcher, PostedText};

/// What of the alerts is asked for.
#[derive(Debug)]
pub(super) struct Filter {
    /// All must fit the labels.
    matchers: Vec<Matcher>,
    /// One of the receivers must fit.
    receiver: Option<Regex>,
    pub(super) active: bool,
    pub(super) silenced: bool,
    pub(super) inhibited: bool,
}

impl Filter {
    /// Everything.
    pub(super) const fn all() -> Self {
        Self { matchers: Vec::new(), receiver: None, active: true, silenced: true, inhibited: true }
    }

    /// Whether these labels are asked for.
    pub(super) fn fits(&self, text: &PostedText) -> bool {
        self.matchers.iter().all(|matcher| matcher.fits_value(text.label(matcher.name())))
    }

    /// Reads a query. Names that nobody knows are passed over, as Alertmanager does.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Refused> {
        let mut filter = Self::all();
        let mut receiver = None;
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("filter", text) => filter.matchers.push(alertmanager::matcher(text).map_err(bad)?),
                ("receiver", text) => receiver = Some(text.to_owned()).filter(|text| !text.is_empty()),
                ("active", text) => filter.active = truth(text),
                ("silenced", text) => filter.silenced = truth(text),
                ("inhibited", text) => filter.inhibited = truth(text),
                _ => {}
            }
        }
        filter.receiver = receiver.map(|text| whole(&text)).transpose()?;
        Ok(filter)
    }

    /// Whether a receiver of this name is asked for.
    pub(super) fn wants_receiver(&self, name: &str) -> bool {
        self.receiver.as_ref().is_none_or(|receiver| receiver.is_match(name))
    }
}

fn whole(text: &str) -> Result<Regex, Refused> {
    let wrong =
        |cause: String| bad(format!("failed to parse receiver param: error parsing regexp: {cause}: `^(?:{text})$`"));
    // A matcher has the bounds on size that a pattern of a stranger needs.
    Matcher::new("receiver", crate::domain::matcher::Operator::Matches, text).map_err(|error| wrong(error.help))?;
    Regex::new(&format!("^(?:{text})$")).map_err(|error| wrong(error.to_string()))
}

/// What Alertmanager takes for true; an empty value leaves the default, which is true.
fn truth(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["", "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"].contains(&text.as_str())
}
