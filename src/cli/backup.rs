//! `squelch backup` and `squelch restore`: a whole store as one self-checking file, and back.
//!
//! Deliberately the same archive from a running Squelch (asked over HTTP) and from the directory of a stopped one.
#![expect(clippy::print_stderr, reason = "tells the user what was done, or why not")]

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::StatusCode;

use crate::store::{self, Archived, Store, StoreError, StoreOptions};

/// Where a running Squelch gives its backup.
const PATH: &str = "/api/v1/backup";
/// How long a running Squelch may be silent before the command gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments of `squelch backup`.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The data directory of a stopped Squelch
    #[arg(long, value_name = "DIR", default_value = "./squelch-data", conflicts_with = "server")]
    data_dir: PathBuf,
    /// Ask this running Squelch instead, such as http://127.0.0.1:9393
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A file with the token that the running Squelch asks for
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// The archive to write; an older one is replaced when the new one is whole
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON instead of a sentence
    #[arg(long)]
    json: bool,
}

/// The arguments of `squelch restore`.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The archive
    #[arg(value_name = "FILE")]
    archive: PathBuf,
    /// The directory to restore into; empty or new
    #[arg(long, value_name = "DIR", default_value = "./squelch-data")]
    data_dir: PathBuf,
    /// Print JSON instead of a sentence
    #[arg(long)]
    json: bool,
}

/// Why a command failed, for people.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}; a running Squelch is asked with --server URL")]
    InUse(StoreError),
    #[error("there is no store in {0}; name its directory with --data-dir, or a running Squelch with --server URL")]
    NoStore(PathBuf),
    #[error("cannot {what} {path}: {source}")]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{server} gave no backup: {cause}")]
    Server { server: String, cause: String },
}

/// Writes a backup. Exit code 1 = there is none; an older one at its place is untouched then.
#[must_use]
pub fn backup(args: &BackupArgs) -> ExitCode {
    told(to_file(args), "backed up", args.json)
}

/// Restores a backup. Exit code 1 = nothing was restored.
#[must_use]
pub fn restore(args: &RestoreArgs) -> ExitCode {
    told(store::restore(&args.archive, &args.data_dir).map_err(Failure::from), "restored", args.json)
}

fn told(result: Result<Archived, Failure>, done: &str, json: bool) -> ExitCode {
    match result {
        Ok(Archived { bytes, blocks, records, batches }) if json => {
            let sums = serde_json::json!({"bytes": bytes, "blocks": blocks, "records": records, "commits": batches});
            super::replay::print(&format!("{sums}\n")).map_or_else(|fault| fault.code(), |()| ExitCode::SUCCESS)
        }
        Ok(Archived { bytes, blocks, records, batches }) => {
            eprintln!("{done}: {bytes} bytes ({records} records, {batches} commits, {blocks} blocks of history)");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("squelch: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes beside the target, reads back what was written, and only then replaces the target.
fn to_file(args: &BackupArgs) -> Result<Archived, Failure> {
    let mut name = args.output.clone().into_os_string();
    name.push(".part");
    let part = PathBuf::from(name);
    let result = write(args, &part).and_then(|()| {
        let file = File::open(&part).map_err(failed("read", &part))?;
        let held = store::verify(&mut BufReader::with_capacity(1 << 20, file))?;
        fs::rename(&part, &args.output).map_err(failed("write", &args.output))?;
        Ok(held)
    });
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    result
}

fn write(args: &BackupArgs, part: &Path) -> Result<(), Failure> {
    match &args.server {
        Some(server) => from_server(server, args.token_file.as_deref(), part),
        None => from_directory(&args.data_dir, part),
    }
}

fn from_directory(dir: &Path, part: &Path) -> Result<(), Failure> {
    // Opening would make a new store.
    if !dir.join("durable").exists() && !dir.join("sled").exists() {
        return Err(Failure::NoStore(dir.to_owned()));
    }
    let (store, recovered) = Store::open(dir, &StoreOptions::default()).map_err(|error| match error {
        StoreError::Locked { .. } => Failure::InUse(error),
        error => Failure::Store(error),
    })?;
    for damage in &recovered.damage {
        eprintln!("squelch: damage: {damage}");
    }
    let file = File::create(part).map_err(failed("write", part))?;
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    store.backup(&mut out)?;
    file.sync_all().map_err(failed("write", part))
}

fn from_server(server: &str, token: Option<&Path>, part: &Path) -> Result<(), Failure> {
    let token = token.map(|path| fs::read_to_string(path).map_err(failed("read", path))).transpose()?;
    let refused = |cause: String| Failure::Server { server: server.to_owned(), cause };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused(error.to_string()))?;
    // Another part of the process may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let client = reqwest::Client::builder().read_timeout(PATIENCE).build();
        let client = client.map_err(|error| refused(error.to_string()))?;
        let mut request = client.get(format!("{}{PATH}", server.trim_end_matches('/')));
        if let Some(token) = &token {
            request = request.bearer_auth(token.trim());
        }
        let mut response = request.send().await.map_err(|error| refused(causes(&error)))?;
        if response.status() != StatusCode::OK {
            return Err(refused(format!("it answered {}", response.status())));
        }
        let mut file = File::create(part).map_err(failed("write", part))?;
        while let Some(bytes) = response.chunk().await.map_err(|error| refused(causes(&error)))? {
            file.write_all(&bytes).map_err(failed("write", part))?;
        }
        file.sync_all().map_err(failed("write", part))
    })
}

/// An error with all its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::File { what, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, Read};
    use std::net::TcpListener;
    use std::thread;

    use clap::{Command, FromArgMatches};

    use super::*;
    use crate::domain::{Change, Event, Timestamp};
    use crate::store::Batch;

    fn args<T: Args + FromArgMatches>(words: &[&str]) -> T {
        let command = T::augment_args(Command::new("squelch"));
        T::from_arg_matches(&command.get_matches_from(["squelch"].iter().chain(words))).unwrap()
    }

    fn record() -> (Vec<u8>, Vec<u8>) {
        (b"key".to_vec(), b"value".to_vec())
    }

    fn store_in(dir: &Path) -> Store {
        let mut store = Store::open(dir, &StoreOptions { min_free: 0, ..StoreOptions::default() }).unwrap().0;
        let change = Change { key: record().0, value: Some(record().1) };
        let batch = Batch { events: &[(7, &Event::new("nagios", "swap"))], changes: &[change], now: Timestamp::EPOCH };
        store.commit(&batch).unwrap();
        store
    }

    fn restores(archive: &Path, dir: &Path) {
        let words = [archive.to_str().unwrap(), "--data-dir", dir.to_str().unwrap()];
        assert_eq!(restore(&args(&words)), ExitCode::SUCCESS);
        assert_eq!(restore(&args(&words)), ExitCode::FAILURE, "a directory with something in it is left alone");
        let recovered = Store::open(dir, &StoreOptions::default()).unwrap().1;
        assert_eq!((recovered.records, recovered.next_seq), (vec![record()], 8));
    }

    #[test]
    fn a_stopped_store_is_backed_up_and_restored_and_a_missing_one_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        let (dir, archive) = (home.path().join("data"), home.path().join("a.sqb"));
        let words = ["--data-dir", dir.to_str().unwrap(), "-o", archive.to_str().unwrap()];
        assert_eq!(backup(&args(&words)), ExitCode::FAILURE);
        assert!(!dir.exists() && !archive.exists());
        let store = store_in(&dir);
        assert_eq!(backup(&args(&words)), ExitCode::FAILURE, "it is in use");
        drop(store);
        assert_eq!(backup(&args(&words)), ExitCode::SUCCESS);
        restores(&archive, &home.path().join("again"));
    }

    /// Answers one request with these bytes.
    fn serve_once(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                reader.by_ref().read_line(&mut request).unwrap();
            }
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len()).unwrap();
            stream.write_all(&answer).unwrap();
            request
        });
        (url, thread)
    }

    #[test]
    fn a_running_squelch_is_asked_and_its_answer_is_checked_before_an_older_backup_goes() {
        let home = tempfile::tempdir().unwrap();
        let archive = home.path().join("a.sqb");
        let token = home.path().join("token");
        fs::write(&token, "word\n").unwrap();
        let mut whole = Vec::new();
        store_in(&home.path().join("data")).backup(&mut whole).unwrap();
        for (answer, code) in [(whole.clone(), ExitCode::SUCCESS), (whole[1..].to_vec(), ExitCode::FAILURE)] {
            let (url, thread) = serve_once(answer);
            let words = ["--server", &url, "--token-file", token.to_str().unwrap(), "-o", archive.to_str().unwrap()];
            assert_eq!(backup(&args(&words)), code);
            let request = thread.join().unwrap().to_lowercase();
            assert!(request.starts_with("get /api/v1/backup ") && request.contains("authorization: bearer word\r\n"));
            assert_eq!(fs::read(&archive).unwrap(), whole);
        }
        restores(&archive, &home.path().join("again"));
    }
}
