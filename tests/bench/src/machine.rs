//! What the figures were measured on, and how fast its disk makes an append safe.
//!
//! The facts are Linux's; elsewhere they are left out.

use crate::{
    arguments::Settings,
    figure::Spread,
    unit::{Unit, rate},
};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::{
    fmt, fs,
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

/// How long the disk is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// MB in a KiB.
pub(crate) const KIBIBYTE: f64 = 0.001_024;
/// What one append of the disk's own figure writes.
const BLOCK: usize = 1024;

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mebibytes: u64,
    pub(crate) kernel: String,
    /// Of the folder in which the practices are.
    pub(crate) file_system: String,
    /// Appends of 1 KiB to one file, each made safe by `fdatasync` before the next.
    pub(crate) flushes_per_second: Spread,
    pub(crate) is_optimised: bool,
    pub(crate) load_average: f64,
}

impl Machine {
    pub(crate) fn look(settings: &Settings) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let time = if settings.quick { LOOK / 5 } else { LOOK };
        let rounds = (0..settings.rounds).map(|_| flushes(folder.path(), time));
        let rounds = rounds.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            processor: line("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mebibytes: memory().unwrap_or_default(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            file_system: file_system(folder.path()).unwrap_or_else(|| "unknown".to_owned()),
            flushes_per_second: Spread::of(&rounds),
            is_optimised: !cfg!(debug_assertions),
            load_average: load_average(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processor,
            cores,
            memory_mebibytes,
            kernel,
            file_system,
            flushes_per_second,
            is_optimised,
            load_average,
        } = self;
        writeln!(
            f,
            "machine: {processor}, {cores} cores, {memory_mebibytes} MiB, Linux {kernel}"
        )?;
        writeln!(
            f,
            "disk: {file_system}, fdatasync of 1 KiB appends {}",
            flushes_per_second.show(Unit::PerSecond)
        )?;
        write!(f, "load average at the start: {load_average:.2}")?;
        if !is_optimised {
            write!(
                f,
                "\nNOT a release build: the figures say whether it works, not how fast it is"
            )?;
        }
        if *file_system == "tmpfs" {
            write!(
                f,
                "\nThe practices are in memory, where flushing costs nothing: set TMPDIR to a disk"
            )?;
        }
        Ok(())
    }
}

/// What else goes on at the moment: a disk that many share is at times fifty times slower than at others.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Conditions {
    pub(crate) load_average: f64,
    pub(crate) flushes_per_second: f64,
}

impl Conditions {
    pub(crate) fn now() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Self {
            load_average: load_average(),
            flushes_per_second: flushes(folder.path(), LOOK)?,
        })
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flushes = Unit::PerSecond.show(self.flushes_per_second);
        write!(f, "load average {:.2}, fdatasync {flushes}", self.load_average)
    }
}

/// How many processes wanted to run in the last minute, on average.
fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next();
    first.and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// Appends a second, each flushed before the next.
fn flushes(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("appended");
    let mut file = File::create(&path).context("cannot write to the temporary folder")?;
    let block = [b'x'; BLOCK];
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < time {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(rate(count, begun.elapsed()))
}

/// The value of the first line of a file in `/proc` that begins with this key.
fn line(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<u64> {
    let text = line("/proc/meminfo", "MemTotal")?;
    let kibibytes: u64 = text.split(' ').next()?.parse().ok()?;
    Some(kibibytes / 1024)
}

/// The kind of the file system that a folder is on: of the mount with the longest path that holds it.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(path, _)| folder.starts_with(path));
    holding
        .max_by_key(|(path, _)| path.len())
        .map(|(_, kind)| kind.to_owned())
}

/// The most memory that a process has held so far, in MB; `None` when it is gone.
pub(crate) fn peak_megabytes(pid: u32) -> Option<f64> {
    let text = line(&format!("/proc/{pid}/status"), "VmHWM")?;
    let kibibytes: f64 = text.split(' ').next()?.parse().ok()?;
    Some(kibibytes * KIBIBYTE)
}

/// The processor's time that a process has taken so far, its threads included; `None` when it is gone.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and parentheses; behind it, the 12th and 13th words are hundredths of a second.
    let (_, rest) = text.rsplit_once(") ")?;
    let ticks = rest
        .split(' ')
        .skip(11)
        .take(2)
        .map(|word| word.parse::<u64>().ok());
    let ticks = ticks.sum::<Option<u64>>()?;
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_flushes_and_a_process_holds_memory() {
        let folder = tempfile::tempdir().unwrap();
        assert!(flushes(folder.path(), Duration::from_millis(20)).unwrap() > 0.0);
        assert!(peak_megabytes(std::process::id()).unwrap() > 0.1);
        assert!(processor_time(std::process::id()).unwrap() < Duration::from_secs(3600));
        assert!(memory().unwrap() > 16 && file_system(folder.path()).is_some());
    }
}
