//! Bytes of a connection, against the API as vendors reach it: any bytes, and HTTP/2 in which single things are wrong.
//!
//! An input is sent whole and the sending side closed. Then the bus has to end the connection within [`SOON`], after no more than
//! [`LONGEST_ANSWER`] bytes, and every [`EVERY`]th time a vendor that misuses nothing has to get all the places that its contract grants:
//! what earlier connections held was given back.

mod frames;
mod script;

pub(crate) use script::METHODS;

use crate::{bus::Bus, input::Input};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Longer than anything that is bounded by a few seconds on a busy machine, and shorter than what is bounded by 30 s.
const SOON: Duration = Duration::from_secs(20);
/// An answer to the largest call has 3 MiB, and an input has no room for many calls that have such an answer.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// How often it is seen whether others are served.
const EVERY: u64 = 256;

/// The first byte chooses between bytes as they are and a script.
pub fn connections(bus: &Bus, input: &[u8]) {
    let mut input = Input::of(input);
    let bytes = match input.byte() % 4 {
        0 => input.rest().to_vec(),
        1 => [frames::PREFACE, input.rest()].concat(),
        _ => script::written(input),
    };
    talk(bus, &bytes);
    if bus.fed.fetch_add(1, Ordering::Relaxed) % EVERY == EVERY - 1 {
        bus.serves_others();
    }
}

fn talk(bus: &Bus, bytes: &[u8]) {
    let mut stream = TcpStream::connect(bus.address).expect("the bus takes connections");
    let limits = [
        stream.set_read_timeout(Some(SOON)),
        stream.set_write_timeout(Some(SOON)),
    ];
    assert!(limits.iter().all(Result::is_ok));
    // The bus may have closed it at the first bad byte.
    _ = stream.write_all(bytes);
    _ = stream.shutdown(Shutdown::Write);
    let (begun, mut came, mut piece) = (Instant::now(), 0, [0; 16 * 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => came += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the connection goes on, and nothing comes")
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // It was cut off.
            Err(_) => return,
        }
        assert!(came <= LONGEST_ANSWER, "the answer has no end");
        assert!(begun.elapsed() < 2 * SOON, "the connection goes on");
    }
}
