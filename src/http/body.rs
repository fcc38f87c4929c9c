//! Request bodies: read up to a limit, and unpacked up to a limit, so that a small bomb stays small.
//!
//! Deliberately without knowledge of what is in them.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::answer::Failure;

/// So much of a body that is too large is read and thrown away, so that the sender gets to hear why.
const DRAIN: usize = 256 << 20;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
    /// The block form, as Prometheus packs: not the framed one.
    Snappy,
}

/// Reads and unpacks a body of at most `limit` bytes, packed and unpacked.
///
/// # Errors
/// 413 when it is larger, 415 when it is packed in a way that is not known, 400 when it breaks off or cannot be unpacked.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Failure> {
    let packing = packing(headers)?;
    let bytes = collect(body, limit).await?;
    match packing {
        Packing::None => Ok(bytes),
        // Unpacking a full-sized body takes milliseconds of one core: not on a thread that serves others.
        Packing::Gzip | Packing::Zstd | Packing::Snappy => {
            tokio::task::spawn_blocking(move || unpack(packing, &bytes, limit))
                .await
                .unwrap_or_else(|_| Err(broken("it made the unpacker fail")))
        }
    }
}

fn packing(headers: &HeaderMap) -> Result<Packing, Failure> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Packing::None) };
    match value.to_str().map(|word| word.trim().to_ascii_lowercase()).as_deref() {
        Ok("" | "identity") => Ok(Packing::None),
        Ok("gzip" | "x-gzip") => Ok(Packing::Gzip),
        Ok("zstd") => Ok(Packing::Zstd),
        Ok("snappy") => Ok(Packing::Snappy),
        _ => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the content encoding {value:?} is not known"),
            "send the body as it is, or packed with gzip, zstd or snappy",
        )
        .at("header Content-Encoding")),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&format!("it breaks off after {length} bytes: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
        if length > DRAIN.max(limit) {
            break;
        }
    }
    if length > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn unpack(packing: Packing, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut unpacked = Vec::new();
    let most = limit as u64 + 1;
    let read = match packing {
        Packing::None => bytes.take(most).read_to_end(&mut unpacked),
        Packing::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(most).read_to_end(&mut unpacked),
        Packing::Snappy => return unpack_snappy(bytes, limit),
        Packing::Zstd => match ruzstd::decoding::StreamingDecoder::new(bytes) {
            Ok(decoder) => decoder.take(most).read_to_end(&mut unpacked),
            Err(error) => return Err(broken(&format!("it is not what its Content-Encoding says: {error}"))),
        },
    };
    if unpacked.len() > limit {
        return Err(too_large(limit));
    }
    match read {
        Ok(_) => Ok(unpacked),
        Err(error) => Err(broken(&format!("it is not what its Content-Encoding says: {error}"))),
    }
}

/// Snappy says in front how long it will be, and is unpacked in one piece: what says too much is not unpacked at all.
fn unpack_snappy(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let wrong = |error: snap::Error| broken(&format!("it is not what its Content-Encoding says: {error}"));
    if snap::raw::decompress_len(bytes).map_err(wrong)? > limit {
        return Err(too_large(limit));
    }
    snap::raw::Decoder::new().decompress_vec(bytes).map_err(wrong)
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {limit} bytes"),
        "send fewer events a request, or raise the limit in the settings; nothing of this request was taken",
    )
    .at("body")
}

fn broken(what: &str) -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        format!("the body cannot be read: {what}"),
        "nothing of this request was taken: mend it and send it again",
    )
    .at("body")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![0; 10_000_000]).unwrap();
        let bomb = packer.finish().unwrap();
        assert!(bomb.len() < 20_000);
        let failure = unpack(Packing::Gzip, &bomb, 1_000_000).unwrap_err();
        assert_eq!(failure.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpack(Packing::Gzip, &bomb, 10_000_000).unwrap().len(), 10_000_000);
    }

    #[test]
    fn a_bomb_of_snappy_is_stopped_by_what_it_says_of_itself() {
        let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; 10_000_000]).unwrap();
        assert_eq!(unpack(Packing::Snappy, &bomb, 1_000_000).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpack(Packing::Snappy, &bomb, 10_000_000).unwrap().len(), 10_000_000);
        let says_more = [&[0xff, 0xff, 0x3f][..], &bomb[4..]].concat();
        assert_eq!(unpack(Packing::Snappy, &says_more, 1_500_000).unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_broken_pack_is_the_senders_mistake() {
        for packing in [Packing::Gzip, Packing::Zstd, Packing::Snappy] {
            assert_eq!(unpack(packing, b"not packed at all", 1_000).unwrap_err().status, StatusCode::BAD_REQUEST);
        }
    }
}
