//! Checked values into receivers. Secrets stay references: nothing here reads one.

use super::findings::{Complaint, Findings};
use super::receiver_kinds;
use super::templates;
use super::value::{Checked, Record};
use crate::sinks::receiver::{Address, Email, Login, Receiver, Secret, Tls};
use crate::sinks::{ReceiverKind, Webhook, Wire};

/// Lowers a receiver; `None` when its settings do not make one, which was told.
pub(super) fn lower(given: &Checked, findings: &mut Findings<'_>) -> Option<Receiver> {
    let record = given.record();
    let kind = receiver_kinds::lower(record, findings)?;
    Some(Receiver {
        name: record.text("name")?.to_owned(),
        kind,
        deadline: record.duration("deadline").unwrap_or(Receiver::DEADLINE),
        fallback: record.texts("fallback"),
        templates: templates::lower(record, findings),
    })
}

/// The secret that `KEY_file` or `KEY_env` refers to.
pub(super) fn secret(record: &Record, key: &str) -> Option<Secret> {
    let file = record.text(&format!("{key}_file")).map(|path| Secret::File(path.into()));
    file.or_else(|| record.text(&format!("{key}_env")).map(|name| Secret::Env(name.to_owned())))
}

/// The address under `url`, `url_file` or `url_env`; `None` when there is none, or it is wrong, which was told.
pub(super) fn address(record: &Record, findings: &mut Findings<'_>) -> Option<Address> {
    match record.get("url") {
        Some(url) => plain(url, findings),
        None => secret(record, "url").map(Address::Secret),
    }
}

/// The address under a key, or else the usual one.
pub(super) fn address_or(record: &Record, key: &str, usual: &str, findings: &mut Findings<'_>) -> Option<Address> {
    match record.get(key) {
        Some(url) => plain(url, findings),
        None => Address::plain(usual).ok(),
    }
}

fn plain(url: &Checked, findings: &mut Findings<'_>) -> Option<Address> {
    match Address::plain(url.text()) {
        Ok(address) => Some(address),
        Err(error) => {
            findings.mistake(url.spot, &url.path, Complaint::new(error.to_string()));
            None
        }
    }
}

/// How a service is spoken to.
pub(super) fn wire(record: &Record) -> Wire {
    Wire {
        ca_file: record.text("ca_file").map(Into::into),
        timeout: record.duration("timeout").unwrap_or(Wire::TIMEOUT),
    }
}

/// The settings of a webhook.
pub(super) fn webhook(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let Wire { ca_file, timeout } = wire(record);
    let address = address(record, findings)?;
    Some(ReceiverKind::Webhook(Webhook { address, token: secret(record, "token"), ca_file, timeout }))
}

/// The settings of mail.
pub(super) fn email(record: &Record, findings: &mut Findings<'_>) -> Option<Email> {
    let smtp = record.get("smtp")?;
    let settings = smtp.record();
    let tls = Tls::ALL.iter().copied().find(|mode| Some(mode.word()) == settings.text("tls")).unwrap_or_default();
    let email = Email {
        to: record.texts("to").iter().filter_map(|address| address.parse().ok()).collect(),
        from: record.text("from")?.parse().ok()?,
        host: settings.text("host")?.to_owned(),
        port: settings.whole("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(tls.port()),
        tls,
        ca_file: settings.text("ca_file").map(Into::into),
        login: login(smtp, findings),
        timeout: settings.duration("timeout").unwrap_or(Email::TIMEOUT),
    };
    if let Some(to) = record.get("to").filter(|_| email.to.is_empty())
        && !findings.has_mistake_at(to)
    {
        findings.mistake(to.spot, &to.path, Complaint::new("a mail to nobody").help("name at least one address"));
    }
    if email.exposes_password() {
        let mode = settings.get("tls").unwrap_or(smtp);
        let complaint = Complaint::new("the password would travel readable over the network");
        findings.mistake(
            mode.spot,
            &mode.path,
            complaint.help("use `tls: starttls` or `tls: tls`, or leave the login out"),
        );
    }
    Some(email)
}

/// A user name and a password: both or neither.
fn login(smtp: &Checked, findings: &mut Findings<'_>) -> Option<Login> {
    let settings = smtp.record();
    let (username, password) = (settings.text("username"), secret(settings, "password"));
    let complaint = match (username, &password) {
        (None, None) => return None,
        (Some(username), Some(password)) => {
            return Some(Login { username: username.to_owned(), password: password.clone() });
        }
        (Some(_), None) => "`username` without a password",
        (None, Some(_)) => "a password without `username`",
    };
    let help = "a login needs `username` and one of `password_file` and `password_env`";
    if !findings.has_mistake_at(smtp) {
        findings.mistake(smtp.spot, &smtp.path, Complaint::new(complaint).help(help));
    }
    None
}
