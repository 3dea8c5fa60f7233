//! Frames of HTTP/2 (RFC 9113) and header blocks (RFC 7541), written without a library that would keep one from writing bad ones.

/// With what a client begins.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RESET: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GO_AWAY: u8 = 7;
pub(super) const WINDOW: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// Flags.
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// A frame, with the length that it has.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    frame_of(length, kind, flags, stream, payload)
}

/// A frame that says another length.
pub(super) fn frame_of(length: u32, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = length.to_be_bytes();
    let mut bytes = Vec::with_capacity(9 + payload.len());
    bytes.extend(length);
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A message of gRPC, with any flag and length.
pub(super) fn message(flag: u8, length: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flag];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// A header, spelled out and not kept.
pub(super) fn header(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.extend(integer(text.len()));
        bytes.extend(text);
    }
    bytes
}

/// An integer with a prefix of seven bits.
fn integer(number: usize) -> Vec<u8> {
    if number < 127 {
        return vec![u8::try_from(number).unwrap_or(0)];
    }
    let (mut bytes, mut rest) = (vec![127], number - 127);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap_or(0));
    bytes
}
