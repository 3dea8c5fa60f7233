//! A vendor's program in Python (`tests/python/vendor.py`): its messages and calls are generated from the `.proto` files by
//! grpcio's own generator, so that it shares no code with the bus.

use crate::{Practice, programs};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The files that it is made of.
const PROTOS: [&str; 4] = ["bus", "event", "image", "patient"];

/// A vendor of a practice, whose program is in Python.
#[derive(Debug)]
pub struct PythonVendor {
    packages: PathBuf,
    generated: TempDir,
    address: String,
    token_file: PathBuf,
}

/// A command of the vendor that goes on until it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl PythonVendor {
    /// Generates its code.
    ///
    /// # Errors
    /// When Python's packages are not there (and which command fetches them), or the `.proto` files are not taken.
    pub async fn new(practice: &Practice, vendor: &str) -> Result<Self> {
        let packages = programs::place("ARCHWIRE_PYTHON", |target| target.join("tools/python"))?;
        ensure!(
            packages.join("grpc_tools").is_dir(),
            "gRPC for Python is not at {}; run: cargo xtask setup",
            packages.display()
        );
        let python = Self {
            packages,
            generated: TempDir::new()?,
            address: practice.url().trim_start_matches("http://").to_owned(),
            token_file: practice.token_file(vendor),
        };
        let mut generator = python.command();
        let out = python.generated.path().display();
        generator.args(["-m", "grpc_tools.protoc", "-I"]);
        generator.arg(tree().join("sdk/proto/proto"));
        generator.arg(format!("--python_out={out}"));
        generator.arg(format!("--grpc_python_out={out}"));
        generator.args(PROTOS.map(|name| format!("archwire/v1/{name}.proto")));
        ended(generator).await?;
        Ok(python)
    }

    /// Has it do something to its end; tells what it printed, line by line.
    ///
    /// # Errors
    /// When it fails: with what it says.
    pub async fn run(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let mut command = self.program();
        command.args(arguments);
        let output = ended(command).await?;
        let lines = std::str::from_utf8(&output.stdout)?.lines();
        let lines = lines.map(serde_json::from_str).collect::<Result<_, _>>();
        lines.context("the vendor printed something that is no JSON")
    }

    /// The same, where it prints one line.
    ///
    /// # Errors
    /// As [`PythonVendor::run`], and when it printed more or less.
    pub async fn one(&self, arguments: &[&str]) -> Result<Value> {
        let mut lines = self.run(arguments).await?;
        ensure!(lines.len() == 1, "the vendor printed {} lines", lines.len());
        lines.pop().context("it printed nothing")
    }

    /// Starts something that goes on until it is killed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, arguments: &[&OsStr]) -> Result<Running> {
        let mut command = self.program();
        command.args(arguments).stdout(Stdio::null());
        let child = command.spawn().context("python3 does not start")?;
        Ok(Running { child })
    }

    fn program(&self) -> Command {
        let mut command = self.command();
        command.arg(tree().join("tests/python/vendor.py"));
        command.arg(&self.address).arg(&self.token_file);
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new("python3");
        let paths = [self.packages.as_path(), self.generated.path()];
        let paths = paths.map(|path| path.display().to_string());
        // A proxy of the environment is not for this machine.
        command
            .env("PYTHONPATH", paths.join(":"))
            .env("no_grpc_proxy", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }
}

impl Running {
    /// kill -9. Returns when it is gone.
    ///
    /// # Errors
    /// When it had ended before, by itself.
    pub fn kill(mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "it ended by itself: {ended:?}");
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it ended.
    pub fn runs(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "it ended: {ended:?}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn tree() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Waits beside whatever else goes on in the test.
async fn ended(mut command: Command) -> Result<Output> {
    let running = tokio::task::spawn_blocking(move || command.output());
    let output = running.await?.context("python3 does not start")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the vendor in Python: {said}");
    Ok(output)
}
