//! What went wrong, in the words of `wasi:http`. Nothing of a vendor's answer and no address gets into them.

use super::connect::LookupError;
use http_body_util::LengthLimitError;
use std::{error::Error as StdError, io};
use wasmtime_wasi_http::Error;

/// Of a request that had no answer.
pub(crate) fn of_request(error: &(dyn StdError + 'static), request_limit: u64) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(known) = known(error, request_limit) {
            return known;
        }
        cause = within(error);
    }
    Error::ConnectionTerminated
}

/// The next cause. What an I/O error wraps is not its source.
fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped
        .map(|wrapped| wrapped as &(dyn StdError + 'static))
        .or_else(|| error.source())
}

/// Of an answer that broke off.
pub(crate) fn of_response(error: &hyper::Error) -> Error {
    if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else {
        Error::HttpResponseIncomplete
    }
}

fn known(error: &(dyn StdError + 'static), request_limit: u64) -> Option<Error> {
    if let Some(lookup) = error.downcast_ref::<LookupError>() {
        return Some(match lookup {
            LookupError::Unknown(_) => Error::DnsError {
                rcode: None,
                info_code: None,
            },
            LookupError::AddressDenied => Error::DestinationIpProhibited,
        });
    }
    if error.is::<LengthLimitError>() {
        return Some(Error::HttpRequestBodySize(Some(request_limit)));
    }
    if let Some(Error::HttpProtocolError) = error.downcast_ref::<Error>() {
        // The connector gave the request's body up.
        return Some(Error::HttpProtocolError);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>()
        && error.is_parse()
    {
        let too_large = error.is_parse_too_large();
        return Some(if too_large {
            Error::HttpResponseHeaderSectionSize(None)
        } else {
            Error::HttpProtocolError
        });
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        let certificate = matches!(
            tls,
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
        );
        return Some(if certificate {
            Error::TlsCertificateError
        } else {
            Error::TlsProtocolError
        });
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        io::ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(Error::DestinationUnavailable)
        }
        _ => None,
    }
}

/// Of an answer to a request that was sent but never arrived in time.
pub(crate) fn silence() -> Error {
    Error::ConnectionReadTimeout
}
