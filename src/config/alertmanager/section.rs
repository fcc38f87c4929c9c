//! A map of the configuration: its keys, each with its place.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::config::findings::{Complaint, Findings, Spot, quoted, suggestion};
use crate::config::tree::{Data, Node};

/// A place in the file, and the path of what stands there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) spot: Spot,
    pub(super) path: String,
}

/// A map that was read.
#[derive(Default)]
pub(super) struct Section<'n> {
    /// Where it stands; `None` = nowhere.
    pub(super) at: Option<Place>,
    fields: BTreeMap<&'n str, (Spot, &'n Node)>,
    path: String,
}

impl<'n> Section<'n> {
    /// The keys of a map. Unknown ones, ones that stand twice, and what is no map at all are mistakes.
    pub(super) fn of(node: &'n Node, path: &str, known: &[&str], findings: &mut Findings<'_>) -> Self {
        let at = Place { spot: node.spot, path: path.to_owned() };
        let mut section = Self { at: Some(at), fields: BTreeMap::new(), path: path.to_owned() };
        let pairs = match &node.data {
            Data::Map(pairs) => pairs.as_slice(),
            Data::Null => &[],
            _ => {
                let complaint = Complaint::new("expected a map").help("write `key: value`");
                findings.mistake(node.spot, path, complaint);
                &[]
            }
        };
        for (key, value) in pairs {
            let Data::Scalar { text, .. } = &key.data else {
                findings.mistake(key.spot, path, Complaint::new("a key must be a text"));
                continue;
            };
            if !known.is_empty() && !known.contains(&text.as_str()) {
                let complaint = Complaint::new(format!("Alertmanager knows no key {} here", quoted(text)));
                findings.mistake(key.spot, path, complaint.help(suggestion(text, known.iter().copied())));
            } else if section.fields.insert(text, (key.spot, value)).is_some() {
                findings.mistake(key.spot, path, Complaint::new(format!("the key {} stands here twice", quoted(text))));
            }
        }
        section
    }

    /// The path of a key.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where a key stands.
    pub(super) fn place(&self, key: &str) -> Option<Place> {
        self.fields.get(key).map(|(spot, _)| Place { spot: *spot, path: self.path(key) })
    }

    /// All keys with their places.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'n str, Place)> {
        self.fields.iter().map(|(key, (spot, _))| (*key, Place { spot: *spot, path: self.path(key) }))
    }

    /// The map at a key; an empty one where there is none.
    pub(super) fn section(&self, key: &str, known: &[&str], findings: &mut Findings<'_>) -> Self {
        self.fields.get(key).map_or_else(Self::default, |(_, node)| Self::of(node, &self.path(key), known, findings))
    }

    /// The entries of the list at a key, each with its path.
    pub(super) fn items(&self, key: &str, findings: &mut Findings<'_>) -> Vec<(&'n Node, String)> {
        let Some((spot, node)) = self.fields.get(key) else { return Vec::new() };
        let path = self.path(key);
        match &node.data {
            Data::List(items) => each(items, &path),
            Data::Null => Vec::new(),
            _ => {
                findings.mistake(
                    *spot,
                    &path,
                    Complaint::new("expected a list").help("write `- …` below it, or `[…]`"),
                );
                Vec::new()
            }
        }
    }

    /// The maps in the list at a key.
    pub(super) fn sections(&self, key: &str, known: &[&str], findings: &mut Findings<'_>) -> Vec<Self> {
        let items = self.items(key, findings);
        items.into_iter().map(|(node, path)| Self::of(node, &path, known, findings)).collect()
    }

    /// The texts in the list at a key, each with its place.
    pub(super) fn texts(&self, key: &str, findings: &mut Findings<'_>) -> Vec<(&'n str, Place)> {
        let mut texts = Vec::new();
        for (node, path) in self.items(key, findings) {
            if let Some(text) = text_of(node, &path, findings) {
                texts.push((text, Place { spot: node.spot, path }));
            }
        }
        texts
    }

    /// The text at a key; `None` also where it is empty.
    pub(super) fn text(&self, key: &str, findings: &mut Findings<'_>) -> Option<&'n str> {
        let (_, node) = self.fields.get(key)?;
        if matches!(node.data, Data::Null) {
            return None;
        }
        text_of(node, &self.path(key), findings).filter(|text| !text.is_empty())
    }

    /// The flag at a key.
    pub(super) fn flag(&self, key: &str, findings: &mut Findings<'_>) -> Option<bool> {
        let text = self.text(key, findings)?;
        match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => {
                let place = self.place(key)?;
                let complaint = Complaint::new("expected `true` or `false`").help("write `true` or `false`");
                findings.mistake(place.spot, &place.path, complaint);
                None
            }
        }
    }
}

fn each<'n>(items: &'n [Rc<Node>], path: &str) -> Vec<(&'n Node, String)> {
    items.iter().enumerate().map(|(at, node)| (node.as_ref(), format!("{path}[{at}]"))).collect()
}

/// The text of a scalar; what is none is a mistake.
fn text_of<'n>(node: &'n Node, path: &str, findings: &mut Findings<'_>) -> Option<&'n str> {
    if let Data::Scalar { text, .. } = &node.data {
        return Some(text);
    }
    findings.mistake(node.spot, path, Complaint::new("expected a text"));
    None
}

impl<'n> Section<'n> {
    /// What stands at a key.
    pub(super) fn value(&self, key: &str) -> Option<&'n Node> {
        self.fields.get(key).map(|(_, node)| *node)
    }
}
