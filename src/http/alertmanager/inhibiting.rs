//! What inhibits what on the board: the inhibitions of the rules, over alerts as they were posted.
//!
//! Deliberately not what the engine goes by: it counts alerts as they come and go. This is worked out from all that fire when
//! somebody asks, and names one alert for each condition that holds something back.

use std::collections::BTreeMap;

use super::board::fingerprint;
use crate::domain::inhibition::Inhibition;
use crate::domain::{LooksAt, Matcher, PostedText, Posting, Topology};

/// An alert that fires and fits a condition.
struct Source {
    fingerprint: u64,
    /// It is a target of the same inhibition, too.
    two_sided: bool,
}

/// What a source counts for: its service where the graph is asked, and the values on which both sides must agree.
type Agreement<'a> = (&'a str, Vec<&'a str>);

/// One inhibition, and the alerts that fit its conditions.
pub(super) struct Inhibiting<'a> {
    rule: &'a Inhibition,
    graph: &'a Topology,
    /// For each condition the sources that there are.
    sources: Vec<BTreeMap<Agreement<'a>, Vec<Source>>>,
}

impl<'a> Inhibiting<'a> {
    pub(super) fn of(rule: &'a Inhibition, graph: &'a Topology, postings: &'a [Posting]) -> Self {
        let mut sources: Vec<BTreeMap<Agreement<'_>, Vec<Source>>> = Vec::new();
        for condition in &rule.sources {
            let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
            let texts = postings.iter().map(|posting| &posting.text);
            for text in texts.filter(|text| fits(rule, &condition.matchers, text)) {
                let source = Source { fingerprint: fingerprint(text), two_sided: fits(rule, &rule.target, text) };
                let service = if rule.along.is_some() { text.field("service") } else { "" };
                found.entry((service, agreement(rule, text))).or_default().push(source);
            }
            sources.push(found);
        }
        Self { rule, graph, sources }
    }

    /// The alerts that inhibit this one, if any do: for each condition the first by fingerprint.
    pub(super) fn holds(&self, text: &PostedText) -> Option<Vec<u64>> {
        if !fits(self.rule, &self.rule.target, text) {
            return None;
        }
        if self.rule.along.is_none() {
            return self.all("", text);
        }
        self.graph.below(text.field("service")).find_map(|callee| self.all(callee, text))
    }

    /// The first source of each condition, where every one is met by sources of this service.
    fn all(&self, service: &str, text: &PostedText) -> Option<Vec<u64>> {
        let (own, key) = (fingerprint(text), (service, agreement(self.rule, text)));
        let conditions = self.rule.sources.iter().zip(&self.sources);
        let met = conditions.map(|(condition, sources)| {
            // Nothing inhibits itself, and what is on both sides is not held by others that are, as in Alertmanager.
            let both = self.rule.source().is_some() && fits(self.rule, &condition.matchers, text);
            let counts = |source: &&Source| source.fingerprint != own && !(both && source.two_sided);
            let others: Vec<u64> = sources.get(&key)?.iter().filter(counts).map(|source| source.fingerprint).collect();
            let first = others.iter().copied().min()?;
            (others.len() >= condition.at_least as usize).then_some(first)
        });
        let mut by: Vec<u64> = met.collect::<Option<_>>()?;
        by.sort_unstable();
        by.dedup();
        Some(by)
    }
}

fn agreement<'t>(rule: &Inhibition, text: &'t PostedText) -> Vec<&'t str> {
    rule.equal.iter().map(|name| value(rule, text, name)).collect()
}

fn fits(rule: &Inhibition, matchers: &[Matcher], text: &PostedText) -> bool {
    matchers.iter().all(|matcher| matcher.fits_value(value(rule, text, matcher.name())))
}

fn value<'t>(rule: &Inhibition, text: &'t PostedText, name: &str) -> &'t str {
    match rule.looks_at {
        LooksAt::Fields => text.field(name),
        LooksAt::Posted => text.label(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inhibition::{Along, Condition};
    use crate::domain::{Event, Fingerprint, Posted, Timestamp};

    fn posting(check: &str, service: &str, site: &str) -> Posting {
        let mut event = Event { service: Some(service.to_owned()), ..Event::new("nagios", check) };
        event.labels.insert("site".to_owned(), site.to_owned());
        let posted = Posted { starts: Some(Timestamp::EPOCH), ..Posted::of(&event) };
        Posting::merged(Fingerprint::of(&[check, service, site]), &posted, Timestamp::EPOCH, None)
    }

    fn rule(sources: &[(&str, u32)], along: Option<Along>) -> Inhibition {
        let matchers = |text: &str| vec![Matcher::parse(text).unwrap()];
        let condition = |(text, at_least): &(&str, u32)| Condition { matchers: matchers(text), at_least: *at_least };
        let one = Inhibition::by_one("net".into(), Vec::new(), matchers("check=slow"), vec!["site".into()]);
        Inhibition { sources: sources.iter().map(condition).collect(), along, ..one }
    }

    /// Who inhibits `slow` of the shop in Oslo.
    fn by(rule: &Inhibition, graph: &Topology, others: &[(&str, &str, &str)]) -> Option<usize> {
        let mut postings = vec![posting("slow", "shop", "oslo")];
        postings.extend(others.iter().map(|(check, service, site)| posting(check, service, site)));
        Inhibiting::of(rule, graph, &postings).holds(&postings[0].text).map(|by| by.len())
    }

    #[test]
    fn every_condition_must_be_met_by_enough_alerts_that_agree() {
        let (rule, none) = (rule(&[("check=link", 2), ("check=power", 1)], None), Topology::default());
        let link = |service| ("link", service, "oslo");
        let power = ("power", "site", "oslo");
        assert_eq!(by(&rule, &none, &[link("a"), link("b"), power]), Some(2), "one alert for each condition");
        assert_eq!(by(&rule, &none, &[link("a"), power]), None, "one link is not two");
        assert_eq!(by(&rule, &none, &[link("a"), link("b")]), None, "no power alert");
        assert_eq!(by(&rule, &none, &[link("a"), ("link", "b", "rome"), power]), None, "another site");
    }

    #[test]
    fn along_the_graph_only_what_is_called_inhibits() {
        let rule = rule(&[("check=down", 1)], Some(Along::Calls));
        let graph = Topology::new([("shop".to_owned(), "db".to_owned())]);
        assert_eq!(by(&rule, &graph, &[("down", "db", "oslo")]), Some(1));
        assert_eq!(by(&rule, &graph, &[("down", "mail", "oslo")]), None, "the shop does not call it");
        assert_eq!(by(&rule, &Topology::default(), &[("down", "db", "oslo")]), None);
    }

    #[test]
    fn nothing_inhibits_itself() {
        let rule = rule(&[("check=~\"slow|down\"", 1)], None);
        assert_eq!(by(&rule, &Topology::default(), &[]), None);
        assert_eq!(by(&rule, &Topology::default(), &[("down", "db", "oslo")]), Some(1));
    }
}
