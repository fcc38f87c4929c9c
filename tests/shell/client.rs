//! A small blocking HTTP client for tests: one request a connection, nothing hidden.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The status line and headers, as they came.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in the answer\n{}\n{}", self.head, self.body))
    }
}

/// `GET path`.
pub(crate) fn get(to: SocketAddr, path: &str) -> Answer {
    request(to, ("GET", path), &[], b"").unwrap()
}

/// `POST path` with JSON.
pub(crate) fn post(to: SocketAddr, path: &str, body: &str) -> Answer {
    request(to, ("POST", path), &["Content-Type: application/json"], body.as_bytes()).unwrap()
}

/// One request over a connection of its own.
pub(crate) fn request(to: SocketAddr, line: (&str, &str), headers: &[&str], body: &[u8]) -> io::Result<Answer> {
    exchange(TcpStream::connect(to)?, line, headers, body)
}

/// One request over an open stream, read to the stream's end.
pub(crate) fn exchange(
    mut stream: impl Read + Write,
    (method, path): (&str, &str),
    headers: &[&str],
    body: &[u8],
) -> io::Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: squelch\r\nConnection: close\r\n");
    for header in headers {
        head += header;
        head += "\r\n";
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes)
        && bytes.is_empty()
    {
        return Err(error);
    }
    let text = String::from_utf8_lossy(&bytes);
    let broken = || io::Error::other(format!("no whole answer: {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(broken)?;
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}
