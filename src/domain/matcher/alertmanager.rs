//! Matchers as Alertmanager reads them: the UTF-8 syntax (`{"my label"=~"a.*"}`), and where that fails or reads
//! something else, the classic one (`foo=bar baz`), as Alertmanager 0.27 and later do by default.
//!
//! Deliberately apart from [`Matcher::parse`], which is the syntax of rule files and says more about mistakes.

use super::{Matcher, Operator};

/// One matcher, without braces.
///
/// # Errors
/// What is wrong, in Alertmanager's words.
pub fn matcher(text: &str) -> Result<Matcher, String> {
    if text.starts_with('{') || text.ends_with('}') {
        return Err(format!("unexpected open or close brace: {text}"));
    }
    let modern = matchers_utf8(text).ok().filter(|all| all.len() == 1);
    match (modern, classic(text)) {
        // Where both can read it and differ, the older reading is what people meant when they wrote it.
        (_, Ok(old)) => Ok(old),
        (Some(mut new), Err(_)) => Ok(new.remove(0)),
        (None, Err(error)) => Err(error),
    }
}

/// Any number of matchers, with or without braces around them.
///
/// # Errors
/// What is wrong, in Alertmanager's words.
pub fn matchers(text: &str) -> Result<Vec<Matcher>, String> {
    match (matchers_utf8(text), matchers_classic(text)) {
        (_, Ok(old)) => Ok(old),
        (Ok(new), Err(_)) => Ok(new),
        (Err(_), Err(error)) => Err(error),
    }
}

/// Writes a matcher as Alertmanager does, so that both syntaxes read it where one can.
#[must_use]
pub fn written(matcher: &Matcher) -> String {
    let name = matcher.name();
    let name = if name.is_empty() || name.contains(reserved) { quoted(name) } else { name.to_owned() };
    format!("{name}{}{}", matcher.operator().sign(), quoted(matcher.value()))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\""))
}

/// What stands in an unquoted name or value of the UTF-8 syntax only within quotes.
fn reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

fn matchers_classic(text: &str) -> Result<Vec<Matcher>, String> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let (mut tokens, mut token) = (Vec::new(), String::new());
    let (mut inside, mut escaped) = (false, false);
    for c in inner.chars() {
        match c {
            ',' if !inside => {
                tokens.push(std::mem::take(&mut token));
                continue;
            }
            '"' if escaped => escaped = false,
            '"' => inside = !inside,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
        token.push(c);
    }
    if !token.trim().is_empty() {
        tokens.push(token.trim().to_owned());
    }
    tokens.iter().map(|token| classic(token)).collect()
}

/// One matcher in the classic syntax: a name of letters, digits, `_` and `:`; anything as the value.
fn classic(text: &str) -> Result<Matcher, String> {
    let bad = || format!("bad matcher format: {text}");
    let start = text.trim_start();
    let end = start.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(start.len());
    let (name, rest) = start.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    let rest = rest.trim_start();
    let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator.sign())).ok_or_else(bad)?;
    let raw = rest[operator.sign().len()..].trim();
    made(name, operator, &unescape(raw)?)
}

/// Longer signs first.
const OPERATORS: [Operator; 4] = [Operator::Matches, Operator::NotEqual, Operator::MatchesNot, Operator::Equal];

fn unescape(raw: &str) -> Result<String, String> {
    let stray = || format!("matcher value contains unescaped double quote: {raw}");
    let (text, mut open) = match raw.strip_prefix('"') {
        Some(rest) => (rest, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(next @ ('"' | '\\')) => value.push(next),
                // An escape of nothing in particular: the backslash stands for itself.
                Some(next) => value.extend(['\\', next]),
                None => value.push('\\'),
            },
            '"' if open && chars.peek().is_none() => open = false,
            '"' => return Err(stray()),
            other => value.push(other),
        }
    }
    if open { Err(stray()) } else { Ok(value) }
}

fn made(name: &str, operator: Operator, value: &str) -> Result<Matcher, String> {
    Matcher::new(name, operator, value)
        .map_err(|error| format!("error parsing regexp: {}: `^(?:{value})$`", error.help))
}

/// A token of the UTF-8 syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Comma,
    Sign(Operator),
    Text(String),
}

fn matchers_utf8(text: &str) -> Result<Vec<Matcher>, String> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let open = rest.first() == Some(&Token::Open);
    rest = &rest[usize::from(open)..];
    let mut all = Vec::new();
    while let [Token::Text(name), Token::Sign(operator), Token::Text(value), after @ ..] = rest {
        all.push(made(name, *operator, value)?);
        match after {
            [Token::Comma, after @ ..] => rest = after,
            _ => {
                rest = after;
                break;
            }
        }
    }
    let closed = rest.first() == Some(&Token::Close);
    rest = &rest[usize::from(closed)..];
    if open == closed && rest.is_empty() { Ok(all) } else { Err(format!("bad matcher format: {text}")) }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '{' => (Token::Open, 1),
            '}' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '=' | '!' => {
                let sign = OPERATORS.into_iter().find(|operator| rest.starts_with(operator.sign()));
                let sign = sign.ok_or_else(|| format!("bad matcher format: {text}"))?;
                (Token::Sign(sign), sign.sign().len())
            }
            '"' => {
                let (value, length) = quote(rest).ok_or_else(|| format!("bad matcher format: {text}"))?;
                (Token::Text(value), length)
            }
            c if reserved(c) => return Err(format!("bad matcher format: {text}")),
            _ => {
                let end = rest.find(reserved).unwrap_or(rest.len());
                (Token::Text(rest[..end].to_owned()), end)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The text in double quotes at the beginning of `text`, with the escapes of a JSON or Go string, and how long it
/// was with them.
fn quote(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, at + 1)),
            '\n' => return None,
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'v' => '\u{b}',
                same @ ('"' | '\\') => same,
                'x' => code(&mut chars, 2).filter(|c| c.is_ascii())?,
                'u' => code(&mut chars, 4)?,
                'U' => code(&mut chars, 8)?,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

fn code(chars: &mut impl Iterator<Item = (usize, char)>, digits: usize) -> Option<char> {
    let mut number = 0_u32;
    for _ in 0..digits {
        number = number.checked_mul(16)?.checked_add(chars.next()?.1.to_digit(16)?)?;
    }
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        matchers(text).map(|all| all.iter().map(written).collect())
    }

    #[test]
    fn both_syntaxes_are_read() {
        for (text, as_read) in [
            ("foo=bar", vec![r#"foo="bar""#]),
            (" foo = bar baz ", vec![r#"foo="bar baz""#]),
            (r#"{foo="bar",baz!~"a|b",}"#, vec![r#"foo="bar""#, r#"baz!~"a|b""#]),
            (r#"{"my label"=~"a.*"}"#, vec![r#""my label"=~"a.*""#]),
            ("größe=9", vec![r#"größe="9""#]),
            (r"foo=a\d", vec![r#"foo="a\\d""#]),
            (r#"foo="a\nb""#, vec!["foo=\"a\\nb\""]),
            ("foo=", vec![r#"foo="""#]),
            ("", vec![]),
            ("{}", vec![]),
            (r#"a="x,y",b=z"#, vec![r#"a="x,y""#, r#"b="z""#]),
            (r#""\u00e9t\u00e9"="x""#, vec![r#"été="x""#]),
        ] {
            assert_eq!(read(text), Ok(as_read.iter().map(ToString::to_string).collect()), "{text}");
        }
    }

    #[test]
    fn what_neither_syntax_reads_is_told_in_alertmanagers_words() {
        for (text, told) in [
            ("foo", "bad matcher format: foo"),
            ("=bar", "bad matcher format: =bar"),
            (r#"a="b"c""#, r#"matcher value contains unescaped double quote: "b"c""#),
            ("a=~(", "error parsing regexp: "),
        ] {
            let error = read(text);
            assert!(error.clone().is_err_and(|error| error.starts_with(told)), "{text}: {error:?}");
        }
        assert_eq!(matcher("{a=b}"), Err("unexpected open or close brace: {a=b}".to_owned()));
        assert_eq!(matcher("a=b,c=d").map(|one| written(&one)), Ok("a=\"b,c=d\"".to_owned()));
        assert_eq!(matcher("9a=b").map(|one| written(&one)), Ok("9a=\"b\"".to_owned()), "a name in UTF-8");
    }
}
