//! Who else may speak to Squelch, beside who has the token: readers, people by name, and whom a proxy vouches for.
//!
//! Deliberately only what the settings say: what a request shows is held against it in `http`.

use core::net::IpAddr;
use std::fmt;
use std::path::PathBuf;

use super::findings::{Complaint, Findings};
use super::receivers;
use super::value::{Checked, Record};
use crate::sinks::receiver::Secret;

/// Who else may speak to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// The token that lets look and change nothing; `None` = there is none.
    pub reader: Option<Secret>,
    /// A file with a line a person: `NAME:ROLE:PASSWORD`.
    pub people: Option<PathBuf>,
    /// A proxy that has asked people already.
    pub proxy: Option<Proxy>,
}

/// A proxy that tells who asks, in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The header with the name of the person.
    pub header: String,
    /// The header with the groups of the person, separated by commas; `None` = nobody has one.
    pub groups_header: Option<String>,
    /// Where the proxy connects from: nobody else is believed.
    pub from: Vec<Network>,
    /// The people who may act; all others may look.
    pub operators: Vec<String>,
    /// The groups whose people may act.
    pub operator_groups: Vec<String>,
}

impl Proxy {
    /// The header that most proxies set.
    pub const HEADER: &str = "X-Forwarded-User";
}

/// Addresses that begin alike: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// So many leading bits count.
    bits: u8,
}

impl Network {
    /// Reads an address, or an address and the number of its bits that count (CIDR, RFC 4632).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        (bits <= all).then_some(Self { address, bits })
    }

    /// Whether an address is one of them. One of IPv4 in the clothes of IPv6 is one of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let differs = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differs >= u32::from(self.bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Lowers what stands in `auth` beside the token.
pub(super) fn lower(auth: &Record, findings: &mut Findings<'_>) -> Admission {
    Admission {
        reader: receivers::secret(auth, "reader_token"),
        people: auth.text("people_file").map(PathBuf::from),
        proxy: auth.get("proxy").map(|given| proxy(given, findings)),
    }
}

fn proxy(given: &Checked, findings: &mut Findings<'_>) -> Proxy {
    let record = given.record();
    for key in ["header", "groups_header"] {
        if let Some(name) = record.get(key).filter(|name| !is_header(name.text())) {
            let complaint = Complaint::new(format!("`{}` is no name of a header", name.text()));
            findings.mistake(name.spot, &name.path, complaint.help("use letters, digits, - and _"));
        }
    }
    Proxy {
        header: record.text("header").unwrap_or(Proxy::HEADER).to_owned(),
        groups_header: record.text("groups_header").map(str::to_owned),
        from: record.items("from").iter().filter_map(|from| network(from, findings)).collect(),
        operators: record.texts("operators"),
        operator_groups: record.texts("operator_groups"),
    }
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn network(given: &Checked, findings: &mut Findings<'_>) -> Option<Network> {
    let network = Network::parse(given.text());
    if network.is_none() {
        let complaint = Complaint::new(format!("`{}` is neither an address nor a network", given.text()));
        findings.mistake(given.spot, &given.path, complaint.help("write it as 127.0.0.1, ::1 or 10.1.0.0/16"));
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
        assert!(holds("127.0.0.1", "127.0.0.1") && holds("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(holds("10.1.0.0/16", "10.1.200.3") && !holds("10.1.0.0/16", "10.2.0.1"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe80::1") && !holds("::1", "127.0.0.1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8"));
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "::1/129", "10.0.0/8"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
