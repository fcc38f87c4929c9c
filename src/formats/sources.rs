//! Everything whose bodies can be read now: the formats in code, and mappings laid over them.

use std::collections::BTreeMap;

use super::mapping::Mapping;
use super::{Body, FORMATS, Format, FormatError, Parsed, Signature, UnknownFormat, unknown};

/// The tools that are known.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    mappings: BTreeMap<String, Mapping>,
}

/// What reads the bodies of one tool.
#[derive(Clone, Copy, Debug)]
pub enum Reader<'s> {
    /// Code.
    Format(&'static Format),
    /// A mapping file.
    Mapping(&'s Mapping),
}

impl Sources {
    /// These mappings over the formats in code. Of two with one name the later counts.
    #[must_use]
    pub fn new(mappings: Vec<Mapping>) -> Self {
        Self { mappings: mappings.into_iter().map(|mapping| (mapping.name.clone(), mapping)).collect() }
    }

    /// What reads the bodies of the tool called `name`: a mapping wins over code.
    ///
    /// # Errors
    /// No tool has this name; the error suggests the nearest.
    pub fn find(&self, name: &str) -> Result<Reader<'_>, UnknownFormat> {
        if let Some(mapping) = self.mappings.get(name) {
            return Ok(Reader::Mapping(mapping));
        }
        let format = FORMATS.iter().find(|format| format.name == name).map(Reader::Format);
        format.ok_or_else(|| {
            let names: Vec<&str> = self.readers().into_iter().map(Reader::name).collect();
            unknown(name, &names)
        })
    }

    /// All of them, in order of name.
    #[must_use]
    pub fn readers(&self) -> Vec<Reader<'_>> {
        let code = FORMATS.iter().filter(|format| !self.mappings.contains_key(format.name)).map(Reader::Format);
        let mut readers: Vec<Reader<'_>> = self.mappings.values().map(Reader::Mapping).chain(code).collect();
        readers.sort_by_key(|reader| reader.name());
        readers
    }
}

impl<'s> Reader<'s> {
    /// The name in `/ingest/{name}`.
    #[must_use]
    pub fn name(self) -> &'s str {
        match self {
            Self::Format(format) => format.name,
            Self::Mapping(mapping) => &mapping.name,
        }
    }

    /// The tool's name for people.
    #[must_use]
    pub fn title(self) -> &'s str {
        match self {
            Self::Format(format) => format.title,
            Self::Mapping(mapping) => &mapping.title,
        }
    }

    /// What to enter in the tool.
    #[must_use]
    pub fn setup(self) -> &'s str {
        match self {
            Self::Format(format) => format.setup,
            Self::Mapping(mapping) => &mapping.setup,
        }
    }

    /// How the tool signs its bodies, where it does.
    #[must_use]
    pub const fn signature(self) -> Option<&'s Signature> {
        match self {
            Self::Format(format) => format.signature.as_ref(),
            Self::Mapping(mapping) => mapping.signature.as_ref(),
        }
    }

    /// Reads one body.
    ///
    /// # Errors
    /// When nothing in it is usable.
    pub fn parse(self, body: &Body<'_>) -> Result<Parsed, FormatError> {
        match self {
            Self::Format(format) => (format.parse)(body),
            Self::Mapping(mapping) => mapping.parse(body),
        }
    }
}
