//! Debian packages, downloaded and unpacked without installing anything and without being root.
//!
//! apt's own signed lists say what the files hash to, and `apt-get download` checks it. Where the system's lists lack
//! the packages or are out of date, lists of our own are fetched for the while; the system's stay as they are.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{on_path, output, silently};
use crate::report::{say, timed};
use crate::tree::{Tree, clear};

/// What a machine that compiles Rust has anyhow, what is too basic to be missing, and what only an installation needs.
const ASSUMED: [&str; 12] = [
    "gcc",
    "libc-dev",
    "libc6",
    "binutils",
    "libgcc-s1",
    "libstdc++6",
    "adduser",
    "debconf",
    "init-system-helpers",
    "locales",
    "lsb-base",
    "tzdata",
];
/// Bounds the walk over dependencies; the real number is 6 to 30.
const MOST_PACKAGES: usize = 60;
/// About 10 MB of lists.
const LISTS_LIMIT: Duration = Duration::from_secs(300);
/// At most about 140 MB of packages.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(1200);
const UNPACK_LIMIT: Duration = Duration::from_secs(300);

/// Packages that are wanted, and for which part of set-up.
#[derive(Debug)]
pub(crate) struct Order {
    /// The word before what is said about it.
    pub(crate) part: &'static str,
    /// Unpacked even where they are installed; the rest follows from their dependencies.
    pub(crate) wanted: &'static [&'static str],
    /// The beginning of the names of packages that are unpacked even where they are installed, though nobody asked for them.
    pub(crate) never_installed: Option<&'static str>,
    /// The oldest usable version of the first of the wanted ones.
    pub(crate) oldest: Option<&'static str>,
}

/// What apt says about a package: only what is needed here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    version: String,
    bytes: u64,
    depends: Vec<String>,
}

impl Package {
    /// Reads the first stanza of `apt-cache show`; of alternative dependencies, the first is taken.
    fn parse(stanza: &str) -> Option<Self> {
        let field = |name: &str| {
            stanza
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let bare = |word: &str| {
            word.trim()
                .split([' ', '(', ':', '|'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        Some(Self {
            version: field("Version")?.to_owned(),
            bytes: field("Size").and_then(|size| size.parse().ok()).unwrap_or(0),
            depends: field("Depends")
                .map(|list| list.split(',').map(bare).collect())
                .unwrap_or_default(),
        })
    }
}

/// apt with the system's lists, or with lists of our own.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn with_system_lists() -> Self {
        Self { options: Vec::new() }
    }

    /// The system's sources and keys, but lists and caches in a folder of ours, which needs no rights.
    fn with_own_lists(folder: &Path) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let set = |key: &str, value: &str| [String::from("-o"), format!("{key}={value}")];
        let lists = folder.join("lists");
        let cache = folder.join("cache");
        let options = [
            set("Dir::State::lists", &lists.to_string_lossy()),
            set("Dir::Cache", &cache.to_string_lossy()),
            // As root, apt would hand the work to a user who may not enter this folder.
            set("APT::Sandbox::User", "root"),
        ];
        Ok(Self {
            options: options.concat(),
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").args(&self.options);
        command
    }

    fn show(&self, package: &str) -> Option<Package> {
        let text = output(
            self.command("apt-cache")
                .args(["show", "--no-all-versions", package]),
        )
        .ok()?;
        Package::parse(text.split("\n\n").next()?)
    }

    /// A package that provides one that exists by its name only.
    fn provider(&self, name: &str) -> Option<String> {
        let text = output(self.command("apt-cache").args(["showpkg", name])).ok()?;
        let (_, providers) = text.split_once("Reverse Provides:")?;
        providers.split_whitespace().next().map(str::to_owned)
    }
}

/// What apt and dpkg have to be there for.
pub(crate) fn refuse_without_apt() -> Result<()> {
    for tool in ["apt-get", "apt-cache", "dpkg-deb", "dpkg-query"] {
        if on_path(tool).is_none() {
            bail!("this takes Debian's packages, and `{tool}` is not on PATH");
        }
    }
    Ok(())
}

/// Downloads what is wanted and everything it needs that this system lacks, and unpacks it all into `folder`.
pub(crate) fn unpack(tree: &Tree, folder: &Path, order: &Order) -> Result<()> {
    let system = Apt::with_system_lists();
    let debs = match plan(&system, order).and_then(|plan| fetch(tree, &system, order, &plan, folder)) {
        Ok(debs) => debs,
        Err(error) => {
            say(
                order.part,
                &format!("  not with the system's package lists: {error:#}"),
            );
            fetch_with_own_lists(tree, folder, order)?
        }
    };
    timed(
        order.part,
        &format!("unpacking into {}", tree.show(folder)),
        || {
            for deb in fs::read_dir(&debs)?.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
                let mut dpkg = Command::new("dpkg-deb");
                dpkg.arg("-x").arg(&deb).arg(folder);
                silently(&mut dpkg, &tree.logs().join("dpkg-deb.log"), UNPACK_LIMIT)?;
            }
            clear(&debs)
        },
    )
}

fn fetch_with_own_lists(tree: &Tree, folder: &Path, order: &Order) -> Result<PathBuf> {
    let lists = folder.join("apt");
    let apt = Apt::with_own_lists(&lists)?;
    timed(
        order.part,
        "fetching package lists of our own (the system's stay as they are)",
        || {
            silently(
                apt.command("apt-get").arg("update"),
                &tree.logs().join("apt-update.log"),
                LISTS_LIMIT,
            )
        },
    )?;
    let debs = fetch(tree, &apt, order, &plan(&apt, order)?, folder)?;
    clear(&lists)?;
    Ok(debs)
}

/// Which packages to download: the wanted ones and what they depend on, without what is installed.
fn plan(apt: &Apt, order: &Order) -> Result<BTreeMap<String, Package>> {
    if let (Some(first), Some(oldest)) = (order.wanted.first(), order.oldest) {
        let offered = apt
            .show(first)
            .with_context(|| format!("there is no package {first} (Debian has it, Ubuntu may not)"))?;
        if !is_at_least(&offered.version, oldest) {
            bail!(
                "the package {first} has version {}, and {oldest} or newer is needed",
                offered.version
            );
        }
    }
    let known = Known {
        show: &|name| apt.show(name),
        provider: &|name| apt.provider(name),
        installed: &|name| is_installed(order, name),
    };
    closure(order.wanted, &known)
}

/// What is known of packages.
struct Known<'a> {
    show: &'a dyn Fn(&str) -> Option<Package>,
    provider: &'a dyn Fn(&str) -> Option<String>,
    installed: &'a dyn Fn(&str) -> bool,
}

fn closure(wanted: &[&str], known: &Known<'_>) -> Result<BTreeMap<String, Package>> {
    let mut chosen = BTreeMap::new();
    let mut queue: VecDeque<String> = wanted.iter().copied().map(String::from).collect();
    while let Some(name) = queue.pop_front() {
        if chosen.contains_key(&name) || ASSUMED.contains(&name.as_str()) || (known.installed)(&name) {
            continue;
        }
        let Some(package) = (known.show)(&name) else {
            let is_real = |provider: &String| (known.installed)(provider) || (known.show)(provider).is_some();
            let provider = (known.provider)(&name).filter(is_real);
            queue.push_back(provider.with_context(|| format!("there is no package {name}"))?);
            continue;
        };
        queue.extend(package.depends.iter().cloned());
        chosen.insert(name, package);
        if chosen.len() > MOST_PACKAGES {
            bail!("more than {MOST_PACKAGES} packages that are not installed here would be needed");
        }
    }
    Ok(chosen)
}

fn is_installed(order: &Order, name: &str) -> bool {
    let never = order.never_installed.is_some_and(|start| name.starts_with(start));
    if never || order.wanted.contains(&name) {
        return false;
    }
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Status}", name]);
    output(&mut query).is_ok_and(|status| status.ends_with(" installed"))
}

fn fetch(
    tree: &Tree,
    apt: &Apt,
    order: &Order,
    plan: &BTreeMap<String, Package>,
    folder: &Path,
) -> Result<PathBuf> {
    let debs = folder.join("debs");
    fs::create_dir_all(&debs).with_context(|| format!("cannot create {}", debs.display()))?;
    let names: Vec<&str> = plan.keys().map(String::as_str).collect();
    let megabytes = plan.values().map(|package| package.bytes).sum::<u64>() / 1_000_000;
    let what = format!(
        "downloading {megabytes} MB of Debian packages, installing none: {}",
        names.join(", ")
    );
    timed(order.part, &what, || {
        let mut command = apt.command("apt-get");
        command.args(["-q", "download"]).current_dir(&debs);
        command.args(
            plan.iter()
                .map(|(name, package)| format!("{name}={}", package.version)),
        );
        silently(
            &mut command,
            &tree.logs().join("apt-download.log"),
            DOWNLOAD_LIMIT,
        )
    })?;
    Ok(debs)
}

/// Whether Debian's `1.96.0+dfsg1-1` is at least `1.95`.
fn is_at_least(version: &str, needed: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let upstream = text.split(['+', '-', '~']).next().unwrap_or_default();
        upstream.split('.').map_while(|part| part.parse().ok()).collect()
    };
    numbers(version) >= numbers(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(depends: &[&str]) -> Package {
        let depends = depends.iter().map(ToString::to_string).collect();
        Package {
            version: "1".into(),
            bytes: 1,
            depends,
        }
    }

    #[test]
    fn a_stanza_of_apt_is_read() {
        let stanza = "Package: rustc-web\nVersion: 1.96.0+dfsg1-1\nDepends: libc6 (>= 2.34), libstd-rust-web-dev \
                      (= 1.96.0+dfsg1-1), libxml2:any | libxml3, gcc\nSize: 4450500\nDescription: x";
        let package = Package::parse(stanza).expect("parses");
        assert_eq!(package.bytes, 4_450_500);
        assert_eq!(
            package.depends,
            ["libc6", "libstd-rust-web-dev", "libxml2", "gcc"]
        );
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(is_at_least("1.96.0+dfsg1-1~deb12u2", "1.95"));
        assert!(is_at_least("1.95.0", "1.95"));
        assert!(is_at_least("1.100.0-1", "1.95"));
        assert!(!is_at_least("1.85.0+dfsg3-1", "1.95"));
    }

    #[test]
    fn only_what_is_needed_and_missing_is_downloaded() {
        let show = |name: &str| match name {
            "rustc-web" => Some(package(&["gcc", "libc6", "libstd-rust-web-dev"])),
            "libstd-rust-web-dev" => Some(package(&["libllvm", "zlib1g"])),
            "rust-web-src" | "wasi-libc" | "libllvm22" => Some(package(&[])),
            _ => None,
        };
        let known = Known {
            show: &show,
            provider: &|name| (name == "libllvm").then(|| "libllvm22".to_owned()),
            installed: &|name| name == "zlib1g",
        };
        let plan = closure(&["rustc-web", "rust-web-src", "wasi-libc"], &known).expect("resolves");
        let names: Vec<_> = plan.keys().collect();
        assert_eq!(
            names,
            [
                "libllvm22",
                "libstd-rust-web-dev",
                "rust-web-src",
                "rustc-web",
                "wasi-libc"
            ]
        );
    }

    #[test]
    fn a_dependency_that_does_not_exist_is_named() {
        let show = |name: &str| (name == "rustc-web").then(|| package(&["libgone"]));
        let known = Known {
            show: &show,
            provider: &|_| None,
            installed: &|_| false,
        };
        let error = closure(&["rustc-web"], &known).expect_err("libgone is missing");
        assert_eq!(error.to_string(), "there is no package libgone");
    }
}
