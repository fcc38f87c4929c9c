//! The desk: where questions go when the engines are elsewhere, in other threads and on other machines.
//!
//! Deliberately only what is said there: `cluster` is the one that has a desk.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::question::Whom;
use super::refusal::Refusal;
use crate::domain::Policy;

/// The path by which desks of other machines ask.
pub const ASK: &str = "/internal/v1/ask";

/// What comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A question on its way.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What it is called.
    pub name: &'static str,
    /// Itself as JSON.
    pub text: Arc<RawValue>,
    /// Whom it concerns.
    pub whom: Whom,
    /// Only those of this machine, who then are not missing.
    pub here: bool,
    /// Answered only once the order at this place of the log was followed.
    pub after: Option<u64>,
}

/// What was heard, by shard: an answer as JSON, or why there is none.
pub type Heard = BTreeMap<i32, Result<Box<RawValue>, String>>;

/// Where questions go.
pub trait Desk: Send + Sync {
    /// Whether questions are answered at all.
    ///
    /// # Errors
    /// Why not.
    fn is_open(&self) -> Result<(), Refusal>;

    /// Asks those whom it concerns.
    ///
    /// # Errors
    /// Why nobody can be asked.
    fn ask(&self, asked: Asked) -> Later<'_, Result<Heard, Refusal>>;

    /// The rules in force.
    ///
    /// # Errors
    /// Why nobody can be asked.
    fn policy(&self) -> Later<'_, Result<Arc<Policy>, Refusal>>;

    /// Whether another node shows that it belongs here.
    fn knows(&self, shown: &[u8]) -> bool;

    /// Answers another node, in the form that desks speak among themselves.
    ///
    /// # Errors
    /// Why it is not understood, or not answered now.
    fn hear(&self, body: &[u8]) -> Later<'static, Result<Vec<u8>, Unheard>>;
}

/// A node that asked gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It is not understood: why.
    Unread(String),
    /// Too many ask at once.
    Busy,
}
