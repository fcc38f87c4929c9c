//! Paper: the templates of the console, and how a page leaves the house.
//!
//! Deliberately without content: each page brings its own words. Whatever stands in a template is escaped for HTML
//! unless this house drew it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::{AutoEscape, Environment, Value};
use serde::Serialize;

use crate::domain::Timestamp;
use crate::http::answer::Failure;
use crate::replay::report::{DRAWING_STYLE, POINT_SCRIPT};
use crate::replay::wording::{date_and_time, day_and_time, span};

/// What a page may load: what this house serves, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const TEMPLATES: &[(&str, &str)] = &[
    ("frame.html", include_str!("templates/frame.html")),
    ("now.html", include_str!("templates/now.html")),
    ("cards.html", include_str!("templates/cards.html")),
    ("incident.html", include_str!("templates/incident.html")),
    ("series.html", include_str!("templates/series.html")),
    ("found.html", include_str!("templates/found.html")),
    ("noise.html", include_str!("templates/noise.html")),
    ("questions.html", include_str!("templates/questions.html")),
    ("what_if.html", include_str!("templates/what_if.html")),
    ("rules.html", include_str!("templates/rules.html")),
    ("audit.html", include_str!("templates/audit.html")),
    ("sorry.html", include_str!("templates/sorry.html")),
];

/// The style sheet of all pages.
pub(super) const STYLE: &str = concat!(include_str!("console.css"));
/// The script of all pages. They work without it; with it they are live.
pub(super) const SCRIPT: &str = include_str!("console.js");

/// The templates, read once.
#[derive(Debug)]
pub struct Paper {
    templates: Environment<'static>,
}

impl Default for Paper {
    fn default() -> Self {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            // A template that cannot be read is found by the tests: each of them is rendered there.
            let _ = templates.add_template(name, text);
        }
        Self { templates }
    }
}

impl Paper {
    /// A page from its template and what stands on it.
    ///
    /// # Errors
    /// When the template and what stands on it do not fit, which is a fault of Squelch.
    pub(super) fn page(&self, template: &str, content: &impl Serialize) -> Result<Response, Failure> {
        self.text(template, content).map(|text| html(StatusCode::OK, text))
    }

    /// The text of a page.
    ///
    /// # Errors
    /// As [`Paper::page`].
    pub(super) fn text(&self, template: &str, content: &impl Serialize) -> Result<String, Failure> {
        let page = self.templates.get_template(template).and_then(|page| page.render(Value::from_serialize(content)));
        page.map_err(|error| {
            let help = "the API under /api/v1 tells the same; please report this as a bug";
            let message = format!("the page {template} cannot be written: {error:#}");
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message, help)
        })
    }
}

/// The style sheet and the script: what is drawn brings its own.
pub(super) fn style() -> Response {
    asset("text/css; charset=utf-8", [DRAWING_STYLE, STYLE].concat())
}

/// See [`style`].
pub(super) fn script() -> Response {
    asset("text/javascript; charset=utf-8", [POINT_SCRIPT, SCRIPT].concat())
}

/// What the address of style and script ends with, so that no browser shows old ones.
pub(super) fn edition() -> String {
    let text = [DRAWING_STYLE, STYLE, POINT_SCRIPT, SCRIPT];
    crate::domain::Fingerprint::of(&text).to_string()
}

fn asset(kind: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    guarded(response)
}

pub(super) fn html(status: StatusCode, text: String) -> Response {
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    guarded(response)
}

fn guarded(mut response: Response) -> Response {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A time as a page shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Moment {
    /// For programs.
    iso: String,
    /// `11-23 05:24:07`, UTC.
    short: String,
    /// `2026-11-23 05:24:07`, UTC.
    full: String,
    /// How long ago, such as `12 min`.
    ago: String,
}

impl Moment {
    /// This time, seen at `now`.
    pub(super) fn of(at: Timestamp, now: Timestamp) -> Self {
        let full = date_and_time(at);
        Self {
            iso: format!("{}Z", full.replacen(' ', "T", 1)),
            short: day_and_time(at),
            full,
            ago: span(now.since(at)),
        }
    }
}

impl Moment {
    /// For programs, and for people.
    pub(super) fn both(&self) -> (&str, &str) {
        (&self.iso, &self.short)
    }
}
