//! `POST /api/v1/write`: samples by Prometheus' remote write, of which only those are kept that a rule asks for.
//!
//! Deliberately strict about that: a Prometheus sends everything it has, and a million series that nobody watches would
//! cost a gigabyte. What has its statuses for a sender: 4xx is dropped, 5xx is sent again.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::answer::Failure;
use super::app::App;
use super::events::{Door, ingest};
use super::listener::Peer;
use crate::domain::Policy;
use crate::formats::Parsed;
use crate::formats::remote_write::SOURCE;

/// The path.
pub(super) const PATH: &str = "/api/v1/write";

/// `POST /api/v1/write`.
pub(super) async fn write(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    is_version_1(request.headers()).inspect_err(|_| app.metrics.refuse("bad_request", 1))?;
    ingest(&app, peer, Door::of(SOURCE), request).await
}

/// The media type says which message it is: without a word of it that of version 1.
fn is_version_1(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let message = parts.find_map(|part| part.strip_prefix("proto=")).map(|message| message.trim_matches('"'));
    if media == "application/x-protobuf" && message.is_none_or(|message| message == "prometheus.writerequest") {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("the body is {value:?}, which is not remote write 1.0"),
        "send `Content-Type: application/x-protobuf` with prometheus.WriteRequest: in Prometheus leave protobuf_message \
         out, or set it to prometheus.WriteRequest",
    )
    .at("header Content-Type"))
}

/// Leaves out what no rule asks for.
pub(super) fn keep_what_is_asked_for(parsed: &mut Parsed, policy: &Policy) {
    let all = parsed.events.len();
    parsed.events.retain(|event| policy.watches(event));
    parsed.left_out = all - parsed.events.len();
}

/// What a person should know who wonders why nothing comes of the samples.
pub(super) fn tell(app: &App, parsed: &Parsed) {
    app.metrics.samples_left_out.inc_by(parsed.left_out as u64);
    if parsed.left_out > 0 && !app.known().policy.adapts() {
        app.samples(|samples| samples.notice(SOURCE, app.clock.now(), NOBODY_ASKS));
    }
}

const NOBODY_ASKS: &str = "samples come by remote write, and no rule asks for any: they are left out. A rule with `adaptive` \
                           and a match such as '__name__=\"queue_length\"' keeps them (docs/SOURCES.md, Remote write)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_version_is_taken() {
        let taken = |media: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media.parse().unwrap())]);
            is_version_1(&headers).is_ok()
        };
        assert!(is_version_1(&HeaderMap::new()).is_ok() && taken("application/x-protobuf"));
        assert!(taken("application/x-protobuf;proto=prometheus.WriteRequest"));
        assert!(taken("Application/X-Protobuf; proto=\"prometheus.WriteRequest\""));
        for media in ["application/x-protobuf;proto=io.prometheus.write.v2.Request", "application/json", ""] {
            assert!(!taken(media), "{media}");
        }
    }
}
