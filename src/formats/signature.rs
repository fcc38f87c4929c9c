//! Signatures of bodies: HMAC-SHA256 over the bytes as they came, checked in constant time.
//!
//! Deliberately without the secret: whoever holds it hands it over.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::domain::signal::vocabulary;

vocabulary! {
    /// How the bytes of a signature are written.
    Encoding {
        /// Hexadecimal digits.
        Hex = "hex",
        /// Base64 with padding.
        Base64 = "base64",
        /// No signature, but the secret itself.
        Plain = "plain",
    }
}

/// How a sender signs its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The header that holds it.
    pub header: Cow<'static, str>,
    /// What stands before the signature: `sha256=`, `v1=`; may be empty.
    pub prefix: Cow<'static, str>,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// The header with the time that is signed in front of the body (`TIME:BODY`), where it is there.
    pub timestamp_header: Option<Cow<'static, str>>,
}

impl Signature {
    /// Whether `shown`, the value of the header, holds a signature of these bytes by this secret. Several signatures
    /// may stand there with commas between, as they do while a secret is changed.
    #[must_use]
    pub fn is_right(&self, secret: &[u8], timestamp: Option<&str>, (body, shown): (&[u8], &str)) -> bool {
        if self.encoding == Encoding::Plain {
            let shown = shown.trim().strip_prefix(&*self.prefix).unwrap_or_default();
            return subtle::ConstantTimeEq::ct_eq(secret, shown.as_bytes()).into();
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let stamped = timestamp.map(|time| [time.as_bytes(), b":", body].concat());
        let signed = stamped.as_deref().unwrap_or(body);
        shown.split(',').take(8).any(|one| {
            let bytes = one.trim().strip_prefix(&*self.prefix).and_then(|text| self.bytes(text));
            bytes.is_some_and(|bytes| hmac::verify(&key, signed, &bytes).is_ok())
        })
    }

    fn bytes(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Base64 => STANDARD.decode(text).ok(),
            Encoding::Hex if text.len() == 64 && text.is_ascii() => {
                (0..32).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()).collect()
            }
            Encoding::Hex | Encoding::Plain => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Signature};

    fn signature(prefix: &'static str, encoding: Encoding) -> Signature {
        Signature { header: "X".into(), prefix: prefix.into(), encoding, timestamp_header: None }
    }

    /// RFC 4231, test case 2.
    const HEX: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn a_signature_is_right_for_these_bytes_and_this_secret_alone() {
        let body: &[u8] = b"what do ya want for nothing?";
        let hex = signature("sha256=", Encoding::Hex);
        assert!(hex.is_right(b"Jefe", None, (body, &format!("sha256={HEX}"))));
        assert!(hex.is_right(b"Jefe", None, (body, &format!("sha256=00, sha256={HEX}"))));
        for (secret, body, shown) in [
            (&b"jefe"[..], body, format!("sha256={HEX}")),
            (b"Jefe", b"what do ya want for nothing!", format!("sha256={HEX}")),
            (b"Jefe", body, HEX.to_owned()),
            (b"Jefe", body, format!("sha256={}", &HEX[1..])),
            (b"Jefe", body, "sha256=".to_owned()),
            (b"Jefe", body, String::new()),
        ] {
            assert!(!hex.is_right(secret, None, (body, &shown)), "{shown}");
        }
        let base64 = signature("", Encoding::Base64);
        assert!(base64.is_right(b"Jefe", None, (body, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")));
        let plain = signature("", Encoding::Plain);
        assert!(plain.is_right(b"Jefe", None, (body, "Jefe")) && !plain.is_right(b"Jefe", None, (body, "Jef")));
        assert!(!base64.is_right(b"Jefe", Some("17"), (body, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")));
    }
}
