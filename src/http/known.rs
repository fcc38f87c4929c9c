//! The tools that are known now, and what each must show to be believed.
//!
//! Deliberately without the reading of secrets: whoever starts or reloads hands them over.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Failure;
use super::app::Token;
use super::{events, remote_write};
use crate::domain::Policy;
use crate::formats::remote_write::SOURCE;
use crate::formats::{Body, FormatError, Parsed, Signature, Sources};

/// The header for senders that can set one, and need `Authorization` for something else.
const HEADER: &str = "x-squelch-token";
/// Names of the query's field with the secret.
const QUERY: &[&str] = &["token", "auth_token"];

/// The tools that are known, and their secrets.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What reads their bodies.
    pub sources: Sources,
    /// The secrets of those that have some: any of them will do, so that one can be changed without a gap.
    pub keys: BTreeMap<String, Keys>,
    /// The secrets with which receivers sign what people say there, by the name of the hook.
    pub hooks: BTreeMap<String, Keys>,
    /// The rules, which say what samples are asked for.
    pub policy: Arc<Policy>,
}

/// The secrets of one tool. Never shown.
#[derive(Clone, Default)]
pub struct Keys(Vec<Vec<u8>>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// The lines of a text that are not empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self(lines.map(|line| line.as_bytes().to_vec()).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is this; as long for a near miss as for a far one.
    pub(super) fn have(&self, shown: &[u8]) -> bool {
        self.0.iter().fold(false, |found, key| found | bool::from(subtle::ConstantTimeEq::ct_eq(key.as_slice(), shown)))
    }
}

/// What a request shows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'r> {
    /// Its headers.
    pub headers: &'r HeaderMap,
    /// Its address.
    pub uri: &'r Uri,
    /// The last segment of its path, behind the tool's name.
    pub segment: Option<&'r str>,
}

impl Known {
    /// Reads a body as that of a tool: good events as they are to be judged, bad ones with their reasons.
    ///
    /// # Errors
    /// When nothing of it can be used, or no tool has this name.
    pub fn read(&self, tool: &str, body: &Body<'_>) -> Result<Parsed, FormatError> {
        let reader = self.sources.find(tool).map_err(|unknown| FormatError {
            tool: tool.to_owned(),
            path: String::new(),
            message: "no tool has this name".to_owned(),
            help: Some(unknown.help),
        })?;
        let mut parsed = reader.parse(body)?;
        if tool == SOURCE {
            remote_write::keep_what_is_asked_for(&mut parsed, &self.policy);
        }
        for event in &mut parsed.events {
            event.received = Some(body.received);
            events::show(event);
        }
        Ok(parsed)
    }

    /// Whether a tool has a secret of its own, so that it need not show the token of all.
    #[must_use]
    pub fn guards(&self, tool: &str) -> bool {
        self.keys.contains_key(tool)
    }

    /// Whether a request may speak for a tool: by the signature of its body, or by the secret itself in a header, the
    /// path or the query. Tools without a secret are believed.
    ///
    /// # Errors
    /// 401 with what must be shown.
    pub fn admit(&self, tool: &str, shown: Shown<'_>, body: &[u8]) -> Result<(), Failure> {
        let signature = self.sources.find(tool).ok().and_then(crate::formats::Reader::signature);
        let Some(keys) = self.keys.get(tool) else {
            return match shown.segment {
                None => Ok(()),
                Some(_) => Err(refused(
                    "no secret is set for this tool, and the path has one",
                    &format!(
                        "set it in the settings: `sources: {{{tool}: {{secret_file: FILE}}}}`, or leave it out of the path"
                    ),
                )),
            };
        };
        let signed = signature.is_some_and(|signature| is_signed(signature, keys, shown.headers, body));
        if signed || tokens(shown).iter().any(|token| keys.have(token)) {
            return Ok(());
        }
        let header = signature.map_or_else(String::new, |signature| {
            format!("sign the body (header {}) with the secret of `{tool}`, or ", signature.header)
        });
        Err(refused(
            "the secret of this tool is missing or wrong",
            &format!(
                "{header}show the secret as `Authorization: Bearer SECRET`, as `X-Squelch-Token: SECRET`, or as /ingest/{tool}/SECRET"
            ),
        ))
    }
}

fn refused(message: &str, help: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, message, help).at("source secret")
}

/// Whether the body is signed with one of the secrets.
pub(super) fn is_signed(signature: &Signature, keys: &Keys, headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(value) = text(&signature.header) else { return false };
    let timestamp = signature.timestamp_header.as_deref().and_then(text);
    keys.0.iter().fold(false, |right, key| right | signature.is_right(key, timestamp, (body, value)))
}

/// Everything in a request that may be the secret.
fn tokens(shown: Shown<'_>) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    if let Some(value) = shown.headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()) {
        match value.iter().position(|byte| *byte == b' ').map(|at| value.split_at(at)) {
            // Of a login the password counts.
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic") => {
                let login = STANDARD.decode(rest.trim_ascii()).unwrap_or_default();
                let at = login.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1);
                tokens.push(login[at..].to_vec());
            }
            Some((_, rest)) => tokens.push(rest.trim_ascii().to_vec()),
            None => tokens.push(value.to_vec()),
        }
    }
    tokens.extend(shown.headers.get(HEADER).map(|value| value.as_bytes().to_vec()));
    tokens.extend(shown.segment.map(|segment| segment.as_bytes().to_vec()));
    let fields = url::form_urlencoded::parse(shown.uri.query().unwrap_or_default().as_bytes());
    tokens
        .extend(fields.filter(|(name, _)| QUERY.contains(&&**name)).map(|(_, value)| value.into_owned().into_bytes()));
    tokens
}

/// Whether a token of all opens this tool, too: it does where the tool has no secret of its own.
#[must_use]
pub fn needs_token(known: &Known, token: Option<&Token>, path: &str) -> bool {
    let tool = match path.strip_prefix("/ingest/") {
        Some(rest) => rest.split('/').next(),
        None => Some(SOURCE).filter(|_| path == remote_write::PATH),
    };
    token.is_some() && !tool.is_some_and(|tool| known.guards(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let keys = BTreeMap::from([("acme".to_owned(), Keys::new("old\n\nnew\n"))]);
        Known { keys, ..Known::default() }
    }

    fn admit(segment: Option<&str>, query: &str, header: Option<(&'static str, &str)>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let uri: Uri = format!("/ingest/acme?{query}").parse().unwrap();
        known().admit("acme", Shown { headers: &headers, uri: &uri, segment }, b"{}").is_ok()
    }

    #[test]
    fn a_secret_may_stand_in_a_header_the_path_or_the_query() {
        assert!(admit(Some("old"), "", None) && admit(Some("new"), "", None));
        assert!(admit(None, "a=1&token=new", None) && admit(None, "auth_token=old", None));
        for (name, value) in [
            ("authorization", "Bearer old"),
            ("authorization", "GenieKey new"),
            ("authorization", "Basic bWU6b2xk"),
            ("x-squelch-token", "old"),
        ] {
            assert!(admit(None, "", Some((name, value))), "{name}: {value}");
        }
    }

    #[test]
    fn nothing_else_opens_a_tool_with_a_secret() {
        assert!(!admit(None, "", None) && !admit(Some(""), "", None) && !admit(Some("ol"), "", None));
        assert!(!admit(Some("old\nnew"), "", None) && !admit(None, "token=", None) && !admit(None, "x=old", None));
        for value in ["Bearer", "Bearer ", "Bearer olD", "Basic !!!", "Basic b2xk", ""] {
            let basic = value == "Basic b2xk";
            assert_eq!(admit(None, "", Some(("authorization", value))), basic, "{value}");
        }
        assert!(!format!("{:?}", known().keys).contains("old"));
    }

    #[test]
    fn a_secret_in_the_path_of_a_tool_without_one_is_told() {
        let (headers, uri) = (HeaderMap::new(), Uri::from_static("/ingest/other/x"));
        let shown = |segment| Shown { headers: &headers, uri: &uri, segment };
        assert!(known().admit("other", shown(None), b"").is_ok());
        assert!(known().admit("other", shown(Some("x")), b"").is_err());
    }
}
