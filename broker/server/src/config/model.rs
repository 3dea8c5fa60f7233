//! What a valid configuration is: the types that the rest of the broker builds on.
//!
//! Every path is absolute, every unit is in its type, every secret has been read and does not print itself. Nothing
//! in here names wasmtime or async-nats; whoever builds those maps from here.

use super::{outline::Outline, units::ByteSize};
use archwire_core::{FieldGroup, OnDisagreement, PracticeName, SystemName, contract::Contract};
use jiff::{civil::Time, tz::TimeZone};
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

/// The configuration of one broker, checked as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// SHA-256 of that file.
    pub file_digest: [u8; 32],
    /// What it says at which key, without the values.
    pub outline: Outline,
    /// `practice.name`: the practice that this broker serves.
    pub practice: PracticeName,
    /// `data.folder`: where everything that the broker keeps lies. It need not exist yet.
    pub data_folder: PathBuf,
    /// `connectors.folder`: where the connectors' components are. It need not exist when no system names one in it.
    pub connectors_folder: PathBuf,
    /// `[api]`: the gRPC API.
    pub api: Api,
    /// `[nats]`: the log's server.
    pub nats: Nats,
    /// `[log]`: what the broker tells about itself.
    pub log: Log,
    /// `[identity]`: by what records are known to be one person's.
    pub identity: Identity,
    /// `[audit]`: how much of what was done is kept.
    pub audit: Audit,
    /// `[images]`: how much of images is kept. `None` when `enabled` is false: the broker takes and shows none.
    pub images: Option<Images>,
    /// `[images.sftp]`: where images are handed out to programs that fetch them. Without it they are not.
    pub image_sftp: Option<ImageSftp>,
    /// `practice.time-zone`: where the practice is, or else what the machine says; for what happens at an hour of the day.
    pub time_zone: TimeZone,
    /// `[telemetry]`: where the broker can be watched.
    pub telemetry: Telemetry,
    /// `[accounts.NAME]`: what vendors count requests by. Each is used by a system at least, if only by a disabled one.
    pub accounts: BTreeMap<SystemName, Account>,
    /// `[systems.NAME]`: programs that a connector speaks for. No name is also a vendor's.
    pub systems: BTreeMap<SystemName, System>,
    /// `[vendors.NAME]`: programs that speak gRPC themselves.
    pub vendors: BTreeMap<SystemName, Vendor>,
}

/// The gRPC API.
#[derive(Debug, Clone)]
pub struct Api {
    /// `listen`: a loopback address where `plaintext` asks for that, or any address when `tls` is there. Port 0 takes any free
    /// port.
    pub listen: SocketAddr,
    /// `tls-certificate`, `tls-key` and `client-roots`.
    pub tls: Option<Tls>,
    /// `connections` and `connections-per-address`.
    pub connections: Connections,
}

/// The files of the API's TLS, which are read again when they change. They could be read when the configuration was.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate chain in PEM form, the server's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM form, which only the owner may read.
    pub key: PathBuf,
    /// Certificates of the authorities that sign those of vendors, in PEM form. None: vendors are asked for no certificate.
    pub client_roots: Option<PathBuf>,
}

/// How many connections the API takes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// In all: 16 to 65,536.
    pub all: NonZeroUsize,
    /// From one address of another machine: 1 to 65,536.
    pub per_address: NonZeroUsize,
}

impl Default for Connections {
    /// 2,048 in all, 64 from one address.
    fn default() -> Self {
        Self {
            all: NonZeroUsize::MIN.saturating_add(2_047),
            per_address: NonZeroUsize::MIN.saturating_add(63),
        }
    }
}

/// The log's server and what the broker asks of it.
#[derive(Debug, Clone)]
pub struct Nats {
    /// Which server.
    pub server: NatsServer,
    /// `max-store`: the most that the log and the buckets may take on disk, 2 GiB to 64 TiB; the audit and images come beside it. When it
    /// is full, publishing fails loudly.
    pub max_store: ByteSize,
    /// `replicas`: copies of the log, 1 to 5. Always 1 with a supervised server.
    pub replicas: NonZeroUsize,
}

/// Which NATS server holds the log.
#[derive(Debug, Clone)]
pub enum NatsServer {
    /// The broker starts and watches one of its own.
    Supervised {
        /// The `nats-server` binary. An executable file; its version is not yet checked.
        binary: PathBuf,
    },
    /// Somebody else runs it.
    External {
        /// `nats://` or `tls://`, host and port, without user or password; several for a cluster, separated by commas.
        url: String,
        /// How the broker shows who it is.
        login: NatsLogin,
        /// `root-certificate`: PEM file of an authority to trust besides the system's.
        root_certificate: Option<PathBuf>,
    },
}

/// How the broker shows an external NATS server who it is.
#[derive(Debug, Clone)]
pub enum NatsLogin {
    /// The server asks for nothing.
    Nothing,
    /// One token.
    Token(SecretString),
    /// A user with a password.
    User {
        /// The user's name.
        name: String,
        /// The user's password.
        password: SecretString,
    },
    /// A `.creds` file, as `nsc` writes it. Only its owner can read it.
    Credentials(PathBuf),
}

/// What the broker tells about itself.
#[derive(Debug, Clone)]
pub struct Log {
    /// `format`.
    pub format: LogFormat,
    /// `level`: directives of tracing's `EnvFilter`, which accepts them.
    pub level: String,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Human,
    /// One JSON object a line, for programs.
    Json,
}

/// By what records are known to be one person's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `trusted-identifiers`: namespaces whose identifiers belong to one person each, at most 64 URIs. Without it, the
    /// kind of an identifier tells.
    pub trusted_identifiers: Option<BTreeSet<String>>,
}

/// How much of what was done is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// `max-size`: the most that the audit may take, 64 MiB to 64 TiB, beside [`Nats::max_store`]. When it is used up, nobody acts
    /// and vendors are told nothing. Where nothing is written: see [`Audit::most`].
    pub max_size: Option<ByteSize>,
    /// `keep`: how long records are kept, 30 days to 100 years; 6 years where nothing is written.
    pub keep: Duration,
}

impl Audit {
    /// The most that it is asked to take: 4 GiB where nothing is written, or what somebody else's server has room for.
    #[must_use]
    pub fn most(&self) -> ByteSize {
        self.max_size.unwrap_or(ByteSize::from_mebibytes(4 * 1024))
    }
}

/// How much of images is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Images {
    /// `max-size`: the most that all images together may take, 64 MiB to 64 TiB, beside [`Nats::max_store`]. Without it, 200
    /// GiB; on somebody else's server that has not so much room, what it has. When it is used up, images are refused loudly.
    pub max_size: Option<ByteSize>,
    /// `largest`: the most that one image may have, 1 MiB to 64 GiB.
    pub largest: ByteSize,
    /// `keep-unused`: how long bytes are kept that no image has, such as those of an upload that was cut short; 1 hour to 30
    /// days.
    pub keep_unused: Duration,
    /// `keep-free`: what images leave free on the disk for the log, 0 B to 64 TiB. Counts for a supervised server, whose disk
    /// the broker sees.
    pub keep_free: ByteSize,
}

/// Where images are handed out by SFTP, one at a time, to the programs of the systems that may
/// ([`System::hand_out_images`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSftp {
    /// `listen`: any address; port 0 for any free port.
    pub listen: SocketAddr,
    /// `address`: the host that programs connect to, without a port: they take 22.
    pub address: String,
}

impl Images {
    /// The most that all images together may take: `max-size`, or what it is without.
    #[must_use]
    pub fn most(&self) -> ByteSize {
        self.max_size.unwrap_or(ByteSize::from_mebibytes(200 * 1024))
    }
}

/// What a program is right about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owns {
    /// `owns`. No group is owned twice among the vendors and the systems that are enabled.
    pub groups: BTreeSet<FieldGroup>,
    /// `on-disagreement`: what happens when another program changes something of it.
    pub on_disagreement: OnDisagreement,
}

/// Where the broker can be watched. What it shows there has no patient data in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Telemetry {
    /// `listen`: where metrics and health are offered over HTTP, in clear and to everybody who can reach the address; any
    /// address, port 0 for any free port. Without it they are not offered.
    pub listen: Option<SocketAddr>,
    /// `otlp`: `http://` or `https://` of a collector that takes traces over OTLP. Without it there are none.
    pub otlp: Option<String>,
}

/// What a vendor counts requests by: a key, a contract, a server. Systems that share one share its pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// `spacing`: least time between the starts of two requests in the long run, 0 to 1 hour.
    pub spacing: Duration,
    /// `burst`: requests that may start at once after a pause, 1 to 1000.
    pub burst: NonZeroU32,
    /// `in-flight`: most requests at the same time, 1 to 64.
    pub in_flight: NonZeroUsize,
}

/// When a system is compared with the log by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconcile {
    /// `reconcile-at`: every day at this time in [`Config::time_zone`], in whole minutes.
    pub at: Time,
    /// `reconcile-repair`: whether what differs is mended, or only reported.
    pub repair: bool,
}

/// A program that a connector speaks for.
#[derive(Debug, Clone)]
pub struct System {
    /// The connector's component. The file exists, unless the system is disabled.
    pub connector: PathBuf,
    /// `poll-every`, 100 ms to 1 day. Without it the broker takes its own interval.
    pub poll_every: Option<Duration>,
    /// `enabled`: whether the broker works with the system at all. Of a disabled system nothing outside the
    /// configuration is read: `secrets` is empty and the connector's file may be missing.
    pub enabled: bool,
    /// `deliver`: whether patients are written to the system. Without it the broker only reads from it.
    pub deliver: bool,
    /// `deliver-images`: whether images are written to the system. Without it as `deliver`.
    pub deliver_images: bool,
    /// `images-folder`: of which the connector may take image files by their path within it, and read nothing else. It may be
    /// away for a while.
    pub images_folder: Option<PathBuf>,
    /// `hand-out-images`: whether the connector may have the broker hand out an image that it delivers, to a program that
    /// fetches it by SFTP. Only with [`Config::image_sftp`].
    pub hand_out_images: bool,
    /// `unknown-patients`: whether a record that the bus does not know waits until a person has said whose it is, and makes no
    /// patient by itself.
    pub unknown_waits: bool,
    /// `owns` and `on-disagreement`: counts only when the system is enabled, see [`Config::ownership`].
    pub owns: Owns,
    /// `account`: one of [`Config::accounts`], whose pace it shares. Without it the system has a pace of its own.
    pub account: Option<SystemName>,
    /// `reconcile-at` and `reconcile-repair`: when the system is compared with the log. Without it only when somebody asks.
    pub reconcile: Option<Reconcile>,
    /// `[systems.NAME.settings]`: not yet checked against the connector's description. Whole numbers and `true` or
    /// `false` are here as text. At most 1 KiB each.
    pub settings: BTreeMap<String, String>,
    /// `[systems.NAME.secrets]`: read from where the configuration points.
    pub secrets: BTreeMap<String, SecretString>,
    /// `[[systems.NAME.grants]]`: what the connector may reach; nothing else.
    pub grants: Vec<Grant>,
    /// `[systems.NAME.limits]`.
    pub limits: Limits,
}

/// One host that a connector may reach, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Scheme of `to`.
    pub scheme: Scheme,
    /// Host of `to`, in lower case: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// Port of `to`; the scheme's own when it is not written.
    pub port: u16,
    /// `methods`: at least one of GET, HEAD, POST, PUT, PATCH, DELETE.
    pub methods: Vec<String>,
    /// `paths`: at least one pattern, each beginning with `/`. `*` is one segment, a last `**` any number of them.
    pub paths: Vec<String>,
    /// `private-addresses`: whether the host's name may resolve to an address of the office's own network or of this
    /// machine.
    pub private_addresses: bool,
    /// `spacing`: least time between the starts of two requests, 0 to 1 hour.
    pub spacing: Duration,
    /// `in-flight`: most requests at the same time, 1 to 64.
    pub in_flight: NonZeroUsize,
}

impl fmt::Display for Grant {
    /// `to` in one spelling, always with its port: `https://api.example.com:443`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }
}

/// How a granted host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear. Only together with `private-addresses`.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What one call into a connector may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `memory`: 1 MiB to 4 GiB.
    pub memory: ByteSize,
    /// `deadline`: 100 ms to 10 minutes.
    pub deadline: Duration,
}

/// A program that speaks gRPC to the bus itself.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// `token`: 32 to 4096 characters of printable ASCII, no two vendors the same. None for a vendor that shows who it is by
    /// something else.
    pub token: Option<SecretString>,
    /// `client-certificates`: SHA-256 of the certificates by which it may show who it is, in DER form. No two vendors have the same.
    pub certificates: BTreeSet<[u8; 32]>,
    /// `owns` and `on-disagreement`. What it owns it may write.
    pub owns: Owns,
    /// Everything else: what it may read and write.
    pub contract: Contract,
}
