//! Questions to a running Squelch, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION};

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
        let token = self.token()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::Wrong(format!("cannot start the network: {error}")))?;
        runtime.block_on(self.ask(path, kind, token))
    }

    async fn ask(&self, path: &str, kind: &str, token: Option<String>) -> Result<String, Fault> {
        let url = format!("{}{path}", self.server.trim_end_matches('/'));
        // A second provider is no fault: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No proxy: what is asked is usually this very machine.
        let client =
            reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().map_err(|error| self.lost(&error))?;
        let mut request = client.get(url).header(ACCEPT, kind);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = request.send().await.map_err(|error| self.lost(&error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| self.lost(&error))?;
        if status.is_success() { Ok(text) } else { Err(refused(status.as_u16(), &text)) }
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

/// What a refusal says: the message and the help of the API's errors, or the bare status.
fn refused(status: u16, text: &str) -> Fault {
    let error = serde_json::from_str::<serde_json::Value>(text).ok();
    let part = |name: &str| Some(error.as_ref()?.get("error")?.get(name)?.as_str()?.to_owned());
    match (part("message"), part("help")) {
        (Some(message), Some(help)) => Fault::Wrong(format!("{message}\n{help}")),
        _ => Fault::Wrong(format!("it answered with status {status}")),
    }
}
