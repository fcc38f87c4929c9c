//! A notification as lines for a terminal: the time in front, the rest indented below, so that one can skim.

use super::text::{Line, Tone, Wording, decided};
use super::when;
use crate::domain::Notification;

/// Whether lines may carry colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// Text alone, for pipes and files.
    #[default]
    Plain,
    /// ANSI colours, for terminals.
    Colour,
}

/// Under the title, behind the time.
const INDENT: &str = "                      ";
/// As wide as the longest heading.
const LABEL: usize = 19;

/// The lines.
#[must_use]
pub fn compose(wording: &Wording, notification: &Notification, paint: Paint) -> Vec<String> {
    let time = paint.faint(&when::iso(decided(notification)));
    let tag = paint.tone(wording.tone, wording.tag);
    let mut lines = vec![if wording.own_title {
        format!("{time}  {}", paint.bold(&wording.title))
    } else {
        format!("{time}  {tag}  {} ({})", paint.bold(&wording.title), wording.when)
    }];
    lines.extend(wording.lead.lines().map(|line| format!("{INDENT}{line}")));
    for part in &wording.parts {
        for (at, line) in part.lines.iter().enumerate() {
            let label = if at == 0 { part.label } else { "" };
            lines.push(format!("{INDENT}{}  {}", paint.faint(&format!("{label:LABEL$}")), paint.line(line)));
        }
    }
    lines
}

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Alarm => "1;97;41",
            Tone::Warning => "1;30;43",
            Tone::Over => "1;30;42",
            Tone::Quiet => "1;7",
        };
        // Beside colour the tag stands in a box of its own; without, the capitals must do.
        self.code(code, &if self == Self::Colour { format!(" {text} ") } else { text.to_owned() })
    }

    fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.code("2", text)
    }

    fn line(self, line: &Line) -> String {
        match line {
            Line::Command(command) => self.bold(command),
            Line::Text(_) | Line::Bits(..) | Line::Link(..) => line.plain(),
        }
    }
}
