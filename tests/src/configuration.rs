//! The practice's configuration file and the secrets beside it, as an administrator would write them.

use crate::{Orthanc, Plan, Programs};
use anyhow::{Context as _, Result};
use archwire_opendental_simulator::{Handle, Mode};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// A contract that grants everything: of a vendor of which a plan says nothing else.
const EVERYTHING: &str = r#"organization = "Example Vendor Ltd"
purpose = "treatment"
legal-basis = "Agreement of a test"
patients = "all"
read-kinds = ["created", "updated", "merged", "unmerged", "imaged", "image-amended", "image-retracted"]
read-fields = ["identifiers", "name", "demographics", "contact", "responsible-parties", "administrative", "photo"]
read-source = true
write-kinds = ["created", "updated", "merged", "imaged", "image-amended", "image-retracted"]
write-fields = ["identifiers", "name", "demographics", "contact", "responsible-parties", "administrative", "photo"]
images = ["read", "write"]
requests-per-second = 10000
streams = 4096
"#;

/// One system of the practice: its name and the simulator that stands behind it.
pub(crate) struct Office {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) developer_key: String,
    pub(crate) customer_key: String,
    pub(crate) handle: Arc<Handle>,
}

/// What the text is made of.
pub(crate) struct Draft<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) programs: &'a Programs,
    pub(crate) folder: &'a Path,
    pub(crate) port: u16,
    pub(crate) nats_url: Option<String>,
    pub(crate) offices: &'a [Office],
    pub(crate) archives: &'a [(String, Orthanc)],
    pub(crate) tokens: &'a BTreeMap<String, String>,
}

impl Draft<'_> {
    /// The configuration's text. Secrets are written beside it.
    pub(crate) fn write(&self) -> Result<String> {
        let secrets = self.folder.join("secrets");
        fs::create_dir_all(&secrets).with_context(|| format!("cannot make {}", secrets.display()))?;
        let mut text = String::new();
        self.head(&mut text)?;
        for office in self.offices {
            write_secret(
                &secrets,
                &format!("{}-developer-key", office.name),
                &office.developer_key,
            )?;
            write_secret(
                &secrets,
                &format!("{}-customer-key", office.name),
                &office.customer_key,
            )?;
            self.system(&mut text, office)?;
        }
        for (name, archive) in self.archives {
            write_secret(
                &secrets,
                &format!("{name}-authorization"),
                archive.authorization(),
            )?;
            self.archive(&mut text, name, &archive.url())?;
        }
        for (vendor, token) in self.tokens {
            write_secret(&secrets, &format!("{vendor}-token"), token)?;
            write!(
                text,
                "\n[vendors.{vendor}]\ntoken = {{ file = \"secrets/{vendor}-token\" }}\n{}{}",
                self.plan.contracts.get(vendor).map_or(EVERYTHING, String::as_str),
                self.owns(vendor)
            )?;
        }
        write!(text, "\n{}", self.plan.extra)?;
        Ok(text)
    }

    fn head(&self, text: &mut String) -> Result<()> {
        let Plan {
            practice, log_level, ..
        } = self.plan;
        let components = self.programs.components.display();
        let nats = match &self.nats_url {
            Some(url) => format!("url = \"{url}\"\nmax-store = \"2GiB\""),
            None => format!("server = \"{}\"", self.programs.nats_server.display()),
        };
        write!(
            text,
            "[practice]\nname = \"{practice}\"\n\n\
             [data]\nfolder = \"data\"\n\n\
             [connectors]\nfolder = \"{components}\"\n\n\
             [api]\nlisten = \"127.0.0.1:{port}\"\nplaintext = \"loopback-only\"\n\n\
             [nats]\n{nats}\n\n\
             [log]\nformat = \"json\"\nlevel = \"{log_level}\"\n",
            port = self.port,
        )?;
        Ok(())
    }

    /// What a system or vendor is right about.
    fn owns(&self, name: &str) -> &str {
        self.plan.owns.get(name).map_or("", String::as_str)
    }

    fn system(&self, text: &mut String, office: &Office) -> Result<()> {
        let Office { name, handle, .. } = office;
        let url = handle.base_url();
        let origin = url.trim_end_matches("/api/v1");
        let mode = match office.mode {
            Mode::Remote => "remote",
            Mode::Local => "local",
            Mode::Service => "service",
        };
        let (poll_every, spacing) = (self.plan.poll_every.as_millis(), self.plan.spacing.as_millis());
        write!(
            text,
            "\n[systems.{name}]\nconnector = \"opendental\"\npoll-every = \"{poll_every}ms\"\n{owns}\n\
             [systems.{name}.settings]\nurl = \"{url}\"\nmode = \"{mode}\"\n\n\
             [systems.{name}.secrets]\n\
             developer-key = {{ file = \"secrets/{name}-developer-key\" }}\n\
             customer-key = {{ file = \"secrets/{name}-customer-key\" }}\n\n\
             [[systems.{name}.grants]]\n\
             to = \"{origin}\"\n\
             methods = [\"GET\", \"POST\", \"PUT\"]\n\
             paths = [\"/api/v1/patients\", \"/api/v1/patients/**\", \"/api/v1/queries/ShortQuery\", \
             \"/api/v1/documents\", \"/api/v1/documents/**\", \"/api/v1/definitions\"]\n\
             private-addresses = true\n\
             spacing = \"{spacing}ms\"\n\
             in-flight = {in_flight}\n",
            owns = self.owns(name),
            in_flight = self.plan.in_flight,
        )?;
        Ok(())
    }

    fn archive(&self, text: &mut String, name: &str, url: &str) -> Result<()> {
        let poll_every = self.plan.poll_every.as_millis();
        // The machines are told the first office's chart numbers, without an issuer.
        let office = self.offices.first().map_or("", |office| office.name.as_str());
        let strangers = match self.plan.strangers_wait {
            true => "unknown-patients = \"review\"\n",
            false => "",
        };
        let removing = match self.plan.archives_keep_all {
            true => "\"GET\"",
            false => "\"GET\", \"DELETE\"",
        };
        write!(
            text,
            "\n[systems.{name}]\nconnector = \"dicom-archive\"\npoll-every = \"{poll_every}ms\"\n{owns}\n{strangers}\
             [systems.{name}.settings]\nurl = \"{url}\"\n\
             number-namespace = \"urn:archwire:{office}:chart-number\"\n\n\
             [systems.{name}.secrets]\nauthorization = {{ file = \"secrets/{name}-authorization\" }}\n\n\
             [[systems.{name}.grants]]\n\
             to = \"{url}\"\n\
             methods = [\"GET\", \"POST\"]\n\
             paths = [\"/dicom-web/studies\", \"/dicom-web/studies/**\", \"/dicom-web/instances\"]\n\
             private-addresses = true\n\
             in-flight = 4\n\n\
             [[systems.{name}.grants]]\n\
             to = \"{url}\"\n\
             methods = [\"GET\"]\n\
             paths = [\"/changes\", \"/system\", \"/studies\", \"/studies/*\", \"/studies/*/instances\"]\n\
             private-addresses = true\n\
             in-flight = 4\n\n\
             [[systems.{name}.grants]]\n\
             to = \"{url}\"\n\
             methods = [\"POST\"]\n\
             paths = [\"/tools/lookup\"]\n\
             private-addresses = true\n\
             in-flight = 4\n\n\
             [[systems.{name}.grants]]\n\
             to = \"{url}\"\n\
             methods = [{removing}]\n\
             paths = [\"/instances/*\", \"/instances/*/file\"]\n\
             private-addresses = true\n\
             in-flight = 4\n",
            owns = self.owns(name),
        )?;
        Ok(())
    }
}

/// Writes a secret where only its owner can read it.
fn write_secret(folder: &Path, name: &str, secret: &str) -> Result<()> {
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{secret}"));
    written.with_context(|| format!("cannot write {}", path.display()))
}
