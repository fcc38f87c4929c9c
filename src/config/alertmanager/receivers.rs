//! `receivers` into `receivers`: a receiver with several integrations becomes several, all of which its routes tell.

use std::collections::BTreeMap;

use super::keys::{self, Kind, SecretKey, Setting, SettingForm};
use super::section::{Place, Section};
use super::wording;
use super::written::{flow, text};
use super::{SecretText, Work};
use crate::config::findings::{Complaint, quoted};
use crate::config::receiver_kinds::is_segment;
use crate::domain::duration;
use crate::sinks::receiver::read_url;

/// One receiver of a rule file.
#[derive(Default)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) kind: &'static str,
    /// Keys and values, as they are written.
    pub(super) settings: Vec<(&'static str, String)>,
    /// Its own title and text, as they are written.
    pub(super) wording: Vec<(&'static str, String)>,
    /// What is to be said of it in the file.
    pub(super) notes: Vec<String>,
}

/// The receivers of the configuration, and what each became.
#[derive(Default)]
pub(super) struct Receivers {
    order: Vec<String>,
    parts: BTreeMap<String, Vec<Part>>,
}

impl Receivers {
    /// Whether there is one of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.order.iter().map(String::as_str)
    }

    /// The names of what one became.
    pub(super) fn parts(&self, name: &str) -> Vec<&str> {
        self.parts.get(name).into_iter().flatten().map(|part| part.name.as_str()).collect()
    }

    /// What all of them became, in the order of the file.
    pub(super) fn all(&self) -> impl Iterator<Item = &Part> {
        self.order.iter().filter_map(|name| self.parts.get(name)).flatten()
    }
}

impl Work<'_, '_> {
    pub(super) fn receivers(&mut self, root: &Section<'_>, global: &Section<'_>) -> Receivers {
        let mut receivers = Receivers::default();
        for section in root.sections("receivers", keys::RECEIVER, &mut self.findings) {
            let Some(place) = section.at.clone() else { continue };
            let Some(name) = section.text("name", &mut self.findings) else {
                let complaint = Complaint::new("the receiver has no `name`").help("add `name: …`");
                self.findings.mistake(place.spot, &place.path, complaint);
                continue;
            };
            let mut parts = self.parts((name, &section), global);
            if parts.is_empty() {
                parts.push(self.silent(name, place.clone()));
            }
            name_parts(name, &mut parts);
            if receivers.parts.insert(name.to_owned(), parts).is_some() {
                let complaint = Complaint::new(format!("the receiver {} stands twice", quoted(name)));
                self.findings.mistake(place.spot, &place.path, complaint.help("choose another name"));
            } else {
                receivers.order.push(name.to_owned());
            }
        }
        receivers
    }

    /// What the integrations of one receiver become.
    fn parts(&mut self, (name, section): (&str, &Section<'_>), global: &Section<'_>) -> Vec<Part> {
        let mut parts = Vec::new();
        for config in section.sections("email_configs", keys::EMAIL, &mut self.findings) {
            let part = self.email((name, &config), global);
            parts.push(self.or_console(part, "email_configs", &config));
        }
        for kind in keys::KINDS {
            for config in section.sections(kind.key, &[], &mut self.findings) {
                let part = self.part((name, kind), &config, global);
                parts.push(self.or_console(part, kind.key, &config));
            }
        }
        for key in keys::STRANGERS {
            for config in section.sections(key, &[], &mut self.findings) {
                parts.push(self.or_console(None, key, &config));
            }
        }
        parts
    }

    /// A receiver without integrations: in Alertmanager it swallows what it gets.
    fn silent(&mut self, name: &str, place: Place) -> Part {
        let line = place.spot.line;
        let help = "if nobody is to be told, say so in a rule with `page: never`; until then standard output is";
        self.left.add(
            place,
            format!("the receiver {} tells nobody: it writes to standard output here", quoted(name)),
            help,
        );
        let notes = vec!["It told nobody in Alertmanager.".to_owned()];
        Part { kind: "console", line, notes, ..Part::default() }
    }

    /// What could not be carried writes to standard output: no page is lost without a word.
    fn or_console(&mut self, part: Option<Part>, key: &str, config: &Section<'_>) -> Part {
        let place = config.at.clone();
        let line = place.as_ref().map_or(0, |place| place.spot.line);
        if let Some(part) = part {
            return Part { line, ..part };
        }
        if let Some(place) = place {
            let help = "set up a receiver of another kind in its place (docs/RECEIVERS.md)";
            let what =
                format!("`{key}` is not carried: ITS PAGES GO TO STANDARD OUTPUT until you name another receiver");
            self.left.add(place, what, help);
        }
        let notes =
            vec![format!("NOT CARRIED: `{key}`. Name another receiver: until then pages go to standard output.")];
        Part { kind: "console", line, notes, ..Part::default() }
    }

    /// An integration by its table; `None` = it lacks something, which was told.
    fn part(&mut self, (name, kind): (&str, &Kind), config: &Section<'_>, global: &Section<'_>) -> Option<Part> {
        let mut part = Part { kind: kind.ours, ..Part::default() };
        let mut used: Vec<String> = vec!["http_config".to_owned()];
        if kind.ours == "slack" && self.slack_bot((name, &mut part), config, &mut used) {
            self.finish((name, kind.token), config, (&mut part, &used));
            return Some(part);
        }
        for secret in kind.secrets {
            used.extend(secret.own.iter().flat_map(|key| [(*key).to_owned(), format!("{key}_file")]));
            let path = self.secret((name, secret), config, global)?;
            part.settings.push((file_key(secret.ours), text(&path)));
        }
        for setting in kind.settings {
            used.push(setting.own.to_owned());
            match self.setting(setting, config, global) {
                Some(value) => part.settings.push((setting.ours, value)),
                None if setting.required => return None,
                None => {}
            }
        }
        if config.place("service_key").or_else(|| config.place("service_key_file")).is_some()
            && kind.ours == "pagerduty"
        {
            let place = config.place("service_key").or_else(|| config.place("service_key_file"))?;
            let help = "make an integration \"Events API V2\" in the same service, and put its key into the file";
            self.left.add(
                place,
                "`service_key` is a key of PagerDuty's first Events API; Squelch speaks the second",
                help,
            );
        }
        self.finish((name, kind.token), config, (&mut part, &used));
        Some(part)
    }

    /// Slack by a bot: its token stands in `http_config`.
    fn slack_bot(&mut self, (name, part): (&str, &mut Part), config: &Section<'_>, used: &mut Vec<String>) -> bool {
        let to_api = config.text("api_url", &mut self.findings).is_some_and(|url| url.contains("chat.postMessage"));
        let channel = config.text("channel", &mut self.findings).filter(|channel| !channel.contains("{{"));
        let Some(channel) = channel.filter(|_| to_api) else { return false };
        let http = config.section("http_config", &[], &mut self.findings);
        let token = self.token((name, &http));
        let Some(token) = token else { return false };
        part.settings.extend([("token_file", text(&token)), ("channel", text(channel))]);
        used.extend(["api_url".to_owned(), "channel".to_owned()]);
        true
    }

    /// What all integrations have: HTTP settings, and settings that are left behind.
    fn finish(&mut self, (name, token): (&str, bool), config: &Section<'_>, (part, used): (&mut Part, &[String])) {
        let http = config.section("http_config", &[], &mut self.findings);
        let bearer = if token { self.token((name, &http)) } else { None };
        let has_bearer = bearer.is_some() || part.settings.iter().any(|(key, _)| *key == "token_file");
        if let Some(path) = bearer {
            part.settings.push(("token_file", text(&path)));
        }
        let tls = http.section("tls_config", &[], &mut self.findings);
        if let Some(path) = tls.text("ca_file", &mut self.findings) {
            part.settings.push(("ca_file", text(&self.resolved(path))));
        }
        let carried = |key: &str| {
            key == "tls_config" || (has_bearer && (key == "authorization" || key.starts_with("bearer_token")))
        };
        let rest =
            http.places().filter(|(key, _)| !carried(key)).chain(tls.places().filter(|(key, _)| *key != "ca_file"));
        for (key, place) in rest {
            self.left.add(
                place,
                format!("`{key}` of HTTP connections is not carried"),
                "see docs/RECEIVERS.md for what can be set",
            );
        }
        for (key, place) in config.places().filter(|(key, _)| !used.iter().any(|used| used == key)) {
            if !self.takes_wording((key, role(part.kind, key)), config, part) {
                self.note_rest(key, place, config);
            }
        }
    }

    /// Takes a template over as the receiver's own title or text, where it has none yet; whether it did.
    pub(super) fn takes_wording(
        &mut self,
        (key, role): (&str, Option<&'static str>),
        config: &Section<'_>,
        part: &mut Part,
    ) -> bool {
        let Some(role) = role.filter(|role| part.wording.iter().all(|(known, _)| known != role)) else { return false };
        let carried = config.text(key, &mut self.findings).and_then(wording::translated);
        part.wording.extend(carried.iter().map(|jinja| (role, text(jinja))));
        carried.is_some()
    }

    fn note_rest(&mut self, key: &str, place: Place, config: &Section<'_>) {
        match key {
            "send_resolved" => {
                if config.flag(key, &mut self.findings) == Some(false) {
                    let help = "who was paged is told that it is over";
                    self.left.add(place, "`send_resolved: false` is not carried", help);
                }
            }
            _ if keys::WORDING.contains(&key) => {
                let help = "Squelch's own words are sent in its place; a `title` and a `text` of the receiver's own are templates, too: see docs/RECEIVERS.md";
                self.left.add(place, format!("the wording `{key}` is not carried"), help);
            }
            _ => self.left.add(
                place,
                format!("the setting `{key}` is not carried"),
                "see docs/RECEIVERS.md for what can be set",
            ),
        }
    }

    /// The bearer token of HTTP settings, as the path of its file.
    fn token(&mut self, (name, http): (&str, &Section<'_>)) -> Option<String> {
        let authorization =
            http.section("authorization", &["type", "credentials", "credentials_file"], &mut self.findings);
        let bearer =
            authorization.text("type", &mut self.findings).is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        let path = bearer.then(|| self.reference((name, "credentials"), &authorization)).flatten();
        path.or_else(|| self.reference((name, "bearer_token"), http))
    }

    /// A secret of an integration, or the one of `global`, as the path of its file.
    fn secret(
        &mut self,
        (name, key): (&str, &SecretKey),
        config: &Section<'_>,
        global: &Section<'_>,
    ) -> Option<String> {
        for own in key.own {
            if let Some(path) = self.reference((name, own), config) {
                return Some(path);
            }
        }
        let path = (!key.global.is_empty()).then(|| self.reference(("global", key.global), global)).flatten();
        if let (None, Some(place)) = (&path, &config.at) {
            let message = format!("there is no `{}`", key.own.first().copied().unwrap_or_default());
            let help = match key.global {
                "" => "Alertmanager would refuse this, too: add it".to_owned(),
                global => format!("Alertmanager would refuse this, too: add it, or `{global}` to `global`"),
            };
            self.findings.mistake(place.spot, &place.path, Complaint::new(message).help(help));
        }
        path
    }

    /// `KEY_file` as it is, or `KEY` as a file that is to hold it.
    pub(super) fn reference(&mut self, (owner, key): (&str, &str), section: &Section<'_>) -> Option<String> {
        if let Some(path) = section.text(&format!("{key}_file"), &mut self.findings) {
            return Some(self.resolved(path));
        }
        let secret = section.text(key, &mut self.findings)?;
        let place = section.place(key)?;
        let place = self.findings.place(place.spot);
        if let Some(known) = self.secrets.iter().find(|known| known.place == place) {
            return Some(known.path.clone());
        }
        let path = self.unused_path(&format!("{owner}-{key}"));
        self.secrets.push(SecretText { path: path.clone(), place, key: key.to_owned(), text: secret.to_owned() });
        Some(path)
    }

    /// A path below the rules that no other secret has.
    fn unused_path(&self, name: &str) -> String {
        let safe =
            |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c.to_ascii_lowercase() } else { '-' };
        let name: String = name.chars().take(80).map(safe).collect();
        let path = |more: usize| {
            let end = if more == 1 { String::new() } else { format!("-{more}") };
            let folder = self.folders.rules.trim_end_matches('/');
            let folder = if folder.is_empty() { "secrets".to_owned() } else { format!("{folder}/secrets") };
            format!("{folder}/{name}{end}")
        };
        let taken = |path: &String| self.secrets.iter().any(|known| known.path == *path);
        (1..).map(path).find(|path| !taken(path)).unwrap_or_default()
    }

    /// A path of the configuration, as it is found from where Squelch is started.
    pub(super) fn resolved(&self, path: &str) -> String {
        match self.folders.configuration.trim_end_matches('/') {
            _ if path.starts_with('/') => path.to_owned(),
            "" if self.folders.configuration.is_empty() => path.to_owned(),
            folder => format!("{folder}/{path}"),
        }
    }

    /// A setting, or the one of `global`, as it is written; `None` = it is not given, or cannot be carried, which was told.
    fn setting(&mut self, setting: &Setting, config: &Section<'_>, global: &Section<'_>) -> Option<String> {
        let own = config.text(setting.own, &mut self.findings).map(|value| (value, config.place(setting.own)));
        let given = own.or_else(|| {
            let value = Some(setting.global).filter(|key| !key.is_empty())?;
            Some((global.text(value, &mut self.findings)?, global.place(value)))
        });
        let Some((value, Some(place))) = given else {
            if let (true, Some(place)) = (setting.required, &config.at) {
                let complaint = Complaint::new(format!("there is no `{}`", setting.own)).help("add it");
                self.findings.mistake(place.spot, &place.path, complaint);
            }
            return None;
        };
        let written = if value.contains("{{") { None } else { taken_over(value, setting.form) };
        if written.is_none() {
            let help =
                "no template, and within the limits of docs/RECEIVERS.md; until you set it, Squelch's own value holds";
            self.left.add(place, format!("this `{}` cannot be carried", setting.own), help);
        }
        written
    }
}

/// The value of a setting as it is written; `None` = Squelch could not take it.
fn taken_over(value: &str, form: SettingForm) -> Option<String> {
    match form {
        SettingForm::Text => Some(quoted_text(value)),
        SettingForm::Segment => is_segment(value).then(|| quoted_text(value)),
        SettingForm::Number => value.parse::<u64>().ok().filter(|number| *number > 0).map(|number| number.to_string()),
        SettingForm::Words => {
            let words: Vec<String> =
                value.split(',').map(str::trim).filter(|word| !word.is_empty()).map(quoted_text).collect();
            (!words.is_empty()).then(|| flow(&words))
        }
        SettingForm::Duration(least, most) => {
            let span = duration::parse(value).ok()?;
            let bound = |text: &str| duration::parse(text).unwrap_or_default();
            (bound(least)..=bound(most)).contains(&span).then(|| value.to_owned())
        }
        SettingForm::Url(end) => {
            let url = value.trim_end_matches('/').strip_suffix(end).unwrap_or(value).trim_end_matches('/');
            read_url(url).ok().filter(|url| url.username().is_empty() && url.password().is_none()).map(|_| text(url))
        }
    }
}

/// A text that may look like a number.
pub(super) fn quoted_text(value: &str) -> String {
    let written = text(value);
    if written == value && value.parse::<f64>().is_ok() { format!("'{value}'") } else { written }
}

/// Whether a template of this kind of receiver is its first line, or what stands below it.
fn role(kind: &str, key: &str) -> Option<&'static str> {
    match (kind, key) {
        ("slack" | "discord" | "teams" | "pushover", "title")
        | ("pagerduty", "description")
        | ("opsgenie", "message") => Some("title"),
        ("slack" | "teams", "text")
        | ("discord" | "pushover" | "telegram", "message")
        | ("opsgenie", "description") => Some("text"),
        _ => None,
    }
}

fn file_key(ours: &str) -> &'static str {
    match ours {
        "url" => "url_file",
        "routing_key" => "routing_key_file",
        "api_key" => "api_key_file",
        "user_key" => "user_key_file",
        _ => "token_file",
    }
}

/// One part is called as its receiver is, several by their kinds, too.
fn name_parts(name: &str, parts: &mut [Part]) {
    let many = parts.len() > 1;
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for part in parts {
        let count = counts.entry(part.kind).and_modify(|count| *count += 1).or_insert(1);
        part.name = match (many, *count) {
            (false, _) => name.to_owned(),
            (true, 1) => format!("{name} {}", part.kind),
            (true, count) => format!("{name} {} {count}", part.kind),
        };
    }
}
