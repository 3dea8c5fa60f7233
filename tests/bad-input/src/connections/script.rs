//! A connection as a script: one byte chooses what comes next, the bytes after it how. Most of it is as it should be, so that what is
//! wrong is looked at by whoever reads that far.

use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GO_AWAY, HEADERS, PING, PREFACE, PRIORITY, RESET, SETTINGS,
    WINDOW, frame, frame_of, header, message,
};
use crate::{
    bus::{VENDORS, token_of},
    input::Input,
};

const BUS: &str = "/archwire.v1.Bus/";
/// What may be called, and what may not.
pub(crate) const METHODS: [&str; 8] = [
    "Publish",
    "Subscribe",
    "GetPatient",
    "FindPatients",
    "ListEvents",
    "PutImage",
    "ResumeImage",
    "GetImage",
];
const OTHERS: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/archwire.v1.Bus/NoSuchMethod",
    "*",
];
/// Most calls of a script.
const CALLS: u32 = 64;

/// What a script says, as bytes.
pub(super) fn written(mut input: Input<'_>) -> Vec<u8> {
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let mut calls = 0;
    while !input.is_empty() {
        match input.byte() % 14 {
            0..=2 if calls < CALLS => {
                bytes.extend(call(&mut input, 2 * calls + 1));
                calls += 1;
            }
            0..=4 => bytes.extend(data(&mut input, calls)),
            5 => bytes.extend(frame(
                RESET,
                0,
                stream(&mut input, calls),
                &input.long().to_be_bytes(),
            )),
            6 => bytes.extend(frame(PING, input.byte() & 1, 0, &[7; 8])),
            7 => bytes.extend(frame(
                WINDOW,
                0,
                stream(&mut input, calls),
                &input.long().to_be_bytes(),
            )),
            8 => bytes.extend(frame(SETTINGS, input.byte() & 1, 0, input.part())),
            9 => bytes.extend(frame(
                CONTINUATION,
                input.byte(),
                stream(&mut input, calls),
                input.part(),
            )),
            10 => bytes.extend(frame(PRIORITY, 0, stream(&mut input, calls), input.some(5))),
            11 => bytes.extend(frame(GO_AWAY, 0, 0, &[0; 8])),
            12 => {
                let (kind, flags, of, length) = (input.byte(), input.byte(), input.long(), input.long());
                let payload = input.part();
                bytes.extend(frame_of(length >> 8, kind, flags, of, payload));
            }
            _ => {
                let (kind, flags, of) = (input.byte(), input.byte(), stream(&mut input, calls));
                bytes.extend(frame(kind, flags, of, input.part()));
            }
        }
    }
    bytes
}

/// One of the streams that there are, or any.
fn stream(input: &mut Input<'_>, calls: u32) -> u32 {
    match input.byte() {
        255 => input.long(),
        254 => 0,
        // The last one first.
        back => (2 * calls).saturating_sub(2 * u32::from(back) + 1),
    }
}

/// A call: who, what, and with which headers beside.
fn call(input: &mut Input<'_>, stream: u32) -> Vec<u8> {
    let (what, who, how) = (input.byte(), input.byte(), input.byte());
    let path = match METHODS.get(usize::from(what)) {
        Some(method) => format!("{BUS}{method}"),
        None => OTHERS
            .get(usize::from(what) % OTHERS.len())
            .copied()
            .unwrap_or_default()
            .to_owned(),
    };
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", &path),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ] {
        block.extend(header(name.as_bytes(), value.as_bytes()));
    }
    let token = match VENDORS.get(usize::from(who)) {
        Some(vendor) => format!("Bearer {}", token_of(vendor)),
        None => "Bearer of nothing".to_owned(),
    };
    block.extend(header(b"authorization", token.as_bytes()));
    if how & 1 != 0 {
        block.extend(header(b"grpc-timeout", input.part()));
    }
    if how & 2 != 0 {
        block.extend(header(b"grpc-encoding", input.part()));
    }
    if how & 4 != 0 {
        block.extend(header(input.part(), input.part()));
    }
    if how & 8 != 0 {
        // Whatever it means.
        block.extend(input.part());
    }
    let flags = match how & 16 {
        0 => END_HEADERS,
        _ => END_HEADERS | END_STREAM,
    };
    frame(HEADERS, flags, stream, &block)
}

/// A message on a call, or a part of one.
fn data(input: &mut Input<'_>, calls: u32) -> Vec<u8> {
    let (of, how) = (stream(input, calls), input.byte());
    let length = input.long();
    let body = input.part();
    let honest = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let payload = match how >> 1 & 3 {
        0 | 1 => message(0, honest, body),
        2 => message(input.byte(), length, body),
        _ => body.to_vec(),
    };
    frame(DATA, how & END_STREAM, of, &payload)
}
