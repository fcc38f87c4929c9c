//! Who asks, and what they may: by the token, by a second one for readers, by name and password, or by the word of a
//! proxy.
//!
//! Deliberately two roles: readers look, operators act. No sessions and no cookies: every request shows who sends it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Failure;
use super::app::{App, Token};
use crate::config::Proxy;
use crate::sinks::clean;

/// So long may a name be, in characters.
const LONGEST: usize = 60;

/// What somebody may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Look at everything.
    #[default]
    Reader,
    /// And change it.
    Operator,
}

impl Role {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Reader, Self::Operator].into_iter().find(|role| role.word() == word)
    }
}

/// What a name is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nothing was asked for.
    #[default]
    None,
    /// A token was shown: the name is anybody's.
    Token,
    /// The password of this name was shown.
    Password,
    /// A proxy vouches for it.
    Proxy,
}

impl Login {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token => "token",
            Self::Password => "password",
            Self::Proxy => "proxy",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Who {
    name: Option<String>,
    pub(crate) role: Role,
    pub(crate) login: Login,
}

impl Who {
    /// Somebody where nobody is asked: may do everything.
    pub(crate) fn anybody() -> Self {
        Self { role: Role::Operator, ..Self::default() }
    }

    fn new(name: &str, role: Role, login: Login) -> Self {
        Self { name: Some(clean::line(name, LONGEST)).filter(|name| !name.trim().is_empty()), role, login }
    }

    /// The name; empty when nobody gave one.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The name as an incident tells it; `else_` where nobody gave one.
    pub(crate) fn told(&self, otherwise: &str) -> String {
        self.name.clone().unwrap_or_else(|| otherwise.to_owned())
    }

    pub(crate) fn may_act(&self) -> bool {
        self.role == Role::Operator
    }
}

impl FromRequestParts<Arc<App>> for Who {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// A person with a password.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name, as it is shown.
    pub name: String,
    /// What this person may.
    pub role: Role,
    /// The password.
    pub password: Token,
}

/// Who may ask, beside who shows the token.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// The token of readers.
    pub reader: Option<Token>,
    /// People by name.
    pub people: Vec<Person>,
    /// Who vouches for people.
    pub proxy: Option<Proxy>,
}

impl Admission {
    /// Who asks, on a connection from this address. The headers of the proxy are taken out of the request: nobody else
    /// believes them.
    ///
    /// # Errors
    /// Nothing was shown, or the wrong thing.
    pub(super) fn who(&self, token: &Token, headers: &mut HeaderMap, from: Option<IpAddr>) -> Result<Who, Failure> {
        if let Some(who) = self.vouched(headers, from)? {
            return Ok(who);
        }
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Err(unauthorized("a token is needed"));
        };
        let shown = Shown::read(value.as_bytes()).ok_or_else(|| unauthorized("the token is wrong"))?;
        self.known(token, &shown).ok_or_else(|| unauthorized("the token is wrong"))
    }

    /// Whom the proxy vouches for.
    fn vouched(&self, headers: &mut HeaderMap, from: Option<IpAddr>) -> Result<Option<Who>, Failure> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        let believed = from.is_some_and(|from| proxy.from.iter().any(|network| network.contains(from)));
        let name = taken(headers, &proxy.header);
        let groups = proxy.groups_header.as_deref().map(|header| taken(headers, header)).unwrap_or_default();
        if !believed || name.is_empty() {
            return Ok(None);
        }
        let (Some(name), true) = (only(&name), groups.len() <= 1) else {
            let message = "the proxy tells more than one person";
            let help =
                "let it replace the header of the request instead of adding one: else anybody could name themselves";
            return Err(Failure::new(StatusCode::UNAUTHORIZED, message, help).at(format!("header {}", proxy.header)));
        };
        let groups = groups.first().map(String::as_str).unwrap_or_default();
        let in_group = |group: &String| groups.split(',').any(|given| given.trim() == group);
        let acts = proxy.operators.contains(name) || proxy.operator_groups.iter().any(in_group);
        Ok(Some(Who::new(name, if acts { Role::Operator } else { Role::Reader }, Login::Proxy)))
    }

    /// Who shows this. Takes as long for a near miss as for a far one, and for a name that is known as for any other.
    fn known(&self, token: &Token, shown: &Shown) -> Option<Who> {
        let secret = shown.secret.as_slice();
        let name = shown.name.as_deref();
        let (operator, reader) = (token.is(secret), self.reader.as_ref().is_some_and(|reader| reader.is(secret)));
        let mut person = None;
        for one in &self.people {
            let (same, right) = (name == Some(one.name.as_str()), one.password.is(secret));
            if same & right {
                person = Some(one);
            }
        }
        let role = if operator { Role::Operator } else { Role::Reader };
        match person {
            Some(person) => Some(Who::new(&person.name, person.role, Login::Password)),
            None => (operator | reader).then(|| Who::new(name.unwrap_or_default(), role, Login::Token)),
        }
    }
}

/// All values of a header, which is gone then.
fn taken(headers: &mut HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    let values = values.filter(|value| !value.is_empty()).collect();
    headers.remove(name);
    values
}

fn only(values: &[String]) -> Option<&String> {
    if let [one] = values { Some(one) } else { None }
}

/// What `Authorization` shows: `Bearer TOKEN`, or `Basic` with a name (RFC 7617).
struct Shown {
    name: Option<String>,
    secret: Vec<u8>,
}

impl Shown {
    fn read(value: &[u8]) -> Option<Self> {
        let space = value.iter().position(|byte| *byte == b' ')?;
        let (scheme, rest) = (&value[..space], value[space + 1..].trim_ascii());
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Some(Self { name: None, secret: rest.to_vec() });
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return None;
        }
        let plain = STANDARD.decode(rest).ok()?;
        let colon = plain.iter().position(|byte| *byte == b':')?;
        Some(Self {
            name: Some(String::from_utf8_lossy(&plain[..colon]).into_owned()),
            secret: plain[colon + 1..].to_vec(),
        })
    }
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, message, "send `Authorization: Bearer TOKEN` with the token of the settings")
        .at("header Authorization")
}

/// What a reader is told who wants to change something.
pub(super) fn only_looks() -> Failure {
    let help = "nothing was done; ask an operator, or show what makes you one: see `auth` in docs/SETTINGS.md";
    Failure::new(StatusCode::FORBIDDEN, "readers may look at everything and change nothing", help)
        .at("header Authorization")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Network;

    fn admission() -> Admission {
        let person =
            |name: &str, role, password| Person { name: name.to_owned(), role, password: Token::new(password) };
        let proxy = Proxy {
            header: "X-Forwarded-User".to_owned(),
            groups_header: Some("X-Forwarded-Groups".to_owned()),
            from: vec![Network::parse("10.0.0.0/8").unwrap()],
            operators: vec!["ada".to_owned()],
            operator_groups: vec!["sre".to_owned()],
        };
        Admission {
            reader: Some(Token::new("look")),
            people: vec![person("grace", Role::Operator, "hopper"), person("eve", Role::Reader, "apple")],
            proxy: Some(proxy),
        }
    }

    /// Name, role and login of who shows these headers from this address.
    fn asked(from: &str, shown: &[(&'static str, String)]) -> Result<(String, Role, Login), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in shown {
            headers.append(*name, value.parse().unwrap());
        }
        let who = admission().who(&Token::new("s3cret:with colon"), &mut headers, Some(from.parse().unwrap()));
        assert!(headers.get("x-forwarded-user").is_none(), "nobody else sees it");
        who.map(|who| (who.name().to_owned(), who.role, who.login)).map_err(|failure| failure.message)
    }

    fn basic(text: &str) -> Vec<(&'static str, String)> {
        vec![("authorization", format!("Basic {}", STANDARD.encode(text)))]
    }

    fn header(name: &'static str, value: &str) -> (&'static str, String) {
        (name, value.to_owned())
    }

    #[test]
    fn the_token_is_an_operators_password_whatever_the_name_and_the_other_one_a_readers() {
        let operator = |name: &str| Ok((name.to_owned(), Role::Operator, Login::Token));
        assert_eq!(asked("127.0.0.1", &basic("ada:s3cret:with colon")), operator("ada"));
        assert_eq!(asked("127.0.0.1", &basic(":s3cret:with colon")), operator(""));
        assert_eq!(asked("127.0.0.1", &[header("authorization", "bearer s3cret:with colon")]), operator(""));
        let reader = Ok((String::new(), Role::Reader, Login::Token));
        assert_eq!(asked("127.0.0.1", &[header("authorization", "Bearer look")]), reader);
        for wrong in ["Bearer loo", "Bearer ", "Basic ###", "look", "Digest look"] {
            assert!(asked("127.0.0.1", &[header("authorization", wrong)]).is_err(), "{wrong}");
        }
        assert_eq!(asked("127.0.0.1", &[]), Err("a token is needed".to_owned()));
    }

    #[test]
    fn a_person_is_who_knows_the_password_of_that_name() {
        assert_eq!(asked("::1", &basic("grace:hopper")), Ok(("grace".to_owned(), Role::Operator, Login::Password)));
        assert_eq!(asked("::1", &basic("eve:apple")), Ok(("eve".to_owned(), Role::Reader, Login::Password)));
        for wrong in ["grace:apple", "eve:hopper", "ada:hopper", "grace:"] {
            assert!(asked("::1", &basic(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_word_of_a_proxy_counts_only_from_its_own_address() {
        let user = |name: &str| vec![header("x-forwarded-user", name)];
        let vouched = |name: &str, role| Ok((name.to_owned(), role, Login::Proxy));
        assert_eq!(asked("10.1.2.3", &user("ada")), vouched("ada", Role::Operator));
        assert_eq!(asked("10.1.2.3", &user("bob")), vouched("bob", Role::Reader));
        let in_groups = [user("bob"), vec![header("x-forwarded-groups", "dev, sre")]].concat();
        assert_eq!(asked("10.1.2.3", &in_groups), vouched("bob", Role::Operator));
        assert!(asked("11.1.2.3", &user("ada")).is_err(), "not the proxy");
        let both = [user("ada"), vec![header("authorization", "Bearer look")]].concat();
        assert_eq!(asked("11.1.2.3", &both), Ok((String::new(), Role::Reader, Login::Token)), "the header is dropped");
        assert!(asked("10.1.2.3", &[user("bob"), user("ada")].concat()).is_err(), "a header that was smuggled in");
        let smuggled = [in_groups, vec![header("x-forwarded-groups", "sre")]].concat();
        assert!(asked("10.1.2.3", &smuggled).is_err(), "groups that were smuggled in");
        assert!(asked("10.1.2.3", &user("")).is_err(), "nobody");
    }
}
