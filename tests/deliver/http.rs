//! Webhooks against a server that answers, hangs and closes as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use squelch::deliver::{Delivery, Offer, Options};
use squelch::sinks::{Address, Receiver, ReceiverKind, Secret, Webhook};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::advance;

use super::common::{fails_and_waits, hold_time, notification, receiver, short, start, undeliverable};

/// What the server does with one request.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Status, further header lines (each with `\r\n`), body. `%` in the body stands for the whole request.
    Answer(u16, &'static str, &'static str),
    /// Says nothing any more.
    Hang,
    /// Closes the connection.
    Close,
    /// Sends 500 and a body without end.
    Endless,
}

pub(crate) const OK: Act = Act::Answer(200, "", "");

pub(crate) struct Server {
    address: SocketAddr,
    pub(crate) requests: mpsc::UnboundedReceiver<String>,
}

impl Server {
    /// A server that does these in turn, then takes everything.
    pub(crate) async fn start(acts: &[Act]) -> Self {
        Self::start_with(acts, None).await
    }

    async fn start_with(acts: &[Act], tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::unbounded_channel();
        let acts = Arc::new(std::sync::Mutex::new(acts.iter().copied().collect::<VecDeque<_>>()));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, acts, tls) = (seen.clone(), Arc::clone(&acts), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &seen, &acts).await,
                        // A client that does not trust us goes away within the handshake.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => converse(stream, &seen, &acts).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn webhook(&self) -> Webhook {
        Webhook::new(Address::plain(&self.url("/hook")).unwrap())
    }

    pub(crate) fn receiver(&self, name: &str) -> Receiver {
        receiver(name, ReceiverKind::Webhook(self.webhook()))
    }
}

type Acts = std::sync::Mutex<VecDeque<Act>>;

/// Serves one connection; `None` = it is over.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &mpsc::UnboundedSender<String>,
    acts: &Acts,
) -> Option<()> {
    loop {
        let request = read_request(&mut stream).await?;
        let act = acts.lock().unwrap().pop_front().unwrap_or(OK);
        seen.send(request.clone()).ok()?;
        match act {
            Act::Answer(status, headers, body) => {
                let body = body.replace('%', &request);
                let length = body.len();
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Act::Hang => std::future::pending().await,
            Act::Close => return None,
            Act::Endless => {
                stream.write_all(b"HTTP/1.1 500 X\r\n\r\n").await.ok()?;
                loop {
                    stream.write_all(&[b'x'; 4_096]).await.ok()?;
                }
            }
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_gets_the_same_request_again() {
    let _hold = hold_time();
    let mut server = Server::start(&[Act::Answer(500, "", "oh"), Act::Answer(503, "", ""), OK]).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    assert_eq!(fails_and_waits(&mut told).await.0, "HTTP 500: oh");
    assert_eq!(fails_and_waits(&mut told).await.0, "HTTP 503");
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 3");
    let first = server.requests.recv().await.unwrap();
    assert!(first.starts_with("POST /hook HTTP/1.1\r\n"), "{first}");
    assert_eq!(header(&first, "idempotency-key"), Some("7.1.hook"));
    assert_eq!(header(&first, "content-type"), Some("application/json"));
    assert_eq!(server.requests.recv().await.unwrap(), first);
    assert_eq!(server.requests.recv().await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_left_when_its_time_is_over() {
    let _hold = hold_time();
    let mut server = Server::start(&[Act::Hang]).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    server.requests.recv().await.unwrap();
    advance(Webhook::TIMEOUT).await;
    assert_eq!(fails_and_waits(&mut told).await.0, "no answer within 10 s");
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 2");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_or_never_ends_is_tried_again() {
    let _hold = hold_time();
    let server = Server::start(&[Act::Close, Act::Endless]).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    let (error, _) = fails_and_waits(&mut told).await;
    assert!(error.starts_with("error sending request"), "{error}");
    let (error, _) = fails_and_waits(&mut told).await;
    assert!(error.starts_with("HTTP 500: xxxx") && error.chars().count() < 250, "{error}");
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 3");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_is_at_is_told_plainly() {
    let _hold = hold_time();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/k3y", listener.local_addr().unwrap());
    drop(listener);
    let kind = ReceiverKind::Webhook(Webhook::new(Address::plain(&url).unwrap()));
    let (mut couriers, mut told) = start(vec![receiver("hook", kind)], Options::default());
    couriers.offer(notification("hook", 7, 1));
    let (error, _) = fails_and_waits(&mut told).await;
    assert!(error.contains("Connection refused") && !error.contains("k3y"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_gets_it_up_to_an_hour() {
    let _hold = hold_time();
    let dated = "date: Mon, 23 Nov 2026 03:08:00 GMT\r\nretry-after: Mon, 23 Nov 2026 03:10:30 GMT\r\n";
    let acts = [
        Act::Answer(429, "retry-after: 120\r\n", "slow down"),
        Act::Answer(503, dated, ""),
        Act::Answer(429, "retry-after: 999999\r\n", ""),
    ];
    let server = Server::start(&acts).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    for secs in [120, 150, 3_600] {
        assert_eq!(fails_and_waits(&mut told).await.1, Duration::from_secs(secs));
    }
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 4");
}

#[tokio::test(start_paused = true)]
async fn one_receiver_that_hangs_does_not_delay_another() {
    let _hold = hold_time();
    let (mut slow, fast) = (Server::start(&[Act::Hang]).await, Server::start(&[]).await);
    let (mut couriers, mut told) = start(vec![slow.receiver("slow"), fast.receiver("fast")], Options::default());
    couriers.offer(notification("slow", 1, 1));
    slow.requests.recv().await.unwrap();
    for incident in 2..=50 {
        assert_eq!(couriers.offer(notification("fast", incident, 1)), Offer::Taken);
        // No time passes: whatever waited for the other one would wait for ever.
        assert_eq!(short(&told.recv().await.unwrap()), format!("{incident}.1 delivered after 1"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_reported_at_once_and_the_next_one_goes_out() {
    let _hold = hold_time();
    let moved = "location: http://127.0.0.1:9/\r\n";
    let server = Server::start(&[Act::Answer(400, "", "no such team"), Act::Answer(302, moved, "")]).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    for step in 1..=3 {
        couriers.offer(notification("hook", 7, step));
    }
    assert_eq!(undeliverable(&mut told).await, "HTTP 400: no such team");
    assert_eq!(undeliverable(&mut told).await, "HTTP 302: redirects are not followed: set the new URL");
    assert_eq!(short(&told.recv().await.unwrap()), "7.3 delivered after 1");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_is_used_at_once_and_a_missing_one_is_named() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let mut server = Server::start(&[]).await;
    let webhook = Webhook { token: Some(Secret::File(path.clone())), ..server.webhook() };
    let (mut couriers, mut told) = start(vec![receiver("hook", ReceiverKind::Webhook(webhook))], Options::default());
    for (step, token) in [(1, "first-token"), (2, "second-token")] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        couriers.offer(notification("hook", 7, step));
        told.recv().await.unwrap();
        let request = server.requests.recv().await.unwrap();
        assert_eq!(header(&request, "authorization"), Some(format!("Bearer {token}").as_str()));
    }
    std::fs::remove_file(&path).unwrap();
    couriers.offer(notification("hook", 7, 3));
    let (error, _) = fails_and_waits(&mut told).await;
    assert!(error.contains(path.to_str().unwrap()) && error.contains("No such file"), "{error}");
    std::fs::write(&path, "bad\u{1}token").unwrap();
    let error = loop {
        let (error, _) = fails_and_waits(&mut told).await;
        if !error.contains("No such file") {
            break error;
        }
    };
    assert!(error.ends_with("holds a character that cannot stand in a header") && !error.contains("bad"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_secret_shows_in_an_error_or_in_debug_output() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        Secret::File(folder.path().join(name))
    };
    // The server repeats everything that it was sent, also where the answer is cut.
    let echoes = [Act::Answer(500, "", "%%%"), Act::Answer(403, "", "%"), Act::Close];
    let server = Server::start(&echoes).await;
    let webhook = Webhook {
        address: Address::Secret(write("url", &server.url("/services/s3cr3t-path?key=s3cr3t-query"))),
        token: Some(write("token", "s3cr3t-token")),
        ..server.webhook()
    };
    let receiver = receiver("hook", ReceiverKind::Webhook(webhook));
    assert!(!format!("{receiver:?}").contains("s3cr3t"));
    let (mut couriers, mut told) = start(vec![receiver], Options::default());
    couriers.offer(notification("hook", 7, 1));
    couriers.offer(notification("hook", 7, 2));
    let mut errors = vec![fails_and_waits(&mut told).await.0, undeliverable(&mut told).await];
    errors.push(fails_and_waits(&mut told).await.0);
    assert_eq!(short(&told.recv().await.unwrap()), "7.2 delivered after 2");
    assert!(errors[0].starts_with("HTTP 500: POST /***") && errors[1].starts_with("HTTP 403"), "{errors:?}");
    assert!(errors.iter().all(|error| !error.contains("s3cr3t")), "{errors:?}");
    assert!(!format!("{couriers:?}").contains("s3cr3t"));
}

#[tokio::test(start_paused = true)]
async fn new_settings_are_used_at_once_for_what_waits() {
    let _hold = hold_time();
    let (old, mut new) = (Server::start(&[Act::Answer(500, "", "")]).await, Server::start(&[]).await);
    let (mut couriers, mut told) = start(vec![old.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 failing after 1");
    couriers.replace(vec![new.receiver("hook")]);
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 2");
    new.requests.recv().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_an_attempt_under_way_but_not_for_ever() {
    let hold = hold_time();
    let mut server = Server::start(&[Act::Hang]).await;
    let (mut couriers, mut told) = start(vec![server.receiver("hook")], Options::default());
    couriers.offer(notification("hook", 7, 1));
    server.requests.recv().await.unwrap();
    drop(hold);
    couriers.stop(Duration::from_secs(3)).await;
    assert_eq!(told.recv().await, None, "its row stays in the outbox");
}

#[tokio::test(start_paused = true)]
async fn a_private_authority_is_trusted_when_it_is_named_and_only_then() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let server = Server::start_with(&[], Some(Arc::new(tls).into())).await;
    let url = format!("https://localhost:{}/", server.address.port());
    let trusting = Webhook { ca_file: Some(ca_file), ..Webhook::new(Address::plain(&url).unwrap()) };
    let wary = Webhook { ca_file: None, ..trusting.clone() };
    let receivers =
        [("trusting", trusting), ("wary", wary)].map(|(name, hook)| receiver(name, ReceiverKind::Webhook(hook)));
    let (mut couriers, mut told) = start(receivers.into(), Options::default());
    couriers.offer(notification("trusting", 7, 1));
    let result = told.recv().await.unwrap();
    assert_eq!(short(&result), "7.1 delivered after 1", "{result:?}");
    couriers.offer(notification("wary", 7, 1));
    let Delivery::Failing { error, .. } = told.recv().await.unwrap() else { panic!() };
    assert!(error.contains("certificate"), "{error}");
}
