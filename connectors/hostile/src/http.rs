//! Requests of every kind over `wasi:http`, and what came of them as text.

use crate::bindings::wasi::{
    http::{
        outgoing_handler::handle,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
            OutgoingRequest, Scheme,
        },
    },
    io::streams::StreamError,
};

/// First line: method and URL. Further lines: headers. Answers `error CODE`, `header refused`, or status, headers and
/// body.
pub fn request(text: &str) -> String {
    match prepare(text).map(|request| handle(request, None)) {
        Err(error) => error,
        Ok(Err(code)) => failed(&code),
        Ok(Ok(future)) => answer(future),
    }
}

/// Sends a request and looks at its headers before and after.
pub fn read_back(text: &str) -> String {
    let request = prepare(text).unwrap();
    let (before, kept) = (request.headers().entries(), request.headers());
    let future = handle(request, None);
    let answered = future.map_or_else(|code| failed(&code), answer);
    let after = kept.entries();
    // Changing them now must not work either.
    let changed = kept.set("authorization", &[b"mine".to_vec()]);
    format!("before {before:?}\nafter {after:?}\nchanged {changed:?}\n{answered}")
}

/// As `request`, but pretends that nothing was wrong with the answer.
pub fn ignore(text: &str) -> String {
    let before_the_end = request(text);
    format!("all fine, {} bytes", before_the_end.len().min(7))
}

/// `COUNT METHOD URL`, one after the other: the statuses and errors in turn.
pub fn many(text: &str) -> String {
    let (count, text) = text.split_once(' ').unwrap();
    let line = |_| request(text).lines().next().unwrap_or_default().to_owned();
    let mut lines: Vec<String> = (0..count.parse().unwrap()).map(line).collect();
    lines.dedup();
    lines.join(", then ")
}

/// `COUNT METHOD URL`, all at once.
pub fn together(text: &str) -> String {
    let (count, text) = text.split_once(' ').unwrap();
    let count: usize = count.parse().unwrap();
    let futures: Vec<_> = (0..count)
        .map(|_| handle(prepare(text).unwrap(), None).unwrap())
        .collect();
    let answers = futures
        .into_iter()
        .map(|future| answer(future).lines().next().unwrap_or_default().to_owned());
    let mut lines: Vec<String> = answers.collect();
    lines.dedup();
    lines.join(", then ")
}

/// `BYTES METHOD URL`: a request with a body of that size.
pub fn upload(text: &str) -> String {
    let (bytes, text) = text.split_once(' ').unwrap();
    let mut left: usize = bytes.parse().unwrap();
    let request = prepare(text).unwrap();
    let body = request.body().unwrap();
    let future = match handle(request, None) {
        Ok(future) => future,
        Err(code) => return failed(&code),
    };
    let stream = body.write().unwrap();
    while left > 0 {
        let length = left.min(4096);
        if stream.blocking_write_and_flush(&vec![b'x'; length]).is_err() {
            break;
        }
        left -= length;
    }
    drop(stream);
    _ = OutgoingBody::finish(body, None);
    answer(future)
}

/// More resources of the host than there can be use for.
pub fn many_resources() -> String {
    let kept: Vec<Fields> = (0..1_000_000).map(|_| Fields::new()).collect();
    format!("{} resources", kept.len())
}

fn prepare(text: &str) -> Result<OutgoingRequest, String> {
    let mut lines = text.lines();
    let (method, url) = lines.next().unwrap_or_default().split_once(' ').unwrap();
    let headers = Fields::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if headers.append(name, value.as_bytes()).is_err() {
            return Err(format!("header {name} refused"));
        }
    }
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let request = OutgoingRequest::new(headers);
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let set = request.set_method(&method).is_ok()
        && request.set_scheme(Some(&scheme)).is_ok()
        && request.set_authority(Some(authority)).is_ok()
        && request.set_path_with_query(Some(path)).is_ok();
    if set {
        Ok(request)
    } else {
        Err("request refused".to_owned())
    }
}

fn failed(code: &ErrorCode) -> String {
    format!("error {code:?}")
}

fn answer(future: FutureIncomingResponse) -> String {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => shown(&response),
        Some(Ok(Err(code))) => failed(&code),
        _ => "no answer".to_owned(),
    }
}

fn shown(response: &IncomingResponse) -> String {
    let mut text = format!("status {}\n", response.status());
    for (name, value) in response.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    let body = response.consume().unwrap();
    let read = read(&body);
    drop(body);
    text + "\n" + &read
}

fn read(body: &IncomingBody) -> String {
    let stream = body.stream().unwrap();
    let (mut text, mut bytes) = (String::new(), 0);
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(piece) => {
                bytes += piece.len();
                if bytes < 64 * 1024 {
                    text += &String::from_utf8_lossy(&piece);
                }
            }
            Err(StreamError::Closed) => return format!("{text}\n{bytes} bytes"),
            Err(StreamError::LastOperationFailed(_)) => return format!("body broke off after {bytes} bytes"),
        }
    }
}
