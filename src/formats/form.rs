//! Form-encoded text (`a=1&b=two+words%21`), of bodies and of queries.

use std::collections::BTreeMap;

/// The fields of a form; of a name that comes twice the first. Broken escapes stay as they are, bytes that are not
/// UTF-8 become `U+FFFD`.
pub(super) fn fields(text: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for pair in text.trim_ascii().split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = pair.get(at + 1..).unwrap_or_default();
        fields.entry(decoded(&pair[..at])).or_insert_with(|| decoded(value));
    }
    fields
}

fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let escaped = (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten().and_then(hex);
        bytes.push(match (byte, escaped) {
            (_, Some(byte)) => byte,
            (b'+', None) => b' ',
            (byte, None) => *byte,
        });
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn escapes_are_undone_and_broken_ones_stay() {
        let read = fields(b"a=1+2&b=%7B%22x%22%7D&c&=d&e=%zz%4&a=second&f=%ff");
        let pairs: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("", "d"), ("a", "1 2"), ("b", "{\"x\"}"), ("c", ""), ("e", "%zz%4"), ("f", "\u{fffd}")]);
    }
}
