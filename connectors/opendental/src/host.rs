//! What the flows need from around them: a way to the office, a clock, a memory and a log. The real one is the host's;
//! tests put a double in its place.

use archwire_connector::http::{Error, Incoming, Request, Response};
use archwire_connector::log::Level;
use archwire_connector::{images, log, state};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read};
use std::thread;
use std::time::{Duration, SystemTime};

/// Everything outside of the connector.
pub trait Host {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    fn send(&self, request: &Request) -> Result<Response, Error>;

    /// Sends a request and gives the beginning of the answer.
    ///
    /// # Errors
    /// When there is no answer.
    fn open(&self, request: &Request) -> Result<Incoming, Error>;

    /// The SHA-256 of some bytes, which are not kept.
    ///
    /// # Errors
    /// When they cannot be read to their end.
    fn measure(&self, bytes: &mut dyn Read) -> io::Result<String>;

    /// The SHA-256 of a file of the office's A-to-Z folder, where the administrator granted it.
    ///
    /// # Errors
    /// When it is not there, or not granted.
    fn take_file(&self, place: &str) -> Result<String, images::Error>;

    /// Has the broker hand out the image of the delivery, for as long as what comes back lives.
    ///
    /// # Errors
    /// When the administrator does not want it, or it cannot be done now.
    fn hand_out(&self, sha256: &str, extension: &str) -> Result<Box<dyn HandedOut>, images::OfferError>;

    /// Lets that much time pass.
    fn wait(&self, time: Duration);

    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> u64;

    /// A value that an earlier call kept, as JSON.
    fn load(&self, key: &str) -> Option<String>;

    /// Keeps a value once the call ends well. Tells whether there is room for it.
    fn store(&self, key: &str, value: &str) -> bool;

    /// Forgets a value.
    fn forget(&self, key: &str);

    /// Tells the administrator: a fixed word and numbers, never a patient.
    fn log(&self, level: Level, event: &'static str, numbers: &[(&'static str, i64)]);
}

/// An image that is handed out.
pub trait HandedOut {
    /// Where and how the office's program gets it.
    fn way(&self) -> images::Way;

    /// How many bytes it took until now.
    fn taken(&self) -> u64;
}

impl HandedOut for images::Offer {
    fn way(&self) -> images::Way {
        images::Offer::way(self)
    }

    fn taken(&self) -> u64 {
        images::Offer::taken(self)
    }
}

/// A value that an earlier call kept; `None` also when an older version of the connector kept something else.
pub fn recall<T: DeserializeOwned>(host: &dyn Host, key: &str) -> Option<T> {
    serde_json::from_str(&host.load(key)?).ok()
}

/// Keeps a value for later calls. Tells whether there is room for it.
pub fn remember<T: Serialize>(host: &dyn Host, key: &str, value: &T) -> bool {
    serde_json::to_string(value).is_ok_and(|value| host.store(key, &value))
}

/// The host that runs the component.
#[derive(Debug)]
pub struct Broker;

impl Host for Broker {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        request.send()
    }

    fn open(&self, request: &Request) -> Result<Incoming, Error> {
        request.open()
    }

    fn measure(&self, mut bytes: &mut dyn Read) -> io::Result<String> {
        let mut measuring = images::measure()?;
        images::copy(&mut bytes, &mut measuring)?;
        Ok(measuring.finish()?)
    }

    fn take_file(&self, place: &str) -> Result<String, images::Error> {
        images::take_file(place)
    }

    fn hand_out(&self, sha256: &str, extension: &str) -> Result<Box<dyn HandedOut>, images::OfferError> {
        Ok(Box::new(images::hand_out(sha256, extension)?))
    }

    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }

    fn now_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn load(&self, key: &str) -> Option<String> {
        state::get(key).ok().flatten()
    }

    fn store(&self, key: &str, value: &str) -> bool {
        state::set(key, &value).is_ok()
    }

    fn forget(&self, key: &str) {
        state::delete(key);
    }

    fn log(&self, level: Level, event: &'static str, numbers: &[(&'static str, i64)]) {
        log::write(level, event, numbers);
    }
}

#[cfg(test)]
pub(crate) mod double {
    //! A host of prepared answers that writes down what it was asked.

    use super::{Error, HandedOut, Host, Incoming, Level, Request, Response};
    use archwire_connector::http::{Method, Part};
    use archwire_connector::images;
    use std::cell::{Cell, RefCell};
    use std::collections::{BTreeMap, VecDeque};
    use std::io::{self, Read};
    use std::rc::Rc;
    use std::time::Duration;

    /// 2026-11-01 09:30:00 UTC.
    pub(crate) const NOW_MS: u64 = 1_793_525_400_000;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Response {
            status,
            headers,
            body: body.into(),
        }
    }

    /// A log entry: its event and its numbers.
    type Entry = (&'static str, Vec<(&'static str, i64)>);

    #[derive(Default)]
    pub(crate) struct Double {
        answers: RefCell<VecDeque<Result<Response, Error>>>,
        links: RefCell<VecDeque<Result<Response, Error>>>,
        queried: RefCell<Vec<String>>,
        pub(crate) asked: RefCell<Vec<String>>,
        pub(crate) kept: RefCell<BTreeMap<String, String>>,
        pub(crate) logged: RefCell<Vec<Entry>>,
        pub(crate) later_ms: Cell<u64>,
        /// How long each answer takes.
        pub(crate) slow_ms: Cell<u64>,
        pub(crate) full: Cell<bool>,
        /// The files of the granted folder with their digests; `None` where no folder is granted.
        pub(crate) files: RefCell<Option<BTreeMap<String, String>>>,
        /// How many bytes the office took of what is handed out, when it is asked; or why nothing is.
        pub(crate) handing_out: RefCell<Option<Result<Vec<u64>, images::OfferError>>>,
        /// Whether something is handed out now.
        pub(crate) is_handed_out: Rc<Cell<bool>>,
    }

    /// What was asked to be handed out.
    struct Handed {
        extension: String,
        taken: RefCell<VecDeque<u64>>,
        is_handed_out: Rc<Cell<bool>>,
    }

    impl HandedOut for Handed {
        fn way(&self) -> images::Way {
            images::Way {
                host: "broker.example".into(),
                path: format!("f0lder/f1le{}", self.extension),
                user: "u5er".into(),
                password: "pa55word".into(),
            }
        }

        fn taken(&self) -> u64 {
            let mut taken = self.taken.borrow_mut();
            match taken.len() {
                0 => 0,
                1 => taken[0],
                _ => taken.pop_front().unwrap(),
            }
        }
    }

    impl Drop for Handed {
        fn drop(&mut self) {
            self.is_handed_out.set(false);
        }
    }

    impl Double {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        /// The next answer.
        pub(crate) fn answer(self, status: u16, body: &str) -> Self {
            self.answer_with(status, &[], body)
        }

        pub(crate) fn answer_with(self, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
            let response = response(status, headers, body);
            self.answers.borrow_mut().push_back(Ok(response));
            self
        }

        /// The next answer to a query for links. Without one there are no links.
        pub(crate) fn links(self, status: u16, body: &str) -> Self {
            let response = response(status, &[], body);
            self.links.borrow_mut().push_back(Ok(response));
            self
        }

        /// The next query for links fails.
        pub(crate) fn fail_links(self, error: Error) -> Self {
            self.links.borrow_mut().push_back(Err(error));
            self
        }

        /// The next request fails.
        pub(crate) fn fail(self, error: Error) -> Self {
            self.answers.borrow_mut().push_back(Err(error));
            self
        }

        /// A folder is granted, with these files.
        pub(crate) fn with_files(self, files: &[(&str, &str)]) -> Self {
            let files = files
                .iter()
                .map(|(place, digest)| ((*place).to_owned(), (*digest).to_owned()));
            self.files.replace(Some(files.collect()));
            self
        }

        /// Images are handed out, and the office takes that many bytes until it is asked next; or why they are not.
        pub(crate) fn handing_out(self, how: Result<&[u64], images::OfferError>) -> Self {
            self.handing_out.replace(Some(how.map(<[u64]>::to_vec)));
            self
        }

        /// What was asked: method, path with query after the API's root, and the body.
        pub(crate) fn asked(&self) -> Vec<String> {
            self.asked.borrow().clone()
        }

        /// The queries for links: the path's own query, and the statement's condition.
        pub(crate) fn queried(&self) -> Vec<String> {
            self.queried.borrow().clone()
        }

        pub(crate) fn events(&self) -> Vec<&'static str> {
            self.logged.borrow().iter().map(|(event, _)| *event).collect()
        }
    }

    impl Host for Double {
        fn send(&self, request: &Request) -> Result<Response, Error> {
            let headers: Vec<_> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(
                headers,
                [("Content-Type", "application/json")],
                "on every request and nothing else"
            );
            let path = request.url().split_once("/api/v1").map_or("", |(_, path)| path);
            let body = String::from_utf8_lossy(request.body());
            if let Some(query) = path.strip_prefix("/queries/ShortQuery")
                && body.contains("patientlink")
            {
                assert_eq!(request.method(), Method::Put);
                let condition = body.split_once("LinkType = 1 AND ").map_or("", |(_, rest)| rest);
                let condition = condition.strip_suffix(" ORDER BY PatientLinkNum\"}").unwrap();
                self.queried.borrow_mut().push(format!("{query}{condition}"));
                let prepared = self.links.borrow_mut().pop_front();
                return prepared.unwrap_or_else(|| Ok(response(200, &[], "[]")));
            }
            let parts = request.parts().iter().map(|part| match part {
                Part::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Part::Image { sha256, .. } => format!("<{sha256}>"),
                Part::Base64Image { sha256, .. } => format!("<base64 {sha256}>"),
            });
            let body = format!("{body}{}", parts.collect::<String>());
            let line = format!("{} {path} {body}", request.method().as_str());
            self.asked.borrow_mut().push(line.trim_end().to_owned());
            self.later_ms.set(self.later_ms.get() + self.slow_ms.get());
            self.answers
                .borrow_mut()
                .pop_front()
                .expect("a request without a prepared answer")
        }

        fn open(&self, request: &Request) -> Result<Incoming, Error> {
            self.send(request).map(Incoming::of)
        }

        /// Not a digest, but what would have one.
        fn measure(&self, bytes: &mut dyn Read) -> io::Result<String> {
            let mut text = String::new();
            bytes.read_to_string(&mut text)?;
            Ok(text)
        }

        fn take_file(&self, place: &str) -> Result<String, images::Error> {
            let files = self.files.borrow();
            let files = files.as_ref().ok_or(images::Error::Denied)?;
            files.get(place).cloned().ok_or(images::Error::NotFound)
        }

        fn hand_out(&self, _: &str, extension: &str) -> Result<Box<dyn HandedOut>, images::OfferError> {
            let how = self.handing_out.borrow().clone();
            let taken = how.unwrap_or(Err(images::OfferError::NotConfigured))?;
            self.is_handed_out.set(true);
            Ok(Box::new(Handed {
                extension: extension.to_owned(),
                taken: RefCell::new(taken.into()),
                is_handed_out: Rc::clone(&self.is_handed_out),
            }))
        }

        fn wait(&self, time: Duration) {
            let time = u64::try_from(time.as_millis()).unwrap();
            self.later_ms.set(self.later_ms.get() + time);
        }

        fn now_ms(&self) -> u64 {
            NOW_MS + self.later_ms.get()
        }

        fn load(&self, key: &str) -> Option<String> {
            self.kept.borrow().get(key).cloned()
        }

        fn store(&self, key: &str, value: &str) -> bool {
            if self.full.get() {
                return false;
            }
            self.kept.borrow_mut().insert(key.to_owned(), value.to_owned());
            true
        }

        fn forget(&self, key: &str) {
            self.kept.borrow_mut().remove(key);
        }

        fn log(&self, _: Level, event: &'static str, numbers: &[(&'static str, i64)]) {
            self.logged.borrow_mut().push((event, numbers.to_vec()));
        }
    }

    impl Drop for Double {
        fn drop(&mut self) {
            let left = self.answers.borrow().len() + self.links.borrow().len();
            assert!(
                std::thread::panicking() || left == 0,
                "{left} prepared answers were not asked for"
            );
        }
    }
}
