//! Developer and customer keys, what they permit, and whether the vendor still honours them.
//!
//! The header must read `ODFHIR {DeveloperKey}/{CustomerKey}`. Remote asks the vendor on every request; Local and
//! Service trust a key for six hours after it was last found good (Open Dental API, Setup), so that a key disabled by
//! the vendor still works for a while. The list is as long as the configured keys; it never grows by requests.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::options::{Mode, Options, Unknowns};
use crate::refusal::Refusal;

/// What a key may do, as far as patients and documents are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Every GET.
    ReadAll,
    /// POST and PUT of patients.
    Patients,
    /// Documents POST Upload, and nothing else of documents.
    Documents,
    /// What no other permission covers: the other methods of documents.
    AllOthers,
    /// ShortQuery.
    Queries,
    /// Higher limits.
    Enterprise,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub enum KeyStatus {
    /// It works.
    Enabled,
    /// The developer, the office or the vendor switched it off.
    Disabled,
    /// It exists, and no office has entered it yet.
    Unassigned,
}

/// One developer's key to this office.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The developer's name, as it appears in the audit trail.
    pub developer_name: String,
    /// The developer's key.
    pub developer_key: String,
    /// The key of this office for that developer.
    pub customer_key: String,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// Whether it works at the start.
    pub status: KeyStatus,
}

impl ApiKey {
    /// The value of the Authorization header for this key.
    pub fn authorization(&self) -> String {
        format!("ODFHIR {}/{}", self.developer_key, self.customer_key)
    }

    /// A key that is enabled and may read everything, write patients and documents, and ask queries.
    pub fn new(developer_name: &str, developer_key: &str, customer_key: &str) -> Self {
        Self {
            developer_name: developer_name.to_owned(),
            developer_key: developer_key.to_owned(),
            customer_key: customer_key.to_owned(),
            permissions: [
                Permission::ReadAll,
                Permission::Patients,
                Permission::Documents,
                Permission::AllOthers,
                Permission::Queries,
            ]
            .into(),
            status: KeyStatus::Enabled,
        }
    }

    /// The same key with other permissions.
    #[must_use]
    pub fn with_permissions(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.permissions = permissions.into_iter().collect();
        self
    }

    pub(crate) fn demand(&self, permission: Permission) -> Result<(), Refusal> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        let name = match permission {
            Permission::ReadAll => "ApiReadAll",
            Permission::Patients => "ApiPatients",
            Permission::Documents => "ApiDocuments",
            Permission::AllOthers => "ApiAllOthers",
            Permission::Queries => "ApiQueries",
            Permission::Enterprise => "ApiEnterprise",
        };
        Err(Refusal::new(
            401,
            format!("API key does not have the {name} permission."),
        ))
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.permissions
            .iter()
            .all(|permission| *permission == Permission::ReadAll)
    }
}

impl Default for ApiKey {
    fn default() -> Self {
        Self::new("Archwire", "SimulatorDeveloperKey", "SimulatorCustomerKey")
    }
}

/// The keys of the office and when each was last found good.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<ApiKey>,
    good_until: HashMap<String, Timestamp>,
}

impl KeyRing {
    pub(crate) fn new(keys: Vec<ApiKey>) -> Self {
        Self {
            keys,
            good_until: HashMap::new(),
        }
    }

    /// Changes a key's status; false when there is no such customer key.
    pub(crate) fn set_status(&mut self, customer_key: &str, status: KeyStatus) -> bool {
        let found = self.keys.iter_mut().find(|key| key.customer_key == customer_key);
        found.map(|key| key.status = status).is_some()
    }

    /// The key that an Authorization header names, when it may be used now.
    pub(crate) fn admit(
        &mut self,
        header: Option<&str>,
        options: &Options,
        now: Timestamp,
    ) -> Result<ApiKey, Refusal> {
        let unknowns = &options.unknowns;
        let Some(header) = header else {
            return Err(Refusal::new(
                unknowns.missing_authorization_status,
                "Authorization header is required",
            ));
        };
        let invalid = || Refusal::new(401, "Invalid developer or customer API key.");
        let (developer, customer) = header
            .strip_prefix("ODFHIR ")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(invalid)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.developer_key == developer && key.customer_key == customer)
            .ok_or_else(invalid)?;
        let trusted = self.good_until.get(customer).is_some_and(|until| now < *until);
        if options.mode == Mode::Remote || !trusted {
            check(key, unknowns)?;
            let trust = SignedDuration::try_from(options.key_trust).unwrap_or(SignedDuration::MAX);
            let until = now.saturating_add(trust).unwrap_or(Timestamp::MAX);
            self.good_until.insert(customer.to_owned(), until);
        }
        Ok(key.clone())
    }

    /// The customer key in a header, when it is one of ours; for the request log, which never holds unknown ones.
    pub(crate) fn known(&self, header: Option<&str>) -> Option<String> {
        let customer = header?.split_once('/')?.1;
        self.keys
            .iter()
            .find(|key| key.customer_key == customer)
            .map(|key| key.customer_key.clone())
    }
}

fn check(key: &ApiKey, unknowns: &Unknowns) -> Result<(), Refusal> {
    match key.status {
        KeyStatus::Enabled => Ok(()),
        KeyStatus::Disabled => Err(Refusal::new(401, "API key has been disabled.")),
        KeyStatus::Unassigned => Err(Refusal::new(
            unknowns.unassigned_key_status,
            "API key has not been assigned.",
        )),
    }
}
