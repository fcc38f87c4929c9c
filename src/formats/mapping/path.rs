//! Paths into a document: `alert.name`, `targets[].name`, `violations.*`, `tags(host)`, `["Problem URL"]`, `$.id`.
//!
//! Deliberately no filters and no arithmetic: a path says where, and nothing else.

use serde_json::Value;

use super::scope::Scope;

/// The longest path, in steps.
const DEEPEST: usize = 16;

/// Where something stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    /// As it was written.
    text: String,
    root: Root,
    steps: Vec<Step>,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// The element at hand, and where it has nothing the document around it.
    Here,
    /// `$`: the whole document.
    Document,
    /// `$key`: the key, or the number from 0, of the element at hand.
    Key,
    /// `$query`: the fields of the URL's query.
    Query,
    /// `$text`: the body as text.
    Text,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// `name` or `["any name"]`
    Key(String),
    /// `[3]`
    Index(usize),
    /// `[]`: each element of a list.
    Each,
    /// `*`: each value of a map.
    Any,
    /// `(name)`: the value of a tag, however tags are written.
    Tag(String),
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hit<'v> {
    /// A value.
    Value(&'v Value),
    /// A part of a text.
    Text(&'v str),
}

/// What a visitor makes of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It is of no use: go on, at last in the document around the element.
    On,
    /// It is of use, and there may be more of it beside.
    Taken,
    /// It is what was looked for.
    Enough,
}

/// A path that cannot be read: what is wrong, how to mend it, and the bytes that are wrong.
pub type PathMistake = (String, String, std::ops::Range<usize>);

impl Path {
    /// Reads a path.
    pub(super) fn parse(text: &str) -> Result<Self, PathMistake> {
        let trimmed = text.trim();
        let (root, rest) = root(trimmed)?;
        let mut reader = Reader { text: trimmed, at: trimmed.len() - rest.len() };
        let mut steps = Vec::new();
        while reader.at < trimmed.len() {
            let first = steps.is_empty() && root == Root::Here;
            steps.push(reader.step(first)?);
            if steps.len() > DEEPEST {
                return Err((format!("a path of more than {DEEPEST} steps"), "shorten it".to_owned(), 0..text.len()));
            }
        }
        Ok(Self { text: trimmed.to_owned(), root, steps })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The last name in it: what a label that it fills would be called.
    pub(super) fn last_name(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Key(name) | Step::Tag(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Shows everything that stands at the path to `look`, in order, until it has enough. Where the element at hand has
    /// nothing of use, the document around it is looked at; not for lists and tags, which would be read for every
    /// element again.
    pub(super) fn visit<'v>(&self, scope: &Scope<'v>, look: &mut dyn FnMut(Hit<'v>) -> Look) {
        let mut taken = false;
        let mut visit = |hit: Hit<'v>| match look(hit) {
            Look::On => false,
            Look::Taken => {
                taken = true;
                false
            }
            Look::Enough => true,
        };
        let enough = match self.root {
            Root::Key => visit(Hit::Text(scope.key)),
            Root::Text => visit(Hit::Text(scope.text)),
            Root::Query => walk(scope.query, &self.steps, &mut visit),
            Root::Document => walk(scope.document, &self.steps, &mut visit),
            Root::Here => walk(scope.element, &self.steps, &mut visit),
        };
        let plain = |step: &Step| matches!(step, Step::Key(_) | Step::Index(_));
        let around =
            self.root == Root::Here && !std::ptr::eq(scope.element, scope.document) && self.steps.iter().all(plain);
        if !enough && !taken && around {
            walk(scope.document, &self.steps, &mut |hit| look(hit) == Look::Enough);
        }
    }

    /// Whether something of this kind stands at the path.
    pub(super) fn any(&self, scope: &Scope<'_>, is: &dyn Fn(Hit<'_>) -> bool) -> bool {
        let mut any = false;
        self.visit(scope, &mut |hit| {
            any |= is(hit);
            if any { Look::Enough } else { Look::On }
        });
        any
    }

    /// Every value at the path with the key that leads to it: for the elements that become events.
    pub(super) fn elements<'v>(&self, document: &'v Value, most: usize) -> Vec<(String, &'v Value)> {
        let mut found = Vec::new();
        spread(document, &self.steps, String::new(), &mut |key, value| {
            found.push((key, value));
            found.len() >= most
        });
        found
    }

    /// The values themselves, to be changed in place.
    pub(super) fn change(&self, document: &mut Value, change: &mut dyn FnMut(&mut Value)) {
        change_at(document, &self.steps, change);
    }
}

fn root(text: &str) -> Result<(Root, &str), PathMistake> {
    for (word, root) in [("$key", Root::Key), ("$query", Root::Query), ("$text", Root::Text)] {
        if let Some(rest) = text.strip_prefix(word)
            && (rest.is_empty() || rest.starts_with(['.', '[', '(']))
        {
            return Ok((root, rest));
        }
    }
    if let Some(rest) = text.strip_prefix('$') {
        if rest.is_empty() || rest.starts_with(['.', '[', '(']) {
            return Ok((Root::Document, rest));
        }
        let help =
            "`$` is the document, `$key` the key of an element, `$query.NAME` a field of the URL, `$text` the body";
        return Err(("no root is called so".to_owned(), help.to_owned(), 0..text.len()));
    }
    if text.is_empty() {
        return Err(("an empty path".to_owned(), "name a field: `alert.name`".to_owned(), 0..0));
    }
    Ok((Root::Here, text))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn step(&mut self, first: bool) -> Result<Step, PathMistake> {
        let rest = &self.text[self.at..];
        match rest.as_bytes()[0] {
            b'[' => self.bracket(),
            b'(' => {
                let inner = self.until(')')?;
                Ok(Step::Tag(unquoted(inner).to_owned()))
            }
            b'.' if !first => {
                self.at += 1;
                self.name()
            }
            _ if first => self.name(),
            _ => Err(self.wrong("a `.` is missing before this")),
        }
    }

    fn name(&mut self) -> Result<Step, PathMistake> {
        let rest = &self.text[self.at..];
        let end = rest.find(['.', '[', '(', ']', ')']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return Err(self.wrong("a name is missing here"));
        }
        if name.contains(|c: char| c.is_whitespace() || "{}\"'|<>,=".contains(c)) {
            return Err(self.wrong("this is no path"));
        }
        self.at += end;
        Ok(if name == "*" { Step::Any } else { Step::Key(name.to_owned()) })
    }

    fn bracket(&mut self) -> Result<Step, PathMistake> {
        let start = self.at;
        let inner = self.until(']')?;
        if inner.is_empty() {
            return Ok(Step::Each);
        }
        if let Ok(index) = inner.parse() {
            return Ok(Step::Index(index));
        }
        let name = unquoted(inner);
        if name.len() == inner.len() {
            self.at = start;
            return Err(self.wrong("between brackets stands nothing, a number, or a name in quotes"));
        }
        Ok(Step::Key(name.to_owned()))
    }

    fn until(&mut self, close: char) -> Result<&str, PathMistake> {
        let inner = &self.text[self.at + 1..];
        let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''));
        let from = quote.and_then(|quote| inner[1..].find(quote)).map_or(0, |end| end + 2);
        let Some(end) = inner[from..].find(close).map(|end| from + end) else {
            return Err(self.wrong("a bracket is not closed"));
        };
        self.at += end + 2;
        Ok(&inner[..end])
    }

    fn wrong(&self, message: &str) -> PathMistake {
        let help = "write `alert.name`, `targets[].name`, `[\"a name with blanks\"]`, `tags(host)`; put fixed text in quotes: `'text'`";
        (message.to_owned(), help.to_owned(), self.at..self.text.len())
    }
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text)
}

fn walk<'v>(value: &'v Value, steps: &[Step], visit: &mut dyn FnMut(Hit<'v>) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return visit(Hit::Value(value)) };
    match (step, value) {
        (Step::Key(name), Value::Object(map)) => map.get(name).is_some_and(|value| walk(value, rest, visit)),
        (Step::Index(index), Value::Array(list)) => list.get(*index).is_some_and(|value| walk(value, rest, visit)),
        (Step::Each, Value::Array(list)) => list.iter().any(|value| walk(value, rest, visit)),
        (Step::Any, Value::Object(map)) => map.values().any(|value| walk(value, rest, visit)),
        (Step::Tag(name), _) => tag(value, name).is_some_and(|hit| match hit {
            Hit::Value(value) => walk(value, rest, visit),
            Hit::Text(_) => rest.is_empty() && visit(hit),
        }),
        _ => false,
    }
}

fn spread<'v>(value: &'v Value, steps: &[Step], key: String, visit: &mut dyn FnMut(String, &'v Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        // A list at the end means each of its elements.
        return if value.is_array() { spread(value, &[Step::Each], key, visit) } else { visit(key, value) };
    };
    match (step, value) {
        (Step::Key(name), Value::Object(map)) => map.get(name).is_some_and(|value| spread(value, rest, key, visit)),
        (Step::Index(index), Value::Array(list)) => {
            list.get(*index).is_some_and(|value| spread(value, rest, key, visit))
        }
        (Step::Each, Value::Array(list)) => list.iter().enumerate().any(|(index, value)| {
            // The name of the map's entry says more than the number in its list.
            let key = if key.is_empty() { index.to_string() } else { key.clone() };
            spread(value, rest, key, visit)
        }),
        (Step::Any, Value::Object(map)) => map.iter().any(|(name, value)| spread(value, rest, name.clone(), visit)),
        _ => false,
    }
}

fn change_at(value: &mut Value, steps: &[Step], change: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else { return change(value) };
    match (step, value) {
        (Step::Key(name), Value::Object(map)) => {
            if let Some(value) = map.get_mut(name) {
                change_at(value, rest, change);
            }
        }
        (Step::Index(index), Value::Array(list)) => {
            if let Some(value) = list.get_mut(*index) {
                change_at(value, rest, change);
            }
        }
        (Step::Each, Value::Array(list)) => list.iter_mut().for_each(|value| change_at(value, rest, change)),
        (Step::Any, Value::Object(map)) => map.values_mut().for_each(|value| change_at(value, rest, change)),
        _ => {}
    }
}

/// The value of a tag: of a map, of pairs `[name, value]`, of objects with `key` or `name` and `value`, of texts
/// `name:value` or `name=value`, alone or in one text with commas or blanks between them.
fn tag<'v>(tags: &'v Value, name: &str) -> Option<Hit<'v>> {
    match tags {
        Value::Object(map) => map.get(name).map(Hit::Value),
        Value::String(text) => tag_in(text, name),
        Value::Array(list) => list.iter().find_map(|tag| match tag {
            Value::Array(pair) => {
                let is = pair.first()?.as_str()? == name;
                is.then(|| pair.get(1).map(Hit::Value)).flatten()
            }
            Value::Object(map) => {
                let key = ["key", "name", "Key", "Name"].iter().find_map(|key| map.get(*key))?;
                let value = ["value", "Value"].iter().find_map(|value| map.get(*value))?;
                (key.as_str() == Some(name)).then_some(Hit::Value(value))
            }
            Value::String(text) => tag_in(text, name),
            _ => None,
        }),
        _ => None,
    }
}

fn tag_in<'v>(text: &'v str, name: &str) -> Option<Hit<'v>> {
    text.split([',', ';', ' ', '\n']).find_map(|tag| {
        let rest = tag.trim().strip_prefix(name)?;
        rest.strip_prefix([':', '=']).map(|value| Hit::Text(value.trim()))
    })
}
