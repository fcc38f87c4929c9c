//! The scope of an event: inside which signals may be related. Each scope is judged by an engine of its own.
//!
//! Pure. Deliberately by name alone: which partition a scope lives in is [`super::place`]'s.

use std::collections::BTreeMap;

use crate::domain::Event;

/// What everything belongs to that says nothing of its scope.
pub const DEFAULT: &str = "default";
/// The scope of what is about Squelch itself.
pub const OWN: &str = "squelch";
/// A scope's name is cut to so many bytes.
const LONGEST: usize = 200;

/// What stands behind the name of a scope that went on apart; no event's own name has spaces.
const APART: &str = " (of partition ";

/// What a scope is called whose name another one has: it was in this partition, where it did not belong.
#[must_use]
pub fn apart(name: &str, partition: i32) -> String {
    format!("{name}{APART}{partition})")
}

/// Whether nothing new comes to a scope of this name: it is Squelch's own, or goes on apart.
#[must_use]
pub fn hears_nothing(name: &str) -> bool {
    name == OWN || name.contains(APART)
}

/// How scopes are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scoping {
    /// The fields or labels that make it, in order.
    pub fields: Vec<String>,
    /// What services belong to, for events that do not say it.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
}

impl Scoping {
    /// The scope of an event: its values joined by `/`, `-` for one that nobody knows; [`DEFAULT`] when none is known,
    /// or none is asked for.
    #[must_use]
    pub fn of(&self, event: &Event) -> String {
        let values: Vec<&str> = self.fields.iter().map(|field| self.value(event, field)).collect();
        if values.iter().all(|value| value.is_empty()) {
            return DEFAULT.to_owned();
        }
        let parts: Vec<String> = values.iter().map(|value| part(value)).collect();
        cut(parts.join("/"))
    }

    fn value<'a>(&'a self, event: &'a Event, field: &str) -> &'a str {
        let own = event.field(field);
        if !own.is_empty() {
            return own;
        }
        let service = self.services.get(event.field("service"));
        service.and_then(|belongs| belongs.get(field)).map_or("", String::as_str)
    }
}

/// A value as a part of a name: one word, and no other's separator.
fn part(value: &str) -> String {
    let known = |c: char| if c == '/' || c.is_control() || c.is_whitespace() { '_' } else { c };
    let text: String = value.chars().map(known).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The name, not too long, and never one of Squelch's own.
fn cut(mut name: String) -> String {
    if name.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
    }
    if name == OWN { format!("{name}_") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(pairs: &[(&str, &str)], service: Option<&str>) -> Event {
        let mut event = Event::new("test", "disk");
        event.service = service.map(str::to_owned);
        event.labels = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        event
    }

    fn scoping() -> Scoping {
        let belongs = BTreeMap::from([("env".to_owned(), "prod".to_owned()), ("team".to_owned(), "pay".to_owned())]);
        Scoping {
            fields: vec!["env".to_owned(), "team".to_owned()],
            services: BTreeMap::from([("checkout".to_owned(), belongs)]),
        }
    }

    #[test]
    fn its_own_words_come_first_and_the_catalogue_fills_what_is_missing() {
        let scoping = scoping();
        assert_eq!(scoping.of(&event(&[("env", "test"), ("team", "web")], Some("checkout"))), "test/web");
        assert_eq!(scoping.of(&event(&[("env", "test")], Some("checkout"))), "test/pay");
        assert_eq!(scoping.of(&event(&[], Some("checkout"))), "prod/pay");
        assert_eq!(scoping.of(&event(&[("env", "test")], None)), "test/-");
        assert_eq!(scoping.of(&event(&[], None)), DEFAULT);
    }

    #[test]
    fn no_value_can_pretend_to_be_another_scope() {
        let scoping = scoping();
        assert_eq!(scoping.of(&event(&[("env", "a/b"), ("team", "c d\n")], None)), "a_b/c_d_");
        assert_eq!(scoping.of(&event(&[("env", &"ü".repeat(300))], None)).len(), LONGEST);
        let one = Scoping { fields: vec!["env".to_owned()], ..Scoping::default() };
        assert_eq!(one.of(&event(&[("env", "squelch")], None)), "squelch_");
    }

    #[test]
    fn where_nobody_asks_for_scopes_everything_is_one() {
        assert_eq!(Scoping::default().of(&event(&[("env", "test")], Some("checkout"))), DEFAULT);
    }
}
