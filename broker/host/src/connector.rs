//! A system's connector: the calls that the broker makes. Those about images are in [`images`].

mod images;

use crate::{
    Ability, Account, AccountConfig, CallError, CheckReport, Component, ConfigError, IncomingRequest, Limits,
    Origin, PollAnswer, Received, StateStore, SystemConfig,
    bindings::exchange as wit,
    bindings::plugin,
    call::{self, CallLimits, Ended, Invoked},
    config, convert,
    convert::Flaw,
    http::{SECRET_IN_ANSWER, Traces, Upstreams},
    imports::{Context, Folder, ImageCall, LogBook, SystemImages},
    sandbox::Sandbox,
    state::{CallState, SystemState},
};
use archwire_core::{Cursor, Delivered, Delivery, LocalId, SurveyPage, SystemName, View, metric, span};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
    sync::Arc,
};
use tokio::time::{Instant, timeout};
use tracing::{Instrument as _, field::Empty, info_span};
use wasmtime::Store;

/// A component set up for one system. Each call runs in a fresh instance; calls may run at the same time, and share the
/// system's connections, account and state. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Parts>);

struct Parts {
    component: Component,
    system: SystemName,
    settings: Arc<BTreeMap<String, String>>,
    account: Account,
    upstreams: Arc<Upstreams>,
    state: SystemState,
    images: SystemImages,
    limits: Limits,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("system", &self.0.system)
            .finish_non_exhaustive()
    }
}

/// A connector cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The configuration is not right.
    #[error("the configuration does not fit the connector")]
    Config(#[source] ConfigError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
}

impl SetUpError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "connector_config_invalid",
            Self::Tls(_) => "tls_unavailable",
        }
    }
}

impl Connector {
    /// Sets a component up for one system. Nothing is called and nothing is connected to yet.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, at once.
    pub fn new(
        component: Component,
        config: SystemConfig,
        store: Arc<dyn StateStore>,
    ) -> Result<Self, SetUpError> {
        let largest = component.0.linked.engine.0.largest_memory_bytes;
        let checked = config::check(component.description(), &config, largest).map_err(SetUpError::Config)?;
        let SystemConfig {
            system,
            grants,
            limits,
            account,
            images,
            images_folder,
            ..
        } = config;
        let account =
            account.unwrap_or_else(|| Account::new(AccountConfig::new(system.clone()).within(&grants)));
        let upstreams = Upstreams::new(grants, checked.credential, limits, Some(account.clone()))
            .map_err(|error| SetUpError::Tls(error.into()))?;
        Ok(Self(Arc::new(Parts {
            state: SystemState::new(system.clone(), store),
            system,
            component,
            account,
            settings: Arc::new(checked.settings),
            upstreams: Arc::new(upstreams),
            images: SystemImages {
                content: images,
                folder: images_folder.map(Folder::new),
                largest: limits.image_bytes,
            },
            limits,
        })))
    }

    /// The system that it is set up for.
    #[must_use]
    pub fn system(&self) -> &SystemName {
        &self.0.system
    }

    /// The account that it is counted under.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// The servers that this one and another present the same credential to, so that they count both as one. Without
    /// a credential there are none.
    #[must_use]
    pub fn shares_credential_with(&self, other: &Self) -> BTreeSet<Origin> {
        self.0.upstreams.shares_credential_with(&other.0.upstreams)
    }

    /// The component that it runs.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.0.component
    }

    /// Whether the system can be reached and the credentials are good.
    ///
    /// # Errors
    /// As [`CallError`] says; a [`Disposition`](archwire_core::Disposition) where the system cannot be reached.
    pub async fn check(&self) -> Result<CheckReport, CallError> {
        let invoke = invoke(|plugin, store| Box::pin(plugin.call_check(store)));
        self.call(Ability::Check, ImageCall::Other, invoke, |report| {
            Ok(convert::check_report(report))
        })
        .await
    }

    /// What changed since `cursor`; `None` the first time means everything.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn poll(&self, cursor: Option<&Cursor>) -> Result<PollAnswer, CallError> {
        let cursor = cursor.map(|cursor| cursor.0.clone());
        let invoke = invoke(move |plugin, store| {
            Box::pin(async move { plugin.call_poll(store, cursor.as_deref()).await })
        });
        self.call(Ability::Poll, self.polled(), invoke, convert::page)
            .await
    }

    /// A webhook arrived.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn receive(&self, request: IncomingRequest) -> Result<Received, CallError> {
        let request = convert::incoming(request);
        let invoke =
            invoke(move |plugin, store| Box::pin(async move { plugin.call_receive(store, &request).await }));
        self.call(Ability::Receive, ImageCall::Other, invoke, convert::received)
            .await
    }

    /// Make the system's record match the delivered state.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Delivered, CallError> {
        let delivery = convert::delivery(delivery);
        let invoke =
            invoke(move |plugin, store| Box::pin(async move { plugin.call_deliver(store, &delivery).await }));
        self.call(Ability::Deliver, ImageCall::Other, invoke, convert::delivered)
            .await
    }

    /// Read one record back; `None` when the system has no record with that id.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn fetch(&self, local_id: &LocalId) -> Result<Option<View>, CallError> {
        let id = local_id.as_str().to_owned();
        let invoke =
            invoke(move |plugin, store| Box::pin(async move { plugin.call_fetch(store, &id).await }));
        self.call(Ability::Fetch, ImageCall::Other, invoke, |observation| {
            convert::fetched(observation, local_id)
        })
        .await
    }

    /// List what the system holds, from `cursor` on.
    ///
    /// # Errors
    /// As [`CallError`] says.
    pub async fn survey(&self, cursor: Option<&Cursor>) -> Result<SurveyPage, CallError> {
        let cursor = cursor.map(|cursor| cursor.0.clone());
        let invoke = invoke(move |plugin, store| {
            Box::pin(async move { plugin.call_survey(store, cursor.as_deref()).await })
        });
        self.call(Ability::Survey, ImageCall::Other, invoke, convert::survey_page)
            .await
    }

    async fn call<W, T, F>(
        &self,
        ability: Ability,
        images: ImageCall,
        invoke: F,
        read: impl FnOnce(W) -> Result<T, Flaw>,
    ) -> Result<T, CallError>
    where
        F: for<'a> FnOnce(
            &'a plugin::Guest,
            &'a mut Store<Sandbox>,
        ) -> Invoked<'a, Result<W, wit::Disposition>>,
    {
        let system = self.0.system.as_str();
        if !self.0.component.description().abilities.contains(&ability) {
            return Err(CallError::NotOffered(ability));
        }
        let span = info_span!(
            target: span::TARGET, span::CALL, system, ability = ability.as_str(), code = Empty, otel.status_code = Empty
        );
        let began = Instant::now();
        let answer = self
            .call_untold(ability, images, invoke, read)
            .instrument(span.clone())
            .await;
        let code = answer.as_ref().err().map_or("ok", CallError::code);
        span.record("code", code);
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        let (system, ability) = (system.to_owned(), ability.as_str());
        metrics::histogram!(metric::CALL_SECONDS, "system" => system.clone(), "ability" => ability)
            .record(began.elapsed());
        metrics::counter!(metric::CALLS, "system" => system, "ability" => ability, "code" => code)
            .increment(1);
        answer
    }

    async fn call_untold<W, T, F>(
        &self,
        ability: Ability,
        images: ImageCall,
        invoke: F,
        read: impl FnOnce(W) -> Result<T, Flaw>,
    ) -> Result<T, CallError>
    where
        F: for<'a> FnOnce(
            &'a plugin::Guest,
            &'a mut Store<Sandbox>,
        ) -> Invoked<'a, Result<W, wit::Disposition>>,
    {
        let parts = &*self.0;
        let linked = &parts.component.0.linked;
        let begin = async {
            let place = linked
                .engine
                .0
                .places
                .acquire()
                .await
                .map_err(|_| CallError::Busy)?;
            let state = parts.state.begin().await.map_err(CallError::State)?;
            Ok((place, state))
        };
        let begun = timeout(parts.limits.deadline, begin).await;
        let (_place, state) = begun.map_err(|_| CallError::Busy)??;
        let traces = Arc::new(Traces::here(parts.system.clone()));
        let context = Some(self.context(state, images, &traces));
        let limits = match images {
            ImageCall::Other => CallLimits::usual(&parts.limits),
            ImageCall::Poll | ImageCall::Deliver(_) | ImageCall::Fetch => {
                CallLimits::of_images(&parts.limits)
            }
        };
        let upstreams = Arc::clone(&parts.upstreams);
        let ended = call::run(linked, upstreams, &traces, context, limits, invoke).await;
        self.report(&traces);
        let Ended { answer, state } = ended.map_err(|error| too_large_first(error, &traces))?;
        if let Some(state) = state
            && let Err(error) = parts.state.end(state).await
        {
            let system = parts.system.as_str();
            tracing::warn!(
                system,
                error = &error as &dyn Error,
                "a connector's state is not saved yet"
            );
        }
        let answer = call::read(ability, answer, read)?;
        if traces.had_too_large() {
            Err(CallError::TooLarge { what: RESPONSE })
        } else {
            Ok(answer)
        }
    }

    fn context(&self, state: CallState, images: ImageCall, traces: &Traces) -> Context {
        let parts = &*self.0;
        let name = parts.component.description().name.clone();
        Context {
            system: parts.system.clone(),
            settings: Arc::clone(&parts.settings),
            state,
            log: LogBook::new(parts.system.clone(), name),
            images: parts.images.of_call(images),
            activity: traces.activity().clone(),
        }
    }

    /// Tells the administrator how many requests and answers were refused, and why. Not which: a path can hold a patient's id, and
    /// a host's name can hold anything.
    fn report(&self, traces: &Traces) {
        let (system, connector) = (
            self.0.system.as_str(),
            self.0.component.description().name.as_str(),
        );
        for (code, count) in traces.denials() {
            let event = match code {
                SECRET_IN_ANSWER => "secret-in-answer",
                _ => "request-refused",
            };
            tracing::warn!(
                target: "archwire::connector", system, connector, event, error_code = code, count
            );
        }
    }
}

const RESPONSE: &str = "a response of the system";

/// A connector that crashed over a response beyond the bound crashed because of that.
fn too_large_first(error: CallError, traces: &Traces) -> CallError {
    match error {
        CallError::Trap { .. } if traces.had_too_large() => CallError::TooLarge { what: RESPONSE },
        error => error,
    }
}

/// Tells the compiler for which lifetimes a call is meant.
fn invoke<T, F>(call: F) -> F
where
    F: for<'a> FnOnce(&'a plugin::Guest, &'a mut Store<Sandbox>) -> Invoked<'a, T>,
{
    call
}
