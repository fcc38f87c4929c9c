//! Questions to a running Squelch, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder};

use super::fault::Fault;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which Squelch is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    /// The address of the running Squelch
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9393")]
    server: String,
    /// A file with the token that it asks for; the environment variable SQUELCH_TOKEN does as well
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Server {
    /// What it answers at this path, as this kind of text.
    ///
    /// # Errors
    /// When it cannot be reached, or says no.
    pub(super) fn get(&self, path: &str, kind: &str) -> Result<String, Fault> {
        self.asked(Method::GET, path, |request| request.header(ACCEPT, kind))
    }

    /// What it answers when this is posted to this path.
    ///
    /// # Errors
    /// When it cannot be reached, or says no.
    pub(super) fn post(&self, path: &str, body: &serde_json::Value) -> Result<String, Fault> {
        self.asked(Method::POST, path, |request| {
            request.header(CONTENT_TYPE, "application/json").body(body.to_string())
        })
    }

    /// What it answers when this path is to be deleted.
    ///
    /// # Errors
    /// When it cannot be reached, or says no.
    pub(super) fn delete(&self, path: &str) -> Result<String, Fault> {
        self.asked(Method::DELETE, path, |request| request)
    }

    /// Reads a stream of server-sent events and hands out what comes, until it ends or `each` fails.
    ///
    /// # Errors
    /// When it cannot be reached, says no, or is silent for too long; and what `each` says.
    pub(super) fn stream(
        &self,
        path: &str,
        each: &mut dyn FnMut(Stream<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let token = self.token()?;
        let client = Self::builder().read_timeout(PATIENCE).build().map_err(|error| self.lost(&error))?;
        network()?.block_on(async {
            let mut request = client.get(self.url(path));
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let mut answer = request.send().await.map_err(|error| self.lost(&error))?;
            if !answer.status().is_success() {
                let status = answer.status().as_u16();
                return Err(refused(status, &answer.text().await.unwrap_or_default()));
            }
            let mut rest = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(|error| self.lost(&error))? {
                rest.extend_from_slice(&piece);
                while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                    let event: Vec<u8> = rest.drain(..end + 2).collect();
                    told(&String::from_utf8_lossy(&event), each)?;
                }
            }
            Ok(())
        })
    }

    fn asked(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<String, Fault> {
        let token = self.token()?;
        network()?.block_on(async {
            let mut request = with(self.client()?.request(method, self.url(path)));
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let answer = request.send().await.map_err(|error| self.lost(&error))?;
            let status = answer.status();
            let text = answer.text().await.map_err(|error| self.lost(&error))?;
            if status.is_success() { Ok(text) } else { Err(refused(status.as_u16(), &text)) }
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.trim_end_matches('/'))
    }

    fn client(&self) -> Result<Client, Fault> {
        Self::builder().timeout(PATIENCE).build().map_err(|error| self.lost(&error))
    }

    fn builder() -> ClientBuilder {
        // A second provider is no fault: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No proxy: what is asked is usually this very machine.
        Client::builder().no_proxy()
    }

    fn token(&self) -> Result<Option<String>, Fault> {
        let Some(path) = &self.token_file else { return Ok(std::env::var("SQUELCH_TOKEN").ok()) };
        let token = std::fs::read_to_string(path).map_err(|error| Fault::file("read", path, &error))?;
        Ok(Some(token.trim().to_owned()))
    }

    fn lost(&self, error: &reqwest::Error) -> Fault {
        let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        Fault::Wrong(format!(
            "no Squelch answers at {}: {cause}\nis `squelch serve` running there? --server names another address, \
             --data-dir reads a stopped one",
            self.server
        ))
    }
}

/// What comes in a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream<'a> {
    /// The data of an event.
    Data(&'a str),
    /// So many were not sent.
    Missed(u64),
}

/// Hands out one event (HTML Living Standard, 9.2.6): its data, or how much was missed. What is only a comment is none.
fn told(event: &str, each: &mut dyn FnMut(Stream<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    match (field("event"), field("data")) {
        (Some("missed"), Some(count)) => each(Stream::Missed(count.parse().unwrap_or(0))),
        (_, Some(data)) => each(Stream::Data(data)),
        (_, None) => Ok(()),
    }
}

fn network() -> Result<tokio::runtime::Runtime, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Fault::Wrong(format!("cannot start the network: {error}")))
}

/// What a refusal says: the message and the help of the API's errors, Alertmanager's words, or the bare status.
fn refused(status: u16, text: &str) -> Fault {
    let error = serde_json::from_str::<serde_json::Value>(text).ok();
    let part = |name: &str| Some(error.as_ref()?.get("error")?.get(name)?.as_str()?.to_owned());
    match (part("message"), part("help")) {
        (Some(message), Some(help)) => Fault::Wrong(format!("{message}\n{help}")),
        _ => {
            let said =
                |json: &serde_json::Value| json.as_str().or_else(|| json.get("message")?.as_str()).map(str::to_owned);
            let bare = if status == 404 {
                "it is not known there".to_owned()
            } else {
                format!("it answered with status {status}")
            };
            Fault::Wrong(error.as_ref().and_then(said).unwrap_or(bare))
        }
    }
}
