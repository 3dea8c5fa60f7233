//! Messages of every call, as a vendor's program would send them, and cursors and page tokens that are not what they were.
//!
//! Whatever is asked, a refusal has a code that the guide for vendors lists; patients are shown as far as the vendor's contract reads;
//! and no cursor or page token is taken but those that the bus gave to that vendor.

mod answer;
mod http2;
mod told;

pub(crate) use http2::Line;

use crate::{
    bus::{Bus, VENDORS},
    connections::METHODS,
    input::Input,
};
use answer::Answer;
use anyhow::{Context as _, Result, ensure};
use archwire_proto::v1::{
    FindPatientsRequest, FindPatientsResponse, Open, SubscribeRequest, SubscribeResponse, open::Start,
    subscribe_request::Request as Ask, subscribe_response::Response as Told,
};
use prost::Message as _;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longer than a call takes on a busy machine, and shorter than what is bounded by 30 s.
const SOON: Duration = Duration::from_secs(20);
/// How ids begin that stand for those of people whom the bus knows.
const SOMEBODY: &[u8] = b"019a8f30-8d5e-7c31-b5a5-02d1f0a4c0";
/// Most messages of a call.
const MESSAGES: usize = 16;
/// Streams that a contract grants at the same time.
const STREAMS: usize = 16;
/// To whom cursors and page tokens were given.
const OWNER: &str = "everything";

/// What the bus gave to [`OWNER`].
#[derive(Default)]
pub(crate) struct Given {
    cursor: String,
    page: String,
}

/// The first byte chooses a call, or a cursor or a page token to alter; the second one the vendor.
pub fn calls(bus: &Bus, input: &[u8]) {
    let mut input = Input::of(input);
    let (what, vendor) = (input.byte() % 10, input.one_of(&VENDORS));
    match METHODS.get(usize::from(what)) {
        Some(method) => {
            let mut messages = Vec::new();
            while !input.is_empty() && messages.len() < MESSAGES {
                messages.push(bus.with_people(input.part().to_vec()));
            }
            if let Some(answer) = bus.asked(vendor, method, &messages) {
                bus.shows_no_more(vendor, method, &answer);
            }
        }
        None if what == 8 => bus.takes_no_other_cursor(vendor, &altered(&bus.given.cursor, input)),
        None => bus.takes_no_other_page(vendor, &altered(&bus.given.page, input)),
    }
}

/// A text in which some characters are others: pairs of a place and what stands there. Without pairs it is the same.
fn altered(text: &str, mut input: Input<'_>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    while !input.is_empty() {
        let (place, byte) = (usize::from(input.byte()), input.byte());
        match bytes.get_mut(place) {
            Some(there) => *there = byte,
            None => bytes.truncate(place % (text.len() + 1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Bus {
    /// A message in which ids that begin as [`SOMEBODY`] are ids of people whom the bus knows.
    fn with_people(&self, mut message: Vec<u8>) -> Vec<u8> {
        let mut rest = message.as_mut_slice();
        while let Some(at) = rest.windows(36).position(|id| id.starts_with(SOMEBODY)) {
            let (_, found) = std::mem::take(&mut rest).split_at_mut(at);
            let (id, after) = found.split_at_mut(36);
            let which = usize::from(id.last().copied().unwrap_or(0)) % self.people.len();
            if let Some(somebody) = self.people.get(which) {
                id.copy_from_slice(somebody.to_string().as_bytes());
            }
            rest = after;
        }
        message
    }

    fn asked(&self, vendor: &str, method: &str, messages: &[Vec<u8>]) -> Option<Answer> {
        let call = async { timeout(SOON, self.call(vendor, method, messages)).await };
        let asked = self.runtime.block_on(call);
        let answer = asked.unwrap_or_else(|_| panic!("{method} goes on and on"))?;
        answer.is_explained();
        assert!(
            vendor != "over" || answer.own() == "contract_ended",
            "a contract that is over lets in"
        );
        Some(answer)
    }

    fn takes_no_other_cursor(&self, vendor: &str, cursor: &str) {
        let Some(answer) = self.asked(vendor, "Subscribe", &[opening(cursor)]) else {
            return;
        };
        let is_own = vendor == OWNER && cursor == self.given.cursor;
        let is_taken = answer
            .messages
            .first()
            .is_some_and(|first| opened(first).is_some());
        assert!(
            is_own || cursor.is_empty() || !is_taken,
            "a cursor is taken that was not given: {cursor:?}"
        );
    }

    fn takes_no_other_page(&self, vendor: &str, page: &str) {
        let Some(answer) = self.asked(vendor, "FindPatients", &[next_page(page)]) else {
            return;
        };
        let is_own = vendor == OWNER && page == self.given.page;
        assert!(
            is_own || page.is_empty() || !answer.is_good(),
            "a page token is taken that was not given: {page:?}"
        );
    }

    /// Has the bus give what is altered later.
    pub(crate) fn learn(&mut self) -> Result<()> {
        let cursor = self
            .asked(OWNER, "Subscribe", &[opening("")])
            .context("no answer")?;
        let first = cursor.messages.first().context("it does not open")?;
        let page = self
            .asked(OWNER, "FindPatients", &[next_page("")])
            .context("no answer")?;
        let page = page.messages.first().context("nobody is found")?;
        self.given = Given {
            cursor: opened(first).context("it does not open")?,
            page: FindPatientsResponse::decode(page.clone())?.next_page_token,
        };
        ensure!(!self.given.cursor.is_empty() && !self.given.page.is_empty());
        // What was given is taken, or nothing would be shown by refusing others.
        let again = self.asked(OWNER, "FindPatients", &[next_page(&self.given.page)]);
        ensure!(again.is_some_and(|again| again.is_good()));
        Ok(())
    }

    /// That every vendor gets all the places that its contract grants, and an answer. Panics where not.
    pub fn serves_others(&self) {
        let served = async {
            for vendor in VENDORS.into_iter().filter(|vendor| *vendor != "over") {
                // What a connection held is given back a moment after it ended.
                while self.all_places(vendor).await.is_err() {
                    sleep(Duration::from_millis(20)).await;
                }
                while self.call(vendor, "GetPatient", &[Vec::new()]).await.is_none() {}
            }
        };
        let served = self.runtime.block_on(async { timeout(SOON, served).await });
        assert!(served.is_ok(), "what connections held is not given back");
    }

    async fn all_places(&self, vendor: &str) -> Result<()> {
        let mut open = Vec::new();
        for _ in 0..STREAMS {
            let call = self.begin(vendor, "Publish", &[], false).await?;
            let is_refused = call.headers.contains_key("grpc-status");
            open.push(call);
            if is_refused {
                break;
            }
        }
        let all = open.len() == STREAMS
            && open
                .last()
                .is_some_and(|call| !call.headers.contains_key("grpc-status"));
        for call in open {
            call.end();
        }
        ensure!(all, "not all");
        Ok(())
    }
}

/// What opens a subscription, at a cursor or at the beginning.
fn opening(cursor: &str) -> Vec<u8> {
    let start = (!cursor.is_empty()).then(|| Start::Cursor(cursor.to_owned()));
    let open = Open {
        name: "fed".to_owned(),
        reset: true,
        start,
        ..Open::default()
    };
    let request = SubscribeRequest {
        request: Some(Ask::Open(open)),
    };
    request.encode_to_vec()
}

/// The cursor of an answer that says that a subscription is open.
fn opened(answer: &[u8]) -> Option<String> {
    match SubscribeResponse::decode(answer).ok()?.response? {
        Told::Opened(opened) => Some(opened.cursor),
        _ => None,
    }
}

fn next_page(token: &str) -> Vec<u8> {
    let request = FindPatientsRequest {
        family: "Example0".to_owned(),
        page_size: 1,
        page_token: token.to_owned(),
        ..FindPatientsRequest::default()
    };
    request.encode_to_vec()
}
