//! Template variables that a tool left unexpanded (`$HOSTNAME$`, `${host}`, `{{ .Labels.x }}`): warned about, never
//! an identity, because thousands of alerts would share it.

use crate::domain::Event;

use super::Warning;

/// Takes unexpanded variables out of the fields that make an identity, keeps them as labels, and warns of each.
pub(super) fn take_out(event: &mut Event, index: usize, warnings: &mut Vec<Warning>) {
    let mut taken = Vec::new();
    for (path, field) in [
        ("service", &mut event.service),
        ("host", &mut event.host),
        ("dedup_key", &mut event.dedup_key),
        ("identity", &mut event.identity),
    ] {
        if field.as_deref().is_some_and(is_unexpanded) {
            taken.extend(field.take().map(|text| (path, text)));
        }
    }
    if is_unexpanded(&event.check) {
        taken.push(("check", std::mem::take(&mut event.check)));
    }
    for (path, text) in taken {
        let shown: String = text.chars().take(60).collect();
        warnings.push(Warning::new(
            index,
            path,
            format!("`{shown}` is a variable that the sender did not fill in: kept as a label, not as {path}"),
        ));
        event.labels.entry(path.to_owned()).or_insert(text);
    }
}

/// Whether `text` still holds a variable of a template.
pub(super) fn is_unexpanded(text: &str) -> bool {
    // Nearly every text has neither, and every text of every alert comes by here.
    if !text.bytes().any(|byte| matches!(byte, b'$' | b'{')) {
        return false;
    }
    let encloses = |open, close| text.split_once(open).is_some_and(|(_, rest): (_, &str)| rest.contains(close));
    encloses("{{", "}}")
        || encloses("${", "}")
        || text.match_indices('$').any(|(at, _)| names_a_variable(&text[at + 1..]))
}

/// `$NAME` and `$NAME$`: three capital letters or more, so that sums of money and regular expressions are none.
fn names_a_variable(rest: &str) -> bool {
    let name = rest.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_').count();
    name >= 3 && !rest.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_unexpanded;

    #[test]
    fn variables_are_told_from_money_and_patterns() {
        for text in
            ["$HOSTNAME$", "$EVENT_STATE", "on ${host}", "{{ $labels.instance }}", "x {{.Name}}", "$_HOSTCLUSTER$"]
        {
            assert!(is_unexpanded(text), "{text}");
        }
        for text in ["", "db-1", "costs $5", "$5,000 USD", "^a$", "US$", "{a}", "}${", "}} {{", "$", "$ HOST"] {
            assert!(!is_unexpanded(text), "{text}");
        }
    }
}
