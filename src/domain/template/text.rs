//! Texts for people: everything that differs from one message to the next of its kind is masked.

use std::borrow::Cow;

use super::{UUID, starts_with_uuid};

/// The template of a text: numbers with their units, ids, UUIDs, addresses, e-mail addresses, URLs, paths and quoted
/// strings replaced by `*`, several side by side by one. Borrowed when nothing is masked. Masking twice changes
/// nothing.
#[must_use]
pub fn mask_text(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    // A mask can lay bare another (a quotation inside a quotation). Every pass leaves less to mask, so it ends.
    while masked.bytes().any(|byte| byte.is_ascii_digit() || b"\"'`/\\@*".contains(&byte)) {
        let next = pass(&masked);
        if next == masked {
            break;
        }
        masked = Cow::Owned(next);
    }
    masked
}

fn pass(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            out.push(first);
            at += first.len_utf8();
        } else if let Some(length) = quotation(rest, out.chars().next_back()) {
            mask(&mut out);
            at += length;
        } else {
            let length = word(rest);
            masked_word(&rest[..length], &mut out);
            at += length;
        }
    }
    out
}

/// The length of a quotation that begins here. An apostrophe inside a word opens none.
fn quotation(rest: &str, before: Option<char>) -> Option<usize> {
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
    if before.is_some_and(|before| !before.is_whitespace() && !"([{<=:,;".contains(before)) {
        return None;
    }
    let close = rest[1..]
        .match_indices(quote)
        .map(|(at, _)| at + 2)
        .find(|end| !rest[*end..].starts_with(char::is_alphanumeric) || quote == '"')?;
    Some(close)
}

/// The length of the word that begins here: up to a blank, or to a quotation mark behind one of `([{<=:,;`.
fn word(rest: &str) -> usize {
    let mut before = ' ';
    for (at, char) in rest.char_indices() {
        let opens = at > 0 && matches!(char, '"' | '\'' | '`') && "([{<=:,;".contains(before);
        if char.is_whitespace() || opens {
            return at;
        }
        before = char;
    }
    rest.len()
}

fn masked_word(word: &str, out: &mut String) {
    let core = word.trim_start_matches(['(', '[', '{', '<', ',', ';', '"', '\'', '`', '=']);
    out.push_str(&word[..word.len() - core.len()]);
    let end = core.trim_end_matches([')', ']', '}', '>', ',', ';', ':', '.', '!', '?', '"', '\'', '`']).len();
    let (core, tail) = core.split_at(end);
    let named = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = match core.split_once('=') {
        Some((key, value)) if named(key) => {
            runs(key, out);
            out.push('=');
            value
        }
        _ => core,
    };
    if is_place(value) {
        mask(out)
    } else {
        runs(value, out)
    }
    out.push_str(tail);
}

/// A URL, a path, an e-mail address or an address of IPv6.
fn is_place(core: &str) -> bool {
    let bytes = core.as_bytes();
    let slashes = bytes.iter().filter(|byte| matches!(byte, b'/' | b'\\')).count();
    let path = slashes >= 2 || slashes == 1 && core.len() > 1 && matches!(bytes[0], b'/' | b'\\' | b'.' | b'~');
    let mail = core.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    let address = bytes.iter().filter(|byte| **byte == b':').count() >= 2
        && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        && bytes.iter().any(u8::is_ascii_digit);
    path || mail || address
}

/// Masks the numbers and ids among the letters and digits of a word.
fn runs(core: &str, out: &mut String) {
    let bytes = core.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if starts_with_uuid(&bytes[at..]) {
            mask(out);
            at += UUID;
            continue;
        }
        let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80).count();
        if run == 0 {
            put(bytes[at], bytes.get(at + 1).copied(), out);
            at += 1;
            continue;
        }
        if varies(&bytes[at..at + run]) {
            mask(out)
        } else {
            out.push_str(&core[at..at + run])
        }
        at += run;
    }
}

/// A mark between runs. A percent sign belongs to its number, a sign to the number behind it.
fn put(byte: u8, next: Option<u8>, out: &mut String) {
    let unit = byte == b'%' && out.ends_with('*');
    let sign = matches!(byte, b'-' | b'+') && next.is_some_and(|next| next.is_ascii_digit());
    if byte == b'*' {
        mask(out);
    } else if !(unit || sign && !out.ends_with(char::is_alphanumeric)) {
        out.push(char::from(byte));
    }
}

/// A run that begins with a digit (numbers, times, `30s`, `0x7f`; not `5xx`), a hexadecimal id, or a random one.
fn varies(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return false;
    }
    let class = run.len() == 3 && run[1..] == *b"xx";
    let id = run.len() >= 8 && run.iter().all(u8::is_ascii_hexdigit);
    let turns = run.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    run[0].is_ascii_digit() && !class || id || run.len() >= 8 && turns >= 3
}

/// Adds a mask, unless what was masked last is only marks away: an address or a time is one mask, not four.
fn mask(out: &mut String) {
    let kept = out.trim_end_matches([' ', '.', ',', ':', '-', '/', '+', '_', 'T']);
    if kept.ends_with('*') {
        out.truncate(kept.len());
    } else {
        out.push('*');
    }
}

#[cfg(test)]
mod tests {
    use super::mask_text;

    const ROWS: &[(&str, &str)] = &[
        ("", ""),
        ("Connection refused", "Connection refused"),
        ("No route matches \"/.env\" with {:method=>:get}", "No route matches * with {:method=>:get}"),
        ("limit of 150 requests an hour (user 53173)", "limit of * requests an hour (user *)"),
        ("divided by 0", "divided by *"),
        ("took 12.5s, 30 ms over", "took * ms over"),
        ("swap at 91.5% on app-3", "swap at * on app-*"),
        ("free: -3.5 GB", "free: * GB"),
        ("http 5xx rate", "http 5xx rate"),
        ("utf8 needs x86 or web01", "utf8 needs x86 or web01"),
        ("10.0.3.7 is down", "* is down"),
        ("10.0.3.7:6379 refused", "* refused"),
        ("[2001:db8::1] refused", "[*] refused"),
        ("at 2024-05-02T10:11:12.345Z", "at *"),
        ("at 2024-05-02 10:11:12 it broke", "at * it broke"),
        ("request 3576f543-dc3c-4d97-9f16-5c81f35195cb failed", "request * failed"),
        ("commit 9f86d081884c7d65", "commit *"),
        ("#<User:0x00007f8b1c0a2b38>", "#<User:*>"),
        ("cannot open /var/run/app.pid", "cannot open *"),
        ("cannot open C:\\temp\\x.log", "cannot open *"),
        ("see https://x.example/a?b=1.", "see *."),
        ("mail to ann@example.com bounced", "mail to * bounced"),
        ("and/or", "and/or"),
        ("can't do 'this thing' now", "can't do * now"),
        ("key='a b' next", "key=* next"),
        ("user=17 path=/a/b", "user=* path=*"),
        ("undefined method `name' for nil", "undefined method `name' for nil"),
        ("token abc12def34x rejected", "token * rejected"),
        ("1, 2, 3", "*"),
        ("日本 12 語", "日本 * 語"),
        ("don't", "don't"),
        ("it's \"quoted\"", "it's *"),
        ("*", "*"),
        ("a * b", "a * b"),
    ];

    #[test]
    fn what_differs_between_messages_of_a_kind_is_masked() {
        for (text, expected) in ROWS {
            assert_eq!(mask_text(text), *expected, "{text}");
        }
    }
}
