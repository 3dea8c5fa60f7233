//! One call: a fresh instance, a deadline, and what came of it.
//!
//! A call that is given up (its future is dropped) takes its instance, its requests and its unsaved state with it. A
//! connector that computes yields every [`TICK`](crate::ticker::TICK), so that it neither outlives its deadline by more
//! than that nor keeps others from running.

use crate::{
    Ability, Limits,
    bindings::{exchange, plugin},
    convert::{self, Flaw},
    engine::Linked,
    http::{Traces, Upstreams},
    imports::{Context, ImportInDescribe},
    sandbox::Sandbox,
    state::{CallState, StateStoreError},
};
use archwire_core::Disposition;
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::{Dispatch, instrument::WithSubscriber};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::I32Exit;

/// Why a call has no answer. Holds nothing that the connector wrote, except inside a [`Disposition`].
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The connector says so.
    #[error("the connector did not do it: {} ({})", .0.name(), .0.reason().code.as_str())]
    Disposition(Disposition),
    /// The connector crashed.
    #[error("the connector crashed: {trap}")]
    Trap {
        /// How, as a stable code: `unreachable`, `stack-overflow`, ...
        trap: &'static str,
    },
    /// The connector was stopped at its deadline. Whether the system got what was sent to it is not known.
    #[error("the connector did not answer within {} s and was stopped", .after.as_secs_f64())]
    Deadline {
        /// Its deadline.
        after: Duration,
    },
    /// In a call about images nothing moved for so long that the connector was stopped. Whether the system got what was sent
    /// to it is not known.
    #[error("nothing moved for {} s and the connector was stopped", .after.as_secs_f64())]
    Idle {
        /// How long that may be.
        after: Duration,
    },
    /// The connector asked for more memory than it may have, and crashed without.
    #[error("the connector needs more than its {limit_bytes} bytes of memory")]
    MemoryLimit {
        /// What it may have.
        limit_bytes: usize,
    },
    /// A system's answer, or what the connector handed to the host, was beyond its bound.
    #[error("{what} was larger than allowed")]
    TooLarge {
        /// What it was.
        what: &'static str,
    },
    /// The connector's answer is not within the contract.
    #[error("the connector's answer to {ability} is not within the contract: {code}")]
    Invalid {
        /// What was called.
        ability: Ability,
        /// What is wrong, as a stable code.
        code: &'static str,
    },
    /// The connector does not do this.
    #[error("the connector does not do {0}")]
    NotOffered(Ability),
    /// All places for running connectors were taken, or the store of the state did not answer, for as long as a call may
    /// take.
    #[error("no place to run the connector became free")]
    Busy,
    /// The system's state could not be loaded.
    #[error("the connector's state could not be loaded")]
    State(#[source] StateStoreError),
}

impl CallError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disposition(disposition) => match disposition {
                Disposition::Rejected(_) => "connector_rejected",
                Disposition::Retry(_) => "connector_retry",
                Disposition::Throttled(_) => "connector_throttled",
                Disposition::Unavailable(_) => "connector_unavailable",
                Disposition::Unauthorized(_) => "connector_unauthorized",
            },
            Self::Trap { .. } => "connector_trapped",
            Self::Deadline { .. } => "connector_deadline",
            Self::Idle { .. } => "connector_idle",
            Self::MemoryLimit { .. } => "connector_memory_limit",
            Self::TooLarge { .. } => "connector_too_large",
            Self::Invalid { .. } => "connector_answer_invalid",
            Self::NotOffered(_) => "connector_not_offered",
            Self::Busy => "connector_busy",
            Self::State(_) => "connector_state_unavailable",
        }
    }
}

impl CallError {
    /// Whether the call may have changed something in the system although it did not say so. After a delivery this
    /// means that the next attempt is [in doubt](archwire_core::Delivery::in_doubt_since).
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::Disposition(disposition) => matches!(disposition, Disposition::Retry(_)),
            Self::Trap { .. }
            | Self::Deadline { .. }
            | Self::Idle { .. }
            | Self::MemoryLimit { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. } => true,
            Self::NotOffered(_) | Self::Busy | Self::State(_) => false,
        }
    }
}

/// How much a call may use.
#[derive(Clone, Copy)]
pub(crate) struct CallLimits {
    pub(crate) deadline: Duration,
    /// Longest time in which nothing moves, in calls about images.
    pub(crate) idle: Option<Duration>,
    pub(crate) memory_bytes: usize,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
}

impl CallLimits {
    /// Of a call that has nothing to do with images.
    pub(crate) fn usual(limits: &Limits) -> Self {
        Self {
            deadline: limits.deadline,
            idle: None,
            memory_bytes: limits.memory_bytes,
            request_bytes: limits.request_bytes,
            response_bytes: limits.response_bytes,
        }
    }

    /// Whether it is a call about images.
    pub(crate) fn is_of_images(&self) -> bool {
        self.idle.is_some()
    }

    /// Of a call about images: as long as it takes, and as large as they are.
    pub(crate) fn of_images(limits: &Limits) -> Self {
        Self {
            deadline: limits.image_deadline,
            idle: Some(limits.image_idle),
            request_bytes: limits.request_bytes.saturating_add(limits.image_bytes),
            response_bytes: limits.response_bytes.saturating_add(limits.image_bytes),
            ..Self::usual(limits)
        }
    }
}

/// What a call that came to its end left behind.
pub(crate) struct Ended<T> {
    pub(crate) answer: T,
    pub(crate) state: Option<CallState>,
}

pub(crate) type Invoked<'a, T> = BoxFuture<'a, wasmtime::Result<T>>;

/// Makes an instance, calls it and throws it away.
pub(crate) async fn run<T, F>(
    linked: &Linked,
    upstreams: Arc<Upstreams>,
    traces: &Arc<Traces>,
    context: Option<Context>,
    limits: CallLimits,
    invoke: F,
) -> Result<Ended<T>, CallError>
where
    F: for<'a> FnOnce(&'a plugin::Guest, &'a mut Store<Sandbox>) -> Invoked<'a, T>,
{
    let sandbox = Sandbox::new(upstreams, Arc::clone(traces), limits, context);
    let mut store = Store::new(linked.pre.engine(), sandbox);
    store.limiter(|sandbox| &mut sandbox.memory);
    store.set_hostcall_fuel(limits.memory_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    let call = async {
        let instance = linked.pre.instantiate_async(&mut store).await?;
        invoke(instance.archwire_connector_plugin(), &mut store).await
    };
    // The runtime traces what a connector passes to WASI. The connector's own log does not come this way.
    let call = async {
        let call = call.with_subscriber(Dispatch::none());
        match limits.idle {
            None => Ok(call.await),
            Some(after) => {
                let moving = traces.activity().while_moving(after, call);
                moving.await.ok_or(CallError::Idle { after })
            }
        }
    };
    match timeout(limits.deadline, call).await {
        Err(_) => Err(CallError::Deadline {
            after: limits.deadline,
        }),
        Ok(Err(idle)) => Err(idle),
        Ok(Ok(Err(error))) => Err(failure(&error, store.data(), limits)),
        Ok(Ok(Ok(answer))) => {
            let state = store.into_data().context.map(|context| context.state);
            Ok(Ended { answer, state })
        }
    }
}

fn failure(error: &wasmtime::Error, sandbox: &Sandbox, limits: CallLimits) -> CallError {
    if error.is::<PoolConcurrencyLimitError>() {
        return CallError::Busy;
    }
    if sandbox.memory.refused {
        return CallError::MemoryLimit {
            limit_bytes: limits.memory_bytes,
        };
    }
    CallError::Trap {
        trap: trap_code(error),
    }
}

/// Only from what kind of error it is: messages of connectors can hold anything.
fn trap_code(error: &wasmtime::Error) -> &'static str {
    if error.is::<I32Exit>() {
        return "exit";
    }
    if error.is::<ImportInDescribe>() {
        return "import-in-describe";
    }
    if error.is::<wasmtime::component::ResourceTableError>() {
        return "resources";
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "unreachable",
        Some(Trap::StackOverflow) => "stack-overflow",
        Some(Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::TableOutOfBounds) => "out-of-bounds",
        Some(Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger) => {
            "arithmetic"
        }
        Some(Trap::IndirectCallToNull | Trap::BadSignature) => "bad-call",
        Some(_) => "other-trap",
        None => "host-refused",
    }
}

/// The answer in the bus's types, or why there is none.
pub(crate) fn read<W, T>(
    ability: Ability,
    answer: Result<W, exchange::Disposition>,
    read: impl FnOnce(W) -> Result<T, Flaw>,
) -> Result<T, CallError> {
    let invalid = |Flaw(code)| CallError::Invalid { ability, code };
    match answer {
        Ok(answer) => read(answer).map_err(invalid),
        Err(why) => Err(CallError::Disposition(
            convert::disposition(why).map_err(invalid)?,
        )),
    }
}
