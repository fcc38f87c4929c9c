//! Rule and settings files into checked values.
//! Pure: the texts are handed in, all mistakes come out at once.
//!
//! ```text
//! text ─ salvage ─► tree ─ read, against a form ─► values ─ lower ─► Policy, receivers
//!        syntax           keys, types, ranges               names, references, order
//!           └───────────────────────┴─────────── findings ────────────┘
//! ```
//!
//! - **Two types for input.** What was written is a tree in which every node knows its place; only what was checked
//!   ([`Bundle`], [`Settings`]) leaves this module.
//! - **One list.** `rule_fields`, `judgement_fields` and `setting_fields` say what may stand where, with form, range,
//!   default and meaning. Reading, suggestions, [`schema`] and [`mod@reference`] derive from it.
//! - **All mistakes at once.** Every step goes on after a mistake with what is good, and leaves out what is not. A file
//!   that is no YAML is read in parts. Nothing comes out unless everything is right, so rules never half apply.
//! - **Bounded.** Size, depth, number of values (aliases unfolded) and number of mistakes have limits.
//! - **No secrets.** Files refer to them; values that look like one are cut out of the lines that mistakes show.
//!
//! To add a key: one line in a field list, one line where it is lowered, then `UPDATE_EXPECT=1 cargo test --test
//! reference`, which writes the schema and the tables of the documentation.

mod admission;
pub mod alertmanager;
mod cluster;
mod digests;
mod field;
mod findings;
mod judgement_fields;
mod kafka;
mod kafka_fields;
mod knobs;
mod lower;
mod mappings;
mod masking;
mod read;
mod receiver_fields;
mod receiver_kinds;
mod receivers;
pub mod reference;
mod rotations;
mod route_fields;
mod routes;
mod rule_fields;
mod salvage;
mod scalar;
pub mod schema;
mod setting_fields;
mod settings;
mod shipped_sources;
mod source;
mod source_fields;
mod templates;
pub mod test_file;
mod tree;
mod value;

pub use admission::{Admission, Network, Proxy};
pub use judgement_fields::constants;
pub use knobs::{Knobs, Unturned, quoted};
pub use mappings::{Mappings, mappings, with_shipped_mappings};
pub use masking::Masking;
pub use settings::{
    Begin, Cluster, Heartbeat, KafkaSource, KafkaTopic, Limits, Log, LogFormat, LogLevel, Settings, StoreLimits,
    TlsFiles, settings,
};
pub use source::{SHIPPED, Source, with_shipped};

use self::field::Object;
use self::findings::{Complaint, Findings, Spot};
use self::value::Record;
use crate::diagnostic::{Diagnostic, Report};
use crate::domain::{Fingerprint, Policy};
use crate::sinks::receiver::Receiver;

/// All rule files, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The rules in force.
    pub policy: Policy,
    /// Who is told: every receiver that the routes of the policy name, and those that none does.
    pub receivers: Vec<Receiver>,
    /// Names this set of files: changes with every byte of them.
    pub fingerprint: Fingerprint,
    /// What is allowed, but hardly meant: a receiver that is never told, a rule that is never reached.
    pub warnings: Vec<Diagnostic>,
}

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 4 << 20;

/// Reads rule files. The sources are in order of name; [`with_shipped`] lays users' files over the shipped ones.
///
/// # Errors
/// All mistakes of all files. Nothing of any file is applied then.
pub fn load(sources: &[Source]) -> Result<Bundle, Report> {
    let mut findings = Findings::new(sources);
    let files: Vec<Record> =
        (0..sources.len()).map(|file| read_file(file, &rule_fields::FILE, &mut findings)).collect();
    let (policy, receivers) = lower::lower(&files.iter().collect::<Vec<_>>(), &mut findings);
    let warnings = findings.finish()?;
    Ok(Bundle { policy, receivers, fingerprint: source::fingerprint(sources), warnings })
}

/// Reads one file against the object that it must be.
fn read_file(file: usize, object: &'static Object, findings: &mut Findings<'_>) -> Record {
    let source = &findings.sources()[file];
    if source.text.len() > LARGEST_FILE {
        let message = format!("the file is larger than {LARGEST_FILE} bytes");
        findings.set_incomplete();
        findings.mistake_of_file(file, Complaint::new(message).help("split it"));
        return Record::default();
    }
    let Some(text) = text_of(file, findings) else { return Record::default() };
    let roots = salvage::read(file, text, findings);
    for root in &roots {
        if !matches!(root.data, tree::Data::Map(_) | tree::Data::Null | tree::Data::Broken) {
            let keys: Vec<String> = object.fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let help = format!("begin with one of the keys {}", keys.join(", "));
            findings.mistake(root.spot, "", Complaint::new(format!("this is no {}", object.name)).help(help));
        }
    }
    let nodes: Vec<&tree::Node> = roots.iter().map(AsRef::as_ref).collect();
    read::record(&nodes, object, "", findings)
}

/// The text of a file without its byte order mark; `None` when it is no text, which is told.
fn text_of<'a>(file: usize, findings: &mut Findings<'a>) -> Option<&'a str> {
    let bytes = &findings.sources()[file].text;
    let (end, complaint) = match std::str::from_utf8(bytes) {
        Err(error) => {
            let complaint = Complaint::new("the file is not UTF-8 from here on").help("save it as UTF-8");
            (error.valid_up_to(), complaint)
        }
        Ok(text) => {
            // The parser would end the file at a NUL, and count the lines otherwise at a lone carriage return.
            let ends_line = |at: usize| text[at..].starts_with("\r\n");
            let odd =
                |(at, c): &(usize, char)| c.is_control() && !matches!(c, '\t' | '\n' | '\u{85}') && !ends_line(*at);
            let Some((at, c)) = text.char_indices().find(odd) else { return Some(text.trim_start_matches('\u{feff}')) };
            let message = format!("a control character (U+{:04X}) in the file", u32::from(c));
            (at, Complaint::new(message).help("remove it; end lines with a line feed"))
        }
    };
    let before = String::from_utf8_lossy(&bytes[..end]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    findings.set_incomplete();
    findings.mistake(Spot { file, line, column, width: 1 }, "", complaint);
    None
}

/// The name of the tool that a mapping file is for: the file's, without folders and end.
fn source_name(source: &Source) -> &str {
    let name = source.file_name();
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}
