//! Personal data and secrets in texts: what is found becomes `[e-mail]`, `[token]` and the like.
//!
//! For mails and exports, which travel further than people think. Careful twice: a host, a service or a number of the
//! verdict is never masked (names are handed in as `keep`; a card number must have the right digits, an IBAN its check
//! sum, a phone number its plus sign). Deliberately no names of people: they cannot be told from names of hosts.

use core::net::Ipv6Addr;
use std::borrow::Cow;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::signal::vocabulary;

vocabulary! {
    /// What can be masked.
    Personal {
        /// Addresses of mail.
        Email = "email",
        /// Bearer tokens, keys by the form that their services give them, JSON Web Tokens, private keys, logins in URLs.
        Token = "token",
        /// What follows `password=`, `secret:`, `api_key=` and the like.
        Secret = "secret",
        /// What follows `user=`, `username:`, `login=`.
        User = "user",
        /// Numbers of payment cards, by their beginning, length and check digit.
        Card = "card",
        /// International bank account numbers, by their check sum.
        Iban = "iban",
        /// Phone numbers that begin with `+`.
        Phone = "phone",
        /// Addresses of machines (IPv4, IPv6).
        Ip = "ip",
    }
}

impl Personal {
    /// Whether it is masked where nobody says otherwise. Addresses of machines mostly are names of hosts.
    #[must_use]
    pub fn is_usual(self) -> bool {
        self != Self::Ip
    }

    /// The expression that finds it (its group `hide`, or all of it), and what it becomes.
    const fn expression(self) -> (&'static str, &'static str) {
        match self {
            Self::Email => (
                r"(?i)\b[a-z0-9][a-z0-9._%+'-]*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.[a-z]{2,24}\b",
                "[e-mail]",
            ),
            Self::Token => (
                r"(?x)
                (?i: \b(?:bearer|basic)\s+ (?<hide>[a-z0-9._~+/-]{8,}=*) )
                | \beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*
                | \b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,} | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,}
                | \bglpat-[A-Za-z0-9_-]{20,} | \bxox[abeprs]-[A-Za-z0-9-]{10,} | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
                | \bAIza[0-9A-Za-z_-]{35}
                | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----(?s:.*?)(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|\z)
                | ://(?<login>[^\s/@]+)@",
                "[token]",
            ),
            Self::Secret => (
                r#"(?i)\b[\w.-]*(?:passw|pwd|secret|api[_-]?key|authorization|routing_?key|credential|private_key|token|session|cookie|signature|webhook_key|service_key)[\w.-]*(?:"|&quot;|&#34;)?(?:\s?=\s?|:\s?)(?:&(?:quot|#34|#39|#x27);)?(?<hide>"[^"]*"|'[^']*'|[^\s,;&"')}\]\[][^\s,;&"')}\]]*)"#,
                "[secret]",
            ),
            Self::User => (
                r#"(?i)\b(?:user(?:[_ -]?name)?|login)(?:"|&quot;|&#34;)?(?:\s?=\s?(?:&(?:quot|#34|#39|#x27);)?(?<hide>"[^"]*"|'[^']*'|[^\s,;&"')}\]\[][^\s,;&"')}\]]*)|:\s?(?:&(?:quot|#34|#39|#x27);)?(?<login>"[^"]*"|'[^']*'|[^\s\d,;&"')}\]\[][^\s,;&"')}\]]*))"#,
                "[user]",
            ),
            Self::Card => (r"\b[2-6]\d{3}(?:[ -]?\d){9,15}\b", "[card]"),
            Self::Iban => (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", "[iban]"),
            Self::Phone => (r"\+[1-9](?:[ .-]?\(?\d+\)?){2,}", "[phone]"),
            Self::Ip => (
                r"(?i)\b(?:\d{1,3}\.){3}\d{1,3}\b|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:(?:\d{1,3}\.){3}\d{1,3})?",
                "[address]",
            ),
        }
    }

    /// Whether what the expression found is one indeed.
    fn is_one(self, found: &str) -> bool {
        match self {
            Self::Email | Self::Token | Self::User => true,
            Self::Secret => !is_count(found),
            Self::Card => is_card(found),
            Self::Iban => is_iban(found),
            Self::Phone => is_phone(found),
            Self::Ip => is_address(found),
        }
    }
}

/// Parts of names whose values are secrets.
const SECRETS: &[&str] = &[
    "token",
    "secret",
    "passw",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "routing_key",
    "routingkey",
    "signature",
    "credential",
    "private_key",
    "session",
    "cookie",
    "webhook_key",
    "service_key",
];

/// Whether a field of this name holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

/// A pattern that cannot be used, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

/// What is masked, and how it is found.
#[derive(Clone, Debug)]
pub struct Mask {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// `None` = a pattern of the user.
    kind: Option<Personal>,
    find: Regex,
    becomes: String,
}

/// The compiled form of an expression may take so many bytes.
const MOST: usize = 1 << 20;

impl Mask {
    /// Masks these kinds, and what fits the user's patterns: a name, which stands in brackets for what was found, and an
    /// expression (its group `hide`, or all of it).
    ///
    /// # Errors
    /// The first pattern that is no expression, or a very large one.
    pub fn new<'a>(
        kinds: impl IntoIterator<Item = Personal>,
        patterns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BadPattern> {
        let mut rules = Vec::new();
        for (name, pattern) in patterns {
            rules.push(Rule { kind: None, find: Self::pattern(pattern)?, becomes: format!("[{name}]") });
        }
        for kind in kinds {
            let (pattern, becomes) = kind.expression();
            rules.push(Rule { kind: Some(kind), find: Self::pattern(pattern)?, becomes: becomes.to_owned() });
        }
        Ok(Self { rules })
    }

    /// A pattern of the user, compiled.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn pattern(text: &str) -> Result<Regex, BadPattern> {
        let built = RegexBuilder::new(text).size_limit(MOST).build();
        let regex = built.map_err(|error| BadPattern(error.to_string().replace('\n', " ")))?;
        if regex.is_match("") {
            return Err(BadPattern("it fits nothing at all, and so it would fit everywhere".to_owned()));
        }
        Ok(regex)
    }

    /// The text with what is found masked; what stands in a name of `keep` (hosts, services) is left alone.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str, keep: &[&str]) -> Cow<'t, str> {
        let mut hidden = self.found(text, keep);
        if hidden.is_empty() {
            return Cow::Borrowed(text);
        }
        hidden.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for (range, becomes) in hidden {
            if range.start >= done {
                out.push_str(&text[done..range.start]);
                out.push_str(becomes);
            }
            // Of two that overlap the first says what it was; nothing of the other is shown.
            done = done.max(range.end);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }

    fn found<'s>(&'s self, text: &str, keep: &[&str]) -> Vec<(Range<usize>, &'s str)> {
        let mut kept: Option<Vec<Range<usize>>> = None;
        let mut hidden = Vec::new();
        for rule in &self.rules {
            for found in rule.find.captures_iter(text) {
                let hide = found.name("hide").or_else(|| found.name("login")).or_else(|| found.get(0));
                let Some(hide) = hide.filter(|hide| rule.kind.is_none_or(|kind| kind.is_one(hide.as_str()))) else {
                    continue;
                };
                if rule.kind == Some(Personal::Email) && in_login(&text[..hide.start()]) {
                    continue;
                }
                let kept = kept.get_or_insert_with(|| places(text, keep));
                let within = |name: &Range<usize>| name.start <= hide.start() && hide.end() <= name.end;
                if !hide.is_empty() && !kept.iter().any(within) {
                    hidden.push((hide.range(), rule.becomes.as_str()));
                }
            }
        }
        hidden
    }
}

impl Default for Mask {
    /// What is masked where nobody says otherwise.
    fn default() -> Self {
        let usual = Personal::ALL.iter().copied().filter(|kind| kind.is_usual());
        // The expressions that ship are right: a test looks.
        Self::new(usual, []).unwrap_or(Self { rules: Vec::new() })
    }
}

/// Whether what comes next is the login of a URL: its host is no part of a mail address.
fn in_login(before: &str) -> bool {
    let login = before.rsplit_once("://").map(|(_, login)| login);
    login.is_some_and(|login| !login.contains(['/', '@']) && !login.contains(char::is_whitespace))
}

/// Where these names stand in a text.
fn places(text: &str, names: &[&str]) -> Vec<Range<usize>> {
    let places = |name: &&str| text.match_indices(*name).map(|(at, name)| at..at + name.len()).collect::<Vec<_>>();
    names.iter().filter(|name| !name.is_empty()).flat_map(places).collect()
}

/// What follows a name such as `sessions` may be how many there are.
fn is_count(text: &str) -> bool {
    let number = text.trim_end_matches(['%', '.', '…']);
    number.len() < 8 && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-')) && !number.is_empty()
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// By the beginnings and lengths of the large networks, and Luhn's check digit (ISO/IEC 7812-1).
fn is_card(text: &str) -> bool {
    let digits = digits(text);
    let begin = |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + digit);
    let known = match digits.len() {
        14 => matches!(begin(2), 36 | 38 | 30),
        15 => matches!(begin(2), 34 | 37),
        16 => {
            begin(1) == 4
                || matches!(begin(2), 35 | 51..=55 | 65)
                || matches!(begin(4), 2221..=2720 | 6011)
                || matches!(begin(3), 644..=649)
        }
        19 => begin(1) == 4 || matches!(begin(2), 62 | 65),
        _ => false,
    };
    known && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) => twice / 10 + twice % 10,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// By length and the check sum modulo 97 (ISO 13616-1).
fn is_iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let turned = plain[4..].iter().chain(&plain[..4]);
    let rest = turned.filter_map(|c| c.to_digit(36)).fold(0_u32, |rest, value| {
        let (shift, rest) = (if value > 9 { 100 } else { 10 }, rest);
        (rest * shift + value) % 97
    });
    rest == 1
}

/// From 8 to 15 digits (E.164); without anything between them at least 10, or it may be a number.
fn is_phone(text: &str) -> bool {
    let count = digits(text).len();
    let apart = text.chars().any(|c| matches!(c, ' ' | '-' | '(' | '.'));
    // One dot alone is a decimal point.
    let decimal = text.matches('.').count() == 1 && !text.contains([' ', '-', '(']);
    !decimal && (if apart { 8..=15 } else { 10..=15 }).contains(&count)
}

fn is_address(text: &str) -> bool {
    let quad = || text.split('.').all(|part| part.parse::<u8>().is_ok()) && text.matches('.').count() == 3;
    quad() || (text.len() > 2 && text.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        Mask::default().text(text, &["web-1", "pay@shop", "10.0.0.5"]).into_owned()
    }

    #[test]
    fn what_is_personal_is_masked_and_what_is_not_stays() {
        let shown: String = include_str!("../../tests/fixtures/mask/texts.txt")
            .lines()
            .map(|line| format!("{line}\n    {}\n", masked(line)))
            .collect();
        expect_test::expect_file!["../../tests/fixtures/mask/masked.txt"].assert_eq(&shown);
    }

    #[test]
    fn addresses_of_machines_are_masked_when_they_are_asked_for() {
        let mask = Mask::new([Personal::Ip], []).unwrap();
        let shown = |text| mask.text(text, &["10.0.0.5"]).into_owned();
        assert_eq!(shown("10.0.0.5 lost 10.0.0.6 and fe80::1"), "10.0.0.5 lost [address] and [address]");
        assert_eq!(
            shown("at 10:30:05, version 1.2.3, 300.1.1.1, a::b c"),
            "at 10:30:05, version 1.2.3, 300.1.1.1, [address] c"
        );
    }

    #[test]
    fn a_pattern_of_the_user_hides_what_it_names() {
        let mask = Mask::new([], [("customer", r"\bC-\d{6}\b"), ("order", r"order (?<hide>\w+)")]).unwrap();
        assert_eq!(mask.text("C-123456 has order A77x", &[]), "[customer] has order [order]");
        assert!(Mask::new([], [("a", "(")]).is_err() && Mask::new([], [("a", "x*")]).is_err());
    }

    proptest! {
        #[test]
        fn masking_twice_changes_nothing_more(text in "([a-z@.:=+/ 0-9-]|user=|token: |Bearer ){0,80}") {
            let once = masked(&text);
            prop_assert_eq!(masked(&once), once);
        }

        #[test]
        fn a_name_that_is_kept_is_never_masked(name in "[a-z0-9][a-z0-9@.:+-]{0,30}", before in "([a-z=: ]{0,19}[ (])?", after in "[ ,][a-z ]{0,20}") {
            // Letters right before it would make another name of it.
            let text = format!("{before}{name}{after}");
            let shown = Mask::default().text(&text, &[&name]).into_owned();
            prop_assert!(shown.contains(&name), "{shown}");
        }

        #[test]
        fn a_mail_address_never_comes_through(user in "[a-z][a-z0-9._-]{0,12}", host in "[a-z]{1,10}", before in "[a-z0-9 ,:(<\"]{0,20} ", after in "[ ,>)\"].{0,20}") {
            let address = format!("{user}@{host}.example.org");
            let shown = masked(&format!("{before}{address}{after}"));
            prop_assert!(!shown.contains(&address), "{shown}");
        }

        #[test]
        fn numbers_of_a_verdict_stay(number in 0.0_f64..1e12, whole in 0_u64..9_999_999_999_999, percent in 0_u8..101) {
            let text = format!("queue at {number:.2}, past {whole} ({percent} %), +{number:.1} an hour, 5.0 bits, #{whole}");
            prop_assert_eq!(masked(&text), text);
        }
    }
}
