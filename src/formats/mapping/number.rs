//! Numbers as tools write them: `93`, `"93.5 %"`, `1,500ms`, `1.5GB (of 2)`.

/// A number at the beginning of a text, and the unit that stands right behind it.
pub(super) fn number(text: &str) -> Option<(f64, Option<&str>)> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|(at, c)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[at + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
            let sign = matches!(c, '+' | '-') && (*at == 0 || text[..*at].ends_with(['e', 'E']));
            !(c.is_ascii_digit() || matches!(c, '.' | ',') || sign || (exponent && *at > 0))
        })
        .map_or(text.len(), |(at, _)| at);
    let digits = text[..end].trim_end_matches([',', '.']);
    let value: f64 = without_thousands(digits)?.parse().ok()?;
    let rest = text[end..].trim();
    let word = rest.split(|c: char| c.is_whitespace() || "(,;/".contains(c)).next().unwrap_or_default();
    let whole = word.len() == rest.len() || text[end..].starts_with(word);
    let unit =
        (!word.is_empty() && whole && word.chars().count() <= 10 && !word.contains(|c: char| c.is_ascii_digit()))
            .then_some(word);
    value.is_finite().then_some((value, unit))
}

/// Digits without the commas between thousands; a comma elsewhere is no number that can be read safely.
fn without_thousands(digits: &str) -> Option<String> {
    if !digits.contains(',') {
        return Some(digits.to_owned());
    }
    let whole = digits.split('.').next().unwrap_or_default();
    let grouped =
        whole.split(',').enumerate().all(|(at, group)| if at == 0 { group.len() <= 3 } else { group.len() == 3 });
    grouped.then(|| digits.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_come_with_units_and_commas() {
        for (text, expected) in [
            ("93", Some((93.0, None))),
            (" -1.5 ", Some((-1.5, None))),
            ("93.5 %", Some((93.5, Some("%")))),
            ("97% used", Some((97.0, Some("%")))),
            ("1,500ms", Some((1500.0, Some("ms")))),
            ("1.5GB (of 2)", Some((1.5, Some("GB")))),
            ("2.4e9", Some((2.4e9, None))),
            ("3 of 5 nodes", Some((3.0, None))),
            ("1,5", None),
            ("", None),
            ("down", None),
            ("1e999", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
