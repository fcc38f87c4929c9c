//! Whose answers are missing in what a request is told: a note beside the request, so that no path can forget it.
//!
//! Deliberately not an error: what the others say is worth telling, if it says that it is not all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;

tokio::task_local! {
    static MISSING: RefCell<BTreeMap<i32, String>>;
}

/// Works, and gives what was missing meanwhile: shards and why.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, BTreeMap<i32, String>) {
    let noted = async {
        let done = work.await;
        (done, noted())
    };
    MISSING.scope(RefCell::default(), noted).await
}

/// What is missing so far in the request at work.
#[must_use]
pub fn noted() -> BTreeMap<i32, String> {
    MISSING.try_with(|missing| missing.borrow().clone()).unwrap_or_default()
}

/// Notes that a shard did not answer. Where no request is at work nobody needs it.
pub fn note(shard: i32, why: &str) {
    let _ = MISSING.try_with(|missing| missing.borrow_mut().insert(shard, why.to_owned()));
}

/// The shards in words: `shards 3, 5`.
#[must_use]
pub fn named<T>(missing: &BTreeMap<i32, T>) -> String {
    let numbers: Vec<String> = missing.keys().map(ToString::to_string).collect();
    format!("shards {}", numbers.join(", "))
}
