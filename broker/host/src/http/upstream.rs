//! The servers that one system's connector may reach, each with its client.

use super::{
    body::{SentBody, WatchedBody},
    connect::{self, CheckedClient},
    credential::Credential,
    error,
    headers::ForbiddenHeaders,
    outgoing::Traces,
    scrub::Scrubber,
};
use crate::{
    Limits,
    account::{Account, Deferred},
    activity::Activity,
    call::CallLimits,
    grant::{self, AddressPolicy, Denial, Grant, Method, Origin, Scheme},
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Longest path with query.
const LONGEST_PATH: usize = 8 * 1024;
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("archwire/", env!("CARGO_PKG_VERSION")));

/// Everything that one system's connector may reach, shared by all its calls.
pub(crate) struct Upstreams {
    list: Vec<Upstream>,
    credential: Option<Credential>,
    forbidden: ForbiddenHeaders,
    limits: Limits,
    /// `None` where nothing is granted.
    account: Option<Account>,
}

struct Upstream {
    grant: Grant,
    policy: AddressPolicy,
    client: CheckedClient,
}

/// A request that is allowed, and under which grant.
pub(crate) struct Admitted {
    index: usize,
    uri: Uri,
}

impl Upstreams {
    /// Nothing at all.
    pub(crate) fn none() -> Self {
        let forbidden = ForbiddenHeaders::new(None);
        Self {
            list: Vec::new(),
            credential: None,
            forbidden,
            limits: Limits::default(),
            account: None,
        }
    }

    pub(crate) fn new(
        grants: Vec<Grant>,
        credential: Option<Credential>,
        limits: Limits,
        account: Option<Account>,
    ) -> Result<Self, rustls::Error> {
        let mut clients: HashMap<AddressPolicy, CheckedClient> = HashMap::new();
        let mut list = Vec::new();
        for grant in grants {
            let policy = policy(&grant, credential.is_some());
            let client = match clients.get(&policy) {
                Some(client) => client.clone(),
                None => clients
                    .entry(policy)
                    .or_insert(connect::client(policy, limits.connect_timeout)?)
                    .clone(),
            };
            list.push(Upstream {
                grant,
                policy,
                client,
            });
        }
        let forbidden = ForbiddenHeaders::new(credential.as_ref().map(Credential::header));
        Ok(Self {
            list,
            credential,
            forbidden,
            limits,
            account,
        })
    }

    /// The servers that this and another present the same credential to.
    pub(crate) fn shares_credential_with(&self, other: &Self) -> BTreeSet<Origin> {
        let (Some(one), Some(two)) = (&self.credential, &other.credential) else {
            return BTreeSet::new();
        };
        if (one.header(), one.value()) != (two.header(), two.value()) {
            return BTreeSet::new();
        }
        let origins = |upstreams: &Self| -> BTreeSet<Origin> {
            let granted = upstreams.list.iter();
            granted.map(|upstream| upstream.grant.to.clone()).collect()
        };
        origins(self).intersection(&origins(other)).cloned().collect()
    }

    pub(crate) fn forbidden(&self) -> &ForbiddenHeaders {
        &self.forbidden
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Decides from the text of the request alone. The URI that goes out is made from the grant, so that no two
    /// readings of what the connector wrote can differ.
    pub(crate) fn admit<B>(&self, request: &Request<B>, traces: &Traces) -> Result<Admitted, Error> {
        let uri = request.uri();
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(Error::HttpRequestUriInvalid),
        };
        let path = uri
            .path_and_query()
            .cloned()
            .unwrap_or(PathAndQuery::from_static("/"));
        if path.as_str().len() > LONGEST_PATH {
            return Err(Error::HttpRequestUriTooLong);
        }
        let authority = uri
            .authority()
            .map(|authority| authority.as_str())
            .unwrap_or_default();
        let origin = Origin::from_parts(scheme, authority).map_err(|_| traces.deny(Denial::Origin.code()))?;
        let method =
            Method::try_from(request.method().clone()).map_err(|_| traces.deny(Denial::Method.code()))?;
        let grants = self.list.iter().map(|upstream| &upstream.grant).enumerate();
        let index = grant::decide(grants, &origin, &method, path.path())
            .map_err(|denial| traces.deny(denial.code()))?;
        let policy = self.list.get(index).map(|upstream| upstream.policy);
        if !policy.is_some_and(|policy| connect::allows_literal(policy, &origin)) {
            traces.deny("address_denied");
            return Err(Error::DestinationIpProhibited);
        }
        let uri = Uri::builder()
            .scheme(scheme.as_str())
            .authority(origin.authority())
            .path_and_query(path)
            .build();
        Ok(Admitted {
            index,
            uri: uri.map_err(|_| Error::HttpRequestUriInvalid)?,
        })
    }

    /// Sends an admitted request when its account lets it through. Where that would take too long, the host answers in the
    /// vendor's place.
    pub(crate) async fn send(
        &self,
        admitted: Admitted,
        request: Request<WasiBody>,
        options: RequestOptions,
        call: CallLimits,
        traces: &Arc<Traces>,
    ) -> Result<Response<WasiBody>, Error> {
        let upstream = self.list.get(admitted.index).ok_or(Error::HttpRequestDenied)?;
        let account = self.account.as_ref().ok_or(Error::HttpRequestDenied)?;
        let passage = match account.pass().await {
            Ok(passage) => passage,
            Err(deferred) => {
                traces.not_sent("deferred");
                return Ok(in_the_vendors_place(deferred));
            }
        };
        let sent = Activity::begin();
        let request = self.dress(admitted.uri, request, call, [&sent, traces.activity()])?;
        let sending = traces.sending(request.method());
        let limits = &self.limits;
        let within = shorter(options.connect_timeout, limits.connect_timeout)
            + shorter(options.first_byte_timeout, limits.first_byte_timeout);
        let answer = sent.while_moving(within, upstream.client.request(request)).await;
        let answer = match answer {
            Some(answer) => answer.map_err(|error| error::of_request(&error, call.request_bytes)),
            None => Err(error::silence()),
        };
        if let Some(sending) = sending {
            sending.ended(answer.as_ref().map(Response::status));
        }
        if matches!(answer, Err(Error::DestinationIpProhibited)) {
            traces.deny("address_denied");
        }
        let response = answer?;
        passage.answered(response.status(), response.headers());
        let silence = shorter(options.between_bytes_timeout, limits.between_bytes_timeout);
        let (head, body) = self.undress(response, call, traces)?.into_parts();
        let scrubbing = if call.is_of_images() && is_image(head.status, &head.headers) {
            self.scrubber_by(Credential::image_scrubber).exact_body()
        } else {
            self.scrubber_by(Credential::scrubber).body()
        };
        let body = WatchedBody::new(
            body,
            scrubbing,
            call.response_bytes,
            silence,
            Arc::clone(traces),
            passage,
        );
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }

    /// The request as it goes out: the host's own URI and credential, and a bound on its body.
    fn dress(
        &self,
        uri: Uri,
        request: Request<WasiBody>,
        call: CallLimits,
        watchers: [&Activity; 2],
    ) -> Result<Request<SentBody>, Error> {
        let (mut head, body) = request.into_parts();
        let limit = call.request_bytes;
        if body.size_hint().lower() > limit {
            return Err(Error::HttpRequestBodySize(Some(limit)));
        }
        head.uri = uri;
        head.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        if let Some(credential) = &self.credential {
            head.headers.insert(credential.header(), credential.value());
        }
        Ok(Request::from_parts(
            head,
            SentBody::new(body, limit, watchers.map(Activity::clone)),
        ))
    }

    /// The response's head as the connector may see it.
    fn undress(
        &self,
        mut response: Response<Incoming>,
        call: CallLimits,
        traces: &Traces,
    ) -> Result<Response<Incoming>, Error> {
        let limits = &self.limits;
        let size = |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        let header_bytes: usize = response.headers().iter().map(size).sum();
        if header_bytes > limits.response_header_bytes {
            traces.response_too_large();
            return Err(Error::HttpResponseHeaderSectionSize(
                u32::try_from(header_bytes).ok(),
            ));
        }
        if response.body().size_hint().lower() > call.response_bytes {
            traces.response_too_large();
            return Err(Error::HttpResponseBodySize(Some(call.response_bytes)));
        }
        self.scrubber_by(Credential::scrubber)
            .scrub_headers(response.headers_mut());
        Ok(response)
    }

    /// Without a credential there is nothing to look for.
    fn scrubber_by(&self, of: fn(&Credential) -> &Scrubber) -> Scrubber {
        self.credential.as_ref().map(of).cloned().unwrap_or_default()
    }
}

/// What the connector gets to see of a request that was not sent: as if the vendor had said it.
fn in_the_vendors_place(deferred: Deferred) -> Response<WasiBody> {
    let mut response = Response::new(WasiBody::default());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(deferred.after.as_secs());
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// A credential over plain HTTP stays in the practice's own network.
fn policy(grant: &Grant, credential: bool) -> AddressPolicy {
    match (grant.private_addresses, grant.to.scheme()) {
        (false, _) => AddressPolicy::Public,
        (true, Scheme::Http) if credential => AddressPolicy::Private,
        (true, _) => AddressPolicy::PublicAndPrivate,
    }
}

/// Whether an answer is the bytes of an image, in which nothing is overwritten. What a server says of a failure never is.
fn is_image(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success() && has_media_type_of_image(headers)
}

fn has_media_type_of_image(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = media_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let (kind, name) = media_type.split_once('/').unwrap_or_default();
    match kind {
        "image" | "model" | "video" => true,
        "application" => matches!(name, "dicom" | "octet-stream" | "pdf" | "sla"),
        "multipart" => name == "related",
        _ => false,
    }
}

fn shorter(asked: Option<Duration>, most: Duration) -> Duration {
    asked.map_or(most, |asked| asked.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_from_what_a_server_says() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))])
        };
        let of = |value| is_image(StatusCode::OK, &headers(value));
        for image in [
            "image/jpeg",
            "Application/DICOM",
            "application/octet-stream; charset=binary",
            "multipart/related; type=\"application/dicom\"; boundary=x",
            "model/stl",
        ] {
            assert!(of(image), "{image}");
        }
        for other in [
            "",
            "text/plain",
            "application/json",
            "application/dicom+json",
            "multipart/form-data",
            "image",
        ] {
            assert!(!of(other), "{other}");
        }
        assert!(!is_image(StatusCode::OK, &HeaderMap::new()));
        assert!(is_image(StatusCode::PARTIAL_CONTENT, &headers("image/jpeg")));
        for status in [302, 304, 401, 404, 500] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(!is_image(status, &headers("image/jpeg")), "{status}");
        }
    }
}
