//! Words with `*` in them, which stands for anything: `clos*`, `*recovered*`, `*`.

/// A pattern for all of a word, in any case of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// What stands between the stars, in lower case.
    parts: Vec<String>,
}

impl Glob {
    /// A pattern.
    pub(super) fn new(pattern: &str) -> Self {
        Self { parts: pattern.to_lowercase().split('*').map(str::to_owned).collect() }
    }

    /// Whether a word in lower case fits.
    pub(super) fn fits(&self, word: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|whole| whole == word);
        };
        let Some(mut rest) = word.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        middle.iter().all(|part| match rest.find(part.as_str()) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn stars_stand_for_anything_and_nothing() {
        for (pattern, word, fits) in [
            ("open", "open", true),
            ("OPEN", "open", true),
            ("open", "opened", false),
            ("open*", "open", true),
            ("*ed", "opened", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("*b*c*", "abxcx", true),
            ("*c*b*", "abxcx", false),
            ("a*b*c", "abc", true),
            ("down*ended*", "down ended (now: up)", true),
        ] {
            assert_eq!(Glob::new(pattern).fits(word), fits, "{pattern} {word}");
        }
    }
}
