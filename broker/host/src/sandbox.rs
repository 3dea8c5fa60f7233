//! What surrounds one instance: a WASI with nothing in it, the call's requests, its memory bound.
//!
//! All of WASI 0.2 is linked, because standard libraries import more than they use, and nothing is granted: no folders,
//! no environment, no arguments, no sockets, no names, standard input at its end, standard output and error thrown
//! away. Clocks and random numbers are real.

use crate::{
    bindings,
    call::CallLimits,
    http::{Outgoing, Traces, Upstreams},
    imports::Context,
    limits::{RANDOM_BYTES, REQUEST_HEADER_BYTES, RESOURCES},
};
use std::sync::Arc;
use wasmtime::{
    ResourceLimiter,
    component::{HasSelf, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What surrounds one instance.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryBound,
    /// `None` while the connector describes itself.
    pub(crate) context: Option<Context>,
}

impl Sandbox {
    pub(crate) fn new(
        upstreams: Arc<Upstreams>,
        traces: Arc<Traces>,
        limits: CallLimits,
        context: Option<Context>,
    ) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.max_random_size(RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(REQUEST_HEADER_BYTES);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        let memory = MemoryBound {
            bytes: limits.memory_bytes,
            used: 0,
            refused: false,
        };
        Self {
            wasi: wasi.build(),
            http,
            outgoing: Outgoing::new(upstreams, traces, limits),
            table,
            memory,
            context,
        }
    }

    /// Everything that a connector can import.
    pub(crate) fn link(linker: &mut Linker<Self>) -> wasmtime::Result<()> {
        wasmtime_wasi::p2::add_to_linker_async(linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
        bindings::archwire::connector::log::add_to_linker::<_, HasSelf<_>>(linker, |sandbox| sandbox)?;
        bindings::archwire::connector::settings::add_to_linker::<_, HasSelf<_>>(linker, |sandbox| sandbox)?;
        bindings::archwire::connector::state::add_to_linker::<_, HasSelf<_>>(linker, |sandbox| sandbox)?;
        bindings::archwire::connector::images::add_to_linker::<_, HasSelf<_>>(linker, |sandbox| sandbox)
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Bounds the linear memories of an instance, all together, and its tables.
pub(crate) struct MemoryBound {
    bytes: usize,
    used: usize,
    /// Whether more was asked for than there is.
    pub(crate) refused: bool,
}

/// Elements of one table.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;

impl ResourceLimiter for MemoryBound {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.bytes {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
