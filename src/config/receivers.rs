//! Checked values into receivers. Secrets stay references: nothing here reads one.

use super::findings::{Complaint, Findings};
use super::value::{Checked, Record};
use crate::sinks::receiver::{Address, Email, Login, Receiver, ReceiverKind, Secret, Tls, Webhook};

/// Lowers a receiver; `None` when its settings do not make one, which was told.
pub(super) fn lower(given: &Checked, findings: &mut Findings<'_>) -> Option<Receiver> {
    let record = given.record();
    let kind = if record.get("console").is_some() {
        ReceiverKind::Console
    } else if let Some(settings) = record.get("webhook") {
        ReceiverKind::Webhook(webhook(settings, findings)?)
    } else {
        ReceiverKind::Email(email(record.record("email")?, findings)?)
    };
    Some(Receiver { name: record.text("name")?.to_owned(), kind })
}

/// The secret that `KEY_file` or `KEY_env` refers to.
pub(super) fn secret(record: &Record, key: &str) -> Option<Secret> {
    let file = record.text(&format!("{key}_file")).map(|path| Secret::File(path.into()));
    file.or_else(|| record.text(&format!("{key}_env")).map(|name| Secret::Env(name.to_owned())))
}

fn webhook(given: &Checked, findings: &mut Findings<'_>) -> Option<Webhook> {
    let record = given.record();
    let address = match (record.get("url"), secret(record, "url")) {
        (Some(url), _) => match Address::plain(url.text()) {
            Ok(address) => address,
            Err(error) => {
                findings.mistake(url.spot, &url.path, Complaint::new(error.to_string()));
                return None;
            }
        },
        (None, Some(secret)) => Address::Secret(secret),
        (None, None) => return None,
    };
    Some(Webhook {
        token: secret(record, "token"),
        ca_file: record.text("ca_file").map(Into::into),
        timeout: record.duration("timeout").unwrap_or(Webhook::TIMEOUT),
        ..Webhook::new(address)
    })
}

fn email(record: &Record, findings: &mut Findings<'_>) -> Option<Email> {
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
