//! A digest as it stands in the log: its images as base64, for a list of numbers would be four times as long.
//!
//! Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::{Dispatch, Image};

#[derive(Serialize, Deserialize)]
struct Form {
    #[serde(flatten)]
    dispatch: Dispatch,
    pictures: Vec<(String, String)>,
}

pub(super) fn serialize<S: Serializer>(dispatch: &Dispatch, serializer: S) -> Result<S::Ok, S::Error> {
    let pictures = dispatch.images.iter().map(|image| (image.name.clone(), STANDARD.encode(&image.png))).collect();
    Form { dispatch: Dispatch { images: Vec::new(), ..dispatch.clone() }, pictures }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Dispatch>, D::Error> {
    let Form { mut dispatch, pictures } = Form::deserialize(deserializer)?;
    for (name, text) in pictures {
        dispatch.images.push(Image { name, png: STANDARD.decode(text).map_err(de::Error::custom)? });
    }
    Ok(Box::new(dispatch))
}
