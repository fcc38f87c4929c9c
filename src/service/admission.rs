//! The secrets of those who may ask: read at the start, with the rules, and when their files change.
//!
//! Files are looked at every few seconds rather than watched: secrets are often mounted, and swapped by links. What cannot be
//! used changes nothing, and is told. Deliberately not whether anybody is asked at all: that is decided where it listens.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, info};

use super::StartError;
use crate::config::{self, Settings};
use crate::http::admission::{Admission, Person, Role};
use crate::http::app::{Access, Condition, Token};
use crate::sinks::Secret;

/// How often the files are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(2);
/// What the warning about secrets that cannot be used begins with.
const BAD: &str = "the tokens or people of `auth` are wrong, and the old ones hold: ";

/// Where the secrets of those who may ask stand.
#[derive(Clone, Debug)]
pub(super) struct Places {
    token: Option<Secret>,
    others: config::Admission,
}

/// What stands there, or why it cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Texts {
    token: Option<Result<String, String>>,
    reader: Option<Result<String, String>>,
    people: Option<Result<String, String>>,
}

impl Places {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { token: settings.auth.clone(), others: settings.admission.clone() }
    }

    /// Reads them all.
    pub(super) fn read(&self) -> Texts {
        let people = |path: &std::path::PathBuf| std::fs::read_to_string(path).map_err(|error| error.to_string());
        Texts {
            token: self.token.as_ref().map(text),
            reader: self.others.reader.as_ref().map(text),
            people: self.others.people.as_ref().map(people),
        }
    }

    /// Who may ask, by these texts.
    ///
    /// # Errors
    /// What is wrong first, without a secret.
    pub(super) fn access(&self, texts: &Texts) -> Result<Access, StartError> {
        let one = |place: &Option<Secret>, text: &Option<Result<String, String>>| {
            place.as_ref().zip(text.as_ref()).map(|(place, text)| token(place, text)).transpose()
        };
        let (token, reader) = (one(&self.token, &texts.token)?, one(&self.others.reader, &texts.reader)?);
        let same = |token: &Token| {
            texts
                .reader
                .as_ref()
                .and_then(|text| text.as_ref().ok())
                .is_some_and(|text| token.is(text.trim().as_bytes()))
        };
        if let (Some(place), true) = (&self.others.reader, token.as_ref().is_some_and(same)) {
            let message = format!("{place}: it is the token of operators; make another one for readers");
            return Err(StartError::Token(message));
        }
        let people = self.others.people.as_deref().zip(texts.people.as_ref());
        let people = people.map(|(path, text)| people_of(path, text)).transpose()?.unwrap_or_default();
        Ok(Access { token, admission: Admission { reader, people, proxy: self.others.proxy.clone() } })
    }
}

/// Lets new secrets in.
pub(super) struct Door {
    pub(super) places: Places,
    /// What was tried last.
    pub(super) last: Texts,
    pub(super) access: watch::Sender<Arc<Access>>,
    pub(super) condition: Arc<watch::Sender<Condition>>,
}

impl Door {
    /// Reads the secrets again; `true` = they are others now, and hold.
    ///
    /// # Errors
    /// What is wrong with them, without a secret: the old ones hold.
    pub(super) async fn look(&mut self) -> Result<bool, String> {
        let places = self.places.clone();
        let read = tokio::task::spawn_blocking(move || places.read()).await;
        let texts = read.map_err(|_| "reading the tokens failed; please report it as a bug".to_owned())?;
        let changed = texts != self.last;
        let access = self.places.access(&texts).map_err(|error| error.to_string());
        if changed {
            self.last = texts;
            self.tell(access.as_ref().err());
        }
        let access = access?;
        if changed {
            self.access.send_replace(Arc::new(access));
        }
        Ok(changed)
    }

    fn tell(&self, wrong: Option<&String>) {
        match wrong {
            None => info!("new tokens or people hold"),
            Some(wrong) => error!("{BAD}{wrong}"),
        }
        self.condition.send_modify(|condition| {
            condition.warnings.retain(|warning| !warning.starts_with(BAD));
            condition.warnings.extend(wrong.map(|wrong| format!("{BAD}{wrong}")));
        });
    }
}

fn token(place: &Secret, text: &Result<String, String>) -> Result<Token, StartError> {
    given(place, text).map(Token::new)
}

fn given<'a>(place: &Secret, text: &'a Result<String, String>) -> Result<&'a str, StartError> {
    let wrong = |why: &str| StartError::Token(format!("{place}: {why}"));
    match text.as_ref().map_err(|why| wrong(why))?.trim() {
        "" => Err(wrong("it is empty")),
        token => Ok(token),
    }
}

/// The secret that stands there.
///
/// # Errors
/// When there is none.
pub(super) fn secret(place: &Secret) -> Result<String, StartError> {
    given(place, &text(place)).map(str::to_owned)
}

fn text(secret: &Secret) -> Result<String, String> {
    match secret {
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
        Secret::Env(name) => std::env::var(name).map_err(|error| error.to_string()),
    }
}

/// A line a person: `NAME:ROLE:PASSWORD`. Empty lines and those that begin with `#` are left out. No line is repeated in
/// an error: it holds a password.
fn people_of(path: &Path, text: &Result<String, String>) -> Result<Vec<Person>, StartError> {
    let wrong = |why: String| StartError::Token(format!("{}: {why}", path.display()));
    let text = text.as_ref().map_err(|error| wrong(error.clone()))?;
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
        let shown = |person: Person| (person.name, person.role, person.password.is(b"pass:word"));
        let people = people_of(Path::new("people"), &Ok(text.to_owned()));
        people.map(|all| all.into_iter().map(shown).collect()).map_err(|error| error.to_string())
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

    #[tokio::test]
    async fn new_secrets_hold_and_wrong_ones_change_nothing_and_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let (token, people) = (dir.path().join("token"), dir.path().join("people"));
        std::fs::write(&token, "first\n").unwrap();
        std::fs::write(&people, "ada:operator:x\n").unwrap();
        let others = config::Admission { people: Some(people.clone()), ..config::Admission::default() };
        let places = Places { token: Some(Secret::File(token.clone())), others };
        let last = places.read();
        let access = Arc::new(places.access(&last).unwrap());
        let condition = Arc::new(watch::Sender::new(Condition::default()));
        let mut door = Door { places, last, access: watch::Sender::new(access), condition: Arc::clone(&condition) };
        let holds = |door: &Door, text: &[u8]| door.access.borrow().token.as_ref().unwrap().is(text);
        assert_eq!(door.look().await, Ok(false));
        std::fs::write(&token, "second\n").unwrap();
        assert_eq!(door.look().await, Ok(true));
        assert!(holds(&door, b"second") && !holds(&door, b"first"));
        std::fs::write(&people, "ada:hushhush\n").unwrap();
        assert!(door.look().await.unwrap_err().contains("line 1"));
        assert!(door.look().await.is_err(), "it is wrong still");
        let told = condition.borrow().warnings.clone();
        assert!(told.len() == 1 && told[0].starts_with(BAD) && !told[0].contains("hush"), "{told:?}");
        assert!(door.access.borrow().admission.people[0].password.is(b"x"), "the old one holds");
        std::fs::write(&people, "ada:operator:y\n").unwrap();
        assert_eq!(door.look().await, Ok(true));
        assert!(condition.borrow().warnings.is_empty() && door.access.borrow().admission.people[0].password.is(b"y"));
    }
}
