//! Names of services, hosts and checks: only what lives one deployment or one request is masked.

use std::borrow::Cow;

use super::{UUID, starts_with_uuid};

/// The name of a service, host or check with the parts that live one deployment masked
/// (`web-7d9f8b6c5-x2x9z` → `web-*`), so that what is learned outlives a deploy. Borrowed when nothing is masked.
///
/// Masked are: hashes of Kubernetes replica sets and pods, UUIDs, hexadecimal ids of 8 digits or more that mix letters
/// and digits (containers, EC2 instances, commits), numbers of 8 digits or more but not of 11 or 12 (times and ids;
/// 12 are an account of AWS), and the suffixes that CloudFormation makes. Ordinals (`db-0`), numbered names
/// (`web01`) and addresses stay. Masks side by side become one. Masking twice changes nothing.
#[must_use]
pub fn mask_name(name: &str) -> Cow<'_, str> {
    // Everything that is masked holds a digit, or stands behind something that does.
    if !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut mask = Mask { name, out: None, copied: 0, last_end: None };
    let mut at = 0;
    while at < bytes.len() {
        if is_separator(bytes[at]) {
            at += 1;
            continue;
        }
        if starts_with_uuid(&bytes[at..]) {
            mask.put(at, at + UUID);
            at += UUID;
            continue;
        }
        let end = bytes[at..].iter().position(|byte| is_separator(*byte)).map_or(bytes.len(), |length| at + length);
        let joined = at > 0 && bytes[at - 1] == b'-';
        let after_mask = joined && mask.last_end == Some(at - 1);
        let last = bytes.get(end) != Some(&b'-');
        let part = &bytes[at..end];
        if part == b"*" || is_id(part) || joined && at > 1 && is_hash(part, after_mask, last) {
            mask.put(at, end);
        }
        at = end;
    }
    mask.done()
}

/// The output, made only once there is something to mask.
struct Mask<'a> {
    name: &'a str,
    out: Option<String>,
    /// Up to where the name has been copied or masked.
    copied: usize,
    /// Where the last mask ended, in the name.
    last_end: Option<usize>,
}

impl<'a> Mask<'a> {
    fn put(&mut self, start: usize, end: usize) {
        let merges = self.last_end.is_some_and(|last| start == last + 1) && self.name.as_bytes()[start - 1] == b'-';
        if !merges {
            let out = self.out.get_or_insert_with(|| String::with_capacity(self.name.len()));
            out.push_str(&self.name[self.copied..start]);
            out.push('*');
        }
        self.copied = end;
        self.last_end = Some(end);
    }

    fn done(self) -> Cow<'a, str> {
        match self.out {
            None => Cow::Borrowed(self.name),
            Some(mut out) => {
                out.push_str(&self.name[self.copied..]);
                Cow::Owned(out)
            }
        }
    }
}

const fn is_separator(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b'*'
}

/// An id by its own looks.
fn is_id(part: &[u8]) -> bool {
    if part.len() < 8 {
        return false;
    }
    let (mut digits, mut hex, mut capitals) = (0, 0, 0);
    for byte in part {
        digits += usize::from(byte.is_ascii_digit());
        hex += usize::from(byte.is_ascii_hexdigit());
        capitals += usize::from(byte.is_ascii_uppercase());
    }
    if digits == part.len() {
        return !matches!(part.len(), 11 | 12);
    }
    let mixed_hex = hex == part.len() && digits > 0;
    // CloudFormation: 12 or 13 capital letters and digits.
    let stack = matches!(part.len(), 12 | 13) && digits + capitals == part.len() && digits >= 2;
    mixed_hex || stack
}

/// A hash of Kubernetes, by its looks and its place in the name.
fn is_hash(part: &[u8], after_mask: bool, last: bool) -> bool {
    match part.len() {
        // A pod: five of an alphabet without vowels. Alone (daemon sets) it must not look like `http2`.
        5 => part.iter().all(|byte| is_safe(*byte)) && (after_mask || last && digit_before_letter(part)),
        // A replica set: decimal digits in that alphabet's spelling.
        6..=10 => {
            part.iter().all(|byte| b"456789bcdf".contains(byte))
                && part.iter().any(u8::is_ascii_digit)
                && part.iter().any(u8::is_ascii_lowercase)
        }
        _ => false,
    }
}

fn is_safe(byte: u8) -> bool {
    b"bcdfghjklmnpqrstvwxz2456789".contains(&byte)
}

fn digit_before_letter(part: &[u8]) -> bool {
    part.windows(2).any(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::mask_name;

    const ROWS: &[(&str, &str)] = &[
        ("", ""),
        ("web", "web"),
        ("web01", "web01"),
        ("db-0", "db-0"),
        ("app-3", "app-3"),
        ("app-master", "app-master"),
        ("frontend->cartservice", "frontend->cartservice"),
        ("ActionController::RoutingError", "ActionController::RoutingError"),
        // Kubernetes.
        ("productcatalogservice-668d5f85fb-wckp8", "productcatalogservice-*"),
        ("paymentservice-9cdb6588f-554sm", "paymentservice-*"),
        ("currencyservice-cf787dd48-vpjrd", "currencyservice-*"),
        ("web-7d9f8b6c5-x2x9z", "web-*"),
        ("web-7d9f8b6c5", "web-*"),
        ("web-7d9f8b6c5-bcdfg", "web-*"),
        ("shop/web-7d9f8b6c5-x2x9z:puma", "shop/web-*:puma"),
        ("web-7d9f8b6c5-x2x9z.shop.svc", "web-*.shop.svc"),
        ("node-exporter-x7k2p", "node-exporter-*"),
        ("fluentd-4xq9z", "fluentd-*"),
        ("backup-28471230-x7k2p", "backup-*"),
        ("backup-28471230", "backup-*"),
        ("worker-deployment-1234567890-abcef", "worker-deployment-*-abcef"),
        ("redis-0", "redis-0"),
        ("kafka-broker-12", "kafka-broker-12"),
        ("etcd-2.etcd-headless", "etcd-2.etcd-headless"),
        // Words that look nearly like a hash.
        ("nginx-https", "nginx-https"),
        ("nginx-http2", "nginx-http2"),
        ("proxy-grpc2", "proxy-grpc2"),
        ("prod-mysql", "prod-mysql"),
        ("x2x9z", "x2x9z"),
        ("app-v2-blue", "app-v2-blue"),
        ("k8s-node-4", "k8s-node-4"),
        ("shop-db-2xlrg-blue", "shop-db-2xlrg-blue"),
        ("rack-45678", "rack-45678"),
        ("rack-456789", "rack-456789"),
        ("sha256", "sha256"),
        ("aes-256-gcm", "aes-256-gcm"),
        // Addresses and machines.
        ("10.0.3.7", "10.0.3.7"),
        ("ip-10-0-3-7", "ip-10-0-3-7"),
        ("ip-10-0-3-7.eu-west-1.compute.internal", "ip-10-0-3-7.eu-west-1.compute.internal"),
        ("10.0.3.7:9100", "10.0.3.7:9100"),
        ("[2001:db8::1]:9100", "[2001:db8::1]:9100"),
        ("rack12-u04", "rack12-u04"),
        ("i-0abc123de456f7890", "i-*"),
        ("i-1a2b3c4d", "i-*"),
        ("vol-049df61146c4d7901", "vol-*"),
        // Containers, commits, requests.
        ("3f4e5d6c7b8a", "*"),
        ("web@sha256:9f86d081884c7d659a2feaa0c55ad015", "web@sha256:*"),
        ("build-0a1b2c3d", "build-*"),
        ("3576f543-dc3c-4d97-9f16-5c81f35195cb", "*"),
        ("job-3576f543-dc3c-4d97-9f16-5c81f35195cb-run", "job-*-run"),
        ("3576F543-DC3C-4D97-9F16-5C81F35195CB", "*"),
        ("3576f543-dc3c-4d97-9f16-5c81f35195cbx", "*-dc3c-4d97-9f16-5c81f35195cbx"),
        ("deadbeef", "deadbeef"),
        ("facade", "facade"),
        ("logs-20240502", "logs-*"),
        ("logs-2024.05.02", "logs-2024.05.02"),
        ("batch_1714644672", "batch_*"),
        ("batch_1714644672123", "batch_*"),
        ("arn:aws:sqs:eu-west-1:123456789012:mail", "arn:aws:sqs:eu-west-1:123456789012:mail"),
        ("shop-WebServer-1RXVLWX2H4ABC", "shop-WebServer-*"),
        ("/dev/sda1", "/dev/sda1"),
        ("disk_used_percent", "disk_used_percent"),
        ("http_5xx", "http_5xx"),
        ("p95", "p95"),
        ("café-7d9f8b6c5-x2x9z", "café-*"),
        ("東京-1", "東京-1"),
        ("a*-1", "a*-1"),
    ];

    #[test]
    fn only_what_lives_one_deployment_is_masked() {
        for (name, expected) in ROWS {
            assert_eq!(mask_name(name), *expected, "{name}");
        }
    }

    #[test]
    fn what_stays_is_borrowed() {
        for (name, expected) in ROWS {
            assert_eq!(matches!(mask_name(name), std::borrow::Cow::Borrowed(_)), name == expected, "{name}");
        }
    }
}
