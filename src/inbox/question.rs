//! A question as a value: it can be answered here, or go over a wire and be answered by whoever holds the engine.
//!
//! Pure. Deliberately without a wire: [`super::desk`] says who is asked, `cluster` how.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::numbered::Numbered;
use super::view::View;
use crate::domain::{IncidentId, Timestamp};

/// Whom a question concerns, where there are several engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All of them: the answers are joined.
    All,
    /// Any: all would say the same.
    Any,
    /// The one that knows this incident.
    Incident(IncidentId),
    /// The one that has what is about Squelch itself.
    Own,
}

/// A question: it looks, and changes nothing.
pub trait Question: Numbered + Clone + Serialize + DeserializeOwned + Send + 'static {
    /// What it is called on a wire. It never changes, and no two have the same.
    const NAME: &'static str;
    /// What is answered.
    type Answer: Numbered + Serialize + DeserializeOwned + Send + 'static;

    /// Whom it concerns.
    fn whom(&self) -> Whom {
        Whom::All
    }

    /// Only who has judged everything that came before then answers; `None` = as it stands. Where there is one engine
    /// alone, who asks knows its time.
    fn judged(&self) -> Option<Timestamp> {
        None
    }

    /// What one engine answers.
    fn answer(&self, view: &View<'_>) -> Self::Answer;

    /// Where one holds many engines: it asks so many of them, from this place on, for it takes long; `None` = all.
    fn some(&self) -> Option<(usize, usize)> {
        None
    }

    /// Notes that there are more engines than it asked.
    fn more(&self, _all: &mut Self::Answer) {}

    /// Takes in what another engine answers. The order of the engines is always the same.
    fn join(&self, all: &mut Self::Answer, other: Self::Answer);

    /// Puts a joined answer in order, and cuts it to what was asked for. Doing it again changes nothing.
    fn settle(&self, _all: &mut Self::Answer) {}
}

/// The answer of several engines together; `None` = there are none.
pub fn merged<Q: Question>(question: &Q, answers: impl IntoIterator<Item = Q::Answer>) -> Option<Q::Answer> {
    let mut all = answers.into_iter();
    let mut first = all.next()?;
    all.for_each(|other| question.join(&mut first, other));
    question.settle(&mut first);
    Some(first)
}
