//! A file that is no YAML as a whole, read in parts, so that one mistake does not hide the others.
//!
//! The parts are the top-level sections, and within a broken section its entries. Deliberately no guessing inside an
//! entry: what is broken there is told once, and the entry is left out.

use std::rc::Rc;

use super::findings::{Complaint, Findings, Spot};
use super::tree::{self, Data, Node, SyntaxKind, SyntaxMistake, Text};

/// After so many syntax mistakes the rest of the file is not looked at.
const MOST_FOUND: usize = 100;

/// So many sections, and entries of a section, are read one by one.
const MOST_PARTS: usize = 5000;

/// The root of a file as far as it can be read; every syntax mistake goes into the findings.
/// The maps are to be read one after the other, as parts of one.
pub(super) fn read(file: usize, text: &str, findings: &mut Findings<'_>) -> Vec<Rc<Node>> {
    let whole = match tree::parse(&Text { file, text, lines: None }) {
        Ok(root) => return root.into_iter().collect(),
        Err(mistake) => mistake,
    };
    let mut found = Vec::new();
    let mut good = Vec::new();
    if whole.kind != SyntaxKind::Refused {
        let lines: Vec<&str> = text.lines().collect();
        for section in sections(&lines).iter().take(MOST_PARTS) {
            if found.len() < MOST_FOUND {
                read_section(file, section, &mut found, &mut good);
            }
        }
    }
    // Where only a part is read, an alias may miss its anchor without being wrong.
    found.retain(|mistake| mistake.kind != SyntaxKind::UnknownAnchor || whole.kind == SyntaxKind::UnknownAnchor);
    if found.is_empty() {
        found.push(whole);
    }
    findings.set_incomplete();
    for mistake in found {
        findings.mistake(mistake.spot, "", mistake.complaint);
    }
    good
}

/// A line and its number.
type Line<'t> = (usize, &'t str);

fn read_section(file: usize, section: &[Line<'_>], found: &mut Vec<SyntaxMistake>, good: &mut Vec<Rc<Node>>) {
    match read_part(file, section) {
        Ok(root) => good.extend(root),
        Err(mistake) => {
            let before = found.len();
            let mut roots = Vec::new();
            for entry in entries(section).into_iter().take(MOST_PARTS) {
                if found.len() >= MOST_FOUND {
                    break;
                }
                match read_part(file, &entry).and_then(list_or_map) {
                    Ok(root) => roots.extend(root),
                    Err(mistake) => {
                        found.push(mistake);
                        roots.extend(broken(file, &entry));
                    }
                }
            }
            if found.len() == before {
                found.push(mistake);
            }
            good.extend(joined(roots));
        }
    }
}

/// An entry by itself must be a list entry or a key with its value; anything else is what broke the section.
fn list_or_map(root: Option<Rc<Node>>) -> Result<Option<Rc<Node>>, SyntaxMistake> {
    if let Some(Data::Map(pairs)) = root.as_ref().map(|root| &root.data)
        && let Some((_, text)) = pairs.iter().find(|(_, value)| matches!(value.data, Data::Scalar { .. }))
    {
        let complaint = Complaint::new("a line that is neither `key: value` nor a list entry");
        let complaint = complaint.help("is the `: ` missing?");
        return Err(SyntaxMistake { spot: text.spot, complaint, kind: SyntaxKind::Stopped });
    }
    Ok(root)
}

/// What stands for a list entry that is no YAML, so that those after it keep their numbers.
fn broken(file: usize, entry: &[Line<'_>]) -> Option<Rc<Node>> {
    let [head, (number, line), ..] = entry else { return None };
    let indent = line.find('-').filter(|at| line[..*at].trim().is_empty())?;
    let mut root = read_part(file, &[*head, (*number, &format!("{}- ~", &line[..indent]))]).ok()??;
    if let Data::Map(pairs) = &mut Rc::make_mut(&mut root).data
        && let Data::List(items) = &mut Rc::make_mut(&mut pairs.first_mut()?.1).data
    {
        Rc::make_mut(items.first_mut()?).data = Data::Broken;
    }
    Some(root)
}

fn read_part(file: usize, part: &[Line<'_>]) -> Result<Option<Rc<Node>>, SyntaxMistake> {
    let text: String = part.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
    let numbers: Vec<usize> = part.iter().map(|(number, _)| *number).collect();
    tree::parse(&Text { file, text: &text, lines: Some(&numbers) })
}

/// The lines from each top-level key to the next.
fn sections<'t>(lines: &[&'t str]) -> Vec<Vec<Line<'t>>> {
    let mut sections: Vec<Vec<Line<'t>>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("---") || line.starts_with("...") || line.starts_with('%') {
            continue;
        }
        let begins = line.starts_with(|c: char| !c.is_whitespace() && !"#-]}".contains(c));
        match sections.last_mut() {
            Some(section) if !begins => section.push((at + 1, line)),
            _ => sections.push(vec![(at + 1, line)]),
        }
    }
    sections
}

/// The first line of a section with each of its entries: list entries or keys, whatever stands at the first indentation.
fn entries<'t>(section: &[Line<'t>]) -> Vec<Vec<Line<'t>>> {
    let Some((head, body)) = section.split_first() else { return Vec::new() };
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let speaks = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let Some(first) = body.iter().find(|(_, line)| speaks(line)).map(|(_, line)| indent(line)) else {
        return Vec::new();
    };
    let mut entries: Vec<Vec<Line<'t>>> = Vec::new();
    for (number, line) in body {
        let begins = speaks(line) && indent(line) <= first && !line.trim_start().starts_with([']', '}']);
        match entries.last_mut() {
            Some(entry) if !begins => entry.push((*number, line)),
            _ => entries.push(vec![*head, (*number, line)]),
        }
    }
    entries
}

/// The parts of one section put together again, so that a list is one list and no key stands twice.
fn joined(roots: Vec<Rc<Node>>) -> Option<Rc<Node>> {
    let mut roots = roots.into_iter();
    let mut whole = (*roots.next()?).clone();
    for root in roots {
        append(&mut whole.data, &root.data);
    }
    Some(Rc::new(whole))
}

fn append(whole: &mut Data, part: &Data) {
    match (whole, part) {
        (Data::List(items), Data::List(more)) => items.extend(more.iter().cloned()),
        (Data::Map(pairs), Data::Map(more)) => {
            for (key, value) in more {
                let same = |spot: Spot| (spot.line, spot.column) == (key.spot.line, key.spot.column);
                match pairs.iter_mut().find(|(known, _)| same(known.spot)) {
                    Some((_, known)) => append(&mut Rc::make_mut(known).data, &value.data),
                    None => pairs.push((Rc::clone(key), Rc::clone(value))),
                }
            }
        }
        (whole @ Data::Null, part) => *whole = part.clone(),
        _ => {}
    }
}
