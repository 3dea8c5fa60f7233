//! A real image archive, and the machines around it: Orthanc with its DICOMweb plug-in on ports and a store of its own, and
//! dcmtk, whose `storescu` plays an X-ray machine and whose `dcmdump` reads files without any code of ours.
//!
//! Orthanc listens on all addresses, but answers to this machine only: HTTP with a user and a password, DICOM to one machine by name.

mod start;
mod tools;

pub use start::OrthancPlan;

use crate::{eventually, process};
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use std::fs;
use std::process::Child;
use std::time::Duration;
use tempfile::TempDir;
use tools::Tools;

/// What the X-ray machine calls itself, and the archive.
const MACHINE: &str = "XRAY";
const ARCHIVE: &str = "ARCHIVE";
const USER: &str = "archwire";
const PASSWORD: &str = "test";
/// `Basic` and the base64 of user and password.
const AUTHORIZATION: &str = "Basic YXJjaHdpcmU6dGVzdA==";

/// An archive. Dropping it kills the server and removes its store.
pub struct Orthanc {
    child: Child,
    tools: Tools,
    folder: TempDir,
    /// What it calls itself: whoever else has its port answers with another name.
    name: String,
    http: u16,
    dicom: u16,
}

impl Orthanc {
    /// Whether its programs are on this machine.
    ///
    /// # Errors
    /// When they are not, with the command that fetches them.
    pub fn is_here() -> Result<()> {
        Tools::find().map(drop)
    }

    /// Root of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// What its users send as `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> &'static str {
        AUTHORIZATION
    }

    /// kill -9. Returns when the process is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        self.child
            .wait()
            .map(drop)
            .context("Orthanc cannot be waited for")
    }

    /// SIGSTOP. Returns when it stands still.
    ///
    /// # Errors
    /// When it does not run, or goes on.
    pub async fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        eventually("Orthanc stands still", async || {
            ensure!(process::stands_still(self.child.id()), "a thread of it goes on");
            Ok(())
        })
        .await
    }

    /// From now on the disk has no room for a file of more than so many bytes.
    ///
    /// # Errors
    /// When it does not run.
    pub fn fills_up(&self, bytes: u64) -> Result<()> {
        self.room(Some(bytes))
    }

    /// There is room again.
    ///
    /// # Errors
    /// When it does not run.
    pub fn has_room(&self) -> Result<()> {
        self.room(None)
    }

    fn room(&self, bytes: Option<u64>) -> Result<()> {
        let before = getrlimit(Resource::Fsize);
        let limit = Rlimit {
            current: bytes.or(before.maximum),
            maximum: before.maximum,
        };
        let limited = prlimit(Some(self.pid()?), Resource::Fsize, limit);
        limited.map(drop).context("Orthanc's files cannot be limited")
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid()?, signal).context("Orthanc cannot be signalled")
    }

    fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.context("no process id")
    }

    /// The X-ray machine sends files to the archive, in one association.
    ///
    /// # Errors
    /// When the archive does not take one.
    pub fn send(&self, files: &[&[u8]]) -> Result<()> {
        let outbox = TempDir::new()?;
        let mut storescu = self.tools.command("storescu");
        // Compressed files go as they are.
        storescu.args(["-xy", "-aet", MACHINE, "-aec", ARCHIVE, "127.0.0.1"]);
        storescu.arg(self.dicom.to_string());
        for (number, bytes) in files.iter().enumerate() {
            let file = outbox.path().join(format!("{number}.dcm"));
            fs::write(&file, bytes)?;
            storescu.arg(file);
        }
        let output = storescu.output().context("storescu does not start")?;
        ensure!(
            output.status.success(),
            "storescu: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// The files in the archive, as they are stored, by Orthanc's own way and not by DICOMweb.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn files(&self) -> Result<Vec<Vec<u8>>> {
        let ids: Vec<String> = serde_json::from_slice(&self.get("/instances").await?)?;
        let mut files = Vec::new();
        for id in ids {
            files.push(self.get(&format!("/instances/{id}/file")).await?);
        }
        Ok(files)
    }

    /// The file of the image with this SOPInstanceUID, as it is stored. `None` when the archive has none.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn file(&self, instance: &str) -> Result<Option<Vec<u8>>> {
        match self.id(instance).await? {
            Some(id) => Ok(Some(self.get(&format!("/instances/{id}/file")).await?)),
            None => Ok(None),
        }
    }

    /// Orthanc's own id of an image.
    async fn id(&self, instance: &str) -> Result<Option<String>> {
        let images: Vec<Value> = serde_json::from_slice(&self.get("/instances?expand").await?)?;
        let is_wanted = |image: &&Value| {
            let uid = image.pointer("/MainDicomTags/SOPInstanceUID");
            uid.and_then(Value::as_str) == Some(instance)
        };
        let wanted = images.iter().find(is_wanted);
        let id = wanted.and_then(|image| image.get("ID")?.as_str());
        Ok(id.map(ToOwned::to_owned))
    }

    /// Somebody removes the image with this SOPInstanceUID by hand.
    ///
    /// # Errors
    /// When the archive has none, or does not answer.
    pub async fn remove(&self, instance: &str) -> Result<()> {
        let id = self.id(instance).await?;
        let id = id.context("there is no such image in the archive")?;
        self.delete(&format!("/instances/{id}")).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let request = client()?.delete(self.url() + path);
        let request = request.basic_auth(USER, Some(PASSWORD));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// How many images the archive has.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn count(&self) -> Result<usize> {
        let ids: Vec<Value> = serde_json::from_slice(&self.get("/instances").await?)?;
        Ok(ids.len())
    }

    /// Removes everything.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn clear(&self) -> Result<()> {
        let ids: Vec<String> = serde_json::from_slice(&self.get("/patients").await?)?;
        for id in ids {
            self.delete(&format!("/patients/{id}")).await?;
        }
        Ok(())
    }

    /// Whether every study is stable.
    ///
    /// # Errors
    /// When one is not, or the archive does not answer.
    pub async fn rests(&self) -> Result<()> {
        let studies: Vec<Value> = serde_json::from_slice(&self.get("/studies?expand").await?)?;
        let is_stable = |study: &Value| study.get("IsStable") == Some(&Value::Bool(true));
        ensure!(studies.iter().all(is_stable), "a study is not stable");
        Ok(())
    }

    /// What a path of the server shows.
    ///
    /// # Errors
    /// When it is no success.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let request = client()?.get(self.url() + path).basic_auth(USER, Some(PASSWORD));
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// What dcmtk's `dcmdump` reads in a file: one line for each element, `(0010,0020) LO [P1]`.
    ///
    /// # Errors
    /// When it finds a fault in the file.
    pub fn dump(&self, file: &[u8]) -> Result<String> {
        let folder = TempDir::new()?;
        let path = folder.path().join("file.dcm");
        fs::write(&path, file)?;
        self.tools
            .run("dcmdump", &["+L".as_ref(), "+U8".as_ref(), path.as_ref()])
    }

    /// The first frame of a picture as it is compressed, as dcmtk's `dcmdump` takes it out.
    ///
    /// # Errors
    /// When it does not.
    pub fn frame(&self, file: &[u8]) -> Result<Vec<u8>> {
        let folder = TempDir::new()?;
        let path = folder.path().join("file.dcm");
        fs::write(&path, file)?;
        self.tools.run(
            "dcmdump",
            &["+W".as_ref(), folder.path().as_os_str(), path.as_ref()],
        )?;
        let entries = fs::read_dir(folder.path())?.collect::<Result<Vec<_>, _>>()?;
        let frame = entries
            .iter()
            .map(fs::DirEntry::path)
            .filter(|path| path.extension().is_some_and(|extension| extension == "raw"))
            .max();
        fs::read(frame.context("dcmdump took no frame out")?).context("the frame cannot be read")
    }

    /// The document within a file, as dcmtk's `dcm2json` shows it: base64 of what is between the tag and the end.
    ///
    /// # Errors
    /// When it finds none.
    pub fn document(&self, file: &[u8]) -> Result<String> {
        let folder = TempDir::new()?;
        let path = folder.path().join("file.dcm");
        fs::write(&path, file)?;
        let json: Value = serde_json::from_str(&self.tools.run("dcm2json", &[path.as_ref()])?)?;
        let document = json.pointer("/00420011/InlineBinary").and_then(Value::as_str);
        Ok(document.context("the file has no document")?.to_owned())
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn client() -> Result<reqwest::Client> {
    // A proxy of the environment is not for this machine.
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30));
    client.build().context("no HTTP client")
}
