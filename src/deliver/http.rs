//! Performs requests by HTTP. One attempt; whoever calls waits and repeats.
//!
//! No redirects are followed, no proxy is used, HTTP/1.1 is spoken: a page should go one way only.

use std::sync::Arc;

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::secrets::{self, blot, chain, parts_of};
use crate::sinks::{self, Address, Answer, Outcome, Piece, Place, Reading, Request, Secret, Url, Wire};

/// Of an answer no more than this is read (64 KiB).
const MOST_ANSWER: usize = 64 * 1024;

/// A client, kept from one attempt to the next while its authorities stay the same.
#[derive(Debug, Default)]
pub(super) struct Client {
    kept: Option<(Option<Vec<u8>>, reqwest::Client)>,
}

impl Client {
    /// Makes one attempt. With the outcome comes the name by which the service knows the message, where it says one.
    pub(super) async fn send(&mut self, wire: &Wire, request: &Request) -> (Outcome, Option<String>) {
        let mut hidden = Vec::new();
        let answer = self.attempt(wire, request, &mut hidden).await;
        let (outcome, name) = answer.unwrap_or_else(|why| (Outcome::Retry { after: None, why }, None));
        let outcome = match outcome {
            Outcome::Delivered => Outcome::Delivered,
            Outcome::Retry { after, why } => Outcome::Retry { after, why: blot(&why, &hidden) },
            Outcome::Rejected { why } => Outcome::Rejected { why: blot(&why, &hidden) },
        };
        (outcome, name)
    }

    /// `Err`: it did not come to an answer. Whatever is secret is added to `hidden`.
    async fn attempt(
        &mut self,
        wire: &Wire,
        request: &Request,
        hidden: &mut Vec<String>,
    ) -> Result<(Outcome, Option<String>), String> {
        let url = address(request, hidden).await?;
        let mut headers = headers(request)?;
        let body = fill_in(request, &mut headers, hidden).await?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
        let client = self.client(wire).await?;
        let sent = client.request(method, url).headers(headers).body(body).send().await;
        let answer = sent.map_err(|error| chain(&error.without_url()))?;
        Ok(read(answer, request.reading, hidden).await)
    }

    async fn client(&mut self, wire: &Wire) -> Result<&reqwest::Client, String> {
        let pem = match &wire.ca_file {
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

/// Reads a secret, and notes that it is one, in every form in which it may be sent and repeated.
async fn secret(secret: &Secret, hidden: &mut Vec<String>) -> Result<String, String> {
    let value = secrets::read(secret).await.map_err(|error| chain(&error))?.0;
    let in_json = serde_json::Value::from(value.as_str()).to_string();
    hidden.push(in_json.trim_matches('"').to_owned());
    hidden.push(url::form_urlencoded::byte_serialize(value.as_bytes()).collect());
    hidden.push(segment(&value));
    hidden.push(value.clone());
    Ok(value)
}

async fn address(request: &Request, hidden: &mut Vec<String>) -> Result<Url, String> {
    let mut url = match &request.to.base {
        Address::Plain(url) => url.clone(),
        Address::Secret(place) => {
            let text = secret(place, hidden).await?;
            let url = sinks::receiver::read_url(&text).map_err(|error| format!("{place}: {error}"))?;
            hidden.extend(parts_of(&url));
            url
        }
    };
    let mut path = url.path().trim_end_matches('/').to_owned();
    for piece in &request.to.path {
        match piece {
            Piece::Text(text) => path += text,
            Piece::Secret(place) => path += &segment(&secret(place, hidden).await?),
        }
    }
    if !request.to.path.is_empty() {
        url.set_path(&path);
    }
    if !request.to.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.to.query);
    }
    Ok(url)
}

/// A secret as (a part of) one segment of a path: what would end the segment is encoded.
fn segment(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('?', "%3F").replace('#', "%23")
}

fn headers(request: &Request) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let value = HeaderValue::from_str(value).map_err(|_| format!("the header {name} cannot be sent"))?;
        headers.insert(*name, value);
    }
    Ok(headers)
}

/// Puts the secrets into headers and body; returns the body.
async fn fill_in(request: &Request, headers: &mut HeaderMap, hidden: &mut Vec<String>) -> Result<String, String> {
    let mut body = request.body.clone();
    for (place, at) in &request.secrets {
        let value = secret(at, hidden).await?;
        match place {
            Place::Field(name) => body = with_field(&body, name, &value),
            Place::Header(name, before) => {
                headers.insert(*name, sensitive(format!("{before}{value}"), at)?);
            }
            Place::Basic(user) => {
                let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{value}"));
                hidden.push(login.clone());
                headers.insert(AUTHORIZATION, sensitive(format!("Basic {login}"), at)?);
            }
        }
    }
    Ok(body)
}

fn sensitive(text: String, secret: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| format!("{secret} holds a character that cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The body with one field more: at the beginning of a JSON object, at the end of a form.
fn with_field(body: &str, name: &str, value: &str) -> String {
    match body.strip_prefix('{') {
        Some("}") => format!("{{\"{name}\":{}}}", serde_json::Value::from(value)),
        Some(rest) => format!("{{\"{name}\":{},{rest}", serde_json::Value::from(value)),
        None => url::form_urlencoded::Serializer::for_suffix(body.to_owned(), 0).append_pair(name, value).finish(),
    }
}

/// A client for calls between nodes of a cluster: no redirects, no proxy, the public authorities or these.
///
/// # Errors
/// Why there can be none.
pub fn calling(pem: Option<&[u8]>) -> Result<reqwest::Client, String> {
    build(pem)
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

/// Judges the answer.
async fn read(mut answer: reqwest::Response, reading: Reading, hidden: &[String]) -> (Outcome, Option<String>) {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let mut body = Vec::new();
    // The body of what was taken need not be waited for, unless it says more.
    if !answer.status().is_success() || reading != Reading::Status {
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = MOST_ANSWER - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MOST_ANSWER {
                break;
            }
        }
    }
    reading.of(&Answer {
        status: answer.status().as_u16(),
        retry_after: retry_after.as_deref(),
        date: date.as_deref(),
        // Before it is cut to a readable length: half a secret is one, too.
        body: &blot(&String::from_utf8_lossy(&body), hidden),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_can_stand_in_any_body_and_path() {
        assert_eq!(with_field("{\"a\":1}", "key", "q\"\n"), "{\"key\":\"q\\\"\\n\",\"a\":1}");
        assert_eq!(with_field("{}", "key", "k"), "{\"key\":\"k\"}");
        assert_eq!(with_field("a=1", "key", "k&x=2"), "a=1&key=k%26x%3D2");
        assert_eq!(with_field("", "key", "k"), "key=k");
        assert_eq!(segment("12:ab/../x?y#z%"), "12:ab%2F..%2Fx%3Fy%23z%25");
    }
}
