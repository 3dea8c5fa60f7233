//! Starting an archive: on ports that were free a moment ago. Who finds one taken by then ends, and is started again on others,
//! [`STARTS`] times at most.

use super::tools::Tools;
use super::{ARCHIVE, MACHINE, Orthanc, PASSWORD, USER};
use crate::eventually;
use crate::practice::free_port;
use anyhow::{Context as _, Result, bail, ensure};
use rand::Rng as _;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How often an archive is started that ends at once.
const STARTS: usize = 5;

/// How long one that is starting may take for an answer until it is asked again.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

/// How an archive is set up.
#[derive(Debug, Clone)]
pub struct OrthancPlan {
    /// How long a study has to rest until it is stable; whole seconds.
    pub stable_after: Duration,
    /// Whether another file takes the place of one with the same identifiers.
    pub overwrites: bool,
}

impl Default for OrthancPlan {
    fn default() -> Self {
        Self {
            stable_after: Duration::from_secs(1),
            overwrites: false,
        }
    }
}

/// Where an archive listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    http: u16,
    dicom: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            http: free_port()?,
            dicom: free_port()?,
        })
    }
}

impl Orthanc {
    /// Starts an empty one and waits until it answers.
    ///
    /// # Errors
    /// When it is not there (and which command fetches it), or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_as(&OrthancPlan::default()).await
    }

    /// The same, set up in another way.
    ///
    /// # Errors
    /// As [`Orthanc::start`].
    pub async fn start_as(plan: &OrthancPlan) -> Result<Self> {
        Self::start_on(plan, Ports::free).await
    }

    async fn start_on(plan: &OrthancPlan, mut ports: impl FnMut() -> Result<Ports>) -> Result<Self> {
        let mut said = String::new();
        for _ in 0..STARTS {
            let mut orthanc = Self::spawn(plan, ports()?)?;
            match orthanc.answers_or_ended().await? {
                true => return Ok(orthanc),
                false => said = orthanc.log()?,
            }
        }
        bail!("Orthanc ended {STARTS} times instead of answering; the last time it said:\n{said}")
    }

    fn spawn(plan: &OrthancPlan, Ports { http, dicom }: Ports) -> Result<Self> {
        let tools = Tools::find()?;
        let folder = TempDir::new().context("cannot make a folder for Orthanc")?;
        let name = format!("Archive {:016x}", rand::rng().random::<u64>());
        let configuration = configuration(&tools, folder.path(), plan, &name, Ports { http, dicom });
        fs::write(
            folder.path().join("orthanc.json"),
            serde_json::to_string_pretty(&configuration)?,
        )
        .context("cannot write Orthanc's configuration")?;
        Ok(Self {
            child: tools.spawn(folder.path())?,
            tools,
            folder,
            name,
            http,
            dicom,
        })
    }

    /// Starts it again on the same store and the same ports, and waits until it answers.
    ///
    /// # Errors
    /// When it runs, or does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_some(), "Orthanc runs already");
        self.child = self.tools.spawn(self.folder.path())?;
        if !self.answers_or_ended().await? {
            bail!("Orthanc ended instead of answering: {}", self.log()?);
        }
        Ok(())
    }

    /// Waits until it answers, which is `true`, or has ended.
    async fn answers_or_ended(&mut self) -> Result<bool> {
        eventually("Orthanc answers, or ends", async || {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            // Whoever else has the port may take the question and never answer.
            let answer = tokio::time::timeout(LONGEST_ANSWER, self.get("/system")).await;
            let system: Value = serde_json::from_slice(&answer.context("nobody answers")??)?;
            let name = system.get("Name").and_then(Value::as_str);
            ensure!(name == Some(&self.name), "somebody else answers on its port");
            Ok(true)
        })
        .await
    }

    fn log(&self) -> Result<String> {
        let log = fs::read(self.folder.path().join("orthanc.log")).context("no log of Orthanc")?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }
}

fn configuration(tools: &Tools, folder: &Path, plan: &OrthancPlan, name: &str, ports: Ports) -> Value {
    let store = folder.join("store");
    json!({
        "Name": name,
        "HttpPort": ports.http,
        "DicomPort": ports.dicom,
        "StorageDirectory": store,
        "IndexDirectory": store,
        "Plugins": [tools.root.join("usr/share/orthanc/plugins/libOrthancDicomWeb.so")],
        "RemoteAccessAllowed": false,
        "AuthenticationEnabled": true,
        "RegisteredUsers": { USER: PASSWORD },
        "OrthancExplorerEnabled": false,
        "WebDavEnabled": false,
        "SaveJobs": false,
        "DicomAet": ARCHIVE,
        "DicomAlwaysAllowStore": false,
        "DicomAlwaysAllowEcho": false,
        "DicomCheckModalityHost": true,
        "DicomModalities": { "machine": [MACHINE, "127.0.0.1", 104] },
        "OverwriteInstances": plan.overwrites,
        "StableAge": plan.stable_after.as_secs(),
        "DicomWeb": { "Enable": true, "Root": "/dicom-web/", "EnableWado": false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    #[tokio::test]
    async fn an_archive_whose_port_was_taken_meanwhile_is_started_on_others() {
        for is_http in [true, false] {
            let plan = OrthancPlan::default();
            let somebody = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
            let taken = somebody.local_addr().unwrap().port();
            let mut starts = 0;
            let orthanc = Orthanc::start_on(&plan, || {
                starts += 1;
                let free = Ports::free()?;
                Ok(match (starts, is_http) {
                    (1, true) => Ports { http: taken, ..free },
                    (1, false) => Ports { dicom: taken, ..free },
                    _ => free,
                })
            });
            let orthanc = orthanc.await.unwrap();
            assert_eq!(orthanc.count().await.unwrap(), 0);
            assert_eq!(starts, 2);
        }
    }

    #[tokio::test]
    async fn an_archive_that_is_answered_for_by_another_is_started_elsewhere() {
        let plan = OrthancPlan::default();
        let first = Orthanc::start().await.unwrap();
        let mut starts = 0;
        let second = Orthanc::start_on(&plan, || {
            starts += 1;
            let free = Ports::free()?;
            let http = if starts == 1 { first.http } else { free.http };
            Ok(Ports { http, ..free })
        });
        let second = second.await.unwrap();
        assert_ne!((first.http, &first.name), (second.http, &second.name));
    }

    #[tokio::test]
    async fn one_that_never_starts_is_told_with_what_it_said() {
        let plan = OrthancPlan::default();
        let somebody = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let http = somebody.local_addr().unwrap().port();
        let orthanc = Orthanc::start_on(&plan, || {
            let free = Ports::free()?;
            Ok(Ports { http, ..free })
        });
        let error = format!("{:#}", orthanc.await.err().unwrap());
        assert!(error.contains("port"), "{error}");
    }
}
