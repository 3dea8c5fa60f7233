//! Where the bus is and how to be known there: by a token, by a client certificate, or by both. Checked before anything is sent;
//! nothing here prints the token or the certificate's key.

use crate::error::ClientError;
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{self, Certificate, ClientTlsConfig, Identity},
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
    /// The vendor's token, from the practice's administrator. `None` where the certificate alone tells who calls.
    pub token: Option<SecretString>,
    /// How long [`Client::connect`](crate::Client::connect) may take. Default 10 s.
    pub connect_timeout: Duration,
    /// The authority that signed the bus's certificate, as PEM text; several in one text are believed each. Without it,
    /// public authorities are believed. Only for https.
    pub ca_certificate: Option<String>,
    /// The certificate by which the bus knows the vendor. Only for https.
    pub client_certificate: Option<ClientCertificate>,
}

/// A vendor's certificate and the key to it. The practice's administrator names the certificate in the vendor's contract.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate as PEM text, and behind it those that lead to the authority whom the practice believes.
    pub chain: String,
    /// Its private key as PEM text.
    pub key: SecretString,
}

impl Endpoint {
    /// An endpoint with the default timeout and the public authorities.
    pub fn new(url: impl Into<String>, token: impl Into<SecretString>) -> Self {
        Self {
            token: Some(token.into()),
            ..Self::without_token(url)
        }
    }

    /// An endpoint where a certificate tells who calls, and no token is sent; for the rest as [`Self::new`]. Only for https.
    pub fn certified(url: impl Into<String>, certificate: ClientCertificate) -> Self {
        Self::without_token(url).with_client_certificate(certificate)
    }

    fn without_token(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            ca_certificate: None,
            client_certificate: None,
        }
    }

    /// The same endpoint, showing this certificate. Beside a token, both have to be the same vendor's.
    #[must_use]
    pub fn with_client_certificate(self, certificate: ClientCertificate) -> Self {
        Self {
            client_certificate: Some(certificate),
            ..self
        }
    }

    /// The same endpoint, believing the authority of this certificate (PEM text), or those of several, and no other.
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
        let endpoint = match endpoint.uri().scheme_str() {
            Some("http") => self.in_clear(endpoint)?,
            Some("https") => self.encrypted(endpoint)?,
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

    fn in_clear(&self, endpoint: transport::Endpoint) -> Result<transport::Endpoint, ClientError> {
        let what = match (&self.ca_certificate, &self.client_certificate) {
            (Some(_), _) => "a CA certificate is for https: write https://, or leave the certificate out",
            (None, Some(_)) => {
                "a client certificate is shown over https only: write https://, or use a token"
            }
            (None, None) => return Ok(endpoint),
        };
        Err(ClientError::Endpoint { what })
    }

    fn encrypted(&self, endpoint: transport::Endpoint) -> Result<transport::Endpoint, ClientError> {
        let tls = trusting(self.ca_certificate.as_deref());
        let encrypted = endpoint.clone().tls_config(tls.clone());
        let encrypted = encrypted.map_err(|_| ClientError::Endpoint {
            what: "the CA certificate cannot be read: it must be PEM text",
        })?;
        let Some(ClientCertificate { chain, key }) = &self.client_certificate else {
            return Ok(encrypted);
        };
        let certified = tls.identity(Identity::from_pem(chain, key.expose_secret()));
        endpoint.tls_config(certified).map_err(|_| ClientError::Endpoint {
            what: "the client certificate cannot be used: it and its key must be PEM text, and belong together",
        })
    }

    pub(crate) fn bearer(&self) -> Result<Bearer, ClientError> {
        let Some(token) = &self.token else {
            return Ok(Bearer(None));
        };
        let header = format!("Bearer {}", token.expose_secret());
        let mut header = MetadataValue::try_from(header).map_err(|_| ClientError::Endpoint {
            what: "the token must be printable ASCII: is a line break left at its end?",
        })?;
        // Never shown by `Debug`, never put into the table of header compression.
        header.set_sensitive(true);
        Ok(Bearer(Some(Arc::new(header))))
    }
}

fn trusting(pem: Option<&str>) -> ClientTlsConfig {
    match pem {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_webpki_roots(),
    }
}

/// Puts the token on every call, where there is one.
#[derive(Clone)]
pub(crate) struct Bearer(Option<Arc<MetadataValue<Ascii>>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            let header = header.as_ref().clone();
            request.metadata_mut().insert("authorization", header);
        }
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

    #[test]
    fn a_client_certificate_needs_https_and_the_key_to_it_which_is_not_printed() {
        let made = rcgen::generate_simple_self_signed(vec!["vendor.example".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        let certificate = ClientCertificate {
            chain: made.cert.pem(),
            key: key.clone().into(),
        };
        let clear = Endpoint::certified("http://127.0.0.1:1", certificate.clone());
        assert!(refusal(&clear).contains("over https only"));
        let encrypted = Endpoint::certified("https://127.0.0.1:1", certificate.clone());
        assert!(encrypted.transport().is_ok());
        let middle = key.lines().nth(1).unwrap();
        assert!(!format!("{encrypted:?}").contains(middle));
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for wrong in [other, "no key".to_owned()] {
            let wrong = ClientCertificate {
                key: wrong.into(),
                ..certificate.clone()
            };
            let endpoint = Endpoint::new("https://127.0.0.1:1", TOKEN).with_client_certificate(wrong);
            assert!(refusal(&endpoint).contains("belong together"));
        }
    }

    #[test]
    fn an_endpoint_with_a_certificate_sends_no_token() {
        let certificate = ClientCertificate {
            chain: String::new(),
            key: String::new().into(),
        };
        let mut bearer = Endpoint::certified("https://127.0.0.1:1", certificate)
            .bearer()
            .unwrap();
        let request = bearer.call(Request::new(())).unwrap();
        assert!(request.metadata().get("authorization").is_none());
    }
}
