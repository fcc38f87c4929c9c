//! Writes messages to standard output, or wherever the caller says.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use crate::sinks::Outcome;

/// Opens what the console receiver writes to. Opened for each message, so that nobody holds it.
#[derive(Clone)]
pub struct Console(Arc<Open>);

type Open = dyn Fn() -> Box<dyn Write + Send> + Send + Sync;

impl Console {
    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(|| Box::new(std::io::stdout()))
    }

    /// Whatever `open` gives.
    #[must_use]
    pub fn new(open: impl Fn() -> Box<dyn Write + Send> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// Writes the lines in one piece. On a thread of its own: a pipe that nobody reads blocks.
    pub(super) async fn write(&self, lines: Vec<String>) -> Outcome {
        let open = Arc::clone(&self.0);
        let text = lines.join("\n") + "\n";
        let written = tokio::task::spawn_blocking(move || {
            let mut out = open();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        let why = match written.await {
            Ok(Ok(())) => return Outcome::Delivered,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Outcome::Retry { after: None, why: format!("the console cannot be written to: {why}") }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}
