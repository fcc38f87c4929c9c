//! What a shard answers to questions: that of one scope, or those of all together, in the numbers that everybody outside
//! knows.
//!
//! Pure but for the guard against panics. Deliberately the only place where numbers of incidents change on their way in
//! and out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::place::Seat;
use super::rules::RuleFiles;
use super::scope::OWN;
use super::shard::Shard;
use super::tenant::Tenant;
use crate::domain::Fingerprint;
use crate::inbox::View;
use crate::inbox::numbered::Numbered as _;
use crate::inbox::question::{Question, Whom, merged};
use crate::inbox::questions::{self, Named};

/// Asks a shard which rules it judges by ([`RulesName`]), and for the rules themselves ([`RuleFiles`]).
pub(super) const RULES_NAME: &str = "rules_name";
pub(super) const RULES: &str = "rules";

/// Which rules a shard judges by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RulesName {
    /// The set of files.
    pub(super) fingerprint: Fingerprint,
    /// Whether the node that pushed them pages nobody.
    pub(super) given: bool,
    /// Whether nobody is paged.
    pub(super) shadow: bool,
}

impl Shard {
    /// What the shard answers to the question of this name, as JSON.
    ///
    /// # Errors
    /// Why it does not.
    pub fn answer(&self, name: &str, question: &str) -> Result<Box<RawValue>, String> {
        catch_unwind(AssertUnwindSafe(|| self.told(name, question)))
            .unwrap_or_else(|_| Err("answering made it fail: please report it as a bug".to_owned()))
    }

    fn told(&self, name: &str, question: &str) -> Result<Box<RawValue>, String> {
        let told = match name {
            RULES_NAME => to_raw_value(&self.rules_name()),
            RULES => to_raw_value::<RuleFiles>(&self.rules().files),
            _ => {
                let unknown = || format!("it does not know the question `{name}`: it is of another version");
                return questions::named(name, Put { shard: self, question }).ok_or_else(unknown)?;
            }
        };
        told.map_err(|error| error.to_string())
    }

    fn rules_name(&self) -> RulesName {
        let (rules, given) = (self.rules(), self.rules().files.shadow);
        let shadow = self.latest().map_or(given, |tenant| tenant.view().engine.policy().shadow);
        RulesName { fingerprint: rules.fingerprint, given, shadow }
    }

    /// The scope whose time is furthest.
    fn latest(&self) -> Option<&Tenant> {
        self.tenants().iter().max_by_key(|tenant| tenant.view().engine.now())
    }

    /// What a scope says in which nothing ever happened.
    fn nothing<Q: Question>(&self, question: &Q) -> Q::Answer {
        let nothing = Tenant::new("".into(), Seat { partition: 0, scope: 0 }, &self.rules().policy);
        question.answer(&nothing.view())
    }

    /// What scopes answer to a question in numbers from outside, each in those.
    pub fn ask<Q: Question>(&self, question: &Q) -> Option<Q::Answer> {
        let asked: Vec<&Tenant> = match question.whom() {
            Whom::All => self.tenants().iter().collect(),
            Whom::Any => self.latest().into_iter().collect(),
            Whom::Own => self.tenants().iter().filter(|tenant| &*tenant.name == OWN).collect(),
            Whom::Incident(id) => {
                let seat = Seat::inside(id).0;
                self.tenants().iter().filter(|tenant| tenant.seat == seat).collect()
            }
        };
        let (from, count) = question.some().unwrap_or((0, usize::MAX));
        let more = asked.len() > from.saturating_add(count);
        let asked = asked.into_iter().skip(from).take(count);
        let mut all = merged(question, asked.map(|tenant| ask(tenant, question.clone())));
        all.as_mut().filter(|_| more).into_iter().for_each(|all| question.more(all));
        all.or_else(|| Some(self.nothing(question)))
    }
}

fn ask<Q: Question>(tenant: &Tenant, mut question: Q) -> Q::Answer {
    question.number(&|id| Seat::inside(id).1);
    let mut answer = question.answer(&tenant.view());
    answer.number(&|id| tenant.seat.outside(id));
    answer
}

impl Tenant {
    /// What questions are put to.
    pub(super) fn view(&self) -> View<'_> {
        View { engine: self.engine(), alarms: self.alarms() }
    }
}

/// A question that came to a shard.
struct Put<'a> {
    shard: &'a Shard,
    question: &'a str,
}

impl Named for Put<'_> {
    type Out = Result<Box<RawValue>, String>;

    fn with<Q: Question>(self) -> Self::Out {
        let question: Q = serde_json::from_str(self.question)
            .map_err(|error| format!("the question cannot be read there, it is of another version: {error}"))?;
        let (judged, wanted) = (self.shard.judged(), question.judged());
        if let Some(wanted) = wanted.filter(|wanted| judged < *wanted) {
            return Err(format!("it has judged what came up to {judged} only, and is asked for all before {wanted}"));
        }
        let answer = self.shard.ask(&question).ok_or_else(|| "it has no answer".to_owned())?;
        to_raw_value(&answer).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
