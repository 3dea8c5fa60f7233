//! What a check found, for a person or for a program.

use crate::{
    config::{Config, Images},
    systems::CountedTogether,
};
use archwire_core::{SystemName, contract::Contract};
use serde_json::{Value, json};
use std::{error::Error, io};

/// What a check found.
pub struct Report {
    configuration: String,
    practice: String,
    data_folder: String,
    /// The contracts, in the order of the vendors' names.
    vendors: Vec<Contract>,
    images: Option<Images>,
    /// The systems in the order of their names.
    pub(super) systems: Vec<SystemReport>,
    /// What a vendor counts together and the broker does not. A warning: the programs work, until the vendor says no.
    pub(super) counted_together: Vec<CountedTogether>,
    /// Why not all systems could be looked at.
    pub(super) failure: Option<Failure>,
}

/// One system.
pub(super) struct SystemReport {
    pub(super) name: SystemName,
    pub(super) connector: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) missing: Vec<MissingGrant>,
    pub(super) granted: usize,
    pub(super) deliver: bool,
    pub(super) answer: Answer,
}

/// Something that a connector asks for and is not granted.
pub(super) struct MissingGrant {
    pub(super) methods: Vec<String>,
    pub(super) to: String,
    pub(super) purpose: String,
}

/// Whether a system answers.
pub(super) enum Answer {
    /// It was not asked, or cannot be.
    NotAsked,
    /// It does, with what the connector tells about it.
    Yes(Vec<(String, String)>),
    /// The connector says why not.
    Disposition {
        name: &'static str,
        code: String,
        detail: Option<String>,
    },
    /// The connector could not be asked.
    No(Failure),
}

/// Something that failed.
pub(super) struct Failure {
    code: &'static str,
    message: String,
    causes: Vec<String>,
}

impl Failure {
    pub(super) fn of(code: &'static str, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self {
            code,
            message: error.to_string(),
            causes,
        }
    }

    fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message, "causes": self.causes})
    }
}

impl Report {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            configuration: config.file.display().to_string(),
            practice: config.practice.to_string(),
            data_folder: config.data_folder.display().to_string(),
            vendors: config
                .vendors
                .values()
                .map(|vendor| vendor.contract.clone())
                .collect(),
            images: config.images,
            systems: Vec::new(),
            counted_together: Vec::new(),
            failure: None,
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.failure.is_none() && self.systems.iter().all(SystemReport::is_in_order)
    }

    /// Writes it for a person, a line for each thing.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        writeln!(out, "configuration   {}: valid", self.configuration)?;
        writeln!(out, "practice        {}", self.practice)?;
        writeln!(out, "data folder     {}", self.data_folder)?;
        match &self.images {
            Some(images) => writeln!(
                out,
                "images          up to {}, one up to {}",
                images.most(),
                images.largest
            )?,
            None => writeln!(out, "images          off")?,
        }
        if let Some(failure) = &self.failure {
            writeln!(out, "FAILED          {} [{}]", failure.message, failure.code)?;
            return failure
                .causes
                .iter()
                .try_for_each(|cause| writeln!(out, "                because: {cause}"));
        }
        self.systems.iter().try_for_each(|system| system.write(out))?;
        for warning in &self.counted_together {
            writeln!(out, "WARNING         {warning}")?;
        }
        for contract in &self.vendors {
            write_contract(out, contract)?;
            if contract.opens_patients_itself() {
                writeln!(out, "  WARNING       {}", opens_patients(contract))?;
            }
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<Value> {
        let counted = self.counted_together.iter().map(warning);
        let open = self
            .vendors
            .iter()
            .filter(|contract| contract.opens_patients_itself());
        let open = open.map(|contract| {
            json!({
                "code": "vendor_opens_patients",
                "message": opens_patients(contract),
                "vendor": contract.grantee.vendor.as_str(),
            })
        });
        counted.chain(open).collect()
    }

    /// The same as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "in_order": self.is_in_order(),
            "configuration": self.configuration,
            "practice": self.practice,
            "data_folder": self.data_folder,
            "images": self.images.map(|images| json!({
                "max_bytes": images.most().bytes(),
                "largest": images.largest.bytes(),
            })),
            "systems": self.systems.iter().map(SystemReport::to_json).collect::<Vec<_>>(),
            "warnings": self.warnings(),
            "vendors": self.vendors.iter().map(contract).collect::<Vec<_>>(),
            "error": self.failure.as_ref().map(Failure::to_json),
        })
    }
}

/// That a vendor decides itself of whom its contract is.
fn opens_patients(contract: &Contract) -> String {
    let vendor = &contract.grantee.vendor;
    format!(
        "`linked-with` is {vendor} itself: it sees every patient whom it can describe well enough for the bus to know who that is"
    )
}

/// A vendor and what was agreed with it, in words.
fn write_contract(out: &mut impl io::Write, contract: &Contract) -> io::Result<()> {
    for (name, text) in contract.in_words() {
        match name {
            "vendor" => writeln!(out, "vendor          {text}")?,
            name => writeln!(out, "  {name:<14}{text}")?,
        }
    }
    Ok(())
}

fn contract(contract: &Contract) -> Value {
    let agreed = contract
        .in_words()
        .map(|(name, text)| (name.replace(' ', "_"), Value::from(text)));
    Value::Object(agreed.into_iter().collect())
}

fn warning(counted: &CountedTogether) -> Value {
    let systems = counted.systems.each_ref().map(SystemName::as_str);
    json!({
        "code": "account_not_shared",
        "message": counted.to_string(),
        "systems": systems,
        "server": counted.server.to_string(),
    })
}

impl SystemReport {
    fn is_in_order(&self) -> bool {
        self.missing.is_empty() && matches!(self.answer, Answer::NotAsked | Answer::Yes(_))
    }

    fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Self {
            name,
            connector,
            version,
            summary,
            ..
        } = self;
        writeln!(out, "system          {name}: {connector} {version}, {summary}")?;
        for wish in &self.missing {
            let methods = wish.methods.join(", ");
            writeln!(out, "  NOT GRANTED   {methods} at {}: {}", wish.to, wish.purpose)?;
        }
        let deliver = if self.deliver { "on" } else { "off" };
        writeln!(
            out,
            "  granted       {} host(s), deliveries {deliver}",
            self.granted
        )?;
        match &self.answer {
            Answer::NotAsked => Ok(()),
            Answer::Yes(facts) => {
                writeln!(out, "  answers       yes")?;
                facts
                    .iter()
                    .try_for_each(|(name, value)| writeln!(out, "    {name}: {value}"))
            }
            Answer::Disposition { name, code, detail } => {
                writeln!(out, "  answers       NO: {name} ({code})")?;
                if let Some(detail) = detail {
                    writeln!(out, "                {detail}")?;
                }
                way_out(name).map_or(Ok(()), |way_out| writeln!(out, "                -> {way_out}"))
            }
            Answer::No(failure) => {
                writeln!(out, "  answers       NO: {} [{}]", failure.message, failure.code)
            }
        }
    }

    fn to_json(&self) -> Value {
        let missing = self
            .missing
            .iter()
            .map(|wish| json!({"methods": wish.methods, "to": wish.to, "purpose": wish.purpose}));
        json!({
            "name": self.name,
            "connector": self.connector,
            "version": self.version,
            "summary": self.summary,
            "missing_grants": missing.collect::<Vec<_>>(),
            "granted_hosts": self.granted,
            "deliver": self.deliver,
            "answers": self.answer.to_json(),
        })
    }
}

/// What an administrator can do about a disposition; `None` where the connector's own words have to do.
fn way_out(disposition: &str) -> Option<&'static str> {
    match disposition {
        "unavailable" => Some("see that the program runs, and that its address in the settings is right"),
        "unauthorized" => Some("see that the secrets are those that its vendor gave out, and still good"),
        _ => None,
    }
}

impl Answer {
    fn to_json(&self) -> Value {
        match self {
            Self::NotAsked => Value::Null,
            Self::Yes(facts) => {
                let facts = facts
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().into()));
                json!({"ok": true, "facts": facts.collect::<serde_json::Map<_, _>>()})
            }
            Self::Disposition { name, code, detail } => {
                json!({"ok": false, "disposition": name, "code": code, "detail": detail})
            }
            Self::No(failure) => json!({"ok": false, "error": failure.to_json()}),
        }
    }
}

#[cfg(test)]
mod tests;
