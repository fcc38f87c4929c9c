//! Mail against a server of a few lines, that refuses whom it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use squelch::deliver::Options;
use squelch::sinks::{Email, Login, ReceiverKind, Secret, Tls};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::common::{fails_and_waits, hold_time, notification, receiver, short, start, undeliverable};

/// What the server answers to a line that begins so; the first that fits and is not used up.
struct Script {
    answers: Vec<(&'static str, &'static str, u32)>,
    log: Vec<String>,
}

const ALWAYS: u32 = u32::MAX;

async fn server(answers: &[(&'static str, &'static str, u32)]) -> (u16, Arc<Mutex<Script>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = Arc::new(Mutex::new(Script { answers: answers.to_vec(), log: Vec::new() }));
    let shared = Arc::clone(&script);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, Arc::clone(&shared)));
        }
    });
    (port, script)
}

impl Script {
    fn answer(&mut self, line: &str) -> &'static str {
        let found = self.answers.iter_mut().find(|(begin, _, left)| line.starts_with(begin) && *left > 0);
        if let Some((_, answer, left)) = found {
            *left -= 1;
            return answer;
        }
        match line.split_ascii_whitespace().next().unwrap_or_default() {
            "EHLO" => "250-here\r\n250 AUTH PLAIN LOGIN",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            "AUTH" => "235 in",
            _ => "250 ok",
        }
    }

    fn count(&self, begin: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(begin)).count()
    }
}

async fn converse(stream: TcpStream, script: Arc<Mutex<Script>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let greeting = script.lock().unwrap().answer("GREETING");
    write.write_all(format!("{}\r\n", greeting.replace("250", "220")).as_bytes()).await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        script.lock().unwrap().log.push(line.clone());
        let answer = script.lock().unwrap().answer(&line);
        if answer == "HANG" {
            std::future::pending::<()>().await;
        }
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        if line == "DATA" && answer.starts_with("354") {
            loop {
                let line = lines.next_line().await.ok()??;
                if line == "." {
                    break;
                }
                script.lock().unwrap().log.push(format!("> {line}"));
            }
            let answer = script.lock().unwrap().answer(".");
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }
    Some(())
}

fn email(port: u16) -> Email {
    Email {
        to: vec!["ada@example.org".parse().unwrap(), "bob@example.org".parse().unwrap()],
        from: "Squelch <squelch@example.org>".parse().unwrap(),
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        ca_file: None,
        login: None,
        timeout: Email::TIMEOUT,
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_reaches_everybody_in_one_conversation() {
    let _hold = hold_time();
    let (port, script) = server(&[]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    let script = script.lock().unwrap();
    assert_eq!(
        (script.count("MAIL FROM:<squelch@example.org>"), script.count("RCPT"), script.count("DATA")),
        (1, 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_mail_tells_no_secrets_and_no_addresses_of_people() {
    let _hold = hold_time();
    let (port, script) = server(&[]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    let mut personal = Arc::unwrap_or_clone(notification("mail", 7, 1));
    personal.incident.title = "login of grace@customer.example failed: password=hunter2".to_owned();
    couriers.offer(Arc::new(personal));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    let sent = script.lock().unwrap().log.join("\n");
    assert!(sent.contains("[e-mail]") && sent.contains("[secret]"), "{sent}");
    assert!(!sent.contains("grace@") && !sent.contains("hunter2"), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn one_bad_address_does_not_keep_the_mail_from_the_others() {
    let _hold = hold_time();
    let (port, script) = server(&[("RCPT TO:<ada", "550 no such person", ALWAYS)]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    assert_eq!(script.lock().unwrap().count("DATA"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_a_mail_does_not_get_it_again_when_another_is_tried_again() {
    let _hold = hold_time();
    let (port, script) = server(&[("RCPT TO:<ada", "450 mailbox is busy", 2)]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    for _ in 0..2 {
        assert_eq!(fails_and_waits(&mut told).await.0, "1 of 2 recipients are to be tried again");
    }
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 3");
    let script = script.lock().unwrap();
    assert_eq!((script.count("RCPT TO:<ada"), script.count("RCPT TO:<bob"), script.count("DATA")), (3, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_everybody_refuses_is_undeliverable() {
    let _hold = hold_time();
    let (port, _) = server(&[("RCPT TO", "550 5.1.1 unknown\u{7}", ALWAYS)]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    let error = undeliverable(&mut told).await;
    assert!(error.contains("ada@example.org: permanent error (550)") && !error.contains('\u{7}'), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_is_tried_again_and_one_that_refuses_is_not() {
    let _hold = hold_time();
    let answers = [
        ("MAIL", "451 greylisted", 1),
        ("DATA", "421 going down", 1),
        (".", "452 disk is full", 1),
        (".", "554 spam", 1),
    ];
    let (port, _) = server(&answers).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    for code in ["451", "421", "452"] {
        let (error, _) = fails_and_waits(&mut told).await;
        assert!(error.contains(code), "{error}");
    }
    assert!(undeliverable(&mut told).await.contains("spam"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_says_goodbye_has_taken_the_mail() {
    let _hold = hold_time();
    let (port, script) = server(&[("QUIT", "HANG", ALWAYS)]).await;
    let (mut couriers, mut told) = start(vec![receiver("mail", ReceiverKind::Email(email(port)))], Options::default());
    couriers.offer(notification("mail", 7, 1));
    while script.lock().unwrap().count("QUIT") == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
}

#[tokio::test(start_paused = true)]
async fn no_password_is_sent_where_others_could_read_it() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "hush-hush").unwrap();
    let login = Some(Login { username: "squelch".into(), password: Secret::File(file) });
    let (port, script) = server(&[]).await;
    let stripped = Email { tls: Tls::StartTls, login: login.clone(), ..email(port) };
    let remote = Email { host: "mail.invalid".into(), login, ..email(port) };
    let receivers =
        [("stripped", stripped), ("remote", remote)].map(|(name, email)| receiver(name, ReceiverKind::Email(email)));
    let (mut couriers, mut told) = start(receivers.into(), Options::default());
    couriers.offer(notification("remote", 7, 1));
    assert!(undeliverable(&mut told).await.starts_with("a password without TLS"));
    couriers.offer(notification("stripped", 7, 1));
    let (error, _) = fails_and_waits(&mut told).await;
    assert!(error.contains("STARTTLS is not supported"), "{error}");
    assert_eq!(script.lock().unwrap().count("AUTH"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_says_so_without_the_password() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "hush-hush\n").unwrap();
    let login = Some(Login { username: "squelch".into(), password: Secret::File(file) });
    let (port, script) = server(&[("AUTH", "454 later hush-hush", 1), ("AUTH", "535 hush-hush is wrong", 1)]).await;
    let kind = ReceiverKind::Email(Email { login, ..email(port) });
    assert!(!format!("{kind:?}").contains("hush"));
    let (mut couriers, mut told) = start(vec![receiver("mail", kind)], Options::default());
    couriers.offer(notification("mail", 7, 1));
    assert_eq!(fails_and_waits(&mut told).await.0, "the login failed for now (454)");
    assert_eq!(undeliverable(&mut told).await, "the login was refused (535)");
    // base64 of "\0squelch\0hush-hush"
    assert_eq!(script.lock().unwrap().count("AUTH PLAIN AHNxdWVsY2gAaHVzaC1odXNo"), 2);
}
