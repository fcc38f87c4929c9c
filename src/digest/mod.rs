//! The digest: what was decided in a day or a week, for people who read it over coffee.
//!
//! [`gather()`] takes what it tells out of an engine, [`Gathered::of`] out of the reports of many, [`Paper`] puts that into words, once; [`mod@text`], [`mod@html`] and [`mod@json`]
//! are three forms of the same. [`chart`] draws what explains itself better as a picture, [`paint`] makes images of that.
//! Nothing is judged anew: all numbers are of the day book. Only what a proposal would have given comes from a replay, and
//! that says so.
//!
//! Pure: when it is sent, and by whom it is asked for, is the service's.

pub mod chart;
mod figures;
mod gather;
mod hidden;
pub mod html;
pub mod json;
pub mod paint;
mod paper;
mod proposal;
mod sections;
pub mod text;
mod when;

use hidden::Hidden;

use crate::domain::mask::Mask;
use crate::domain::{Dispatch, Image};

pub use figures::Bucket;
pub use gather::{Gathered, gather};
pub use paper::{Paper, Row, Section};
pub use proposal::{Proposal, Proposals};

/// A digest in all its forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// As it is sent.
    pub dispatch: Dispatch,
    /// As JSON.
    pub json: String,
}

/// Puts a digest into all its forms, masked by `mask`; `None` = as it is. The images are drawn.
///
/// # Errors
/// When an image cannot be drawn, which is a fault of Squelch.
pub fn render(gathered: &Gathered, proposals: Option<&Proposals>, mask: Option<&Mask>) -> Result<Rendered, String> {
    let Some(mask) = mask else {
        let paper = Paper::of(gathered, proposals);
        return written(gathered, &paper, json::value(gathered, &paper, proposals));
    };
    let hidden = Hidden::new(mask, gathered);
    let (told, proposals) = (hidden.gathered(gathered), proposals.map(|proposals| hidden.proposals(proposals)));
    let paper = hidden.paper(Paper::of(&told, proposals.as_ref()));
    let mut json = json::value(&told, &paper, proposals.as_ref());
    hidden.json(&mut json);
    written(&told, &paper, json)
}

fn written(gathered: &Gathered, paper: &Paper, json: serde_json::Value) -> Result<Rendered, String> {
    let painter = paint::Painter::default();
    let mut images: Vec<Image> = Vec::new();
    for (name, svg) in chart::drawings(paper) {
        images.push(Image { name, png: painter.png(&svg)? });
    }
    let extract = &gathered.extract;
    let dispatch = Dispatch {
        digest: gathered.digest.clone(),
        from: extract.from,
        until: gathered.until,
        subject: paper.subject.clone(),
        text: text::write(paper),
        html: html::write(paper),
        images,
    };
    Ok(Rendered { dispatch, json: format!("{json}\n") })
}

/// The HTML with its images inside, so that it opens anywhere.
#[must_use]
pub fn standalone(dispatch: &Dispatch) -> String {
    use base64::Engine as _;
    dispatch.images.iter().fold(dispatch.html.clone(), |html, image| {
        let data = base64::engine::general_purpose::STANDARD.encode(&image.png);
        html.replace(&format!("\"cid:{}\"", image.name), &format!("\"data:image/png;base64,{data}\""))
    })
}
