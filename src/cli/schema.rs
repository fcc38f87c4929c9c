//! `squelch schema`: the JSON Schema of rule, settings and mapping files, for editors.
#![expect(clippy::print_stdout, reason = "the command line speaks to people")]

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::schema;

/// Print the JSON Schema of rule files (or of settings or mapping files), for editors.
#[derive(Args, Clone, Debug)]
pub struct SchemaArgs {
    /// Which files
    #[arg(value_enum, default_value = "rules")]
    pub of: SchemaOf,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Rule files.
    Rules,
    /// The settings file.
    Settings,
    /// Mapping files: `rules/sources/*.yaml`.
    Sources,
}

/// Prints it.
#[must_use]
pub fn run(args: &SchemaArgs) -> ExitCode {
    let text = match args.of {
        SchemaOf::Rules => schema::rules(),
        SchemaOf::Settings => schema::settings(),
        SchemaOf::Sources => schema::sources(),
    };
    print!("{text}");
    ExitCode::SUCCESS
}
