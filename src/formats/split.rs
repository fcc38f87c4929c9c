//! A body into the texts of its objects, even where some of them are broken: so that one bad element never
//! costs the good ones beside it.
//!
//! Deliberately not a parser: it counts brackets outside strings, nothing more.

/// The elements of a JSON array, each with blanks cut off; the brackets themselves left out. A truncated array
/// gives its last element as far as it goes.
pub(super) fn elements(array: &[u8]) -> Vec<&[u8]> {
    let inner = array.trim_ascii().strip_prefix(b"[").unwrap_or_default();
    let mut found = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b']' if depth == 0 => {
                found.push(inner[start..at].trim_ascii());
                start = inner.len();
                break;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                found.push(inner[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    let rest = inner[start..].trim_ascii();
    if !rest.is_empty() {
        found.push(rest);
    }
    found
}

/// The lines of a body that are not empty, with their numbers from 0.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate().filter(|(_, line)| !line.is_empty())
}

/// The body without a byte order mark and surrounding blanks.
pub(super) fn trimmed(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn broken_elements_do_not_swallow_their_neighbours() {
        let cases: &[(&str, &[&str])] = &[
            ("[]", &[]),
            (" [ ] ", &[""]),
            ("[1, {\"a\": [2, 3]} ,4]", &["1", "{\"a\": [2, 3]}", "4"]),
            ("[{\"a\":\"],\\\"{\"},2]", &["{\"a\":\"],\\\"{\"}", "2"]),
            ("[{\"v\":NaN},{\"v\":1}]", &["{\"v\":NaN}", "{\"v\":1}"]),
            ("[{\"v\":1},{\"v\":", &["{\"v\":1}", "{\"v\":"]),
            ("[1]trailing", &["1"]),
        ];
        for (array, expected) in cases {
            let found: Vec<_> = elements(array.as_bytes()).into_iter().map(|e| String::from_utf8_lossy(e)).collect();
            let found: Vec<&str> = found.iter().map(AsRef::as_ref).filter(|e| !e.is_empty()).collect();
            let expected: Vec<&str> = expected.iter().copied().filter(|e| !e.is_empty()).collect();
            assert_eq!(found, expected, "{array}");
        }
    }
}
