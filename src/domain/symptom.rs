//! Symptoms: what an alert tells about where the trouble is.
//!
//! A busy processor, a full disk or an exception points at itself. Slow answers and errors come from below: a caller
//! has those of what it calls. Missing traffic comes from above: nobody calls. (The golden signals of Google's "Site
//! Reliability Engineering", chapter 6: latency and errors, traffic, saturation.) Deliberately crude: kind and name of
//! the check are all that is looked at, and a wrong guess only moves a rank.

use super::signal::Kind;

/// What an alert is a symptom of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Symptom {
    /// Of its own component: saturation, exceptions.
    Local,
    /// Of its component or of what that calls: latency, errors, availability.
    Response,
    /// Of what calls its component: too little or too much traffic.
    Load,
}

/// Words in the names of checks about traffic.
const LOAD: [&str; 8] =
    ["request_rate", "requestrate", "request_count", "traffic", "throughput", "requests", "rps", "qps"];
/// Words in the names of checks about answers.
const RESPONSE: [&str; 9] =
    ["latency", "duration", "response", "success", "error", "availab", "5xx", "apdex", "timeout"];

impl Symptom {
    /// The symptom that a check of this kind and name shows.
    pub(crate) fn of(kind: Kind, check: &str) -> Self {
        let check = check.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| check.contains(word));
        match kind {
            Kind::Host | Kind::Exception => Self::Local,
            _ if names(&RESPONSE) => Self::Response,
            _ if names(&LOAD) => Self::Load,
            Kind::Uptime | Kind::Apm => Self::Response,
            Kind::Change | Kind::Other => Self::Local,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_name_tell_where_to_look() {
        for (kind, check, symptom) in [
            (Kind::Host, "cpu_usage", Symptom::Local),
            (Kind::Exception, "TimeoutError", Symptom::Local),
            (Kind::Apm, "request_rate_low", Symptom::Load),
            (Kind::Apm, "p95_latency", Symptom::Response),
            (Kind::Uptime, "https://shop.example/", Symptom::Response),
            (Kind::Other, "HighErrorRate", Symptom::Response),
            (Kind::Other, "DiskFull", Symptom::Local),
        ] {
            assert_eq!(Symptom::of(kind, check), symptom, "{kind} {check}");
        }
    }
}
