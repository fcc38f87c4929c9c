//! `email_configs` into mail receivers.

use super::Work;
use super::receivers::{Part, quoted_text};
use super::section::Section;
use super::written::{flow, text};
use crate::config::findings::Complaint;
use crate::sinks::receiver::Mailbox;

/// The keys that are taken over.
const USED: &[&str] = &[
    "to",
    "from",
    "smarthost",
    "auth_username",
    "auth_password",
    "auth_password_file",
    "require_tls",
    "tls_config",
    "send_resolved",
];

impl Work<'_, '_> {
    /// A mail; `None` = it cannot be carried, which was told.
    pub(super) fn email(&mut self, (name, config): (&str, &Section<'_>), global: &Section<'_>) -> Option<Part> {
        let to = config.text("to", &mut self.findings);
        let to = self.addresses("to", to, config)?;
        let from = self.own_or_global(("from", "smtp_from"), config, global);
        let from = self.addresses("from", from, config)?.into_iter().next()?;
        let smarthost = self.own_or_global(("smarthost", "smtp_smarthost"), config, global);
        let Some((host, port)) = smarthost.and_then(|host| host.rsplit_once(':')) else {
            let place = config.at.clone()?;
            let complaint = Complaint::new("there is no `smarthost` of the form `HOST:PORT`");
            let help = "Alertmanager would refuse this, too: add it, or `smtp_smarthost` to `global`";
            self.findings.mistake(place.spot, &place.path, complaint.help(help));
            return None;
        };
        let mut smtp = vec![format!("host: {}", quoted_text(host.trim_matches(['[', ']'])))];
        smtp.extend(port.parse::<u16>().ok().filter(|port| *port > 0).map(|port| format!("port: {port}")));
        smtp.push(format!("tls: {}", self.tls(config, global, port)));
        self.login((name, config), global, &mut smtp);
        let own = config.section("tls_config", &[], &mut self.findings);
        let tls = if own.at.is_some() { own } else { global.section("smtp_tls_config", &[], &mut self.findings) };
        if let Some(path) = tls.text("ca_file", &mut self.findings) {
            smtp.push(format!("ca_file: {}", text(&self.resolved(path))));
        }
        for (key, place) in tls.places().filter(|(key, _)| *key != "ca_file") {
            self.left.add(
                place,
                format!("`{key}` of SMTP connections is not carried"),
                "see docs/RECEIVERS.md for what can be set",
            );
        }
        let settings = vec![("to", flow(&to)), ("from", from), ("smtp", format!("{{{}}}", smtp.join(", ")))];
        let mut part = Part { kind: "email", settings, ..Part::default() };
        self.words_of_mail(config, &mut part);
        Some(part)
    }

    /// The subject and the text, where they can be said; the rest is told.
    fn words_of_mail(&mut self, config: &Section<'_>, part: &mut Part) {
        let headers = config.section("headers", &[], &mut self.findings);
        let own = config.places().filter(|(key, _)| !USED.contains(key) && *key != "headers");
        let own = own.map(|(key, place)| (key, place, config, (key == "text").then_some("text")));
        let headers = headers
            .places()
            .map(|(key, place)| (key, place, &headers, key.eq_ignore_ascii_case("subject").then_some("title")));
        for (key, place, section, role) in own.chain(headers).collect::<Vec<_>>() {
            if !self.takes_wording((key, role), section, part) {
                let help = "Squelch words and sends its mails itself; a `title` and a `text` of the receiver's own are templates, too: see docs/RECEIVERS.md";
                self.left.add(place, format!("the setting `{key}` of mails is not carried"), help);
            }
        }
    }

    fn own_or_global<'n>(&mut self, keys: (&str, &str), config: &Section<'n>, global: &Section<'n>) -> Option<&'n str> {
        let own = config.text(keys.0, &mut self.findings);
        own.or_else(|| global.text(keys.1, &mut self.findings))
    }

    /// Addresses between commas, as they are written; `None` = they cannot be carried, which was told.
    fn addresses(&mut self, key: &str, given: Option<&str>, config: &Section<'_>) -> Option<Vec<String>> {
        let place = config.place(key).or_else(|| config.at.clone())?;
        let Some(given) = given else {
            let complaint = Complaint::new(format!("the mail has no `{key}`")).help("add it");
            self.findings.mistake(place.spot, &place.path, complaint);
            return None;
        };
        let all: Vec<&str> = given.split(',').map(str::trim).filter(|address| !address.is_empty()).collect();
        if all.is_empty() || all.iter().any(|address| address.parse::<Mailbox>().is_err()) {
            let help = "templates and groups are not carried: write addresses";
            self.left.add(place, format!("this `{key}` of a mail cannot be carried"), help);
            return None;
        }
        Some(all.into_iter().map(|address| format!("'{}'", address.replace('\'', "''"))).collect())
    }

    fn tls(&mut self, config: &Section<'_>, global: &Section<'_>, port: &str) -> &'static str {
        let own = config.flag("require_tls", &mut self.findings);
        let wanted = own.or_else(|| global.flag("smtp_require_tls", &mut self.findings)).unwrap_or(true);
        match (port, wanted) {
            ("465", _) => "tls",
            (_, true) => "starttls",
            (_, false) => "none",
        }
    }

    /// A login, and a word where Squelch would not send it in the clear.
    fn login(&mut self, (name, config): (&str, &Section<'_>), global: &Section<'_>, smtp: &mut Vec<String>) {
        let username = self.own_or_global(("auth_username", "smtp_auth_username"), config, global);
        let password = self.reference((name, "auth_password"), config);
        let password = password.or_else(|| self.reference(("global", "smtp_auth_password"), global));
        let (Some(username), Some(password)) = (username, password) else { return };
        smtp.push(format!("username: {}", quoted_text(username)));
        smtp.push(format!("password_file: {}", text(&password)));
        let clear = smtp.iter_mut().find(|part| *part == "tls: none");
        if let (Some(tls), Some(place)) = (clear, &config.at) {
            *tls = "tls: starttls".to_owned();
            let help = "if the server has no TLS, leave the login out";
            self.left.add(place.clone(), "a login without TLS is not carried: `starttls` stands in its place", help);
        }
    }
}
