//! What stands before the service: who calls, how often, and how much at a time.
//!
//! Every call of the bus is authenticated here, before anything of it is read. Whoever is let in stays so only as long as the
//! contract is in force and what was shown is good: any call, whatever it does, ends within a second with the status that says why not;
//! and at the deadline that its program said, if it said one, a stream too. A refusal that is one of too many comes after [`SLOW`], so
//! that a connection gets no more than its streams of them a second; calls that come to nothing, among them those that are taken back
//! before an answer, cost the connection after 1,000 at once and 100 a second.

mod deadline;
mod denials;
mod ending;
mod interval;
mod networks;
mod shares;
pub(super) mod strangers;
mod turns;

pub(super) use denials::Denials;
pub(in crate::api) use interval::{Interval, Pace};
pub(in crate::api) use networks::Networks;
#[cfg(test)]
pub(super) use shares::CALLS;
pub(super) use turns::Turns;

use super::{
    authentication::{Callers, Refusal},
    status::{call_too_slow, not_admitted, too_many_failures, too_many_requests, too_many_streams},
    transport::{Connection, OpenCall, refused},
};
use crate::{
    audit::Audit,
    vendors::{Admitted, NotAdmitted},
};
use ending::{Answer, Ending, Held, Place, ending};
use shares::{OpenStream, Shares, TooMuch};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use strangers::StrangersAnswer;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tonic::{Status, body::Body, service::Routes};
use tower_service::Service;

/// The calls that need a contract.
const BUS: &str = "/archwire.v1.Bus/";
/// Those of them that go on.
const STREAMS: [&str; 4] = ["Publish", "Subscribe", "PutImage", "GetImage"];
/// How long a call that is no stream may take until its answer begins, the rest of its request and waiting for a place included.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(60);
/// How long a refusal waits that is one of too many.
const SLOW: Duration = Duration::from_secs(1);

/// Attempts from an address that fail: ten at once, and one more every ten seconds. A good token is let in all the same: programs that
/// share an address do not shut each other out, and 32 random bytes cannot be guessed.
const FAILURES: Pace = Pace::new(Duration::from_secs(10), 10);

impl Interval {
    /// How many calls of a connection may come to nothing: 1,000 at once, and 100 a second.
    pub(in crate::api) const WASTED: Pace = Pace::new(Duration::from_millis(10), 1000);
}

/// The routes, behind the gate. Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate {
    routes: Routes,
    keeper: Arc<Keeper>,
}

/// Who decides.
struct Keeper {
    callers: Callers,
    audit: Audit,
    failures: Networks,
    shares: Shares,
}

/// A call that may be made.
struct Let {
    admitted: Admitted,
    stream: Option<OpenStream>,
}

/// A call that may not be made.
struct Not {
    status: Status,
    /// Whether it is one of too many.
    is_slow: bool,
}

impl Gate {
    pub(super) fn new(routes: Routes, callers: Callers, audit: Audit) -> Self {
        let keeper = Keeper {
            callers,
            audit,
            failures: Networks::new(FAILURES),
            shares: Shares::default(),
        };
        Self {
            routes: routes.prepare(),
            keeper: Arc::new(keeper),
        }
    }
}

impl Service<http::Request<Body>> for Gate {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let Some(connection) = request.extensions().get::<Connection>().cloned() else {
            return Box::pin(answer(Status::internal("the connection is not known")));
        };
        let mut routes = self.routes.clone();
        let Some(method) = request.uri().path().strip_prefix(BUS) else {
            // Health and reflection are everybody's, and no more than so often.
            connection.wasted();
            let Some(call) = connection.strangers_call(strangers::CALLS) else {
                return Box::pin(answer(strangers::too_many()));
            };
            return Box::pin(async move {
                let answered = timeout(strangers::LONGEST, routes.call(request)).await;
                let Ok(answered) = answered else {
                    return answer(call_too_slow()).await;
                };
                answered.map(|response| response.map(|body| Body::new(StrangersAnswer::new(body, call))))
            });
        };
        let unanswered = Unanswered::of(&connection);
        match self.keeper.decide(method, request.headers(), &connection) {
            Ok(Let { admitted, stream }) => {
                let place = match stream {
                    Some(stream) => Wanted::Has(Place::Stream { _open: stream }),
                    None => Wanted::WaitsFor(self.keeper.shares.calls(admitted.vendor())),
                };
                let call = connection.call(admitted.clone());
                let patience = deadline::patience(request.headers());
                let ending = ending(admitted.clone(), patience);
                let turns = Turns::new(self.keeper.shares.clone(), admitted.clone());
                let denials = Denials::new(self.keeper.audit.clone(), admitted.vendor().clone());
                request.extensions_mut().insert(turns);
                request.extensions_mut().insert(denials.clone());
                request.extensions_mut().insert(admitted);
                Box::pin(go_on(routes, request, ending, (call, denials), place, unanswered))
            }
            Err(Not { status, is_slow }) => Box::pin(async move {
                if is_slow {
                    sleep(SLOW).await;
                }
                drop(unanswered);
                answer(status).await
            }),
        }
    }
}

/// Has the call made, as long as whoever makes it is let in.
async fn go_on(
    routes: Routes,
    request: http::Request<Body>,
    mut ending: Ending,
    (call, denials): (OpenCall, Denials),
    wanted: Wanted,
    unanswered: Unanswered,
) -> Result<http::Response<Body>, Infallible> {
    let answered = tokio::select! {
        biased;
        answered = wanted.answer(routes, request) => answered,
        status = &mut ending => Err(status),
    };
    unanswered.answered();
    Ok(match answered {
        Ok((response, place)) => {
            denials.heed_end(response.headers());
            let held = Held { call, place, denials };
            response.map(|body| Body::new(Answer::new(body, ending, held)))
        }
        Err(status) => status.into_http(),
    })
}

/// The place that a call needs.
enum Wanted {
    /// A stream has it already.
    Has(Place),
    /// Another call waits for one, and is answered in [`LONGEST_CALL`].
    WaitsFor(Arc<Semaphore>),
}

impl Wanted {
    async fn answer(
        self,
        mut routes: Routes,
        request: http::Request<Body>,
    ) -> Result<(http::Response<Body>, Place), Status> {
        match self {
            Self::Has(place) => {
                let Ok(response) = routes.call(request).await;
                Ok((response, place))
            }
            Self::WaitsFor(places) => {
                let answered = timeout(LONGEST_CALL, async {
                    let place = places.acquire_owned().await;
                    let Ok(response) = routes.call(request).await;
                    place.map(|place| (response, Place::Call { _permit: place }))
                });
                // Places are never closed.
                answered.await.ok().and_then(Result::ok).ok_or_else(call_too_slow)
            }
        }
    }
}

fn answer(status: Status) -> Ready<Result<http::Response<Body>, Infallible>> {
    ready(Ok(status.into_http()))
}

impl Keeper {
    fn decide(&self, method: &str, headers: &http::HeaderMap, connection: &Connection) -> Result<Let, Not> {
        let now = Instant::now();
        let admitted = self
            .callers
            .admit(headers, connection.certificate().as_ref())
            .map_err(|refusal| self.refuse(refusal, connection, now))?;
        let contract = admitted
            .standing()
            .map_err(|error| self.turn_away(&admitted, &error, connection))?;
        let is_stream = STREAMS.contains(&method);
        let taken = self.shares.take(admitted.vendor(), contract.pace, is_stream, now);
        match taken {
            Ok(stream) => Ok(Let { admitted, stream }),
            Err(too_much) => {
                refused(too_much.code());
                Err(Not::later(match too_much {
                    TooMuch::Requests(wait) => too_many_requests(contract.pace.requests_per_second, wait),
                    TooMuch::Streams => too_many_streams(contract.pace.streams),
                }))
            }
        }
    }

    /// A vendor is known and not let in: its contract does not count now. That is audited.
    fn turn_away(&self, admitted: &Admitted, error: &NotAdmitted, connection: &Connection) -> Not {
        refused(error.code());
        let (address, vendor) = (connection.address(), Some(admitted.vendor()));
        self.audit.authentication_failed(address, vendor, error.code(), 1);
        Not::now(not_admitted(error))
    }

    /// Nobody is let in: that is counted and audited.
    fn refuse(&self, refusal: Refusal, connection: &Connection, now: Instant) -> Not {
        let address = connection.address();
        let Refusal { status, code, vendor } = refusal;
        self.audit
            .authentication_failed(address, vendor.as_ref(), code, 1);
        match self.failures.count(address, now) {
            Ok(()) => {
                refused(code);
                Not::now(status)
            }
            Err(wait) => {
                refused("too_many_failures");
                Not::later(too_many_failures(wait))
            }
        }
    }
}

impl Not {
    fn now(status: Status) -> Self {
        Self {
            status,
            is_slow: false,
        }
    }

    fn later(status: Status) -> Self {
        Self {
            status,
            is_slow: true,
        }
    }
}

/// A call that has no answer yet. One that ends like that was refused, or taken back.
struct Unanswered(Option<Connection>);

impl Unanswered {
    fn of(connection: &Connection) -> Self {
        Self(Some(connection.clone()))
    }

    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.wasted();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_proto::v1::DESCRIPTORS;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    #[test]
    fn what_counts_as_a_stream_is_what_the_contract_has_as_one() {
        let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let services = files.file.iter().flat_map(|file| &file.service);
        let bus = services.filter(|service| service.name() == "Bus");
        let mut streams: Vec<_> = bus
            .flat_map(|service| &service.method)
            .filter(|method| method.client_streaming() || method.server_streaming())
            .map(|method| method.name().to_owned())
            .collect();
        streams.sort();
        let mut counted = STREAMS.to_vec();
        counted.sort_unstable();
        assert_eq!(streams, counted);
    }
}
