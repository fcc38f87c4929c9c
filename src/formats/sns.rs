//! What SNS signs: the text of an envelope as it is signed, and whether a certificate fits its signature.
//!
//! Deliberately without network: whoever fetches the certificate hands it over. It is trusted because it came from
//! Amazon's own host by TLS, as Amazon's own validators do it; its chain is not checked a second time.
//! Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use serde::Deserialize;
use webpki::EndEntityCert;

/// The name of the tool whose bodies these are.
pub const TOOL: &str = "cloudwatch-sns";

/// One message of SNS as it is posted, with the fields that are signed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    r#type: String,
    topic_arn: String,
    message_id: String,
    message: String,
    timestamp: String,
    subject: Option<String>,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
}

impl Envelope {
    /// Reads a body; `None` = it is no message of SNS that is signed.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The topic that it came through.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic_arn
    }

    /// Where the certificate lies; `None` = not on the host of SNS in the topic's own region.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        let url = self.signing_cert_url.as_str();
        let is_certificate = url.ends_with(".pem") && !url.contains(['?', '#']);
        self.is_of_this_region(url).then_some(url).filter(|_| is_certificate)
    }

    /// The address that confirms a subscription, where this asks for that: `Some(None)` = it leads elsewhere than to SNS in
    /// the topic's own region.
    #[must_use]
    pub fn confirmation(&self) -> Option<Option<&str>> {
        (self.r#type == "SubscriptionConfirmation")
            .then(|| self.subscribe_url.as_deref().filter(|url| self.is_of_this_region(url)))
    }

    fn is_of_this_region(&self, url: &str) -> bool {
        region(url).is_some_and(|region| self.topic_arn.split(':').nth(3) == Some(region))
    }

    /// Whether the certificate (PEM) fits the signature.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn is_signed_by(&self, pem: &[u8]) -> Result<(), &'static str> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| "what lies at SigningCertURL is no certificate")?;
        let certificate = EndEntityCert::try_from(&der).map_err(|_| "the certificate cannot be read")?;
        let algorithm: &dyn SignatureVerificationAlgorithm = match self.signature_version.as_str() {
            "1" => &Sha1,
            "2" => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
            _ => return Err("the SignatureVersion is neither 1 nor 2"),
        };
        let signature = STANDARD.decode(&self.signature).map_err(|_| "the Signature is no base64")?;
        let fits = certificate.verify_signature(algorithm, self.signed().as_bytes(), &signature);
        fits.map_err(|_| "the Signature is not that of this message")
    }

    /// The names and values that are signed, a line each, in order of name.
    fn signed(&self) -> String {
        let some = |value: &'_ String| Some(value.clone());
        let of_alarms = self.r#type == "Notification";
        let lines = [
            ("Message", some(&self.message)),
            ("MessageId", some(&self.message_id)),
            ("Subject", self.subject.clone().filter(|_| of_alarms)),
            ("SubscribeURL", self.subscribe_url.clone().filter(|_| !of_alarms)),
            ("Timestamp", some(&self.timestamp)),
            ("Token", self.token.clone().filter(|_| !of_alarms)),
            ("TopicArn", some(&self.topic_arn)),
            ("Type", some(&self.r#type)),
        ];
        lines.into_iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?))).collect()
    }
}

/// The region in `https://sns.REGION.amazonaws.com/…` (in China with `.cn`); `None` = the address is another's.
#[must_use]
pub fn region(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://sns.")?;
    let host = rest.split(['/', '?', '#', ':', '@', '\\']).next().unwrap_or_default();
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = !region.is_empty() && region.bytes().all(plain) && rest[host.len()..].starts_with(['/', '?']);
    is_region.then_some(region)
}

/// RSA with SHA-1, which version 1 signs with. Nothing else here takes it.
#[derive(Debug)]
struct Sha1;

impl SignatureVerificationAlgorithm for Sha1 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    /// `sha1WithRSAEncryption`, 1.2.840.113549.1.1.5, RFC 3279.
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00])
    }
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn only_amazons_own_addresses_are_of_a_region() {
        for (address, expected) in [
            ("https://sns.eu-west-1.amazonaws.com/?Action=x", "eu-west-1"),
            ("https://sns.cn-north-1.amazonaws.com.cn/?a", "cn-north-1"),
        ] {
            assert_eq!(region(address), Some(expected), "{address}");
        }
        for address in [
            "http://sns.eu-west-1.amazonaws.com/?a",
            "https://sns.evil.example/?a",
            "https://sns.eu-west-1.amazonaws.com.evil.example/",
            "https://sns.eu-west-1.amazonaws.com@evil.example/",
            "https://sns.eu-west-1.amazonaws.com:8443/",
            "https://sns.x.y.amazonaws.com/",
            "https://sns.amazonaws.com/",
            "https://sns.evil.example#.amazonaws.com/",
            "https://sns.evil.example\\.amazonaws.com/",
            "",
        ] {
            assert_eq!(region(address), None, "{address}");
        }
    }
}
