//! Order, repetition and giving up, shown on a console that fails as it is told: hours pass in no time.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squelch::deliver::{Console, Delivery, Offer, Options};
use squelch::sinks::ReceiverKind;

use super::common::{notification, receiver, reminder, resolve, short, start};

/// Decides about each text whether it can be written.
type Rule = Box<dyn FnMut(&str) -> bool + Send>;

#[derive(Clone)]
struct Paper {
    rule: Arc<Mutex<Rule>>,
    written: Arc<Mutex<Vec<String>>>,
}

impl Paper {
    fn new(rule: impl FnMut(&str) -> bool + Send + 'static) -> Self {
        Self { rule: Arc::new(Mutex::new(Box::new(rule))), written: Arc::default() }
    }

    fn options(&self) -> Options {
        let paper = self.clone();
        Options { console: Console::new(move || Box::new(paper.clone())), ..Options::default() }
    }

    /// The messages on it, such as `7.1`.
    fn messages(&self) -> Vec<String> {
        let written = self.written.lock().unwrap();
        let name = |text: &String| text.split("message ").nth(1).unwrap().lines().next().unwrap().trim().to_owned();
        written.iter().map(name).collect()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        if (self.rule.lock().unwrap())(&text) {
            self.written.lock().unwrap().push(text);
            Ok(bytes.len())
        } else {
            Err(io::Error::other("no ink"))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn console(name: &str) -> squelch::sinks::Receiver {
    receiver(name, ReceiverKind::Console)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_written_whole_and_reported_once() {
    let paper = Paper::new(|_| true);
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    assert_eq!(couriers.offer(notification("c", 7, 1)), Offer::Taken);
    assert_eq!(couriers.offer(notification("nobody", 7, 2)), Offer::UnknownReceiver);
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    let text = paper.written.lock().unwrap().concat();
    assert!(text.starts_with("2026-11-23T03:08:00Z  UPDATE  swap used 91 % on app-2") && text.ends_with("why 7\n"));
    couriers.stop(Duration::from_secs(1)).await;
    assert_eq!(told.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn messages_keep_their_order_through_a_short_failure() {
    let mut failures = 4;
    let paper = Paper::new(move |_| {
        failures -= 1;
        failures < 0
    });
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    for incident in 1..=20 {
        couriers.offer(notification("c", incident, 1));
    }
    while short(&told.recv().await.unwrap()) != "20.1 delivered after 1" {}
    let order: Vec<String> = (1..=20).map(|incident| format!("{incident}.1")).collect();
    assert_eq!(paper.messages(), order);
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_outage_loses_nothing_and_keeps_the_order_of_each_incident() {
    let up = Arc::new(Mutex::new(false));
    let paper = Paper::new({
        let up = Arc::clone(&up);
        move |_| *up.lock().unwrap()
    });
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    for step in 1..=4 {
        couriers.offer(notification("c", 1, step));
        couriers.offer(notification("c", 2, step));
    }
    let mut down_for = Duration::ZERO;
    let mut delivered = 0;
    while delivered < 8 {
        match told.recv().await.unwrap() {
            Delivery::Failing { key, again_in, .. } if key.incident.0 == 1 => down_for += again_in,
            Delivery::Failing { .. } => {}
            Delivery::Delivered { .. } => delivered += 1,
            other => panic!("{other:?}"),
        }
        *up.lock().unwrap() |= down_for > Duration::from_secs(3_600);
    }
    for incident in ["1.", "2."] {
        let of_one: Vec<_> = paper.messages().into_iter().filter(|name| name.starts_with(incident)).collect();
        assert_eq!(of_one, (1..=4).map(|step| format!("{incident}{step}")).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_always_refused_holds_up_its_own_incident_only() {
    let paper = Paper::new(|text| !text.contains("message 1.1"));
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    for (incident, step) in [(1, 1), (1, 2), (2, 1), (3, 1), (2, 2)] {
        couriers.offer(notification("c", incident, step));
    }
    let mut waited = Duration::ZERO;
    while paper.messages().len() < 3 {
        if let Delivery::Failing { again_in, .. } = told.recv().await.unwrap() {
            waited += again_in;
        }
    }
    assert!(waited < Duration::from_secs(60));
    // One that comes while the first is still refused goes out before its next attempt.
    couriers.offer(notification("c", 4, 1));
    while short(&told.recv().await.unwrap()) != "4.1 delivered after 1" {}
    let error = loop {
        match told.recv().await.unwrap() {
            Delivery::Failing { again_in, .. } => waited += again_in,
            Delivery::Undeliverable { error, .. } => break error,
            other => panic!("{other:?}"),
        }
    };
    assert!(error.starts_with("given up after ") && error.contains("no ink"), "{error}");
    assert!(waited > Duration::from_secs(23 * 3_600) && waited < Duration::from_secs(24 * 3_600));
    assert_eq!(short(&told.recv().await.unwrap()), "1.2 delivered after 1");
    assert_eq!(paper.messages(), ["2.1", "3.1", "2.2", "4.1", "1.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_never_sent_twice() {
    let mut calls = 0;
    let paper = Paper::new(move |_| {
        calls += 1;
        calls > 3
    });
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    let mut failures = 0;
    couriers.offer(notification("c", 7, 1));
    loop {
        assert_eq!(couriers.offer(notification("c", 7, 1)), Offer::Taken);
        match told.recv().await.unwrap() {
            Delivery::Failing { .. } => failures += 1,
            other => break assert_eq!(short(&other), "7.1 delivered after 4"),
        }
    }
    couriers.offer(notification("c", 7, 1));
    couriers.offer(notification("c", 7, 2));
    // Who offers again has not heard that it was delivered, and is told once more.
    loop {
        match short(&told.recv().await.unwrap()).as_str() {
            "7.1 delivered after 0" => {}
            other => break assert_eq!(other, "7.2 delivered after 1"),
        }
    }
    assert_eq!((failures, paper.messages()), (3, vec!["7.1".to_owned(), "7.2".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_busy_and_has_room_again_later() {
    let up = Arc::new(Mutex::new(false));
    let paper = Paper::new({
        let up = Arc::clone(&up);
        move |_| *up.lock().unwrap()
    });
    let (mut couriers, mut told) = start(vec![console("c")], Options { queue: 2, ..paper.options() });
    let mut taken = 0;
    // The first fails, so that it waits; then the line fills up, and the queue behind it.
    couriers.offer(notification("c", 0, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "0.1 failing after 1");
    for incident in 1..=100 {
        match couriers.offer(notification("c", incident, 1)) {
            Offer::Taken => taken += 1,
            Offer::Busy => break,
            Offer::UnknownReceiver => panic!(),
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(taken, 3);
    *up.lock().unwrap() = true;
    for _ in 0..4 {
        while !matches!(told.recv().await.unwrap(), Delivery::Delivered { .. }) {}
    }
    assert_eq!(couriers.offer(notification("c", 200, 1)), Offer::Taken);
    assert_eq!(short(&told.recv().await.unwrap()), "200.1 delivered after 1");
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_that_is_gone_still_had_is_tried_once_more_and_then_reported() {
    let paper = Paper::new(|_| false);
    let (mut couriers, mut told) = start(vec![console("old"), console("stays")], paper.options());
    couriers.offer(notification("old", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 failing after 1");
    couriers.replace(vec![console("stays")]);
    assert_eq!(couriers.offer(notification("old", 7, 2)), Offer::UnknownReceiver);
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 failing after 2");
    let Delivery::Undeliverable { error, .. } = told.recv().await.unwrap() else { panic!() };
    assert_eq!(error, "the receiver old is gone, and the last attempt failed");
    couriers.stop(Duration::from_secs(1)).await;
    assert_eq!(told.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stop_sends_what_was_never_tried_and_leaves_the_rest_to_the_outbox() {
    let paper = Paper::new(|text| !text.contains("message 1.1"));
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    couriers.offer(notification("c", 1, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "1.1 failing after 1");
    couriers.offer(notification("c", 2, 1));
    couriers.offer(notification("c", 3, 1));
    couriers.stop(Duration::from_secs(5)).await;
    let mut results = Vec::new();
    while let Some(result) = told.recv().await {
        results.push(short(&result));
    }
    assert_eq!(results, ["2.1 delivered after 1", "3.1 delivered after 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_within_the_deadline_is_told_once_and_tried_on() {
    let up = Arc::new(Mutex::new(false));
    let paper = Paper::new({
        let up = Arc::clone(&up);
        move |_| *up.lock().unwrap()
    });
    let slow = squelch::sinks::Receiver { deadline: Duration::from_secs(120), ..console("c") };
    let (mut couriers, mut told) = start(vec![slow], paper.options());
    for step in 1..=3 {
        couriers.offer(notification("c", 1, step));
    }
    let begun = squelch::clock::Stopwatch::start();
    let mut overdue = Vec::new();
    while overdue.len() < 3 {
        match told.recv().await.unwrap() {
            Delivery::Overdue { key, error } => {
                assert!(begun.elapsed() >= Duration::from_secs(120) && begun.elapsed() < Duration::from_secs(121));
                assert!(error.starts_with("not taken within 2 min: ") && error.ends_with("no ink"), "{error}");
                overdue.push(format!("{}.{}", key.incident, key.step));
            }
            Delivery::Failing { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(overdue, ["1.1", "1.2", "1.3"], "those that wait behind the first are late, too");
    *up.lock().unwrap() = true;
    while paper.messages().len() < 3 {
        assert!(!matches!(told.recv().await.unwrap(), Delivery::Overdue { .. }), "told twice");
    }
    assert_eq!(paper.messages(), ["1.1", "1.2", "1.3"]);
}

#[tokio::test(start_paused = true)]
async fn of_the_reminders_that_pile_up_behind_a_closed_door_only_what_still_counts_is_sent() {
    let up = Arc::new(Mutex::new(false));
    let paper = Paper::new({
        let up = Arc::clone(&up);
        move |_| *up.lock().unwrap()
    });
    let (mut couriers, mut told) = start(vec![console("c")], paper.options());
    couriers.offer(notification("c", 1, 1));
    // Nobody takes the first, which is then over; of the second nobody hears anything but reminders.
    for step in 2..=4 {
        couriers.offer(reminder("c", 1, step));
        couriers.offer(reminder("c", 2, step));
    }
    couriers.offer(resolve("c", 1, 5));
    let mut delivered = Vec::new();
    while delivered.len() < 8 {
        match told.recv().await.unwrap() {
            Delivery::Failing { .. } => *up.lock().unwrap() = true,
            Delivery::Delivered { key, .. } => delivered.push(key),
            other => panic!("{other:?}"),
        }
    }
    let mut sent = paper.messages();
    sent.sort();
    assert_eq!(sent, ["1.1", "1.5", "2.4"], "what was left out counts as delivered");
}
