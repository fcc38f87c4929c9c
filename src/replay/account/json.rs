//! The account as one JSON object, for programs.

use super::Account;
use crate::domain::{Decision, Outcome, Reason};
use crate::replay::decisions;
use crate::replay::json::Object;

impl Account {
    /// The whole account, with a line end. Pages and incidents are as the decisions have them.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::with_capacity(4096);
        let mut line = Object::open(&mut out);
        for (name, sum) in [("events", self.events), ("samples", self.samples), ("rejected", self.rejected)] {
            line.whole(name, sum);
        }
        line.time_or_null("from", self.between.map(|(first, _)| first));
        line.time_or_null("until", self.between.map(|(_, last)| last));
        let sources: Vec<_> = self.sources.iter().collect();
        line.list("sources", &sources, |(name, sum), out| {
            let mut source = Object::open(out);
            source.text("source", name);
            source.whole("events", **sum);
            source.close();
        });
        self.verdicts(&mut line);
        let pages = self.pages.iter().map(|page| Decision::Page(Box::new(page.clone())));
        list(&mut line, "pages", pages);
        let incidents = self.incidents.values().map(|summary| Decision::Incident(Box::new(summary.clone())));
        list(&mut line, "incidents", incidents);
        line.close();
        out.push('\n');
        out
    }

    fn verdicts(&self, line: &mut Object<'_>) {
        let mut verdicts = line.object("verdicts");
        for outcome in Outcome::ALL {
            verdicts.whole(outcome.word(), self.became(*outcome));
        }
        verdicts.close();
        let mut reasons = line.object("reasons");
        for reason in Reason::ALL.iter().filter(|reason| self.because(**reason) > 0) {
            reasons.whole(reason.word(), self.because(*reason));
        }
        reasons.close();
    }
}

fn list(line: &mut Object<'_>, name: &str, decisions: impl Iterator<Item = Decision>) {
    let decisions: Vec<_> = decisions.collect();
    line.list(name, &decisions, |decision, out| {
        decisions::write(decision, out);
        out.pop();
    });
}
