//! Sends mails by SMTP. One attempt; whoever calls waits and repeats.
//!
//! Each recipient is answered for by itself: one bad address must not keep the mail from the others, and who has it
//! already does not get it again.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{self};

use super::secrets::{self, Hidden, blot, chain};
use crate::sinks::{Email, Mail, Outcome, Tls};

/// Who has taken a mail so far, and who refused it for good.
#[derive(Debug, Default)]
pub(super) struct Recipients {
    /// Have it.
    taken: Vec<lettre::Address>,
    /// Refused it, and why.
    refused: Vec<(lettre::Address, String)>,
}

impl Recipients {
    fn is_settled(&self, address: &lettre::Address) -> bool {
        self.taken.contains(address) || self.refused.iter().any(|(refused, _)| refused == address)
    }

    fn refusals(&self) -> String {
        self.refused.iter().map(|(address, why)| format!("{address}: {why}")).collect::<Vec<_>>().join("; ")
    }
}

/// After the mail was taken, the farewell may take this long.
const FAREWELL: Duration = Duration::from_secs(1);

/// Makes one attempt with all recipients that are left.
pub(super) async fn send(email: &Email, mail: &Mail, recipients: &mut Recipients) -> Outcome {
    if email.exposes_password() {
        let why = "a password without TLS to another machine is refused: set tls to starttls or tls";
        return Outcome::Rejected { why: why.to_owned() };
    }
    let password = match &email.login {
        None => None,
        Some(login) => match secrets::read(&login.password).await {
            Ok(password) => Some(password),
            Err(error) => return again(chain(&error)),
        },
    };
    let result = transact(email, mail, password.as_ref(), recipients).await;
    let hidden: Vec<String> = password.into_iter().map(|password| password.0).collect();
    match result {
        Ok(()) => settle(email, recipients, &hidden),
        Err(Failure::Again(why)) => again(blot(&why, &hidden)),
        Err(Failure::Refused(why)) => Outcome::Rejected { why: blot(&why, &hidden) },
    }
}

fn again(why: String) -> Outcome {
    Outcome::Retry { after: None, why }
}

/// What the whole attempt comes to when the conversation itself went well.
fn settle(email: &Email, recipients: &Recipients, hidden: &[String]) -> Outcome {
    let left = email.to.iter().filter(|to| !recipients.is_settled(&to.email)).count();
    let why = blot(&recipients.refusals(), hidden);
    if left > 0 {
        return again(format!("{left} of {} recipients are to be tried again", email.to.len()));
    }
    if recipients.taken.is_empty() {
        return Outcome::Rejected { why: format!("every recipient was refused: {why}") };
    }
    if !recipients.refused.is_empty() {
        tracing::error!(refused = %why, "a mail reached only some of its recipients");
    }
    Outcome::Delivered
}

/// Why the conversation broke off.
enum Failure {
    Again(String),
    Refused(String),
}

impl From<smtp::Error> for Failure {
    fn from(error: smtp::Error) -> Self {
        // A client error (no STARTTLS, no usable AUTH) is one of the server's settings: worth another try by the same
        // right as a broken connection.
        if error.is_permanent() { Self::Refused(chain(&error)) } else { Self::Again(chain(&error)) }
    }
}

async fn transact(
    email: &Email,
    mail: &Mail,
    password: Option<&Hidden>,
    recipients: &mut Recipients,
) -> Result<(), Failure> {
    let refused = |error: lettre::error::Error| Failure::Refused(chain(&error));
    let bytes = mail.message().map_err(refused)?.formatted();
    let mut connection = connect(email).await?;
    if let (Some(login), Some(password)) = (&email.login, password) {
        log_in(&mut connection, &login.username, password).await?;
    }
    let accepted = envelope(email, &mut connection, recipients).await?;
    if !accepted.is_empty() {
        connection.command(Data).await?;
        connection.message(&bytes).await?;
        recipients.taken.extend(accepted);
    }
    // It is taken: whether the server still says goodbye must not make it look untaken.
    let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
    Ok(())
}

async fn connect(email: &Email) -> Result<AsyncSmtpConnection, Failure> {
    let hello = ClientId::default();
    let server = (email.host.as_str(), email.port);
    let parameters = match email.tls {
        Tls::None => None,
        Tls::StartTls | Tls::Tls => Some(tls(email).await?),
    };
    let (at_once, then) = match email.tls {
        Tls::Tls => (parameters, None),
        Tls::StartTls | Tls::None => (None, parameters),
    };
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, Some(email.timeout), &hello, at_once, None).await?;
    if let Some(parameters) = then {
        connection.starttls(parameters, &hello).await?;
    }
    Ok(connection)
}

async fn tls(email: &Email) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(email.host.clone());
    if let Some(path) = &email.ca_file {
        let pem = secrets::read_file(path).await.map_err(|error| Failure::Again(chain(&error)))?;
        let roots = Certificate::from_pem(&pem)
            .map_err(|_| Failure::Again(format!("file {} is no valid PEM", path.display())))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(roots);
    }
    Ok(builder.build()?)
}

/// The server's words are left out of errors here: some repeat what they were sent, encoded.
async fn log_in(connection: &mut AsyncSmtpConnection, username: &str, password: &Hidden) -> Result<(), Failure> {
    let credentials = Credentials::new(username.to_owned(), password.0.clone());
    match connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.status() {
            Some(code) if error.is_permanent() => Failure::Refused(format!("the login was refused ({code})")),
            Some(code) => Failure::Again(format!("the login failed for now ({code})")),
            None if error.is_client() => Failure::Again("the server offers no login that is known here".to_owned()),
            None => Failure::Again("the connection broke while logging in".to_owned()),
        }),
    }
}

/// Names sender and recipients; returns those that the server takes now.
async fn envelope(
    email: &Email,
    connection: &mut AsyncSmtpConnection,
    recipients: &mut Recipients,
) -> Result<Vec<lettre::Address>, Failure> {
    let unicode = std::iter::once(&email.from).chain(&email.to).any(|mailbox| !mailbox.email.to_string().is_ascii());
    if unicode && !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        return Err(Failure::Refused("an address is not ASCII, and the server does not know SMTPUTF8".to_owned()));
    }
    let options = if unicode { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
    connection.command(MailFrom::new(Some(email.from.email.clone()), options)).await?;
    let mut accepted = Vec::new();
    for to in email.to.iter().map(|to| &to.email) {
        if recipients.is_settled(to) || accepted.contains(to) {
            continue;
        }
        match connection.command(Rcpt::new(to.clone(), Vec::new())).await {
            Ok(_) => accepted.push(to.clone()),
            Err(error) if error.is_permanent() => recipients.refused.push((to.clone(), chain(&error))),
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(accepted)
}
