//! A host with a small archive of prepared answers, which writes down what it was asked.

use super::{Error, Host, Incoming, Level, Purpose, Request, Response, Sink};
use archwire_connector::{Disposition, images};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// 2026-11-22 09:30:00 UTC.
pub(crate) const NOW_MS: u64 = 1_795_339_800_000;

/// An answer to a question: status, content type and body.
type Answer = (u16, &'static str, Vec<u8>);

#[derive(Default)]
pub(crate) struct Double {
    /// By the beginning of `METHOD path?query`; the longest that fits counts. Without one, 404.
    answers: RefCell<BTreeMap<String, Result<Answer, Error>>>,
    pub(crate) images: RefCell<BTreeMap<String, Vec<u8>>>,
    first: RefCell<Vec<(String, Vec<u8>)>>,
    pub(crate) asked: RefCell<Vec<String>>,
    pub(crate) logged: RefCell<Vec<&'static str>>,
    /// What every digest is.
    pub(crate) digest: RefCell<Option<String>>,
    pub(crate) later_ms: Cell<u64>,
    /// The store of images answers this.
    pub(crate) full: Cell<bool>,
}

impl Double {
    pub(crate) fn answer(&self, question: &str, status: u16, body: &str) {
        self.says(question, Ok((status, "application/dicom+json", body.into())));
    }

    /// What is answered the first time, and what from then on.
    pub(crate) fn once(&self, question: &str, first: &str, then: &str) {
        self.answer(question, 200, then);
        let first = (question.to_owned(), first.as_bytes().to_vec());
        self.first.borrow_mut().push(first);
    }

    pub(crate) fn fail(&self, question: &str, error: Error) {
        self.says(question, Err(error));
    }

    /// A file, as WADO-RS gives one.
    pub(crate) fn file(&self, question: &str, bytes: &[u8]) {
        let body = [b"--b\r\n\r\n", bytes, b"\r\n--b--"].concat();
        self.says(question, Ok((200, "multipart/related; boundary=b", body)));
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&self, question: &str, bytes: &[u8]) {
        self.says(question, Ok((200, "application/dicom", bytes.to_vec())));
    }

    fn says(&self, question: &str, answer: Result<Answer, Error>) {
        self.answers.borrow_mut().insert(question.to_owned(), answer);
    }

    fn response(&self, request: &Request) -> Result<Response, Error> {
        let path = request.url().strip_prefix("http://archive").unwrap();
        let question = format!("{} {path}", request.method().as_str());
        self.asked.borrow_mut().push(question.clone());
        let mut first = self.first.borrow_mut();
        if let Some(at) = first.iter().position(|(start, _)| question.starts_with(start)) {
            let (_, body) = first.remove(at);
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            return Ok(Response {
                status: 200,
                headers,
                body,
            });
        }
        let answers = self.answers.borrow();
        let fits = |(start, _): &(&String, _)| question.starts_with(start.as_str());
        let answer = answers.iter().filter(fits).max_by_key(|(start, _)| start.len());
        let (status, content_type, body) = match answer {
            Some((_, answer)) => answer.clone()?,
            None => (404, "text/plain", Vec::new()),
        };
        Ok(Response {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
        })
    }

    pub(crate) fn asked(&self, start: &str) -> usize {
        let asked = self.asked.borrow();
        asked
            .iter()
            .filter(|question| question.starts_with(start))
            .count()
    }
}

impl Host for Double {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        self.response(request)
    }

    fn open(&self, request: &Request) -> Result<Incoming, Error> {
        self.response(request).map(Incoming::of)
    }

    fn image(&self, sha256: &str) -> Result<Box<dyn Read>, Disposition> {
        let found = self.images.borrow().get(sha256).cloned();
        let bytes = found.ok_or(images::Error::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn sink(&self, _: Purpose) -> Result<Box<dyn Sink>, Disposition> {
        match self.full.get() {
            true => Err(images::Error::Full.into()),
            false => Ok(Box::new(Counting(0, self.digest.borrow().clone()))),
        }
    }

    fn now_ms(&self) -> u64 {
        NOW_MS + self.later_ms.get()
    }

    fn log(&self, _: Level, event: &'static str, _: &[(&'static str, i64)]) {
        self.logged.borrow_mut().push(event);
    }
}

/// Its "digest" is the number of bytes, unless it was told one.
struct Counting(usize, Option<String>);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Counting {
    fn finish(self: Box<Self>) -> Result<String, images::Error> {
        Ok(self.1.unwrap_or_else(|| self.0.to_string()))
    }
}
