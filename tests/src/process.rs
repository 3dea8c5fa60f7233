//! What the kernel tells about other processes, from `/proc`. Elsewhere than on Linux nothing is known, and every
//! answer is `None` or empty.

use std::fs;
use std::path::Path;

/// The processes that a process started and that still run, by their ids.
#[must_use]
pub fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// Whether a process runs. One that has ended and that nobody has collected does not.
#[must_use]
pub fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
}

/// Whether every thread of a process was stopped by a signal.
#[must_use]
pub fn stands_still(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    let stats = threads.filter_map(|entry| read(&entry.ok()?.path().join("stat")));
    let mut states = stats.map(|stat| stat.state).peekable();
    states.peek().is_some() && states.all(|state| state == 'T')
}

/// The memory that a process holds at the moment (resident set), in KiB.
#[must_use]
pub fn resident_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The file name of the program that a process runs.
#[must_use]
pub fn program(pid: u32) -> Option<String> {
    let path = fs::read_link(Path::new("/proc").join(pid.to_string()).join("exe")).ok()?;
    Some(path.file_name()?.to_str()?.to_owned())
}

struct Stat {
    state: char,
    parent: u32,
}

fn parent_of(pid: u32) -> Option<u32> {
    stat(pid).map(|stat| stat.parent)
}

fn stat(pid: u32) -> Option<Stat> {
    read(&Path::new("/proc").join(pid.to_string()).join("stat"))
}

/// `PID (NAME) STATE PARENT ...`; the name may hold spaces and parentheses.
fn read(path: &Path) -> Option<Stat> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    Some(Stat {
        state: words.next()?.chars().next()?,
        parent: words.next()?.parse().ok()?,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_found_until_it_ends() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        assert!(children(std::process::id()).contains(&pid) && runs(pid));
        assert!(resident_kib(pid).is_some() && !stands_still(pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!runs(pid) && !children(std::process::id()).contains(&pid));
    }
}
