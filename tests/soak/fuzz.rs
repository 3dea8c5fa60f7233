//! The targets of `tests/fuzz`, each for a bounded time: built with cargo-fuzz, which not every machine has.
//!
//! Everything lies below `target/fuzz`: the programs, what was found interesting (kept from run to run), and inputs that broke
//! something, each with the command that shows it again. Bounds of a run: the time, 2 GiB of memory, 60 s for an input, 64 KiB an input.

use anyhow::{Context as _, Result, bail, ensure};
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Most bytes of an input, of which more are not looked at.
const LONGEST: usize = 64 * 1024;
/// Most megabytes of memory of a program that is fed.
const MEMORY: u32 = 2048;
/// Longest time for an input; the bus's own bounds are shorter.
const SLOWEST: Duration = Duration::from_secs(60);

/// What became of it.
pub(crate) enum Fuzzed {
    /// All targets held: what they were fed.
    Held(String),
    /// It cannot be done here: why not, and the way out.
    Lacking(String),
}

/// Builds the targets and feeds each of them for so long.
pub(crate) fn each(time: Duration) -> Result<Fuzzed> {
    let root = root();
    if let Some(lacking) = lacking() {
        return Ok(Fuzzed::Lacking(lacking));
    }
    println!("building the targets (many minutes the first time: all is compiled anew, with counters)");
    let built = cargo(&root, "build").status().context("cargo does not start")?;
    ensure!(built.success(), "the targets cannot be built");
    let mut outcomes = Vec::new();
    for target in targets(&root)? {
        let fed = feed(&root, &target, time)?;
        println!("{target}: {fed} inputs");
        outcomes.push(format!("{target} {fed}"));
    }
    Ok(Fuzzed::Held(format!("inputs: {}", outcomes.join(", "))))
}

/// What has to be installed first.
fn lacking() -> Option<String> {
    let mut command = plain("cargo");
    let asked = command
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let answers = asked.status().is_ok_and(|status| status.success());
    (!answers).then(|| "there is no cargo-fuzz: `cargo install cargo-fuzz --locked`".to_owned())
}

/// Writes the inputs to begin with, a folder for each target. Tells the targets.
fn targets(root: &Path) -> Result<Vec<String>> {
    let seeds = root.join("target/fuzz/seeds");
    let program =
        env::var_os("ARCHWIRE_SEEDS").context("ARCHWIRE_SEEDS is not set; use `cargo xtask soak`")?;
    let written = plain(program).arg(&seeds).status()?;
    ensure!(written.success(), "the inputs to begin with cannot be written");
    let mut targets = Vec::new();
    for folder in fs::read_dir(&seeds)? {
        targets.push(folder?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

/// The checkout.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// Without what cargo and rustup tell a program that they run: this build is another one.
fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let is_ours =
            |name: &str| name.starts_with("CARGO_") && name != "CARGO_HOME" || name == "RUSTUP_TOOLCHAIN";
        if name.to_str().is_some_and(is_ours) {
            command.env_remove(&name);
        }
    }
    command
}

/// No sanitizer: nothing of ours is unsafe, without it a target is fed twice as much, and the usual compiler is enough.
fn cargo(root: &Path, what: &str) -> Command {
    let mut command = plain("cargo");
    command
        .current_dir(root)
        .args(["fuzz", what, "--fuzz-dir", "tests/fuzz", "--sanitizer", "none"])
        .args(["--target-dir", "target/fuzz"]);
    command
}

/// Feeds a target. Tells how many inputs it was fed.
fn feed(root: &Path, target: &str, time: Duration) -> Result<u64> {
    let folder = root.join("target/fuzz");
    let made = |kind: &str| {
        let made = folder.join(kind).join(target);
        fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
        anyhow::Ok(made)
    };
    let (known, begin, broken, stores) = (made("corpus")?, made("seeds")?, made("broken")?, made("stores")?);
    let log = folder.join(format!("{target}.log"));
    let program = program(&folder, target)?;
    let mut command = plain(&program);
    command
        .args([&known, &begin])
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-timeout={}", SLOWEST.as_secs()))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-artifact_prefix={}/", broken.display()))
        .args(["-print_final_stats=1", "-verbosity=1"])
        // What a bus stores: the program ends without looking back.
        .env("TMPDIR", &stores)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?);
    let ended = command
        .status()
        .with_context(|| format!("{} does not start", program.display()))?;
    fs::remove_dir_all(&stores)?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !ended.success() {
        bail!(
            "{target} broke ({ended}). The input is the newest in {}; feed it again with `{} FILE`. The end of {}:\n{}",
            broken.display(),
            program.display(),
            log.display(),
            end_of(&said)
        );
    }
    let fed = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    fed.and_then(|fed| fed.trim().parse().ok())
        .with_context(|| format!("{} does not say how much it was fed", log.display()))
}

/// The program of a target: in a folder that is named for the machine.
fn program(folder: &Path, target: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut programs = entries
        .iter()
        .map(|entry| entry.path().join("release").join(target));
    let found = programs.find(|program| program.is_file());
    found.with_context(|| format!("the program of {target} is not in {}", folder.display()))
}

/// The last lines, where it says what is wrong.
fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with('#')).collect();
    let last = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default();
    last.join("\n")
}
