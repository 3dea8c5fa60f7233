//! HTTP from a connector to the systems that it was granted: decided, addressed, signed and counted by the host.
//!
//! A request goes through these steps, in this order; what fails on the way is told to the connector as a `wasi:http`
//! error code and is counted for the administrator:
//! 1. [`headers`]: headers that the host sets itself cannot be set by the connector.
//! 2. [`crate::grant`]: origin, method and path have to be granted. The URI that is sent is made anew from the grant.
//! 3. [`crate::account`]: the pace and the number of requests in flight, over all calls of all systems of the account.
//! 4. [`credential`]: the host puts the secrets on.
//! 5. [`connect`]: the name is resolved once, the addresses are checked, and exactly those are connected to.
//! 6. [`body`]: the answer is counted, watched for silence and freed of secrets while it is passed on. An image stays byte
//!    for byte what it is, and breaks off where a secret is in it. Redirects are answers like any other: never followed.

mod body;
mod connect;
mod credential;
mod error;
mod headers;
mod outgoing;
mod scrub;
mod told;
mod upstream;

pub(crate) use credential::{
    Credential, CredentialError, header_name as credential_header, names_in as credential_names,
};
pub(crate) use outgoing::{Outgoing, SECRET_IN_ANSWER, Traces};
pub(crate) use upstream::Upstreams;
