//! One request and its answer over `wasi:http`.
//!
//! The body goes out in pieces of at most 64 KiB, as the stream makes room; the answer is read to its end, at most `limit`
//! bytes, or as it is asked for. Every wait also waits for the deadline. On any error the handles are dropped, which makes the host
//! end the connection.

use super::url::{Parts, split};
use super::{Body, Error, Incoming, Method, Part, Request, Response};
use crate::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method as WasiMethod,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use crate::bindings::wasi::io::poll::{Pollable, poll};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::images;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use std::io::{self, Read};
use std::time::Duration;

/// Longest wait for a connection; a system that cannot be reached should be told from a slow one early.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn exchange(request: &Request) -> Result<Response, Error> {
    let (deadline, answer) = begin(request, !request.parts.is_empty())?;
    let mut exchange = Exchange::new(&answer, request.method, deadline)?;
    let body = read_all(&mut exchange, request.limit)?;
    Ok(Response {
        status: answer.status(),
        headers: headers(&answer),
        body,
    })
}

/// Sends the request, and comes back with the beginning of the answer.
pub(super) fn open(request: &Request) -> Result<Incoming, Error> {
    let (deadline, answer) = begin(request, true)?;
    let exchange = Exchange::new(&answer, request.method, deadline)?;
    Ok(Incoming {
        status: answer.status(),
        headers: headers(&answer),
        body: Body::coming(exchange),
    })
}

fn begin(request: &Request, is_streamed: bool) -> Result<(Deadline, IncomingResponse), Error> {
    let deadline = Deadline::new(request.timeout, is_streamed);
    let outgoing = outgoing(request)?;
    // A body that is asked for is sent, even if it is empty, and then without a length.
    let body = if request.body.is_empty() && request.parts.is_empty() {
        None
    } else {
        Some(outgoing.body().map_err(|()| Error::Failed)?)
    };
    let future = handle(outgoing, Some(options(request.timeout)))?;
    if let Some(body) = body {
        send_body(body, request, &deadline)?;
    }
    let answer = wait_for_answer(&future, &deadline)?;
    Ok((deadline, answer))
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, Error> {
    let Parts {
        secure,
        authority,
        path_with_query,
    } = split(&request.url)?;
    let mut headers: Vec<(String, Vec<u8>)> = Vec::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        headers.push((name.clone(), value.as_bytes().to_vec()));
    }
    let length = request.length();
    if length > 0 || matches!(request.method, Method::Post | Method::Put | Method::Patch) {
        headers.push(("Content-Length".to_owned(), length.to_string().into_bytes()));
    }
    let headers = Fields::from_list(&headers).map_err(|_| Error::InvalidRequest)?;
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if secure { Scheme::Https } else { Scheme::Http };
    outgoing
        .set_method(&wasi_method(request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&path_with_query)))
        .map_err(|()| Error::InvalidRequest)?;
    Ok(outgoing)
}

fn wasi_method(method: Method) -> WasiMethod {
    match method {
        Method::Get => WasiMethod::Get,
        Method::Head => WasiMethod::Head,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
    }
}

/// A host that does not know an option goes without it: the deadline holds anyway.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    _ = options.set_connect_timeout(Some(nanoseconds(timeout.min(CONNECT_TIMEOUT))));
    _ = options.set_first_byte_timeout(Some(nanoseconds(timeout)));
    _ = options.set_between_bytes_timeout(Some(nanoseconds(timeout)));
    options
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// When the exchange is given up.
enum Deadline {
    /// At this moment.
    At(Pollable),
    /// When no byte moved for this time.
    Quiet(Duration),
}

impl Deadline {
    fn new(timeout: Duration, is_streamed: bool) -> Self {
        match is_streamed {
            true => Self::Quiet(timeout),
            false => Self::At(subscribe_duration(nanoseconds(timeout))),
        }
    }

    /// Waits for `ready`.
    fn wait(&self, ready: &Pollable) -> Result<(), Error> {
        match self {
            Self::At(moment) => poll(&[ready, moment]),
            Self::Quiet(time) => poll(&[ready, &subscribe_duration(nanoseconds(*time))]),
        };
        if ready.ready() {
            Ok(())
        } else {
            Err(Error::TimedOut)
        }
    }
}

/// Sends the body. A stream that ends early is no error here: the answer tells why, or that there is none.
fn send_body(body: OutgoingBody, request: &Request, deadline: &Deadline) -> Result<(), Error> {
    let stream = body.write().map_err(|()| Error::Failed)?;
    let written = write_request(&stream, request, deadline);
    drop(stream);
    match written {
        Ok(()) => _ = OutgoingBody::finish(body, None),
        Err(WriteError::Ended) => drop(body),
        Err(WriteError::Late(error)) => return Err(error),
    }
    Ok(())
}

fn write_request(stream: &OutputStream, request: &Request, deadline: &Deadline) -> Result<(), WriteError> {
    write_all(stream, &request.body, deadline)?;
    for part in &request.parts {
        write_part(stream, part, deadline)?;
    }
    stream.flush()?;
    make_room(stream, deadline)?;
    Ok(())
}

const BROKEN: WriteError = WriteError::Late(Error::Image);

/// An image that cannot be read to its end leaves a request that is never complete.
fn write_part(stream: &OutputStream, part: &Part, deadline: &Deadline) -> Result<(), WriteError> {
    match part {
        Part::Bytes(bytes) => write_all(stream, bytes, deadline),
        Part::Image { sha256, .. } => {
            let mut content = images::open(sha256).map_err(|_| BROKEN)?;
            while let Some(piece) = content.piece(images::PIECE).map_err(|_| BROKEN)? {
                write_all(stream, &piece, deadline)?;
            }
            Ok(())
        }
        Part::Base64Image { sha256, .. } => {
            let mut content = images::open(sha256).map_err(|_| BROKEN)?;
            // A multiple of 3: only the last piece is padded.
            let mut bytes = vec![0; images::PIECE / 4 * 3];
            loop {
                let count = fill(&mut content, &mut bytes).map_err(|_| BROKEN)?;
                let text = BASE64.encode(bytes.get(..count).unwrap_or_default());
                write_all(stream, text.as_bytes(), deadline)?;
                if count < bytes.len() {
                    return Ok(());
                }
            }
        }
    }
}

/// As many bytes as there is room for, fewer only at the end.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 => break,
            read => count += read,
        }
    }
    Ok(count)
}

enum WriteError {
    Ended,
    Late(Error),
}

impl From<StreamError> for WriteError {
    fn from(_: StreamError) -> Self {
        Self::Ended
    }
}

fn write_all(stream: &OutputStream, bytes: &[u8], deadline: &Deadline) -> Result<(), WriteError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = usize::try_from(make_room(stream, deadline)?).unwrap_or(usize::MAX);
        let (now, later) = rest.split_at(room.min(rest.len()));
        stream.write(now)?;
        rest = later;
    }
    Ok(())
}

/// Waits until the stream takes at least one byte; after a flush, until the flush is done.
fn make_room(stream: &OutputStream, deadline: &Deadline) -> Result<u64, WriteError> {
    loop {
        match stream.check_write()? {
            0 => deadline.wait(&stream.subscribe()).map_err(WriteError::Late)?,
            room => return Ok(room),
        }
    }
}

fn wait_for_answer(future: &FutureIncomingResponse, deadline: &Deadline) -> Result<IncomingResponse, Error> {
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(code.into()),
            Some(Err(())) => return Err(Error::Failed),
            None => deadline.wait(&future.subscribe())?,
        }
    }
}

fn headers(answer: &IncomingResponse) -> Vec<(String, String)> {
    let entries = answer.headers().entries().into_iter();
    entries
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(&value).into_owned();
            (name.to_ascii_lowercase(), value)
        })
        .collect()
}

/// An answer's body that is being read.
pub(super) struct Exchange {
    // In this order: the stream goes before what it belongs to.
    stream: InputStream,
    _body: IncomingBody,
    deadline: Deadline,
    /// How many bytes are still to come, where the system announced that.
    announced: Option<u64>,
}

impl Exchange {
    fn new(answer: &IncomingResponse, method: Method, deadline: Deadline) -> Result<Self, Error> {
        let body = answer.consume().map_err(|()| Error::Failed)?;
        let has_body = method != Method::Head && !matches!(answer.status(), 204 | 304);
        let announced = has_body.then(|| announced(&headers(answer))).flatten();
        Ok(Self {
            stream: body.stream().map_err(|()| Error::Failed)?,
            _body: body,
            deadline,
            announced,
        })
    }

    /// At least one byte and at most `most`; `None` at the end.
    pub(super) fn piece(&mut self, most: usize) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.stream.read(u64::try_from(most).unwrap_or(u64::MAX)) {
                Ok(piece) if piece.is_empty() => self.deadline.wait(&self.stream.subscribe())?,
                Ok(piece) => {
                    let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                    self.announced = self.announced.map(|left| left.saturating_sub(length));
                    return Ok(Some(piece));
                }
                Err(StreamError::Closed) if is_cut_short(self.announced) => return Err(Error::Closed),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(http_error_code(&error).map_or(Error::Closed, body_error));
                }
            }
        }
    }
}

fn read_all(exchange: &mut Exchange, limit: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(piece) = exchange.piece(images::PIECE)? {
        if body.len() + piece.len() > limit {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// After the headers arrived, whatever breaks the connection leaves the answer incomplete.
fn body_error(code: ErrorCode) -> Error {
    match Error::from(code) {
        Error::Unreachable | Error::Insecure | Error::Failed | Error::InvalidRequest => Error::Closed,
        error => error,
    }
}

fn announced(headers: &[(String, String)]) -> Option<u64> {
    super::header(headers, "content-length")?.trim().parse().ok()
}

/// Whether the system announced more bytes than came.
fn is_cut_short(still_to_come: Option<u64>) -> bool {
    still_to_come.is_some_and(|bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn an_answer_shorter_than_announced_is_cut_short() {
        let of = |length: &str| announced(&[("content-length".to_owned(), length.to_owned())]);
        assert_eq!(
            (of(" 5"), of(""), of("-1"), announced(&[])),
            (Some(5), None, None, None)
        );
        assert!(is_cut_short(Some(1)) && !is_cut_short(Some(0)) && !is_cut_short(None));
    }

    #[test]
    fn a_piece_is_filled_from_reads_of_any_size() {
        let mut read = Cursor::new([1, 2])
            .chain(Cursor::new([3]))
            .chain(Cursor::new([4, 5]));
        let mut bytes = [0; 4];
        assert_eq!((fill(&mut read, &mut bytes).unwrap(), bytes), (4, [1, 2, 3, 4]));
        assert_eq!(fill(&mut read, &mut bytes).unwrap(), 1);
    }

    #[test]
    fn a_connection_that_breaks_in_the_answer_is_closed_and_not_unreachable() {
        assert_eq!(body_error(ErrorCode::DestinationUnavailable), Error::Closed);
        assert_eq!(body_error(ErrorCode::HttpResponseBodySize(None)), Error::TooLarge);
        assert_eq!(body_error(ErrorCode::ConnectionReadTimeout), Error::TimedOut);
    }
}
