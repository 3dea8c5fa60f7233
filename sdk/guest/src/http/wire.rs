//! One request and its answer over `wasi:http`.
//!
//! The body goes out in pieces of at most 4,096 bytes, as the stream makes room; the answer is read to its end, at most
//! `limit` bytes. Every wait also waits for the deadline. On any error the handles are dropped, which makes the host
//! end the connection.

use super::url::{Parts, split};
use super::{Error, Method, Request, Response};
use crate::bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method as WasiMethod, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use crate::bindings::wasi::io::poll::{Pollable, poll};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use std::time::Duration;

/// Most bytes in one write: what `wasi:io` asks of `blocking-write-and-flush`, kept here too so that no host has to
/// hold more.
const PIECE: usize = 4_096;

/// Longest wait for a connection; a system that cannot be reached should be told from a slow one early.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn exchange(request: &Request) -> Result<Response, Error> {
    let deadline = Deadline(subscribe_duration(nanoseconds(request.timeout)));
    let outgoing = outgoing(request)?;
    // A body that is asked for is sent, even if it is empty, and then without a length.
    let body = if request.body.is_empty() {
        None
    } else {
        Some(outgoing.body().map_err(|()| Error::Failed)?)
    };
    let future = handle(outgoing, Some(options(request.timeout)))?;
    if let Some(body) = body {
        send_body(body, &request.body, &deadline)?;
    }
    let response = wait_for_answer(&future, &deadline)?;
    read_answer(&response, request, &deadline)
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
    if !request.body.is_empty() || matches!(request.method, Method::Post | Method::Put | Method::Patch) {
        headers.push((
            "Content-Length".to_owned(),
            request.body.len().to_string().into_bytes(),
        ));
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

/// The moment at which the exchange is given up.
struct Deadline(Pollable);

impl Deadline {
    /// Waits for `ready`.
    fn wait(&self, ready: &Pollable) -> Result<(), Error> {
        poll(&[ready, &self.0]);
        if ready.ready() {
            Ok(())
        } else {
            Err(Error::TimedOut)
        }
    }
}

/// Sends the body. A stream that ends early is no error here: the answer tells why, or that there is none.
fn send_body(body: OutgoingBody, bytes: &[u8], deadline: &Deadline) -> Result<(), Error> {
    let stream = body.write().map_err(|()| Error::Failed)?;
    let written = write_all(&stream, bytes, deadline);
    drop(stream);
    match written {
        Ok(()) => _ = OutgoingBody::finish(body, None),
        Err(WriteError::Ended) => drop(body),
        Err(WriteError::Late(error)) => return Err(error),
    }
    Ok(())
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
    for piece in bytes.chunks(PIECE) {
        let mut rest = piece;
        while !rest.is_empty() {
            let room = usize::try_from(make_room(stream, deadline)?).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(room.min(rest.len()));
            stream.write(now)?;
            rest = later;
        }
    }
    stream.flush()?;
    make_room(stream, deadline)?;
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

fn read_answer(
    response: &IncomingResponse,
    request: &Request,
    deadline: &Deadline,
) -> Result<Response, Error> {
    let status = response.status();
    let headers: Vec<(String, String)> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| {
            (
                name.to_ascii_lowercase(),
                String::from_utf8_lossy(&value).into_owned(),
            )
        })
        .collect();
    let incoming = response.consume().map_err(|()| Error::Failed)?;
    let stream = incoming.stream().map_err(|()| Error::Failed)?;
    let body = read_all(&stream, request.limit, deadline)?;
    drop(stream);
    drop(incoming);
    let response = Response {
        status,
        headers,
        body,
    };
    if request.method != Method::Head && is_cut_short(&response) {
        return Err(Error::Closed);
    }
    Ok(response)
}

fn read_all(stream: &InputStream, limit: usize, deadline: &Deadline) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        match stream.read(64 * 1024) {
            Ok(piece) if piece.is_empty() => deadline.wait(&stream.subscribe())?,
            Ok(piece) if body.len() + piece.len() > limit => return Err(Error::TooLarge),
            Ok(piece) => body.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(http_error_code(&error).map_or(Error::Closed, body_error));
            }
        }
    }
}

/// After the headers arrived, whatever breaks the connection leaves the answer incomplete.
fn body_error(code: ErrorCode) -> Error {
    match Error::from(code) {
        Error::Unreachable | Error::Insecure | Error::Failed | Error::InvalidRequest => Error::Closed,
        error => error,
    }
}

/// Whether the system announced more bytes than came.
fn is_cut_short(response: &Response) -> bool {
    let announced = response
        .header("content-length")
        .and_then(|length| length.trim().parse::<usize>().ok());
    announced.is_some_and(|announced| response.body.len() < announced)
        && !matches!(response.status, 204 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_shorter_than_announced_is_cut_short() {
        let response = |length: &str, body: &str| Response {
            status: 200,
            headers: vec![("content-length".into(), length.into())],
            body: body.into(),
        };
        assert!(is_cut_short(&response("5", "1234")));
        assert!(!is_cut_short(&response("4", "1234")));
        assert!(!is_cut_short(&response("", "1234")));
    }

    #[test]
    fn a_connection_that_breaks_in_the_answer_is_closed_and_not_unreachable() {
        assert_eq!(body_error(ErrorCode::DestinationUnavailable), Error::Closed);
        assert_eq!(body_error(ErrorCode::HttpResponseBodySize(None)), Error::TooLarge);
        assert_eq!(body_error(ErrorCode::ConnectionReadTimeout), Error::TimedOut);
    }
}
