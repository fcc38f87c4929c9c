//! `squelch baseline`: the detector of unusual values over a CSV file, one score a row.
//!
//! Row by row: what comes later changes no score. Deliberately without any alarm: that is for rules.

use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::fault::Fault;
use super::recording::tell;
use super::{input, progress};
use crate::domain::{Detector, DetectorConstants, Timestamp};
use crate::formats;
use crate::replay::wording::several;

/// The column that is added.
const SCORE: &str = "anomaly_score";
/// What the columns are mostly called.
const TIMES: &[&str] = &["timestamp", "time", "ts", "date", "datetime"];
const VALUES: &[&str] = &["value", "val", "y"];
/// How many bad rows are told one by one.
const LISTED: u64 = 20;

/// What `squelch baseline` is asked to do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The score says how unusual a value is in its own history: 0 = nothing, from 0.5 on it is unusual. \
                        Only what came before a row counts. Rows without a readable time and value score 0 and are told."
)]
pub(super) struct Args {
    /// The column with the times [default: timestamp, time, ts, date or datetime]
    #[arg(long, value_name = "C")]
    time_column: Option<String>,
    /// The column with the values [default: value, val or y]
    #[arg(long, value_name = "C")]
    value_column: Option<String>,
    /// Move one constant of the detector, to see what hangs on it; may be repeated
    #[arg(long = "constant", value_name = "NAME=VALUE")]
    constants: Vec<String>,
    /// The series as CSV with a header, oldest first, plain or packed with gzip or zstd; `-` reads standard input
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Print each row as a line of JSON instead of CSV
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read as CSV, has no such columns, or the output cannot be written.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let constants = constants(&args.constants)?;
    let bar = progress::over(std::slice::from_ref(&args.file));
    let rows = csv::ReaderBuilder::new().flexible(true).from_reader(input::open(&args.file, &bar)?);
    let out = BufWriter::new(std::io::stdout().lock());
    let told = Scoring::new(args, constants, rows, out)?.run()?;
    bar.finish_and_clear();
    if told > LISTED {
        tell(&format!("and {} that score 0", several(told - LISTED, "more row")));
    }
    Ok(())
}

/// The shipped constants, with those that were asked for moved.
fn constants(wanted: &[String]) -> Result<DetectorConstants, Fault> {
    wanted.iter().try_fold(DetectorConstants::SHIPPED, |constants, text| {
        let number = |(name, value): (&str, &str)| Some((name.to_owned(), value.trim().parse::<f64>().ok()?));
        let (name, value) = text
            .split_once('=')
            .and_then(number)
            .ok_or_else(|| Fault::Usage(format!("--constant {text}: write NAME=VALUE, as in fast=0.2")))?;
        constants.with(name.trim(), value).map_err(|error| Fault::Usage(format!("--constant {text}: {error}")))
    })
}

/// One file on its way from rows to rows with a score.
struct Scoring<'a, W: Write> {
    path: &'a Path,
    rows: csv::Reader<Box<dyn BufRead>>,
    out: Out<W>,
    /// The names of the columns, and the places of time and value among them.
    names: Vec<String>,
    places: (usize, usize),
    constants: DetectorConstants,
    told: u64,
}

impl<'a, W: Write> Scoring<'a, W> {
    /// Reads the header and writes it with one column more.
    fn new(
        args: &'a Args,
        constants: DetectorConstants,
        mut rows: csv::Reader<Box<dyn BufRead>>,
        out: W,
    ) -> Result<Self, Fault> {
        let path = args.file.as_path();
        let header = rows.byte_headers().map_err(|error| unreadable(path, &error))?.clone();
        let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        if names.iter().any(|name| name == SCORE) {
            return Err(Fault::Wrong(format!("{} has a column {SCORE} already: take it out first", path.display())));
        }
        let time = place(path, &names, args.time_column.as_deref(), TIMES, "--time-column")?;
        let value = place(path, &names, args.value_column.as_deref(), VALUES, "--value-column")?;
        let out = if args.json {
            Out::Json(out)
        } else {
            let mut out = csv::Writer::from_writer(out);
            write(&mut out, header, SCORE)?;
            Out::Csv(Box::new(out))
        };
        Ok(Self { path, rows, out, names, places: (time, value), constants, told: 0 })
    }

    /// Scores all rows; how many of them could not be read.
    fn run(mut self) -> Result<u64, Fault> {
        let mut detector = Detector::default();
        let mut row = ByteRecord::new();
        while self.rows.read_byte_record(&mut row).map_err(|error| unreadable(self.path, &error))? {
            if row.len() > self.names.len() {
                let line = row.position().map_or(0, csv::Position::line);
                let (has, names) = (row.len(), self.names.len());
                return Err(Fault::Wrong(format!(
                    "{}:{line}: the row has {has} fields and the header {names}: name or quote them",
                    self.path.display()
                )));
            }
            let score = match read(&row, self.places) {
                Ok((at, value)) => detector.anomaly(&self.constants, at, value),
                Err(reason) => {
                    self.tell(&row, &reason);
                    0.0
                }
            };
            while row.len() < self.names.len() {
                row.push_field(b"");
            }
            self.out.row(&self.names, std::mem::take(&mut row), score)?;
        }
        self.out.flush()?;
        Ok(self.told)
    }

    fn tell(&mut self, row: &ByteRecord, reason: &str) {
        self.told += 1;
        if self.told <= LISTED {
            let line = row.position().map_or(0, csv::Position::line);
            tell(&format!("{}:{line}: {reason}; the row scores 0", self.path.display()));
        }
    }
}

/// Where the rows go.
enum Out<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(W),
}

impl<W: Write> Out<W> {
    fn row(&mut self, names: &[String], row: ByteRecord, score: f64) -> Result<(), Fault> {
        match self {
            Self::Csv(out) => write(out, row, &score.to_string()),
            Self::Json(out) => {
                let mut line: serde_json::Map<_, _> = names
                    .iter()
                    .zip(&row)
                    .map(|(name, field)| (name.clone(), String::from_utf8_lossy(field).trim().into()))
                    .collect();
                line.insert(SCORE.to_owned(), score.into());
                writeln!(out, "{}", serde_json::Value::from(line)).map_err(|error| Fault::output(&error))
            }
        }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        match self {
            Self::Csv(out) => out.flush(),
            Self::Json(out) => out.flush(),
        }
        .map_err(|error| Fault::output(&error))
    }
}

/// The time and the value of a row.
fn read(row: &ByteRecord, (time, value): (usize, usize)) -> Result<(Timestamp, f64), String> {
    let field = |place: usize| String::from_utf8_lossy(row.get(place).unwrap_or_default()).trim().to_owned();
    let (time, value) = (field(time), field(value));
    let at = formats::time(&time).ok_or_else(|| format!("`{}` is no time", cut(&time)))?;
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(|number| (at, number)).ok_or_else(|| format!("`{}` is no number", cut(&value)))
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The place of a column: the one that was asked for, or the first of the usual ones that is there.
fn place(path: &Path, names: &[String], wanted: Option<&str>, usual: &[&str], flag: &str) -> Result<usize, Fault> {
    let wanted = wanted.map_or(usual.to_vec(), |name| vec![name]);
    let found = wanted.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)));
    found.ok_or_else(|| {
        Fault::Wrong(format!(
            "{} has no column {}; it has {}: choose one with {flag}",
            path.display(),
            wanted.join(", "),
            names.join(", ")
        ))
    })
}

fn write<W: Write>(out: &mut csv::Writer<W>, mut row: ByteRecord, score: &str) -> Result<(), Fault> {
    row.push_field(score.as_bytes());
    out.write_byte_record(&row).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Fault::output(&error),
        other => Fault::Wrong(format!("cannot write the output: {other:?}")),
    })
}

fn unreadable(path: &Path, error: &csv::Error) -> Fault {
    Fault::Wrong(format!("cannot read {} as CSV: {error}", path.display()))
}
