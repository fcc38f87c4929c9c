//! Who acts: the name that a person gave with the token, or none.
//!
//! Deliberately no accounts: one token opens the console, and the name beside it is what the incident tells.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::app::Token;
use crate::sinks::clean;

/// So long may a name be, in characters.
const LONGEST: usize = 60;

/// Who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Who(Option<String>);

impl Who {
    /// Reads `Basic` credentials (RFC 7617): any user name, and the token as the password. `None` = the token is
    /// wrong, or this is something else.
    pub(crate) fn shown(authorization: &[u8], token: &Token) -> Option<Self> {
        let (scheme, code) = authorization.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let plain = STANDARD.decode(code.trim_ascii()).ok()?;
        let colon = plain.iter().position(|byte| *byte == b':')?;
        let (name, password) = (&plain[..colon], &plain[colon + 1..]);
        token.is(password).then(|| Self::named(&String::from_utf8_lossy(name)))
    }

    /// Somebody of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self(Some(clean::line(name, LONGEST)).filter(|name| !name.trim().is_empty()))
    }

    /// The name; empty when nobody gave one.
    pub(super) fn name(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The name as an incident tells it.
    pub(super) fn told(&self) -> String {
        self.0.clone().unwrap_or_else(|| "somebody at the console".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_password_and_the_name_is_anybodys() {
        let token = Token::new("s3cret:with colon");
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text)).into_bytes();
        assert_eq!(Who::shown(&basic("ada:s3cret:with colon"), &token), Some(Who::named("ada")));
        assert_eq!(Who::shown(&basic(":s3cret:with colon"), &token), Some(Who::default()));
        assert_eq!(Who::shown(&basic("ada:wrong"), &token), None);
        assert_eq!(Who::shown(b"Basic ###", &token), None);
        assert_eq!(Who::shown(b"Bearer abc", &token), None);
        assert_eq!(Who::named("  \u{202e}eve\n").name(), "eve");
    }
}
