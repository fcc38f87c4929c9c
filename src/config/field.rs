//! What may stand in a file: objects, their fields, and the form of each value.
//!
//! Reading, the suggestions for unknown keys, the JSON Schema and the tables in the documentation all derive from
//! constants of these types. Deliberately no values: those are [`super::value`]'s.

use super::findings::with_article;
use crate::formats::mapping::Grammar;

/// A map with known keys.
pub(super) struct Object {
    /// What it is called in messages: `rule`, `receiver`.
    pub(super) name: &'static str,
    /// What it is, in one or two sentences.
    pub(super) doc: &'static str,
    /// Its keys.
    pub(super) fields: &'static [Field],
    /// Keys that exclude one another.
    pub(super) choices: &'static [Choice],
}

impl Object {
    /// An object without choices.
    pub(super) const fn new(name: &'static str, doc: &'static str, fields: &'static [Field]) -> Self {
        Self { name, doc, fields, choices: &[] }
    }

    /// How one is written: with what it must have, or else with its first keys.
    pub(super) fn example(&self) -> String {
        let required = self.fields.iter().filter(|field| field.required);
        let some = if required.clone().count() > 0 { self.fields.len() } else { 1 };
        let shown = self.fields.iter().filter(|field| field.required || some == 1).take(some);
        let pairs: Vec<String> = shown.map(|field| format!("{}: {}", field.name, field.example)).collect();
        format!("{{{}}}", pairs.join(", "))
    }

    /// The field with this key.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// At most one of these keys may be given.
pub(super) struct Choice {
    pub(super) fields: &'static [&'static str],
    /// Whether one must be.
    pub(super) required: bool,
}

/// A key of an object.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) required: bool,
    /// What it is; for a constant also what turning it does.
    pub(super) doc: &'static str,
    /// What holds where it is not given, as it would be written; empty = nothing.
    pub(super) default: &'static str,
    /// A value that could stand there, as YAML.
    pub(super) example: &'static str,
}

impl Field {
    /// A key that may be left out.
    pub(super) const fn new(name: &'static str, form: Form, doc: &'static str) -> Self {
        Self { name, form, required: false, doc, default: "", example: "" }
    }

    /// A key that must be given.
    pub(super) const fn required(name: &'static str, form: Form, doc: &'static str) -> Self {
        Self { required: true, ..Self::new(name, form, doc) }
    }

    /// What holds where it is not given; serves as example, too.
    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, example: default, ..self }
    }

    /// A value that could stand there.
    pub(super) const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

/// The form of a value.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// A text that is not empty.
    Text,
    /// A name: letters, digits and signs, no control characters, at most 100 characters.
    Name,
    /// `true` or `false`.
    Flag,
    /// One of some words.
    Word(fn() -> Vec<&'static str>),
    /// `5m`, between two durations.
    Duration(&'static str, &'static str),
    /// `5 changes in 20m`, with at least so many changes.
    Pace(u32),
    /// `service=~"web|api"`
    Matcher,
    /// A matcher on what a page has: service, host, check and severity of its origin.
    PageMatcher,
    /// A matcher on labels as they were sent, as Alertmanager writes it.
    LabelMatcher,
    /// Either of the two: what it looks at, another key says.
    EitherMatcher,
    /// `2026-11-23T02:00:00+01:00`
    Time,
    /// `Europe/Berlin`
    Zone,
    /// `22:00-07:00`
    Hours,
    /// `08:00`
    Clock,
    /// `2 a night`
    Allowance,
    /// `1..5` or `1`, between two numbers, of which the first may be negative.
    Range(i32, i32),
    /// A number between two others.
    Number(f64, f64),
    /// A whole number between two others.
    Whole(u64, u64),
    /// `10000 events`; the unit may be left out.
    Count(&'static str, u64, u64),
    /// `10MB`, `64KiB`, between two numbers of bytes.
    Size(u64, u64),
    /// `1000 events/s`
    Rate,
    /// `HOST:PORT`
    Address,
    /// `https://…`
    Url,
    /// A path of a file or folder.
    Path,
    /// `ops@example.org` or `Ops <ops@example.org>`
    Mail,
    /// A list.
    List(&'static Form),
    /// A list, or one entry without the brackets.
    OneOrMany(&'static Form),
    /// A map with known keys.
    Object(&'static Object),
    /// A list of what it stands in itself, and where that stands in the schema.
    Again(fn() -> &'static Object, &'static str),
    /// A map with any keys.
    Map(&'static Form),
    /// How often: `3`, `">= 3"`, `"<= 3"` or `"2..5"`.
    Tally,
    /// Either a list of this, or a map of any keys to that.
    ListOrMap(&'static Form, &'static Form),
    /// Something in one of the little languages of mapping files.
    Grammar(Grammar),
    /// A regular expression.
    Pattern,
    /// A time format, as `strptime` has them.
    TimeFormat,
    /// `UTC`, `+01:00`
    Offset,
    /// How a field is filled: an expression, a map with the keys of this, or a list of such.
    Extract(&'static Object),
}

impl Form {
    /// What it is, for messages and tables.
    pub(super) fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Name => "name".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Word(words) => words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Self::Duration(least, most) => format!("duration, {least} to {most}"),
            Self::Pace(_) => "pace: `N changes in DURATION`".to_owned(),
            Self::Matcher | Self::EitherMatcher => "matcher".to_owned(),
            Self::PageMatcher => "matcher on `service`, `host`, `check` or `severity`".to_owned(),
            Self::LabelMatcher => "matcher on a label as it was sent".to_owned(),
            Self::Range(least, most) => format!("`N` or `N..M`, {least} to {most}"),
            Self::Again(object, _) => format!("list of: {}", Self::Object(object()).words()),
            Self::Time => "time (RFC 3339, with zone)".to_owned(),
            Self::Zone => "time zone (IANA name)".to_owned(),
            Self::Hours => "hours: `HH:MM-HH:MM`".to_owned(),
            Self::Clock => "time of the day: `HH:MM`".to_owned(),
            Self::Allowance => "allowance: `N a night`, `N a day` or `N a week`".to_owned(),
            Self::Number(least, most) => format!("number, {least} to {most}"),
            Self::Whole(least, most) => format!("whole number, {least} to {most}"),
            Self::Count(unit, least, most) => format!("number of {unit}, {least} to {most}"),
            Self::Size(least, most) => {
                format!("size, {} to {}", super::scalar::write_size(least), super::scalar::write_size(most))
            }
            Self::Rate => "rate: `N events/s`".to_owned(),
            Self::Address => "address: `HOST:PORT`".to_owned(),
            Self::Url => "URL (http or https)".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Mail => "mail address".to_owned(),
            Self::List(form) => format!("list of: {}", form.words()),
            Self::OneOrMany(form) => format!("one, or a list, of: {}", form.words()),
            Self::Object(object) => format!("[{0}](#{1})", object.name, object.name.replace(' ', "-")),
            Self::Map(form) => format!("map of names to: {}", form.words()),
            Self::Tally => "number of times: `3`, `\">= 3\"` or `\"2..5\"`".to_owned(),
            Self::ListOrMap(list, map) => format!("list of: {}; or map of names to: {}", list.words(), map.words()),
            Self::Grammar(Grammar::Path) => "path in the body".to_owned(),
            Self::Grammar(Grammar::Expression) => "expression".to_owned(),
            Self::Grammar(Grammar::Condition) => "condition".to_owned(),
            Self::Pattern => "regular expression".to_owned(),
            Self::TimeFormat => "time format (`strptime`)".to_owned(),
            Self::Offset => "offset: `UTC` or `+01:00`".to_owned(),
            Self::Extract(object) => {
                format!("expression, or [{0}](#{1}), or a list of such", object.name, object.name.replace(' ', "-"))
            }
        }
    }

    /// How a message asks for it.
    pub(super) fn wanted(self) -> String {
        match self {
            Self::Object(object) => format!("a map with the keys of {}", with_article(object.name)),
            Self::List(_) | Self::Again(..) => "a list".to_owned(),
            Self::Range(..) => self.words(),
            Self::Map(_) => "a map".to_owned(),
            Self::ListOrMap(..) => "a list or a map".to_owned(),
            Self::OneOrMany(form) => format!("{}, or a list of such", form.wanted()),
            Self::Word(_) => format!("one of {}", self.words()),
            Self::Flag => self.words(),
            Self::Address | Self::Allowance => format!("an {}", self.words()),
            Self::Hours => self.words(),
            Self::Extract(_) => "an expression, a map with `from`, or a list of such".to_owned(),
            Self::Grammar(Grammar::Expression) | Self::Offset => format!("an {}", self.words()),
            _ => format!("a {}", self.words()),
        }
    }

    /// How one is written; empty where the words say it.
    pub(super) fn example(self) -> String {
        match self {
            Self::Object(object) => object.example(),
            Self::List(form) | Self::ListOrMap(form, _) => format!("[{}]", form.example()),
            Self::OneOrMany(form) => form.example(),
            Self::Again(object, _) => format!("[{}]", object().example()),
            Self::Map(form) => format!("{{name: {}}}", form.example()),
            _ => self.scalar_example().to_owned(),
        }
    }

    const fn scalar_example(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Name => "checkout",
            Self::Duration(..) => "1h30m",
            Self::Pace(_) => "5 changes in 20m",
            Self::LabelMatcher => "'team=\"db\"'",
            Self::Range(..) => "1..5",
            Self::Matcher | Self::EitherMatcher | Self::PageMatcher => "'service=~\"web|api\"'",
            Self::Time => "2026-11-23T02:00:00+01:00",
            Self::Zone => "Europe/Berlin",
            Self::Hours => "22:00-07:00",
            Self::Clock => "08:00",
            Self::Allowance => "2 a night",
            Self::Number(..) => "0.5",
            Self::Whole(..) => "3",
            Self::Count(..) => "10000 events",
            Self::Size(..) => "10MB",
            Self::Rate => "1000 events/s",
            Self::Address => "127.0.0.1:9393",
            Self::Url => "https://ops.example.org/hook",
            Self::Path => "/etc/squelch/token",
            Self::Mail => "ops@example.org",
            Self::Tally => "\">= 3\"",
            Self::Grammar(Grammar::Path) => "alert.name",
            Self::Grammar(Grammar::Expression) | Self::Extract(_) => "title | name",
            Self::Grammar(Grammar::Condition) => "state = open",
            Self::Pattern => "'host ([a-z0-9-]+)'",
            Self::TimeFormat => "'%d.%m.%Y %H:%M:%S'",
            Self::Offset => "'+01:00'",
            Self::Flag
            | Self::Word(_)
            | Self::List(_)
            | Self::OneOrMany(_)
            | Self::Object(_)
            | Self::Again(..)
            | Self::Map(_)
            | Self::ListOrMap(..) => "",
        }
    }
}
