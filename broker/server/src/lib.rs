//! The Archwire broker.
//!
//! | module | hop |
//! |---|---|
//! | [`config`] | the configuration: read, checked as a whole |
//! | [`poll`], [`api`] | 1 observe: connectors' polls and vendors' `Publish` |
//! | [`imaging`] | 1 observe: what an image is, before it is anybody's |
//! | [`registry`] | 2 to 5: identify, decide, append, keep |
//! | [`dispatch`] | 6 to 8: admit, deliver, settle |
//! | [`sftp`] | 7 deliver: an image handed out to a program that fetches it by itself |
//! | [`reconcile`] | what of all that did not come about, found by looking |
//! | [`admin`], [`audit`] | what people decide, and the trace that it leaves |
//! | [`broker`], [`cli`], [`check`], [`telemetry`] | what is started in which order, and what is told about it |
//! | [`failpoint`] | where a test may have a debug build killed |
//! | [`parked`] | deliveries that wait for a person |
//! | [`log_mark`] | that a log which lost something is not taken for a new one |
//! | [`disclosure`] | what a vendor is shown of all that |
//! | [`tokens`] | the tokens that were made for vendors |
//! | [`vendors`] | who may speak to the bus, on what terms, as they are at the moment |
//! | [`wire`] | between the contract's messages and the types of `archwire-core` |

pub mod admin;
pub mod api;
pub mod audit;
pub mod broker;
pub mod check;
pub mod cli;
pub mod config;
pub mod disclosure;
pub mod dispatch;
pub mod failpoint;
pub mod imaging;
mod instance;
pub mod log_mark;
pub mod parked;
pub mod poll;
mod private_file;
pub mod reconcile;
pub mod registry;
pub mod sftp;
pub mod state_store;
pub mod systems;
pub mod telemetry;
pub mod tokens;
pub mod vendors;
pub mod wire;
mod workers;
