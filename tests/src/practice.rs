//! A whole practice in a folder of its own.

mod running;

use crate::configuration::{Draft, Office};
use crate::faults::disk::Disk;
use crate::nats_server::NatsServer;
use crate::{Orthanc, Plan, Programs, Seat, programs};
use anyhow::{Context as _, Result};
use archwire_client::{Client, Endpoint};
use archwire_opendental_simulator::{Handle, Simulator};
use rand::Rng as _;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Where ports are looked for: below those that systems give out by themselves, so that nobody takes the broker's port
/// while it is down.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// A practice: simulated offices, a configuration, and the broker when it runs. Dropping it ends everything and removes
/// its folder.
pub struct Practice {
    // Dropped in this order: the server after the broker, the disk after both, the folder last.
    seat: Seat,
    nats: Option<NatsServer>,
    disk: Option<Disk>,
    plan: Plan,
    programs: Programs,
    offices: Vec<Office>,
    archives: Vec<(String, Orthanc)>,
    tokens: BTreeMap<String, String>,
    folder: TempDir,
}

impl Practice {
    /// A practice to be planned: `Practice::plan().vendor("ceph-tracer").open().await?`.
    #[must_use]
    pub fn plan() -> Plan {
        Plan::new()
    }

    pub(crate) async fn open(mut plan: Plan) -> Result<Self> {
        let programs = Programs::find()?;
        if plan.offices.is_empty() {
            plan.offices.push((
                "front-desk".to_owned(),
                archwire_opendental_simulator::Options::service(),
            ));
        }
        let folder = tempfile::Builder::new().prefix("archwire-practice-").tempdir();
        let folder = folder.context("cannot make a temporary folder")?;
        let mut offices = Vec::new();
        for (name, options) in &plan.offices {
            let key = options.keys.first().context("the office has no key")?;
            offices.push(Office {
                name: name.clone(),
                mode: options.mode,
                developer_key: key.developer_key.clone(),
                customer_key: key.customer_key.clone(),
                handle: Arc::new(Simulator::start(options.clone()).await?),
            });
        }
        let mut archives = Vec::new();
        for name in &plan.archives {
            archives.push((name.clone(), Orthanc::start().await?));
        }
        let tokens = plan.vendors.iter().map(|name| (name.clone(), token())).collect();
        let nats = match plan.has_external_nats {
            true => {
                let folder = folder.path().join("nats");
                Some(NatsServer::start(&programs.nats_server, &folder, free_port()?, plan.nats_room).await?)
            }
            false => None,
        };
        let mut practice = Self {
            seat: Seat::new("", folder.path(), &programs, free_port()?, plan.shows_log),
            nats,
            disk: None,
            plan,
            programs,
            offices,
            archives,
            tokens,
            folder,
        };
        practice.set_configuration(&practice.draft().write()?)?;
        practice.share_cache(&practice.seat)?;
        if let Some(mebibytes) = practice.plan.disk {
            practice.disk = Some(Disk::make(practice.folder(), &practice.data_folder(), mebibytes)?);
        }
        Ok(practice)
    }

    /// Puts a link where a broker keeps compiled connectors.
    fn share_cache(&self, seat: &Seat) -> Result<()> {
        if !self.plan.shares_cache {
            return Ok(());
        }
        let private = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let shared = programs::shared_cache()?;
        let link = seat.data_folder().join("components-cache");
        private(&shared)
            .and_then(|()| private(&seat.data_folder()))
            .and_then(|()| symlink(shared, link))
            .context("cannot share the compiled connectors")
    }

    /// Another broker's place in the same practice: everything is the same but its data folder and its port.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    pub fn another_seat(&self, name: &str) -> Result<Seat> {
        let seat = Seat::new(
            name,
            self.folder(),
            &self.programs,
            free_port()?,
            self.plan.shows_log,
        );
        let text = self.configuration()?;
        let text = text.replace("folder = \"data\"", &format!("folder = \"{name}-data\""));
        let text = text.replace(&format!(":{}\"", self.port()), &format!(":{}\"", seat.port()));
        let file = seat.configuration_file();
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        self.share_cache(&seat)?;
        Ok(seat)
    }

    fn draft(&self) -> Draft<'_> {
        Draft {
            plan: &self.plan,
            programs: &self.programs,
            folder: self.folder(),
            port: self.port(),
            nats_url: self.nats_url(),
            offices: &self.offices,
            archives: &self.archives,
            tokens: &self.tokens,
        }
    }

    /// The first office.
    ///
    /// # Panics
    /// Never: a practice has at least one.
    #[must_use]
    #[allow(
        clippy::indexing_slicing,
        reason = "a practice without an office is given one when it opens"
    )]
    pub fn office(&self) -> &Handle {
        &self.offices[0].handle
    }

    /// The first office, for who goes on working there while the practice is changed.
    ///
    /// # Panics
    /// Never: a practice has at least one.
    #[must_use]
    #[allow(
        clippy::indexing_slicing,
        reason = "a practice without an office is given one when it opens"
    )]
    pub fn shared_office(&self) -> Arc<Handle> {
        Arc::clone(&self.offices[0].handle)
    }

    /// The office behind a system.
    ///
    /// # Errors
    /// When there is no such system.
    pub fn office_of(&self, system: &str) -> Result<&Handle> {
        let office = self.offices.iter().find(|office| office.name == system);
        office
            .map(|office| office.handle.as_ref())
            .with_context(|| format!("no system {system} was planned"))
    }

    /// The first image archive.
    ///
    /// # Errors
    /// When none was planned.
    pub fn archive(&self) -> Result<&Orthanc> {
        let archive = self.archives.first().map(|(_, archive)| archive);
        archive.context("no archive was planned")
    }

    /// The first image archive, to be killed and started again.
    ///
    /// # Errors
    /// When none was planned.
    pub fn archive_mut(&mut self) -> Result<&mut Orthanc> {
        let archive = self.archives.first_mut().map(|(_, archive)| archive);
        archive.context("no archive was planned")
    }

    /// The practice's folder, with everything that belongs to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder where it is when the practice closes, for a person to look at.
    pub fn keep_folder(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// The broker's data folder. It comes into being at the first start.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.seat.data_folder()
    }

    /// The programs that it runs.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.seat.configuration_file()
    }

    /// The configuration's text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn configuration(&self) -> Result<String> {
        let file = self.configuration_file();
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Replaces the configuration. A broker that runs is not told.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_configuration(&self, text: &str) -> Result<()> {
        let file = self.configuration_file();
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The broker's API. The same for the practice's whole life.
    #[must_use]
    pub fn url(&self) -> String {
        self.seat.url()
    }

    /// Where the NATS server is that was planned; `None` when the broker runs its own.
    #[must_use]
    pub fn nats_url(&self) -> Option<String> {
        self.nats.as_ref().map(NatsServer::url)
    }

    /// The NATS server that was planned, to be killed, frozen and started again.
    ///
    /// # Errors
    /// When the broker runs its own.
    pub fn nats_server(&mut self) -> Result<&mut NatsServer> {
        self.nats.as_mut().context("no NATS server was planned")
    }

    /// The disk with the broker's data.
    ///
    /// # Errors
    /// When none of its own was planned.
    pub fn disk(&mut self) -> Result<&mut Disk> {
        self.disk.as_mut().context("no disk was planned")
    }

    /// The practice's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.practice
    }

    /// The API's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.seat.port()
    }

    /// The file that holds a vendor's token.
    #[must_use]
    pub fn token_file(&self, vendor: &str) -> PathBuf {
        self.folder().join("secrets").join(format!("{vendor}-token"))
    }

    /// A vendor's token.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub fn token(&self, vendor: &str) -> Result<&str> {
        let token = self.tokens.get(vendor).map(String::as_str);
        token.with_context(|| format!("no vendor {vendor} was planned"))
    }

    /// A vendor's connection. It need not be up: the client connects when it has something to say.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub async fn vendor(&self, name: &str) -> Result<Client> {
        self.vendor_at(name, &self.seat)
    }

    /// A vendor's connection to the broker of a place.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub fn vendor_at(&self, name: &str, seat: &Seat) -> Result<Client> {
        let endpoint = Endpoint::new(seat.url(), self.token(name)?);
        Ok(Client::connect_lazily(&endpoint)?)
    }

    /// The place of the practice's own broker.
    #[must_use]
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// The same, to start and stop what is there.
    pub fn seat_mut(&mut self) -> &mut Seat {
        &mut self.seat
    }
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = rand::rng().random_range(PORTS);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between {} and {} is free", PORTS.start, PORTS.end)
}

fn token() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
