//! What tests and the demonstration need to run a whole practice on one machine: the real broker as a process of its
//! own, its own nats-server, simulated offices, and a vendor's program.
//!
//! ```no_run
//! use archwire_tests::{Practice, eventually};
//!
//! # async fn example() -> anyhow::Result<()> {
//! let mut practice = Practice::plan().vendor("ceph-tracer").open().await?;
//! practice.start_broker().await?;
//! let vendor = practice.vendor("ceph-tracer").await?;
//! practice.kill_broker().await?;
//! practice.start_broker().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything is in a folder of its own and on ports of its own, so that any number of practices run side by side.
//! Nothing waits for a fixed time: [`eventually`] looks until a condition holds, for at most [`PATIENCE`].
//!
//! Programs are found through `ARCHWIRE_BIN`, `ARCHWIRE_COMPONENTS` and `ARCHWIRE_NATS_SERVER`, else under the target
//! folder of the running test; an error names the command that builds what is missing.

mod broker;
mod configuration;
mod eventually;
mod log;
mod nats_server;
mod orthanc;
mod people;
mod plan;
mod practice;
mod programs;
mod python;
mod radiograph;
mod seat;
mod sides;
mod tracing_program;

pub mod families;
pub mod faults;
pub mod process;

pub use broker::Answer;
pub use eventually::{PATIENCE, eventually, eventually_within};
pub use log::Log;
pub use nats_server::NatsServer;
pub use orthanc::{Orthanc, OrthancPlan};
pub use people::{differences, invented, phone_of, set_email, set_phone, wire_patient};
pub use plan::Plan;
pub use practice::Practice;
pub use programs::Programs;
pub use python::{PythonVendor, Running};
pub use radiograph::{Radiograph, fresh_uid};
pub use seat::Seat;
pub use sides::{creations, same_people, whole_histories};
pub use tracing_program::{Local, TracingProgram};
