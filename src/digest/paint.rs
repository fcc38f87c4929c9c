//! Drawings into PNG, with letters that come along: what a machine has installed changes nothing.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// So many dots of an image for each of its drawing, so that it is sharp on a phone.
const SCALE: f32 = 2.0;

/// The letters: Open Sans (Apache License 2.0), cut down to what the drawings need.
const FONTS: [&[u8]; 2] = [include_bytes!("fonts/OpenSans-Regular.ttf"), include_bytes!("fonts/OpenSans-Semibold.ttf")];

/// Makes images.
#[derive(Debug)]
pub struct Painter {
    options: Options<'static>,
}

impl Default for Painter {
    fn default() -> Self {
        let mut fonts = fontdb::Database::new();
        FONTS.iter().for_each(|font| fonts.load_font_data(font.to_vec()));
        Self { options: Options { fontdb: Arc::new(fonts), font_family: "Open Sans".to_owned(), ..Options::default() } }
    }
}

impl Painter {
    /// The drawing as PNG, at twice its size.
    ///
    /// # Errors
    /// When it is no drawing, which is a fault of Squelch.
    pub fn png(&self, svg: &str) -> Result<Vec<u8>, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("a drawing of the digest cannot be made: {error}");
        let tree = Tree::from_str(svg, &self.options).map_err(|error| wrong(&error))?;
        let size = tree.size();
        let (wide, tall) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
        let mut pixmap = Pixmap::new(wide, tall).ok_or_else(|| wrong(&"it has no size"))?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|error| wrong(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_need_nothing_from_the_machine() {
        let painter = Painter::default();
        let image = |text: &str| {
            let text = format!("<text x=\"2\" y=\"16\" font-size=\"14\">{text}</text>");
            painter.png(&format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"80\" height=\"20\">{text}</svg>"))
        };
        let (some, none) = (image("Mon 2 Mar").expect("an image"), image("").expect("an image"));
        assert!(some.starts_with(b"\x89PNG"));
        assert!(some.len() > 2 * none.len(), "{} {}", some.len(), none.len());
        assert_eq!(image("Mon 2 Mar").as_deref(), Ok(some.as_slice()), "the same to the byte");
        assert!(painter.png("no drawing").is_err());
    }
}
