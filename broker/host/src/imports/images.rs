//! `images`: this broker keeps none, so everything is denied, as the contract says.

use crate::{
    bindings::archwire::connector::images::{self, ImageError},
    sandbox::Sandbox,
};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

/// An image on its way in. There is none.
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub enum Upload {}

impl images::Host for Sandbox {
    fn open(&mut self, _: String) -> wasmtime::Result<Result<Resource<DynInputStream>, ImageError>> {
        self.context()?;
        Ok(Err(ImageError::Denied))
    }

    fn measure(&mut self) -> wasmtime::Result<Result<Resource<Upload>, ImageError>> {
        self.context()?;
        Ok(Err(ImageError::Denied))
    }

    fn take_file(&mut self, _: String) -> wasmtime::Result<Result<String, ImageError>> {
        self.context()?;
        Ok(Err(ImageError::Denied))
    }

    fn create(&mut self) -> wasmtime::Result<Result<Resource<Upload>, ImageError>> {
        self.context()?;
        Ok(Err(ImageError::Denied))
    }
}

impl images::HostUpload for Sandbox {
    fn content(
        &mut self,
        _: Resource<Upload>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ImageError>> {
        Ok(Err(ImageError::Denied))
    }

    fn finish(&mut self, upload: Resource<Upload>) -> wasmtime::Result<Result<String, ImageError>> {
        self.drop(upload)?;
        Ok(Err(ImageError::Denied))
    }

    fn drop(&mut self, upload: Resource<Upload>) -> wasmtime::Result<()> {
        self.table.delete(upload)?;
        Ok(())
    }
}
