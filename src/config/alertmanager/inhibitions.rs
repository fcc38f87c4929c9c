//! `inhibit_rules` into `inhibitions`.

use std::fmt::Write as _;

use super::section::Section;
use super::written::{flow, text};
use super::{Work, keys};

impl Work<'_, '_> {
    /// The inhibitions as a part of a rule file; empty where there are none.
    pub(super) fn inhibitions(&mut self, root: &Section<'_>) -> String {
        let mut out = String::new();
        for (at, rule) in root.sections("inhibit_rules", keys::INHIBITION, &mut self.findings).iter().enumerate() {
            let Some(place) = rule.at.clone() else { continue };
            let source = self.matchers(rule, ["source_matchers", "source_match", "source_match_re"]);
            let target = self.matchers(rule, ["target_matchers", "target_match", "target_match_re"]);
            // Without matchers it would be every alert, as in Alertmanager.
            let every =
                |matchers: Vec<String>| if matchers.is_empty() { vec![text("alertname=~\".*\"")] } else { matchers };
            let equal = rule.texts("equal", &mut self.findings);
            let equal: Vec<String> = equal.into_iter().map(|(name, _)| text(name)).collect();
            let name = rule.text("name", &mut self.findings);
            let line = place.spot.line;
            let name = name.map_or_else(|| format!("alertmanager {}, line {line}", at + 1), str::to_owned);
            let _ = writeln!(out, "  - name: {}  # line {line}", text(&name));
            let _ = writeln!(out, "    looks_at: labels");
            let _ = writeln!(out, "    source: {}", flow(&every(source)));
            let _ = writeln!(out, "    target: {}", flow(&every(target)));
            if !equal.is_empty() {
                let _ = writeln!(out, "    equal: {}", flow(&equal));
            }
        }
        if out.is_empty() { out } else { format!("inhibitions:\n{out}") }
    }
}
