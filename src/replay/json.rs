//! JSON text written by hand: fields in a fixed order, numbers in one form, so that equal decisions are equal bytes.
//!
//! Deliberately no reader and no values in between.

use std::fmt::Write as _;

use crate::domain::Timestamp;

/// A JSON object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    pub(super) fn close(self) {
        self.out.push('}');
    }

    /// Writes the key; the value is to be written to what is returned.
    pub(super) fn key(&mut self, name: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        text(self.key(name), value);
    }

    /// A text, or `null`.
    pub(super) fn text_or_null(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.key(name).push_str("null"),
        }
    }

    /// A text; the field is left out where there is none.
    pub(super) fn text_if_any(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(super) fn texts<T: AsRef<str>>(&mut self, name: &str, values: &[T]) {
        self.list(name, values, |value, out| text(out, value.as_ref()));
    }

    pub(super) fn list<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&T, &mut String)) {
        let out = self.key(name);
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write(item, out);
        }
        out.push(']');
    }

    pub(super) fn whole(&mut self, name: &str, value: u64) {
        whole(self.key(name), value);
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.key(name).push_str(if value { "true" } else { "false" });
    }

    pub(super) fn number(&mut self, name: &str, value: f64) {
        number(self.key(name), value);
    }

    /// A number; the field is left out where there is none.
    pub(super) fn number_if_any(&mut self, name: &str, value: Option<f32>) {
        if let Some(value) = value {
            self.number(name, f64::from(value));
        }
    }

    pub(super) fn time(&mut self, name: &str, value: Timestamp) {
        time(self.key(name), value);
    }

    pub(super) fn time_or_null(&mut self, name: &str, value: Option<Timestamp>) {
        match value {
            Some(value) => self.time(name, value),
            None => self.key(name).push_str("null"),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Object<'_> {
        Object::open(self.key(name))
    }
}

/// A whole number.
pub(super) fn whole(out: &mut String, value: u64) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// A number with at most three decimals; `null` when it is not finite.
pub(super) fn number(out: &mut String, value: f64) {
    if value.is_finite() {
        // Adding zero turns -0 into 0.
        let _ = write!(out, "{}", (value * 1000.0).round() / 1000.0 + 0.0);
    } else {
        out.push_str("null");
    }
}

/// Epoch seconds with three decimals.
pub(super) fn time(out: &mut String, value: Timestamp) {
    let _ = write!(out, "{value}");
}

/// A string with what JSON demands escaped (RFC 8259 section 7), and nothing else.
pub(super) fn text(out: &mut String, value: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&value[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&value[plain..]);
    out.push('"');
}
