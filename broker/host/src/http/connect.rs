//! Connections: resolved once, checked, and made to exactly the checked addresses.
//!
//! Each system has connection pools of its own, so that neither connections nor TLS sessions are shared between
//! systems, and one pool for each [`AddressPolicy`] among its grants. TLS 1.2 and 1.3 by rustls with Mozilla's roots;
//! HTTP/1.1, and HTTP/2 where the server offers it. Proxies in the environment are not used.

use super::body::SentBody;
use crate::grant::{AddressPolicy, Origin};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// A client whose connections go to allowed addresses only.
pub(crate) type CheckedClient = Client<HttpsConnector<HttpConnector<CheckedResolver>>, SentBody>;

/// Addresses of one name that are tried.
const ADDRESSES: usize = 16;
/// Idle connections kept for one host, and for how long. As many as there may be calls at a time: a connection that is closed
/// after its first request has cost more than the request.
const IDLE_CONNECTIONS: usize = 64;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A name that led nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("the name could not be resolved")]
    Unknown(#[source] io::Error),
    #[error("the name resolves to addresses that are not granted")]
    AddressDenied,
}

/// Resolves names by the operating system, and keeps what the policy allows.
#[derive(Clone)]
pub(crate) struct CheckedResolver(AddressPolicy);

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, LookupError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(LookupError::Unknown)?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| policy.allows(address.ip()))
                .take(ADDRESSES)
                .collect();
            if allowed.is_empty() {
                Err(LookupError::AddressDenied)
            } else {
                Ok(allowed.into_iter())
            }
        })
    }
}

/// Whether a host that is written as an address is allowed. The connector does not ask the resolver about these.
pub(crate) fn allows_literal(policy: AddressPolicy, origin: &Origin) -> bool {
    origin
        .literal_address()
        .is_none_or(|address| policy.allows(address))
}

/// A client with pools of its own.
pub(crate) fn client(
    policy: AddressPolicy,
    connect_timeout: Duration,
) -> Result<CheckedClient, rustls::Error> {
    let mut tcp = HttpConnector::new_with_resolver(CheckedResolver(policy));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_webpki_roots()
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http1_max_headers(100)
        .http1_max_buf_size(128 * 1024)
        .http2_max_header_list_size(128 * 1024)
        .build(connector))
}
