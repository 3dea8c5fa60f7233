//! The three programs, and what the end of the play tells about them.

use crate::people::People;
use crate::screen::{Screen, seconds};
use anyhow::Result;
use archwire_opendental_simulator::{Handle, PatientFields};
use archwire_tests::{Orthanc, Practice, TracingProgram, process};
use std::time::Duration;

/// The vendor's name in the practice's configuration.
pub(crate) const VENDOR: &str = "ceph-tracer";
/// A second vendor, for the reader's own tries.
pub(crate) const VISITOR: &str = "visitor";

/// The programs while they run.
pub(crate) struct Stage {
    pub(crate) vendor: TracingProgram,
    pub(crate) practice: Practice,
    /// Whether there is an image archive: a real one, which not every machine has.
    pub(crate) has_archive: bool,
    /// Everybody who was typed in anywhere so far, each exactly once.
    pub(crate) everybody: Vec<PatientFields>,
    /// How many of them were first registered at the vendor.
    pub(crate) from_vendor: usize,
    first_start: Duration,
}

impl Stage {
    /// Opens the office, starts the bus and the vendor's program.
    pub(crate) async fn open(screen: &Screen, people: &People) -> Result<Self> {
        println!(
            "Archwire, end to end. The programs on this machine:\n\n   \
               FRONT DESK                   THE BUS                      VENDOR\n   \
               Open Dental (simulated)      archwire and nats-server     a program that traces radiographs\n   \
               its own web API       <-->   WASM connectors |  gRPC <--> a patient list of its own\n   \
               IMAGE ARCHIVE\n   \
               Orthanc, DICOMweb     <-->   WASM connector\n\n\
             Patients: {} {}. Names are shown masked.\n",
            people.front_desk.len(),
            people.source,
        );
        let mut plan = Practice::plan()
            .vendor(VENDOR)
            .vendor(VISITOR)
            .log_level("info")
            .quiet()
            .own_cache();
        let has_archive = match Orthanc::is_here() {
            Ok(()) => true,
            Err(missing) => {
                screen.say(format_args!("without an image archive: {missing:#}"));
                false
            }
        };
        if has_archive {
            plan = plan.archive("archive");
        }
        let mut practice = plan.open().await?;
        if has_archive {
            screen.say(format_args!(
                "the image archive, an Orthanc, answers at {}",
                practice.archive()?.url()
            ));
        }
        screen.say(format_args!(
            "the front desk's Open Dental answers at {}",
            practice.office().base_url()
        ));
        screen.say("the bus starts, and compiles its connector for this machine (once; the result is kept)");
        let first_start = practice.start_broker().await?;
        screen.say(format_args!(
            "the bus is ready at {} after {}",
            practice.url(),
            seconds(first_start)
        ));
        let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
        screen.say("the vendor's program follows the bus; its patient list is empty");
        Ok(Self {
            vendor,
            practice,
            has_archive,
            everybody: Vec::new(),
            from_vendor: 0,
            first_start,
        })
    }

    pub(crate) fn office(&self) -> &Handle {
        self.practice.office()
    }

    /// Memory and start, after the bus has been stopped in order and started again.
    pub(crate) async fn figures(&mut self, screen: &Screen) -> Result<()> {
        println!("\nFigures (a debug build may be several times slower and larger than a release build):");
        let again = self.practice.restart().await?;
        screen.say(format_args!(
            "start to ready, connector compiled   {}",
            seconds(self.first_start)
        ));
        screen.say(format_args!(
            "start to ready, connector cached     {}",
            seconds(again)
        ));
        let memory = |pid: Result<u32>| match pid.ok().and_then(process::resident_kib) {
            Some(kib) => format!("{:.1} MiB", kib as f64 / 1024.0),
            None => "not known on this system".to_owned(),
        };
        screen.say(format_args!(
            "broker, idle, resident               {}",
            memory(self.practice.broker_pid())
        ));
        screen.say(format_args!(
            "nats-server, idle, resident          {}",
            memory(self.practice.nats_pid())
        ));
        Ok(())
    }
}
