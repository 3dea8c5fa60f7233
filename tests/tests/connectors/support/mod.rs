//! What the scenarios share: the components in an engine, an office with its connector, and invented people.

mod archive;
mod files;
mod images;
mod line;
mod office;
mod people;
mod reader;

pub(crate) use archive::{Archive, connect, small_radiograph};
pub(crate) use files::{jpeg, pdf, stl};
pub(crate) use images::{photograph, picture};
pub(crate) use line::Line;
pub(crate) use office::{Office, Plan, SYSTEM};
pub(crate) use people::{creation, jordan, jordan_at_the_desk, mobile, phone_of, text, update};
pub(crate) use reader::{Reader, number};

use archwire_core::Disposition;
use archwire_host::{CallError, Component, Engine, EngineConfig, Grant, GrantWish};
use std::{fmt, num::NonZeroUsize, path::PathBuf, sync::OnceLock, time::Duration};
use tokio::sync::OnceCell;

/// The Open Dental connector, compiled once for all scenarios of this process; what was compiled is kept for the next
/// run.
pub(crate) async fn opendental() -> Component {
    static COMPONENT: OnceCell<Component> = OnceCell::const_new();
    COMPONENT.get_or_init(|| load("opendental")).await.clone()
}

/// A built connector.
pub(crate) async fn load(name: &str) -> Component {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let engine = ENGINE.get_or_init(|| Engine::new(EngineConfig::new(cache)).unwrap());
    engine.load(file(name)).await.unwrap()
}

fn file(name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/guests/components");
    let folder = std::env::var_os("ARCHWIRE_COMPONENTS").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.is_file(),
        "{} is missing; build it with: cargo xtask guests",
        file.display()
    );
    file
}

/// What the connector wants, granted for a server of this machine: no more and no less, with this spacing.
pub(crate) fn granted(component: &Component, origin: &str, spacing: Duration) -> Vec<Grant> {
    let wishes = component.description().grants.iter();
    let grant = |wish: &GrantWish| Grant {
        to: origin.parse().unwrap(),
        methods: wish.methods.clone(),
        paths: wish.paths.clone(),
        private_addresses: true,
        spacing,
        in_flight: wish.in_flight.unwrap_or(NonZeroUsize::MIN),
    };
    wishes.map(grant).collect()
}

/// Why the connector did not do it.
pub(crate) fn refusal<T: fmt::Debug>(answer: Result<T, CallError>) -> Disposition {
    match answer {
        Err(CallError::Disposition(disposition)) => disposition,
        other => panic!("a disposition was expected, not {other:?}"),
    }
}

/// The disposition's name and its reason's code, to be compared at a glance.
pub(crate) fn told(disposition: &Disposition) -> (&'static str, &str) {
    (disposition.name(), disposition.reason().code.as_str())
}
