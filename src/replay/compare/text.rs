//! A comparison in words, in 100 columns.

use std::fmt::Write as _;

use super::{Difference, compare};
use crate::domain::Page;
use crate::replay::decided::Decided;
use crate::replay::wording::{Ink, day_and_time, several, span, wrapped};

/// How many pages of a kind are told one by one.
const MOST: usize = 30;
/// The columns before a title, and before a reason.
const TITLE: usize = 27;
const REASON: usize = 18;

/// The comparison of two runs, for a person. `names` = what the two rule sets are called.
#[must_use]
pub fn text(names: (&str, &str), first: &Decided, second: &Decided, ink: Ink) -> String {
    let all = compare(first, second);
    let mut out = String::new();
    let (a, b) = (several(first.pages.len() as u64, "page"), several(second.pages.len() as u64, "page"));
    let _ = writeln!(out, "{}", ink.bold(&format!("{a} by {}, {b} by {}", names.0, names.1)));
    let number = |word: &str| all.iter().filter(|difference| difference.word() == word).count();
    let sums =
        [("same", "the same"), ("lost", "lost"), ("gained", "gained"), ("earlier", "earlier"), ("later", "later")];
    let sums: Vec<_> = sums.iter().map(|(word, name)| format!("{} {name}", number(word))).collect();
    let _ = writeln!(out, "{}", ink.dim(&sums.join(", ")));
    let kinds = [
        ("lost", format!("lost: paged by {}, not by {}", names.0, names.1)),
        ("gained", format!("gained: paged by {}, not by {}", names.1, names.0)),
        ("earlier", format!("earlier by {}", names.1)),
        ("later", format!("later by {}", names.1)),
    ];
    for (word, title) in kinds {
        kind(&all, word, &title, (names, ink), &mut out);
    }
    out
}

fn kind(all: &[Difference<'_>], word: &str, title: &str, (names, ink): ((&str, &str), Ink), out: &mut String) {
    let of_kind: Vec<_> = all.iter().filter(|difference| difference.word() == word).collect();
    if of_kind.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", ink.bold(&title.to_uppercase()));
    for difference in of_kind.iter().take(MOST) {
        one(difference, names, ink, out);
    }
    if let Some(more) = of_kind.get(MOST..).filter(|more| !more.is_empty()) {
        let _ = writeln!(out, "  and {} (--json lists them all)", several(more.len() as u64, "more page"));
    }
}

fn one(difference: &Difference<'_>, names: (&str, &str), ink: Ink, out: &mut String) {
    let page = difference.page();
    let title = format!("#{} {}", page.incident, page.title);
    let (when, severity) = (day_and_time(page.ts), ink.severity(page.severity));
    let _ = writeln!(out, "  {} {severity} {}", ink.dim(&when), ink.bold(&wrapped(&title, TITLE)));
    let mut say = |name: &str, words: &str| {
        let _ = writeln!(out, "{:REASON$}{}", "", wrapped(&format!("{name}: {words}"), REASON));
    };
    match difference {
        Difference::Same(..) => {}
        Difference::Lost(page, instead) => {
            say(names.0, &page.why);
            say(names.1, instead);
        }
        Difference::Gained(page, instead) => {
            say(names.1, &page.why);
            say(names.0, instead);
        }
        Difference::Earlier(first, second, secs) => moved(&mut say, names, (first, second), &span(*secs), "earlier"),
        Difference::Later(first, second, secs) => moved(&mut say, names, (first, second), &span(*secs), "later"),
    }
}

fn moved(say: &mut impl FnMut(&str, &str), names: (&str, &str), pages: (&Page, &Page), by: &str, word: &str) {
    say(names.0, &pages.0.why);
    say(names.1, &format!("{by} {word}, at {}: {}", day_and_time(pages.1.ts), pages.1.why));
}
