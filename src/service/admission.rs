//! The secrets of those who may ask, read at the start.
//!
//! Deliberately read once: who changes a password restarts.

use std::path::Path;

use super::StartError;
use crate::config::Settings;
use crate::http::admission::{Admission, Person, Role};
use crate::http::app::Token;
use crate::sinks::Secret;

/// Who may ask, by the settings.
pub(super) fn read(settings: &Settings) -> Result<(Option<Token>, Admission), StartError> {
    let token = settings.auth.as_ref().map(token).transpose()?;
    let others = &settings.admission;
    let admission = Admission {
        reader: others.reader.as_ref().map(self::token).transpose()?,
        people: others.people.as_deref().map(people).transpose()?.unwrap_or_default(),
        proxy: others.proxy.clone(),
    };
    let same = |token: &Token, reader: &Secret| read_text(reader).is_ok_and(|text| token.is(text.trim().as_bytes()));
    if let (Some(token), Some(reader)) = (&token, &others.reader)
        && same(token, reader)
    {
        return Err(StartError::Token(format!("{reader}: it is the token of operators; make another one for readers")));
    }
    Ok((token, admission))
}

fn token(secret: &Secret) -> Result<Token, StartError> {
    match read_text(secret)?.trim() {
        "" => Err(StartError::Token(format!("{secret}: it is empty"))),
        token => Ok(Token::new(token)),
    }
}

fn read_text(secret: &Secret) -> Result<String, StartError> {
    let wrong = |why: String| StartError::Token(format!("{secret}: {why}"));
    match secret {
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| wrong(error.to_string())),
        Secret::Env(name) => std::env::var(name).map_err(|error| wrong(error.to_string())),
    }
}

/// A line a person: `NAME:ROLE:PASSWORD`. Empty lines and those that begin with `#` are left out. No line is repeated in
/// an error: it holds a password.
fn people(path: &Path) -> Result<Vec<Person>, StartError> {
    let wrong = |why: String| StartError::Token(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut people: Vec<Person> = Vec::new();
    for (at, line) in lines {
        let mut parts = line.trim_end_matches('\r').splitn(3, ':');
        let part = |part: Option<&str>| part.map(str::to_owned).filter(|part| !part.is_empty());
        let (name, role, password) = (part(parts.next()), parts.next().and_then(Role::of), part(parts.next()));
        let (Some(name), Some(role), Some(password)) = (name, role, password) else {
            return Err(wrong(format!(
                "line {} is no person: write NAME:ROLE:PASSWORD, where ROLE is reader or operator",
                at + 1
            )));
        };
        if people.iter().any(|person| person.name == name) {
            return Err(wrong(format!("line {}: `{name}` is there twice", at + 1)));
        }
        people.push(Person { name, role, password: Token::new(&password) });
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_people(text: &str) -> Result<Vec<(String, Role, bool)>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let shown = |person: Person| (person.name, person.role, person.password.is(b"pass:word"));
        people(file.path()).map(|all| all.into_iter().map(shown).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_is_a_person_and_no_mistake_repeats_a_password() {
        let good = read_people("# people\n\nada:operator:pass:word\neve:reader:x\n").unwrap();
        assert_eq!(good, [("ada".to_owned(), Role::Operator, true), ("eve".to_owned(), Role::Reader, false)]);
        for wrong in [
            "ada:hushhush",
            "ada:admin:hushhush",
            ":operator:hushhush",
            "ada:operator:",
            "a:reader:hushhush\na:reader:b",
        ] {
            let told = read_people(wrong).unwrap_err();
            assert!(told.contains("line ") && !told.contains("hush"), "{told}");
        }
    }
}
