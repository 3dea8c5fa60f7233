//! `state`: small values that outlive the call.

use crate::{
    bindings::archwire::connector::state::{self, StateError},
    sandbox::Sandbox,
    state::RefusedValue,
};

impl state::Host for Sandbox {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.context()?.state.get(&key).map(|value| value.to_vec()))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), StateError>> {
        Ok(self
            .context()?
            .state
            .set(key, value)
            .map_err(|refused| match refused {
                RefusedValue::InvalidKey => StateError::InvalidKey,
                RefusedValue::ValueTooLarge => StateError::ValueTooLarge,
                RefusedValue::TooManyKeys => StateError::TooManyKeys,
            }))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.context()?.state.delete(key);
        Ok(())
    }
}
