//! `GET /api/v2/status` and `/api/v2/receivers`: who this is, and who is told.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::{Refused, SPEAKS, config, shown, written};
use crate::http::app::App;

/// `GET /api/v2/status`.
pub(super) async fn status(State(app): State<Arc<App>>) -> Result<Response, Refused> {
    let policy = app.inbox.policy().await?;
    let squelch = concat!("squelch ", env!("CARGO_PKG_VERSION"));
    Ok(shown(&json!({
        "cluster": {"status": "disabled", "peers": []},
        "config": {"original": config::original(&policy)},
        "uptime": written(app.metrics.started()),
        "versionInfo": {
            "version": SPEAKS,
            "revision": squelch,
            "branch": squelch,
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        },
    })))
}

/// `GET /api/v2/receivers`: those that routes name.
pub(super) async fn receivers(State(app): State<Arc<App>>) -> Result<Response, Refused> {
    let policy = app.inbox.policy().await?;
    let list: Vec<_> = config::receivers(&policy).into_iter().map(|name| json!({"name": name})).collect();
    Ok(shown(&list))
}
