//! Starts a program and gives it a message. One attempt.

use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::sinks::exec::Start;
use crate::sinks::{Outcome, clean};

/// Of what it says about a failure no more than this is read (4 KiB).
const MOST_SAID: u64 = 4_096;

/// 0 is delivered. Whatever else it ends with is worth another try: a script that fails must not cost a page. When it
/// takes too long, who waits drops this, and it is killed.
pub(super) async fn run(start: &Start) -> Outcome {
    let why = match attempt(start).await {
        Ok(None) => return Outcome::Delivered,
        Ok(Some(why)) => why,
        Err(error) => format!("{} cannot be run: {error}", start.program.display()),
    };
    Outcome::Retry { after: None, why }
}

/// What went wrong, if anything did.
async fn attempt(start: &Start) -> std::io::Result<Option<String>> {
    let mut child = Command::new(&start.program)
        .args(&start.arguments)
        // Of the environment only where programs are: the rest may hold secrets of Squelch.
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (input, said) = (child.stdin.take(), child.stderr.take());
    let write = async {
        if let Some(mut input) = input {
            // A program that does not read is judged by how it ends.
            let _ = input.write_all(start.input.as_bytes()).await;
        }
    };
    let read = async {
        let mut text = Vec::new();
        if let Some(mut said) = said {
            let _ = (&mut said).take(MOST_SAID).read_to_end(&mut text).await;
            // The rest is read, too: a full pipe would hold it up.
            let _ = tokio::io::copy(&mut said, &mut tokio::io::sink()).await;
        }
        text
    };
    let ((), said, status) = tokio::join!(write, read, child.wait());
    let status = status?;
    let said = clean::line(&String::from_utf8_lossy(&said), 200);
    let colon = if said.is_empty() { "" } else { ": " };
    Ok((!status.success()).then(|| format!("{} ended with {status}{colon}{said}", start.program.display())))
}
