//! Running other programs: silently with a log and a time limit, visibly, or for their output.
//!
//! A program that is missing, fails or takes too long is an error that names the program, what it was for and the
//! end of what it printed; nothing here waits for ever on something that uses the network.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::tree::Tree;

/// How often a program that runs under a time limit is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How many of the last lines of a failed program's output are shown.
const TAIL_LINES: usize = 15;

/// The cargo that started us, in the root of the checkout, so that `.cargo/config.toml` and the pinned toolchain hold.
pub(crate) fn cargo(tree: &Tree) -> Command {
    let mut command = plain(&env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tree.root());
    command
}

/// A program without the variables that cargo set for xtask itself: build scripts that watch them would otherwise
/// rebuild whenever a command is run by hand after it was run by xtask.
pub(crate) fn plain(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(&name);
        }
    }
    command
}

/// The variables of `cargo run`'s environment that describe the package being run.
fn is_set_by_cargo_run(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// `--locked` on a machine that checks (`CI` is set): the lock files are then what was reviewed.
pub(crate) fn locked() -> &'static [&'static str] {
    match env::var_os("CI") {
        Some(value) if !value.is_empty() && value != "false" => &["--locked"],
        _ => &[],
    }
}

/// The first executable of that name on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    file.is_file()
}

/// Runs a program with its output on the terminal; a non-zero exit is an error that repeats the command.
pub(crate) fn visibly(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status})", line(command))
}

/// The standard output of a short program that uses no network.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", line(command), output.status, tail(&said));
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not text", line(command)))
}

/// Runs a program silently, its output in `log`, and kills it at the limit.
pub(crate) fn silently(command: &mut Command, log: &Path, limit: Duration) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = file
        .try_clone()
        .with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("cannot wait for `{}`", line(command)))?
        {
            break Some(status);
        }
        if Instant::now() >= deadline {
            // It may have ended in this very moment; either way it is gone after the wait.
            let _ = child.kill();
            child
                .wait()
                .with_context(|| format!("cannot wait for `{}`", line(command)))?;
            break None;
        }
        thread::sleep(POLL);
    };
    judge(command, log, status, limit)
}

fn judge(command: &Command, log: &Path, status: Option<ExitStatus>, limit: Duration) -> Result<()> {
    let how = match status {
        Some(status) if status.success() => return Ok(()),
        Some(status) => format!("failed ({status})"),
        None => format!("was stopped after {} s", limit.as_secs()),
    };
    let said = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    bail!(
        "`{}` {how}; the end of its output ({}):\n{}",
        line(command),
        log.display(),
        tail(&said)
    )
}

fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => anyhow!("`{program}` is not installed or not on PATH"),
        _ => anyhow!("cannot start `{program}`: {error}"),
    }
}

/// The command as one would type it, without its environment.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let kept = lines.iter().skip(lines.len().saturating_sub(TAIL_LINES));
    kept.map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = visibly(&mut Command::new("archwire-no-such-program")).expect_err("it does not exist");
        assert_eq!(
            error.to_string(),
            "`archwire-no-such-program` is not installed or not on PATH"
        );
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let text: String = (1..=100).map(|number| format!("line {number}\n")).collect();
        let shown = tail(&text);
        assert_eq!(shown.lines().count(), TAIL_LINES);
        assert!(shown.ends_with("line 100") && !shown.contains("line 85\n"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_stopped_at_the_limit_and_its_output_shown() {
        let log = env::temp_dir()
            .join(format!("archwire-xtask-{}", std::process::id()))
            .join("hang.log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo before; exec sleep 60"]);
        let start = Instant::now();
        let error = silently(&mut command, &log, Duration::from_millis(300))
            .expect_err("it hangs")
            .to_string();
        assert!(start.elapsed() < Duration::from_secs(30), "it was not stopped");
        assert!(
            error.contains("was stopped after") && error.contains("before"),
            "{error}"
        );
        fs::remove_dir_all(log.parent().expect("has a folder")).expect("removable");
    }

    #[test]
    fn variables_of_the_running_package_are_told_from_cargos_settings() {
        assert!(is_set_by_cargo_run("CARGO_PKG_NAME") && is_set_by_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!is_set_by_cargo_run("CARGO_HOME") && !is_set_by_cargo_run("CARGO_NET_OFFLINE"));
    }
}
