//! Passive check results, as lines of Nagios' command file:
//! `[1714644672] PROCESS_SERVICE_CHECK_RESULT;host;service;2;output|perfdata`.

use std::collections::BTreeMap;

/// Whether the body looks like the command file, and not like JSON.
pub(super) fn is_one(body: &[u8]) -> bool {
    body.get(1).is_some_and(u8::is_ascii_digit) && body.windows(9).any(|part| part == b"] PROCESS")
}

/// The macros that a line stands for, or (path, what is wrong).
pub(super) fn macros(line: &[u8]) -> Result<BTreeMap<String, String>, (String, String)> {
    let wrong = |message: &str| (String::new(), message.to_owned());
    let line = std::str::from_utf8(line).map_err(|_| wrong("the line is not UTF-8"))?;
    let (time, command) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .ok_or_else(|| wrong("the line does not begin with [time]"))?;
    let (name, rest) = command.split_once(';').ok_or_else(|| wrong("the command has no fields"))?;
    let (about, count, states) = match name {
        "PROCESS_SERVICE_CHECK_RESULT" => ("SERVICE", 4, ["OK", "WARNING", "CRITICAL", "UNKNOWN"]),
        "PROCESS_HOST_CHECK_RESULT" => ("HOST", 3, ["UP", "DOWN", "UNREACHABLE", ""]),
        _ => return Err(wrong("only PROCESS_SERVICE_CHECK_RESULT and PROCESS_HOST_CHECK_RESULT are taken")),
    };
    let fields: Vec<&str> = rest.splitn(count, ';').collect();
    let [host, .., code, output] = fields[..] else { return Err(wrong("fields are missing")) };
    let state = code.parse().ok().and_then(|code: usize| states.get(code)).filter(|state| !state.is_empty());
    let state = state.ok_or_else(|| ("return_code".to_owned(), format!("`{code}` is no return code")))?;
    let (output, measured) = output.split_once('|').unwrap_or((output, ""));
    let mut macros: BTreeMap<String, String> = [
        ("TIMET".to_owned(), time.to_owned()),
        ("HOSTNAME".to_owned(), host.to_owned()),
        (format!("{about}STATE"), (*state).to_owned()),
        (format!("{about}OUTPUT"), output.to_owned()),
        (format!("{about}PERFDATA"), measured.to_owned()),
    ]
    .into();
    if about == "SERVICE" {
        macros.insert("SERVICEDESC".to_owned(), fields[1].to_owned());
    }
    Ok(macros)
}
