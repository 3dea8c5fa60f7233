//! Generated from `wit/`: the contract's own types and calls. Private to this crate; [`crate::convert`] turns them into
//! the bus's types.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "archwire:connector/connector",
    imports: { "archwire:connector/images": async | trappable, default: trappable },
    exports: { default: async },
    require_store_data_send: true,
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        "archwire:connector/images.upload": crate::imports::Upload,
        "archwire:connector/images.offer": crate::imports::Offer,
    },
});

pub(crate) use archwire::connector::{exchange, imaging, patients};
pub(crate) use exports::archwire::connector::plugin;
