//! Routes: who is told of what.
//!
//! A tree, as Alertmanager's: an alert goes down to the first route that fits, and on to its neighbours where that
//! says `continue`; where no route below fits, the route itself tells its receivers. The list at the top is what stands
//! below a root that tells nobody.
//!
//! A route decides for one alert at a time. Whom an incident concerns is [`super::engine`]'s question (`audience`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::event::Event;
use super::fingerprint::Fingerprint;
use super::interval::Interval;
use super::matcher::Matcher;
use super::posting::PostedText;
use super::time::Timestamp;

/// Who is told, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// Its name, unique among all routes; stands in explanations.
    pub name: String,
    /// Matchers on the fields as Squelch reads them, the severity being that of the page; and on labels. None =
    /// everything.
    pub matchers: Vec<Matcher>,
    /// Matchers on the labels as they were sent. None = everything.
    pub labels: Vec<Matcher>,
    /// The names of the receivers, all of which are told; never empty.
    pub receivers: Vec<String>,
    /// Whether its neighbours are looked at although it fits.
    pub goes_on: bool,
    /// It tells only while one of these is in force; none = always.
    pub active: Vec<Arc<Interval>>,
    /// It does not tell while one of these is in force.
    pub mute: Vec<Arc<Interval>>,
    /// Who is told when nobody has taken what it told, in order of time.
    pub unacknowledged: Vec<Step>,
    /// How often all whom it told are told again until somebody has taken it.
    pub repeat: Option<Duration>,
    /// The routes below it, in order.
    pub routes: Vec<Self>,
}

/// Who is told when nobody has taken a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// So long after the page.
    pub after: Duration,
    /// The names of the receivers; never empty.
    pub receivers: Vec<String>,
}

/// What routes look at.
pub trait Routable {
    /// A field as Squelch reads it, or a label; empty without it.
    fn field(&self, name: &str) -> &str;
    /// A label as it was sent; empty without it.
    fn label(&self, name: &str) -> &str;
}

/// An alert with the team that owns its service: routes may ask for `team` where its sender says nothing of one.
pub struct Owned<'a, T>(pub &'a T, pub &'a BTreeMap<String, String>);

impl<T: Routable> Routable for Owned<'_, T> {
    fn field(&self, name: &str) -> &str {
        let Self(alert, owners) = self;
        match alert.field(name) {
            "" if name == "team" => owners.get(alert.field("service")).map_or("", String::as_str),
            field => field,
        }
    }

    fn label(&self, name: &str) -> &str {
        self.0.label(name)
    }
}

/// The routes that an alert ends at, in order. None only where no route of the list takes everything.
#[must_use]
pub fn find<'r>(routes: &'r [Route], alert: &impl Routable) -> Vec<&'r Route> {
    find_naming(routes, alert).into_iter().map(|(route, _)| route).collect()
}

/// The same, and whether a matcher on the way asked for the service, the host or the check that it is.
#[must_use]
pub fn find_naming<'r>(routes: &'r [Route], alert: &impl Routable) -> Vec<(&'r Route, bool)> {
    let mut found = Vec::new();
    for route in routes.iter().filter(|route| route.fits(alert)) {
        let names = route.names();
        let below = find_naming(&route.routes, alert);
        if below.is_empty() {
            found.push((route, names));
        } else {
            found.extend(below.into_iter().map(|(below, named)| (below, named || names)));
        }
        if !route.goes_on {
            break;
        }
    }
    found
}

/// All routes of a tree, those above first.
pub fn all(routes: &[Route]) -> Box<dyn Iterator<Item = &Route> + '_> {
    Box::new(routes.iter().flat_map(|route| std::iter::once(route).chain(all(&route.routes))))
}

impl Route {
    /// Whether its own matchers fit.
    fn fits(&self, alert: &impl Routable) -> bool {
        self.matchers.iter().all(|matcher| matcher.fits_value(alert.field(matcher.name())))
            && self.labels.iter().all(|matcher| matcher.fits_value(alert.label(matcher.name())))
    }

    /// Whether it asks for a service, a host or a check.
    fn names(&self) -> bool {
        let place = |matcher: &Matcher| matches!(matcher.name(), "service" | "host" | "check" | "alertname");
        let asks = |matcher: &Matcher| matcher.operator().is_equal() && !matcher.fits_value("");
        self.matchers.iter().chain(&self.labels).any(|matcher| place(matcher) && asks(matcher))
    }

    /// Whether it takes everything that comes to it.
    #[must_use]
    pub const fn takes_all(&self) -> bool {
        self.matchers.is_empty() && self.labels.is_empty()
    }

    /// Whether anything follows when nobody takes what it told.
    #[must_use]
    pub const fn insists(&self) -> bool {
        !self.unacknowledged.is_empty() || self.repeat.is_some()
    }

    /// All whom it may tell, at once or when nobody takes it.
    pub fn all_receivers(&self) -> impl Iterator<Item = &String> {
        self.receivers.iter().chain(self.unacknowledged.iter().flat_map(|step| &step.receivers))
    }

    /// What keeps it from telling: the name of an interval that mutes it, or of one in which alone it tells.
    #[must_use]
    pub fn kept_by(&self, at: Timestamp) -> Option<&str> {
        let mutes = self.mute.iter().find(|interval| interval.holds(at));
        let idle = || self.active.first().filter(|_| !self.active.iter().any(|interval| interval.holds(at)));
        mutes.or_else(idle).map(|interval| interval.name.as_str())
    }

    /// When it may tell again; `at` where it may now. After [`Route::FAR`] it is looked at again, whatever is found.
    #[must_use]
    pub fn tells_from(&self, at: Timestamp) -> Timestamp {
        let mut time = at;
        while self.kept_by(time).is_some() && time.since(at) < Self::FAR {
            let turns = self.mute.iter().chain(&self.active).map(|interval| interval.next_turn(time));
            time = turns.min().unwrap_or(Timestamp::MAX);
        }
        time
    }

    /// How far ahead the end of an interval is looked for, in seconds: 400 days.
    pub const FAR: f64 = 400.0 * 86_400.0;
}

/// The names that the matchers of routes look at, beside those that every page has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// Fields and labels as Squelch reads them.
    pub fields: BTreeSet<String>,
    /// Labels as they were sent.
    pub labels: BTreeSet<String>,
}

/// What every page has.
pub const OF_A_PAGE: [&str; 5] = ["service", "host", "check", "alertname", "severity"];

impl Looks {
    /// What these routes look at.
    #[must_use]
    pub fn of(routes: &[Route]) -> Self {
        let names = |pick: fn(&Route) -> &[Matcher]| {
            all(routes).flat_map(pick).map(|matcher| matcher.name().to_owned()).collect::<BTreeSet<_>>()
        };
        let mut fields = names(|route| &route.matchers);
        fields.retain(|name| !OF_A_PAGE.contains(&name.as_str()));
        Self { fields, labels: names(|route| &route.labels) }
    }

    /// Names this set of names.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let (fields, labels) = (self.fields.iter().map(String::as_str), self.labels.iter().map(String::as_str));
        let parts: Vec<&str> = fields.chain([""]).chain(labels).collect();
        Fingerprint::of(&parts)
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.labels.is_empty()
    }
}

/// An event is its own view: what was posted with it, or else its labels and what they would have been called.
impl Routable for Event {
    fn field(&self, name: &str) -> &str {
        Self::field(self, name)
    }

    fn label(&self, name: &str) -> &str {
        if let Some(posted) = &self.posted {
            return posted.text.label(name);
        }
        match (self.labels.get(name), name) {
            (Some(value), _) => value,
            (None, "alertname") => &self.check,
            // Whose identity is a label set had these among the labels, or had them not.
            (None, "service" | "host" | "severity" | "source") if self.identity.is_none() => Self::field(self, name),
            (None, _) => "",
        }
    }
}

/// An alert as it was posted, its severity being what Squelch takes it for.
impl Routable for PostedText {
    fn field(&self, name: &str) -> &str {
        Self::field(self, name)
    }

    fn label(&self, name: &str) -> &str {
        Self::label(self, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::Span;

    fn route(name: &str, labels: &[&str], goes_on: bool, routes: Vec<Route>) -> Route {
        Route {
            name: name.to_owned(),
            labels: labels.iter().map(|text| Matcher::parse(text).expect("a matcher")).collect(),
            receivers: vec![name.to_owned()],
            goes_on,
            routes,
            ..Route::default()
        }
    }

    fn told(routes: &[Route], labels: &[(&str, &str)]) -> Vec<String> {
        let mut event = Event::new("prometheus", "");
        event.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        find(routes, &event).iter().map(|route| route.name.clone()).collect()
    }

    #[test]
    fn the_first_that_fits_decides_unless_it_goes_on_and_a_route_itself_where_nothing_below_fits() {
        let tree = [route(
            "root",
            &[],
            false,
            vec![
                route("audit", &["team=~\".+\""], true, vec![]),
                route("db", &["team=\"db\""], false, vec![route("db pager", &["severity=\"page\""], false, vec![])]),
                route("never", &["team=\"db\""], false, vec![]),
            ],
        )];
        assert_eq!(told(&tree, &[]), ["root"]);
        assert_eq!(told(&tree, &[("team", "web")]), ["audit"]);
        assert_eq!(told(&tree, &[("team", "db")]), ["audit", "db"]);
        assert_eq!(told(&tree, &[("team", "db"), ("severity", "page")]), ["audit", "db pager"]);
    }

    #[test]
    fn labels_are_what_was_sent_and_fields_what_was_read() {
        let mut event = Event::new("nagios", "load");
        event.severity = crate::domain::Severity::Critical;
        event.labels.insert("severity".to_owned(), "page".to_owned());
        assert_eq!((Routable::field(&event, "severity"), Routable::label(&event, "severity")), ("critical", "page"));
        assert_eq!((Routable::label(&event, "alertname"), Routable::label(&event, "source")), ("load", "nagios"));
        event.identity = Some("of a label set".to_owned());
        assert_eq!((Routable::label(&event, "alertname"), Routable::label(&event, "source")), ("load", ""));
    }

    fn daily(name: &str, hours: (u16, u16)) -> Arc<Interval> {
        Arc::new(Interval { name: name.to_owned(), spans: vec![Span { hours: vec![hours], ..Span::default() }] })
    }

    #[test]
    fn a_route_that_is_kept_says_by_what_and_until_when() {
        let day = Timestamp::from_millis(1_795_392_000_000);
        let hour = |hour: f64| day.after(hour * 3600.0);
        let mut kept = route("quiet", &[], false, vec![]);
        kept.mute = vec![daily("nights", (22 * 60, 7 * 60))];
        kept.active = vec![daily("office", (9 * 60, 17 * 60))];
        assert_eq!((kept.kept_by(hour(12.0)), kept.tells_from(hour(12.0))), (None, hour(12.0)));
        assert_eq!((kept.kept_by(hour(8.0)), kept.tells_from(hour(8.0))), (Some("office"), hour(9.0)));
        assert_eq!((kept.kept_by(hour(23.0)), kept.tells_from(hour(23.0))), (Some("nights"), hour(33.0)));
        kept.active = vec![Arc::new(Interval {
            name: "gone".to_owned(),
            spans: vec![Span { years: vec![(2000, 2001)], ..Span::default() }],
        })];
        assert!(kept.tells_from(day).since(day) >= Route::FAR, "never again, and yet it is looked at");
    }
}
