//! Masking: the part of a name or text that lasts longer than one deployment or one request.
//!
//! Names are masked sparingly: `db-0`, `web01` and `ip-10-0-3-7` are hosts that people know, and two hosts must not
//! become one. Texts are masked generously: they only need to tell one kind of message from another.
//! Deliberately without regular expressions: names are masked on the way of every event.

mod name;
mod text;

pub use name::mask_name;
pub use text::mask_text;

/// Whether `bytes` begin with a UUID that ends there.
fn starts_with_uuid(bytes: &[u8]) -> bool {
    bytes.len() >= UUID
        && bytes[..UUID].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && !bytes.get(UUID).is_some_and(u8::is_ascii_alphanumeric)
}

/// The length of a written UUID.
const UUID: usize = 36;
