//! Inputs to begin with: each a good one of its kind, made here of invented people and files, from which a fuzzer finds its way to bad ones.

mod files;
mod people;

use crate::connections::METHODS;
use archwire_proto::v1::{self, Open, SubscribeRequest, subscribe_request::Request as Ask};
use prost::Message as _;

/// The targets by name.
pub const TARGETS: [&str; 6] = ["events", "requests", "images", "connections", "calls", "sftp"];

/// The inputs of a target to begin with; none of one that there is not.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "events" => events(),
        "requests" => requests(),
        "images" => files::all().map(|file| [vec![0, 1], file].concat()).to_vec(),
        "connections" => connections(),
        "calls" => calls(),
        "sftp" => sftp(),
        _ => Vec::new(),
    }
}

/// Events of all kinds under contracts that show all, some and nothing of them.
fn events() -> Vec<Vec<u8>> {
    let contracts: [[u8; 3]; 5] = [
        [0xff, 0xff, 3],
        [0xff, 0xff, 0],
        [0x02, 0x7f, 2],
        [0x05, 0x7f, 6],
        [0, 0x7f, 14],
    ];
    let kinds = (1..=7).map(|kind| people::event(kind).encode_to_vec());
    kinds
        .flat_map(|event| contracts.map(|contract| [contract.to_vec(), event.clone()].concat()))
        .collect()
}

fn requests() -> Vec<Vec<u8>> {
    let publish = people::publish(7).encode_to_vec();
    let open = v1::PutImageRequest {
        request: Some(v1::put_image_request::Request::Open(people::open_image())),
    };
    let image = people::image().encode_to_vec();
    [(0, publish), (1, open.encode_to_vec()), (2, image)]
        .map(|(which, message)| [vec![which], message].concat())
        .to_vec()
}

/// A call of each method with a good message, of each vendor, as the scripts of connections write it: opcode 0, then method,
/// vendor and flags; opcode 3, then how many streams back, flags, a length and the message.
fn connections() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1], b"\x00GET / HTTP/1.1\r\n\r\n".to_vec()];
    for (method, message) in messages() {
        for vendor in 0..6 {
            let mut script = vec![2, 0, method, vendor, 0, 3, 0, 1, 0, 0, 0, 0];
            script.extend(part(&message));
            // Signs of life, a larger window, and the call taken back.
            script.extend([6, 0, 7, 0, 0, 1, 0, 0, 5, 0, 0, 0, 0, 8]);
            seeds.push(script);
        }
    }
    for other in 8..13 {
        seeds.push(vec![2, 0, other, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    // A deadline, a compression that nobody knows, and a message that is longer than it says.
    seeds.push(
        [
            vec![2, 0, 2, 0, 3],
            part(b"1m"),
            part(b"zstd"),
            vec![3, 0, 5, 0, 0, 0, 9, 0, 0],
        ]
        .concat(),
    );
    seeds
}

fn calls() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        vec![8, 0],
        vec![8, 1],
        vec![8, 0, 65, b'A'],
        vec![9, 0],
        vec![9, 1],
        vec![9, 0, 3, b'A'],
    ];
    for (method, message) in messages() {
        for vendor in 0..5 {
            seeds.push([vec![method, vendor], part(&message), part(&message)].concat());
        }
    }
    seeds
}

/// The file opened, read and closed; the folder listed; and a request of each kind, as the scripts of SFTP write them.
fn sftp() -> Vec<Vec<u8>> {
    let open = [0, 0, 0, 0, 0, 1];
    let read = [1, 0, 0, 0, 0, 0, 0, 1, 0, 0];
    let close = [3, 0, 0, 0, 0];
    let whole = [vec![1], open.to_vec(), read.to_vec(), close.to_vec()].concat();
    let listed = vec![1, 2, 2, 2, 0, 0, 3, 3, 0, 0, 0, 3, 3, 0, 0, 0];
    let kinds = (0..=22).map(|kind| vec![1, 4, kind, 0, 4, 0, 0, 0, 0]);
    let bare = vec![0, 0, 0, 0, 5, 1, 0, 0, 0, 3];
    [whole, listed, bare].into_iter().chain(kinds).collect()
}

/// A good message of each method, by the method's place.
fn messages() -> Vec<(u8, Vec<u8>)> {
    let open = Open {
        name: "seed".to_owned(),
        filter: Some(v1::Filter {
            kinds: vec![v1::EventKind::PatientCreated.into()],
            changed_groups: vec!["name".to_owned()],
            patient_ids: Vec::new(),
        }),
        ..Open::default()
    };
    let open = SubscribeRequest {
        request: Some(Ask::Open(open)),
    };
    let of = |method: &str, message: Vec<u8>| {
        let place = METHODS.iter().position(|name| *name == method);
        (
            place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0),
            message,
        )
    };
    let put = v1::PutImageRequest {
        request: Some(v1::put_image_request::Request::Open(people::open_image())),
    };
    vec![
        of("Publish", people::publish(1).encode_to_vec()),
        of("Subscribe", open.encode_to_vec()),
        of("GetPatient", people::get().encode_to_vec()),
        of("FindPatients", people::find().encode_to_vec()),
        of("ListEvents", people::list().encode_to_vec()),
        of("PutImage", put.encode_to_vec()),
        of("ResumeImage", people::resume().encode_to_vec()),
        of("GetImage", people::get_image().encode_to_vec()),
    ]
}

/// A part that says how long it is.
fn part(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

/// So that a seed which is no event is found where it is made.
#[cfg(test)]
#[test]
fn seeds_are_what_they_stand_for() {
    for seed in events() {
        let event = archwire::wire::decode_event(seed.get(3..).unwrap_or_default().to_vec().into());
        assert!(event.is_ok(), "{:?}", event.err());
    }
}
