//! Asks an address of Amazon's by HTTPS.
//!
//! Deliberately the only request that leaves for an address out of a body; whose host may be asked is checked before
//! (`http::sns`). No redirects, no proxy, the public authorities, ten seconds, 64 KiB.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

use crate::http::sns::Fetch;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// No longer answer is read.
const LONGEST: usize = 64 << 10;

/// Asks over the network.
///
/// # Errors
/// The client cannot be set up.
pub(super) fn https() -> Result<Fetch, String> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .use_preconfigured_tls(config)
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(move |address| {
        let client = client.clone();
        Box::pin(async move { get(&client, &address).await.map_err(|error| error.to_string())? })
    }))
}

async fn get(client: &reqwest::Client, address: &str) -> Result<Result<Vec<u8>, String>, reqwest::Error> {
    let mut answer = client.get(address).send().await.map_err(reqwest::Error::without_url)?;
    if answer.status().as_u16() != 200 {
        return Ok(Err(format!("it answers {}", answer.status())));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST {
            return Ok(Err(format!("its answer is longer than {LONGEST} bytes")));
        }
    }
    Ok(Ok(body))
}
