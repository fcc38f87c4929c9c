//! YAML into a tree in which every node knows its place.
//!
//! Deliberately untyped, and without recursion over the input: depth, size and what aliases unfold to are bounded.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::findings::{Complaint, Spot};

/// Deeper files are refused.
pub(super) const DEEPEST: usize = 32;
/// More values than this, aliases unfolded, are refused.
const MOST_NODES: usize = 200_000;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) spot: Spot,
    pub(super) data: Data,
    /// How many nodes it is, with what is below it.
    size: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// Nothing, or `~`, or `null`.
    Null,
    /// A text or number; `plain` = without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Rc<Node>>),
    /// Keys and values, in order.
    Map(Vec<(Rc<Node>, Rc<Node>)>),
    /// An entry that is no YAML, which was told.
    Broken,
}

/// The text to read, and where its lines stand in the file.
pub(super) struct Text<'t> {
    pub(super) file: usize,
    pub(super) text: &'t str,
    /// The number in the file of each line of the text; `None` = the text is the file.
    pub(super) lines: Option<&'t [usize]>,
}

impl Text<'_> {
    fn line(&self, line: usize) -> usize {
        match self.lines {
            None => line,
            Some(lines) => lines.get(line.wrapping_sub(1)).or(lines.last()).copied().unwrap_or(line),
        }
    }

    fn spot(&self, span: Span) -> Spot {
        let one_line = span.start.line() == span.end.line();
        let width = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 0 };
        Spot { file: self.file, line: self.line(span.start.line()), column: span.start.col() + 1, width }
    }
}

/// Something that is no YAML.
pub(super) struct SyntaxMistake {
    pub(super) spot: Spot,
    pub(super) complaint: Complaint,
    pub(super) kind: SyntaxKind,
}

/// How a syntax mistake is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyntaxKind {
    /// The parser stopped: the rest of the file can be read in parts.
    Stopped,
    /// An alias whose anchor was not seen: expected where only a part of a file is read.
    UnknownAnchor,
    /// Too large, too deep, or a second document: nothing more to find.
    Refused,
}

/// Reads one document; `None` = it is empty.
pub(super) fn parse(text: &Text<'_>) -> Result<Option<Rc<Node>>, SyntaxMistake> {
    let mut parser = Parser::new_from_str(text.text);
    let mut tree = Tree::default();
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| scan_mistake(text, &error))?;
        tree.take(event, text.spot(span)).map_err(|complaint| SyntaxMistake {
            spot: text.spot(span),
            complaint,
            kind: SyntaxKind::Refused,
        })?;
    }
    Ok(tree.root)
}

/// A list or map that is still open.
struct Open {
    spot: Spot,
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>, Option<Rc<Node>>),
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    nodes: usize,
    documents: usize,
    root: Option<Rc<Node>>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, spot: Spot) -> Result<(), Complaint> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(
                        Complaint::new("a second document begins").help("one document a file: remove the `---`")
                    );
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let data = if null { Data::Null } else { Data::Scalar { text: text.into_owned(), plain } };
                self.close(Node { spot, data, size: 1 }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(spot, anchor, Items::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.begin(spot, anchor, Items::Map(Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => self.end(spot)?,
            Event::Alias(anchor) => self.unfold(anchor, spot)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, spot: Spot, anchor: usize, items: Items) -> Result<(), Complaint> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep());
        }
        self.open.push(Open { spot: Spot { width: 0, ..spot }, anchor, items });
        Ok(())
    }

    fn end(&mut self, end: Spot) -> Result<(), Complaint> {
        let Some(Open { mut spot, anchor, items }) = self.open.pop() else { return Ok(()) };
        if end.line == spot.line && end.width > 0 {
            // In brackets, on one line.
            spot.width = (end.column + end.width).saturating_sub(spot.column);
        }
        let (data, size) = match items {
            Items::List(items) => {
                let size = items.iter().map(|item| item.size).sum();
                (Data::List(items), size)
            }
            Items::Map(pairs, _) => {
                let size = pairs.iter().map(|(key, value)| key.size.saturating_add(value.size)).sum();
                (Data::Map(pairs), size)
            }
        };
        self.nodes = self.nodes.saturating_sub(size);
        self.close(Node { spot, data, size: size.saturating_add(1) }, anchor)
    }

    fn unfold(&mut self, anchor: usize, spot: Spot) -> Result<(), Complaint> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Complaint::new("an alias inside its own anchor"));
        };
        // The value is told at the anchor, where it is written.
        let shown = if matches!(node.data, Data::Null) { spot } else { node.spot };
        self.close(Node { spot: shown, ..(*node).clone() }, 0)
    }

    /// A value is complete: it goes to what is open around it.
    fn close(&mut self, mut node: Node, anchor: usize) -> Result<(), Complaint> {
        self.nodes = self.nodes.saturating_add(node.size);
        if self.nodes > MOST_NODES {
            let message = format!("the file unfolds to more than {MOST_NODES} values");
            return Err(Complaint::new(message).help("split it; use fewer aliases"));
        }
        if let (Data::Null, Some(Open { items: Items::Map(_, Some(key)), .. })) = (&node.data, self.open.last()) {
            // Nothing to point at: the key is meant.
            node.spot = key.spot;
        }
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map(pairs, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
        }
        Ok(())
    }
}

fn too_deep() -> Complaint {
    Complaint::new(format!("nested deeper than {DEEPEST} levels"))
        .help("no rule needs that: check the brackets and the indentation")
}

/// The parser's messages in the words of the people who write rules: what it says, what we say, how to mend it.
const WORDS: &[(&str, &str, &str)] = &[
    ("tab", "a tab in the indentation", "indent with spaces"),
    (
        "quoted scalar, found unknown escape",
        "an unknown escape in double quotes",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    ("quoted scalar", "a quote is left open", "close it; in single quotes write a quote twice: `''`"),
    ("unexpected end of stream", "a quote is left open", "close it; in single quotes write a quote twice: `''`"),
    ("simple key expect", "a line that is neither `key: value` nor a list entry", "is the `: ` missing?"),
    (
        "mapping values are not allowed",
        "a `: ` where no key can be",
        "put the value in quotes, or mend the indentation",
    ),
    ("flow sequence", "a list `[…]` is not closed, or a comma is missing", "write `[a, b]`"),
    ("flow mapping", "a map `{…}` is not closed, or a comma is missing", "write `{key: value, key: value}`"),
    ("illegal placement of ':'", "a bracket above is not closed", "write `[a, b]` or `{key: value}`"),
    (
        "expected '-' indicator",
        "a line that does not belong to the list above it",
        "mend the indentation, or begin it with `- `",
    ),
    ("did not find expected key", "a line that does not belong to the keys above it", "mend the indentation"),
    (
        "invalid indentation",
        "indented otherwise than what is around it",
        "mend the indentation, or close the bracket above",
    ),
    ("unexpected character", "a value cannot begin with this character", "put the value in quotes"),
    ("unknown anchor", "an alias (`*name`) without its anchor (`&name`)", "to begin a text with `*`, put it in quotes"),
    ("expected node content", "a value is missing, or cannot begin with this character", "put the value in quotes"),
];

fn scan_mistake(text: &Text<'_>, error: &ScanError) -> SyntaxMistake {
    let info = error.info();
    let mut spot = text.spot(Span::empty(*error.marker()));
    if info.contains("simple key expect") {
        // Told at the next token: the line before it is meant.
        let before = text.text.lines().take(error.marker().line().saturating_sub(1)).enumerate();
        if let Some((at, line)) = before
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .filter(|(_, line)| !line.trim().is_empty())
            .last()
        {
            let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
            spot = Spot { line: text.line(at + 1), column, ..spot };
        }
    }
    let complaint = if info.contains("recursion limit") {
        too_deep()
    } else {
        WORDS.iter().find(|(said, ..)| info.contains(said)).map_or_else(
            || Complaint::new(format!("this is no YAML: {info}")),
            |(_, message, help)| Complaint::new(*message).help(*help),
        )
    };
    let kind = match info {
        _ if info.contains("recursion limit") => SyntaxKind::Refused,
        _ if info.contains("unknown anchor") => SyntaxKind::UnknownAnchor,
        _ => SyntaxKind::Stopped,
    };
    SyntaxMistake { spot, complaint, kind }
}
