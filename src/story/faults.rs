//! The three true faults. Their times are the same for all seeds.

use crate::domain::{Event, Severity, Timestamp};

use super::cast::{self, Check};
use super::on;
use super::ordinary::deploy;
use super::random::Random;

pub(super) const DISK_START: Timestamp = on(2, 13, 0);
pub(super) const DISK_END: Timestamp = on(2, 17, 20);
pub(super) const PAYMENTS_START: Timestamp = on(3, 10, 25);
pub(super) const PAYMENTS_END: Timestamp = on(3, 11, 5);
/// The shop is in the press.
pub(super) const PRESS: Timestamp = on(4, 16, 0);
/// The first stale processes make a host swap.
pub(super) const MEMORY_START: Timestamp = on(4, 16, 50);
/// `web-1` locks up.
pub(super) const DOWN: Timestamp = on(5, 1, 50);
/// The site answers again.
pub(super) const UP: Timestamp = on(5, 2, 0);
/// It is as fast as before again.
pub(super) const SLOW_END: Timestamp = on(5, 2, 10);

const SWAP_LIMIT: f64 = 50.0;

/// The disk of the database fills: one warning, rising numbers, a critical one, relief.
pub(super) fn disk(random: &mut Random, events: &mut Vec<Event>) {
    let check = Check::of_host("db", "db-1", "disk_used");
    // From 78 % on it gains 5 % an hour; monit repeats itself each quarter of an hour.
    let mut at = on(2, 13, 24);
    while at < DISK_END {
        let used = 78.0 + at.since(DISK_START) / 3600.0 * 5.0 + random.between(-0.2, 0.2);
        let (severity, limit) = if used >= 92.0 { (Severity::Critical, 92.0) } else { (Severity::Warning, 80.0) };
        events.push(check.fires(at, severity, used.max(limit), limit));
        at = at.after(900.0);
    }
    let waits = Check::of_host("db", "db-1", "io_wait");
    events.push(waits.fires(on(2, 16, 31), Severity::Warning, random.between(41.0, 60.0), 40.0));
    events.push(waits.resolves(DISK_END, random.between(5.0, 15.0), 40.0));
    events.push(check.resolves(DISK_END, random.between(55.0, 60.0), 80.0));
}

/// Payments fail: a new exception nine times a minute, and the share of failed requests.
pub(super) fn payments(random: &mut Random, events: &mut Vec<Event>) {
    for at in random.times(PAYMENTS_START, PAYMENTS_END, 540.0, |_| 1.0) {
        let summary = format!("the bank refused order {}", 20_000 + random.next() % 9_000);
        events.push(cast::exception(at, random.pick(&cast::web_hosts(at)), "Payment::GatewayRefused", summary));
    }
    let errors = Check::of_shop("error_rate", Some("%"));
    events.push(errors.fires(PAYMENTS_START.after(150.0), Severity::Warning, random.between(2.1, 3.0), 2.0));
    events.push(errors.fires(PAYMENTS_START.after(390.0), Severity::Critical, random.between(5.1, 9.0), 5.0));
    events.push(errors.resolves(PAYMENTS_END.after(120.0), random.between(0.2, 0.9), 2.0));
}

/// Three deploys leave processes behind; swap flaps between warning and normal on three hosts for nine hours,
/// longer and longer in the warning, and is critical in the end.
pub(super) fn memory(random: &mut Random, events: &mut Vec<Event>) {
    for at in [on(4, 16, 20), on(4, 18, 5), on(4, 21, 40)] {
        events.push(deploy(random, at));
    }
    for (host, late, critical) in [("web-1", 0.0, 4_500.0), ("web-2", 2_400.0, 2_700.0), ("web-3", 6_300.0, 0.0)] {
        let check = Check::of_host("shop", host, "swap_used");
        let worst = Timestamp::from_millis(DOWN.millis() - (critical * 1_000.0) as i64);
        let mut at = MEMORY_START.after(late);
        let mut warned = false;
        while at < worst {
            // How far it has come, 0 to 1: the good minutes get shorter, the bad ones longer.
            let share = at.since(MEMORY_START) / DOWN.since(MEMORY_START);
            let end = at.after(random.between(180.0, 600.0) * (1.0 + share));
            let over = SWAP_LIMIT + random.between(0.5, 8.0) + 20.0 * share;
            events.push(check.fires(at, Severity::Warning, over, SWAP_LIMIT));
            if end >= worst {
                warned = true;
                break;
            }
            events.push(check.resolves(end, SWAP_LIMIT - random.between(1.0, 6.0), SWAP_LIMIT));
            at = end.after(random.between(240.0, 780.0) * (1.2 - share));
        }
        if critical > 0.0 {
            events.push(check.fires(worst, Severity::Critical, random.between(90.0, 97.0), 90.0));
        }
        // web-1 never speaks again; on the others the stale processes are killed by hand.
        if host != "web-1" && (warned || critical > 0.0) {
            events.push(check.resolves(UP.after(random.between(200.0, 500.0)), random.between(4.0, 9.0), SWAP_LIMIT));
        }
    }
}

/// The balancer locks up with its host: down for ten minutes, slow for ten more, seen by four tools.
pub(super) fn outage(random: &mut Random, events: &mut Vec<Event>) {
    let page = Check::of_front_page();
    events.push(page.fails(DOWN.after(random.between(40.0, 70.0)), "no answer within 30 s"));
    events.push(page.answers(UP.after(random.between(5.0, 50.0))));
    let host = Check { unit: None, ..Check::of_host("shop", "web-1", "ping") };
    events.push(host.fails(DOWN.after(35.0), "host does not answer"));
    let replaced = "web-1 replaced by web-5; web-2 is the balancer now".to_owned();
    events.push(cast::change(on(5, 1, 55), "cloud", "instance_replaced", Some("web-5"), replaced));

    let satisfied = Check::of_shop("apdex", None);
    events.push(satisfied.fires(DOWN.after(95.0), Severity::Critical, 0.0, 0.5));
    events.push(satisfied.resolves(SLOW_END.after(100.0), 0.9, 0.5));
    let errors = Check::of_shop("error_rate", Some("%"));
    events.push(errors.fires(DOWN.after(80.0), Severity::Critical, random.between(60.0, 98.0), 5.0));
    events.push(errors.resolves(SLOW_END.after(40.0), random.between(0.2, 0.9), 2.0));
    let slow = Check::of_shop("response_time_p95", Some("ms"));
    events.push(slow.fires(UP.after(70.0), Severity::Critical, random.between(6_000.0, 9_000.0), 4_000.0));
    events.push(slow.resolves(SLOW_END.after(60.0), random.between(400.0, 900.0), 1_200.0));

    // The fresh instance takes requests before its gems are there; then the stale cache list slows the rest.
    for at in random.times(on(5, 1, 57), on(5, 2, 6), 2_400.0, |_| 1.0) {
        events.push(cast::exception(
            at,
            "web-5",
            "Bundler::GemNotFound",
            "could not find a gem in any source".to_owned(),
        ));
    }
    for at in random.times(UP, SLOW_END, 900.0, |_| 1.0) {
        let host = random.pick(&["web-2", "web-3", "web-4"]);
        events.push(cast::exception(at, host, "Cache::ServerGone", "web-1:11211 does not answer".to_owned()));
    }
}
