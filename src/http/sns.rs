//! Whether a message truly comes through a topic of ours: SNS signs it, and the certificate lies on Amazon's host.
//!
//! Deliberately asleep until the settings name topics (`sns: {topics: […]}`): a signature alone says only that somebody uses
//! SNS. No address of a body is asked unless its host is that of SNS in the region of a topic that the settings name.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;
use tracing::info;

use super::answer::Failure;
use crate::formats::sns::Envelope;

/// Asks an address by GET: the body of a 200, or why there is none.
pub type Fetch = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>> + Send + Sync>;

/// So many certificates are kept: Amazon has one a region, and changes it once a year.
const KEPT: usize = 16;
/// So many addresses are asked at once; who comes then waits for the sender's next attempt.
const AT_ONCE: usize = 4;
/// When a sender may try again what could not be asked for.
const AGAIN: Duration = Duration::from_secs(20);

/// An address and what lies there.
type Kept = (String, Arc<Vec<u8>>);

/// The topics whose messages count.
pub struct Topics {
    names: Vec<String>,
    fetch: Fetch,
    /// By address, the newest last.
    certificates: Mutex<Vec<Kept>>,
    asking: Semaphore,
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topics").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What a message is that may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Believed {
    /// Something to read.
    Message,
    /// The subscription of this topic was asked for, and is confirmed now.
    Confirmed(String),
}

impl Topics {
    /// Messages of these topics count; `fetch` asks Amazon's host.
    #[must_use]
    pub fn new(names: Vec<String>, fetch: Fetch) -> Self {
        Self { names, fetch, certificates: Mutex::default(), asking: Semaphore::new(AT_ONCE) }
    }

    /// Believes a body, and confirms the subscription that it asks for.
    ///
    /// # Errors
    /// 401: it is not signed, or by somebody else, or comes through another topic. 503: Amazon could not be asked.
    pub(super) async fn believe(&self, body: &[u8]) -> Result<Believed, Failure> {
        let Some(envelope) = Envelope::read(body) else {
            return Err(refused("the body is no signed message of SNS", "switch raw message delivery off"));
        };
        if !self.names.iter().any(|name| name == envelope.topic()) {
            return Err(refused("the message comes through a topic that the settings do not name", NAME_IT));
        }
        let Some(address) = envelope.certificate() else {
            return Err(refused("SigningCertURL does not lead to SNS in the region of the topic", NOT_SNS));
        };
        let certificate = self.certificate(address).await?;
        envelope.is_signed_by(&certificate).map_err(|why| refused(why, NOT_SNS))?;
        self.keep(address, certificate);
        match envelope.confirmation() {
            None => Ok(Believed::Message),
            Some(None) => Err(refused("SubscribeURL does not lead to SNS in the region of the topic", NOT_SNS)),
            Some(Some(address)) => {
                self.ask(address).await?;
                info!(topic = envelope.topic(), "the subscription is confirmed");
                Ok(Believed::Confirmed(envelope.topic().to_owned()))
            }
        }
    }

    async fn certificate(&self, address: &str) -> Result<Arc<Vec<u8>>, Failure> {
        let kept = self.kept().iter().find(|(known, _)| known == address).map(|(_, known)| Arc::clone(known));
        match kept {
            Some(certificate) => Ok(certificate),
            None => self.ask(address).await.map(Arc::new),
        }
    }

    /// Keeps a certificate that fitted a signature: nothing else in a body makes room for itself here.
    fn keep(&self, address: &str, certificate: Arc<Vec<u8>>) {
        let mut kept = self.kept();
        kept.retain(|(known, _)| known != address);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((address.to_owned(), certificate));
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, address: &str) -> Result<Vec<u8>, Failure> {
        let later = |why: String| {
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, format!("SNS cannot be asked: {why}"), LATER)
                .retry_after(AGAIN)
        };
        let _permit = self.asking.try_acquire().map_err(|_| later("too many ask at once".to_owned()))?;
        (self.fetch)(address.to_owned()).await.map_err(later)
    }
}

const NAME_IT: &str = "name it in the settings (`sns: {topics: [ARN]}`), or delete the subscription";
const NOT_SNS: &str = "nothing was taken: SNS itself never sends such a message";
const LATER: &str = "nothing was taken: SNS sends it again; Squelch must reach sns.REGION.amazonaws.com by HTTPS";

fn refused(message: &str, help: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, message, help).at("signature of SNS")
}
