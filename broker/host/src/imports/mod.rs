//! What a connector may call besides WASI: the interfaces of `wit/host.wit`.
//!
//! None of them works while the connector describes itself: that call traps, so that a description depends on nothing.

mod images;
mod log;
mod settings;
mod state;

pub(crate) use images::{CallImages, Folder, ImageCall, SystemImages};
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub use images::{Offer, Upload};
pub(crate) use log::LogBook;

use crate::{activity::Activity, sandbox::Sandbox, state::CallState};
use archwire_core::SystemName;
use std::{collections::BTreeMap, sync::Arc};

/// Whom a call is made for.
pub(crate) struct Context {
    pub(crate) system: SystemName,
    pub(crate) settings: Arc<BTreeMap<String, String>>,
    pub(crate) state: CallState,
    pub(crate) log: LogBook,
    pub(crate) images: CallImages,
    pub(crate) activity: Activity,
}

/// An import was called from `describe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("describe called an import")]
pub(crate) struct ImportInDescribe;

impl Sandbox {
    pub(crate) fn context(&mut self) -> wasmtime::Result<&mut Context> {
        self.context
            .as_mut()
            .ok_or_else(|| wasmtime::Error::from(ImportInDescribe))
    }
}
