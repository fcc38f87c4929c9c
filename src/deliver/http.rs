//! Performs requests by HTTP. One attempt; whoever calls waits and repeats.
//!
//! No redirects are followed, no proxy is used, HTTP/1.1 is spoken: a page should go one way only.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::secrets::{self, blot, chain, parts_of};
use crate::sinks::{self, Address, Answer, Outcome, Request, Url, Webhook, judge};

/// Of an answer no more than this is read (64 KiB).
const MOST_ANSWER: usize = 64 * 1024;

/// A client, kept from one attempt to the next while its authorities stay the same.
#[derive(Debug, Default)]
pub(super) struct Client {
    kept: Option<(Option<Vec<u8>>, reqwest::Client)>,
}

impl Client {
    /// Makes one attempt.
    pub(super) async fn send(&mut self, webhook: &Webhook, request: Request) -> Outcome {
        let mut hidden = Vec::new();
        let outcome = self.attempt(webhook, request, &mut hidden).await;
        match outcome.unwrap_or_else(|why| Outcome::Retry { after: None, why }) {
            Outcome::Delivered => Outcome::Delivered,
            Outcome::Retry { after, why } => Outcome::Retry { after, why: blot(&why, &hidden) },
            Outcome::Rejected { why } => Outcome::Rejected { why: blot(&why, &hidden) },
        }
    }

    /// `Err`: it did not come to an answer. Whatever is secret is added to `hidden`.
    async fn attempt(
        &mut self,
        webhook: &Webhook,
        request: Request,
        hidden: &mut Vec<String>,
    ) -> Result<Outcome, String> {
        let url = address(webhook, hidden).await?;
        let headers = headers(webhook, &request, hidden).await?;
        let client = self.client(webhook).await?;
        let sent = client.post(url).headers(headers).body(request.body).send().await;
        let answer = sent.map_err(|error| chain(&error.without_url()))?;
        Ok(read(answer, hidden).await)
    }

    async fn client(&mut self, webhook: &Webhook) -> Result<&reqwest::Client, String> {
        let pem = match &webhook.ca_file {
            Some(path) => Some(secrets::read_file(path).await.map_err(|error| chain(&error))?),
            None => None,
        };
        let kept = self.kept.take().filter(|(with, _)| *with == pem);
        let client = match kept {
            Some((_, client)) => client,
            None => build(pem.as_deref()).map_err(|why| format!("the client cannot be set up: {why}"))?,
        };
        Ok(&self.kept.insert((pem, client)).1)
    }
}

async fn address(webhook: &Webhook, hidden: &mut Vec<String>) -> Result<Url, String> {
    match &webhook.address {
        Address::Plain(url) => Ok(url.clone()),
        Address::Secret(secret) => {
            let text = secrets::read(secret).await.map_err(|error| chain(&error))?;
            hidden.push(text.0.clone());
            let url = sinks::receiver::read_url(&text.0).map_err(|error| format!("{secret}: {error}"))?;
            hidden.extend(parts_of(&url));
            Ok(url)
        }
    }
}

async fn headers(webhook: &Webhook, request: &Request, hidden: &mut Vec<String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let value = HeaderValue::from_str(value).map_err(|_| format!("the header {name} cannot be sent"))?;
        headers.insert(*name, value);
    }
    if let Some(secret) = &webhook.token {
        let token = secrets::read(secret).await.map_err(|error| chain(&error))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0))
            .map_err(|_| format!("{secret} holds a character that cannot stand in a header"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        hidden.push(token.0);
    }
    Ok(headers)
}

fn build(pem: Option<&[u8]>) -> Result<reqwest::Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    match pem {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| "the file of authorities is no valid PEM")?;
                roots.add(certificate).map_err(|error| chain(&error))?;
            }
        }
    }
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| chain(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .build()
        .map_err(|error| chain(&error))
}

/// Judges the answer. The body is only looked at for what it says about a failure.
async fn read(mut answer: reqwest::Response, hidden: &[String]) -> Outcome {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let mut body = Vec::new();
    if !answer.status().is_success() {
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = MOST_ANSWER - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MOST_ANSWER {
                break;
            }
        }
    }
    judge(&Answer {
        status: answer.status().as_u16(),
        retry_after: retry_after.as_deref(),
        date: date.as_deref(),
        // Before it is cut to a readable length: half a secret is one, too.
        body: &blot(&String::from_utf8_lossy(&body), hidden),
    })
}
