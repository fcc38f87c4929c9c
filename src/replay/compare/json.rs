//! A comparison as one JSON object, for programs.

use super::{Difference, compare};
use crate::domain::Page;
use crate::replay::decided::Decided;
use crate::replay::json::Object;

/// The comparison of two runs, with a line end. `names` = what the two rule sets are called.
#[must_use]
pub fn json(names: (&str, &str), first: &Decided, second: &Decided) -> String {
    let all = compare(first, second);
    let mut out = String::with_capacity(4096);
    let mut object = Object::open(&mut out);
    for (key, name, run) in [("first", names.0, first), ("second", names.1, second)] {
        let mut side = object.object(key);
        side.text("rules", name);
        side.whole("pages", run.pages.len() as u64);
        side.close();
    }
    for word in ["same", "lost", "gained", "earlier", "later"] {
        object.whole(word, all.iter().filter(|difference| difference.word() == word).count() as u64);
    }
    object.list("pages", &all, write);
    object.close();
    out.push('\n');
    out
}

fn write(difference: &Difference<'_>, out: &mut String) {
    let mut line = Object::open(out);
    line.text("change", difference.word());
    match difference {
        Difference::Same(first, second)
        | Difference::Earlier(first, second, _)
        | Difference::Later(first, second, _) => {
            page(&mut line, "first", first);
            page(&mut line, "second", second);
            line.number("seconds_later", second.ts.since(first.ts));
        }
        Difference::Lost(first, instead) => {
            page(&mut line, "first", first);
            line.text("instead", instead);
        }
        Difference::Gained(second, instead) => {
            page(&mut line, "second", second);
            line.text("instead", instead);
        }
    }
    line.close();
}

fn page(line: &mut Object<'_>, key: &str, page: &Page) {
    let mut object = line.object(key);
    object.time("ts", page.ts);
    object.text("incident", &page.incident.to_string());
    object.text("action", page.action.word());
    object.text("severity", page.severity.word());
    object.text("title", &page.title);
    object.text("why", &page.why);
    object.close();
}
