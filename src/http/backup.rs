//! `GET /api/v1/backup`: the whole store of a running Squelch, as one self-checking archive.
//!
//! Deliberately from a file that is whole before the first byte is sent: the store waits for the disk, never for who
//! reads slowly.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use tokio::io::AsyncReadExt;
use tracing::warn;

use super::answer::Failure;
use super::app::App;
use super::audit::Deed;

/// The path.
pub(super) const PATH: &str = "/api/v1/backup";
/// How long writing it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// So many bytes at once.
const PIECE: usize = 256 << 10;

/// `GET /api/v1/backup`.
pub(super) async fn backup(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let file = app.inbox.backup().await?;
    let (sender, body) = Channel::new(2);
    // It ends with the file, or with whoever reads.
    tokio::spawn(send(file, sender));
    let answer = ([(header::CONTENT_TYPE, "application/octet-stream")], Body::new(body)).into_response();
    Ok(Deed::on("store", "").with(answer))
}

async fn send(file: File, mut to: Sender<Bytes, std::io::Error>) {
    let mut file = tokio::fs::File::from_std(file);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        match (&mut file).take(PIECE as u64).read_to_end(&mut piece).await {
            Ok(0) => return,
            Ok(_) => {
                if to.send_data(piece.into()).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "a backup breaks off");
                to.abort(error);
                return;
            }
        }
    }
}
