//! Where the bus is and how to be known there. Checked before anything is sent; nothing here prints the token.

use crate::error::ClientError;
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{self, Certificate, ClientTlsConfig},
};

/// Silence after which the connection is asked whether it is still there, and how long the answer may take. Without
/// it, a subscriber behind a router that forgot the connection would wait for ever.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(20);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Bytes on their way in, per stream and per connection: enough to keep a fast local replay going.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// Most bytes of a frame of HTTP/2 on its way in: room for a piece of an image, where frames of the usual 16 KiB cost a system
/// call each at both ends. Longer ones would keep the other calls of a slow connection waiting.
const LARGEST_FRAME: u32 = 256 * 1024;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the bus is and how to be known there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `http://HOST:PORT` or `https://HOST:PORT`. Plain http sends patients and the token in clear: keep it to this
    /// machine.
    pub url: String,
    /// The vendor's token, from the practice's administrator.
    pub token: SecretString,
    /// How long [`Client::connect`](crate::Client::connect) may take. Default 10 s.
    pub connect_timeout: Duration,
    /// The authority that signed the bus's certificate, as PEM text. Without it, public authorities are believed.
    /// Only for https.
    pub ca_certificate: Option<String>,
}

impl Endpoint {
    /// An endpoint with the default timeout and the public authorities.
    pub fn new(url: impl Into<String>, token: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            token: token.into(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            ca_certificate: None,
        }
    }

    /// The same endpoint, believing the authority of this certificate (PEM text) and no other.
    #[must_use]
    pub fn with_ca_certificate(self, pem: impl Into<String>) -> Self {
        Self {
            ca_certificate: Some(pem.into()),
            ..self
        }
    }

    /// The same endpoint with another limit for connecting.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    pub(crate) fn transport(&self) -> Result<transport::Endpoint, ClientError> {
        let endpoint =
            transport::Endpoint::from_shared(self.url.clone()).map_err(|_| ClientError::Endpoint {
                what: "the URL cannot be read: write http://HOST:PORT or https://HOST:PORT",
            })?;
        let endpoint = match (endpoint.uri().scheme_str(), &self.ca_certificate) {
            (Some("http"), None) => endpoint,
            (Some("http"), Some(_)) => {
                return Err(ClientError::Endpoint {
                    what: "a CA certificate is for https: write https://, or leave the certificate out",
                });
            }
            (Some("https"), pem) => {
                endpoint
                    .tls_config(trusting(pem.as_deref()))
                    .map_err(|_| ClientError::Endpoint {
                        what: "the CA certificate cannot be read: it must be PEM text",
                    })?
            }
            _ => {
                return Err(ClientError::Endpoint {
                    what: "the URL must begin with http:// or https://",
                });
            }
        };
        Ok(endpoint
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE_AFTER)
            .keep_alive_timeout(KEEP_ALIVE_ANSWER)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(LARGEST_FRAME))
    }

    pub(crate) fn bearer(&self) -> Result<Bearer, ClientError> {
        let header = format!("Bearer {}", self.token.expose_secret());
        let mut header = MetadataValue::try_from(header).map_err(|_| ClientError::Endpoint {
            what: "the token must be printable ASCII: is a line break left at its end?",
        })?;
        // Never shown by `Debug`, never put into the table of header compression.
        header.set_sensitive(true);
        Ok(Bearer(Arc::new(header)))
    }
}

fn trusting(pem: Option<&str>) -> ClientTlsConfig {
    match pem {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_webpki_roots(),
    }
}

/// Puts the token on every call.
#[derive(Clone)]
pub(crate) struct Bearer(Arc<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.as_ref().clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn refusal(endpoint: &Endpoint) -> String {
        match endpoint.transport() {
            Ok(_) => panic!("taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_endpoint_does_not_print_its_token() {
        assert!(!format!("{:?}", Endpoint::new("http://127.0.0.1:1", TOKEN)).contains(TOKEN));
    }

    #[test]
    fn a_token_with_a_line_break_is_refused_without_being_shown() {
        let endpoint = Endpoint::new("http://127.0.0.1:1", format!("{TOKEN}\n"));
        let error = endpoint.bearer().err().unwrap();
        assert_eq!(error.code(), "endpoint_invalid");
        assert!(!format!("{error:?} {error}").contains(TOKEN));
    }

    #[test]
    fn a_url_that_is_neither_http_nor_https_is_refused() {
        assert!(refusal(&Endpoint::new("ftp://127.0.0.1", TOKEN)).contains("http://"));
        assert!(refusal(&Endpoint::new("127.0.0.1:7400", TOKEN)).contains("http://"));
        assert!(refusal(&Endpoint::new("http://not a host", TOKEN)).contains("cannot be read"));
    }

    #[test]
    fn a_ca_certificate_needs_https() {
        let endpoint = Endpoint::new("http://127.0.0.1:1", TOKEN).with_ca_certificate("-----BEGIN");
        assert!(refusal(&endpoint).contains("for https"));
    }
}
