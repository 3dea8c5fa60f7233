//! What a configuration says of vendors that cannot be taken as a whole: enough to shut somebody out by, and nothing to let anybody in.

use super::{check::Check, model::Config, raw::RawVendor, reader::read, sources::Sources, vendors::contract};
use archwire_core::{PracticeName, SystemName, contract::Contract};
use std::{
    collections::BTreeMap,
    path::{self, Path},
};

/// What a vendor's table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated {
    /// That the vendor is to be shut out, whatever else is wrong with it.
    Suspended,
    /// A contract that has no problem of its own.
    Contract(Box<Contract>),
}

impl Config {
    /// What a file says of vendors, whatever else is wrong with it: of each whose table can be understood. Nothing where the file is no
    /// TOML, or that of another practice.
    pub fn stated(
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
        practice: &PracticeName,
    ) -> BTreeMap<SystemName, Stated> {
        let environment: BTreeMap<_, _> = environment.collect();
        let file = path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let Ok(sources) = Sources::load(&file, &environment) else {
            return BTreeMap::new();
        };
        let (raw, flaws) = read(&sources);
        if raw.practice.name.as_deref() != Some(practice.as_str()) {
            return BTreeMap::new();
        }
        let known: Vec<String> = raw.systems.keys().chain(raw.vendors.keys()).cloned().collect();
        let is_flawed = |written: &str| {
            let table = format!("vendors.{written}");
            let inside = |key: &str| {
                key.strip_prefix(&table)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            flaws.iter().any(|flaw| inside(&flaw.key))
        };
        let folder = file.parent().unwrap_or(Path::new("/"));
        let stated = |(written, raw): (String, RawVendor)| {
            let name: SystemName = written.parse().ok()?;
            if raw.enabled == Some(false) {
                return Some((name, Stated::Suspended));
            }
            if is_flawed(&written) {
                return None;
            }
            let mut check = Check::new(&sources, &environment, folder, Vec::new());
            let key = format!("vendors.{written}");
            let contract = contract(&mut check, &key, Some(name.clone()), raw, &known);
            let contract = check.finish(contract).ok()?;
            Some((name, Stated::Contract(Box::new(contract))))
        };
        raw.vendors.into_iter().filter_map(stated).collect()
    }
}
