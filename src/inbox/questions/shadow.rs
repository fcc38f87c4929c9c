//! Questions about shadow mode. It is the same in all scopes; what nobody was told of all say together.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::shadow::ShadowWord;
use crate::inbox::numbered::Numbered;
use crate::inbox::question::{Question, Whom};
use crate::inbox::view::View;

/// How shadow mode stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shadow;

/// What [`Shadow`] is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether nobody is paged.
    pub on: bool,
    /// What the settings say.
    pub settings: bool,
    /// Whether the command line says it, which holds against every word.
    pub held: bool,
    /// What a person said against the settings.
    pub word: Option<ShadowWord>,
}

impl Standing {
    fn of(view: &View<'_>) -> Self {
        let (engine, given) = (view.engine, view.engine.given_policy());
        let word = engine.shadow_word().cloned();
        Self { on: engine.policy().shadow, settings: given.shadow, held: given.shadow_held, word }
    }
}

impl Numbered for Shadow {}
impl Numbered for Standing {}

impl Question for Shadow {
    const NAME: &'static str = "shadow";
    type Answer = Standing;

    fn whom(&self) -> Whom {
        Whom::Any
    }

    fn answer(&self, view: &View<'_>) -> Standing {
        Standing::of(view)
    }

    fn join(&self, all: &mut Standing, other: Standing) {
        *all = latest(all.clone(), other);
    }
}

/// How it stands, with how many open incidents would have paged since it is on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Untold;

impl Numbered for Untold {}

impl Question for Untold {
    const NAME: &'static str = "untold";
    type Answer = (Standing, usize);

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        let standing = Standing::of(view);
        let since = standing.word.as_ref().filter(|word| word.on).map_or(Timestamp::EPOCH, |word| word.at);
        let open = if standing.on { view.latest_incidents(0).0 } else { Vec::new() };
        let untold = open.iter().filter(|incident| incident.paged.is_some_and(|at| at >= since)).count();
        (standing, untold)
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        all.0 = latest(all.0.clone(), other.0);
        all.1 += other.1;
    }
}

/// The one with the later word.
fn latest(one: Standing, other: Standing) -> Standing {
    let said = |standing: &Standing| standing.word.as_ref().map(|word| word.at);
    if said(&other) > said(&one) { other } else { one }
}
