//! `settings`: what the administrator set for the system.

use crate::{bindings::archwire::connector::settings, sandbox::Sandbox};

impl settings::Host for Sandbox {
    fn system_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.context()?.system.to_string())
    }

    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.context()?.settings.get(&key).cloned())
    }
}
