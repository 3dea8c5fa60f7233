//! What stands for the program's own database: which of our records is which patient of the bus. Ids only.

use anyhow::{Context as _, Result};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
};

/// One of our patients: our id, the last revision that we hold, and whether the bus knows our id.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) local_id: String,
    pub(crate) revision: u64,
    pub(crate) is_bound: bool,
}

impl Row {
    /// A record under this id, or under one that a real program's database would give.
    pub(crate) fn new(local_id: Option<String>) -> Self {
        let fresh = || format!("CT{:010}", rand::random_range(0..10_000_000_000_u64));
        Self {
            local_id: local_id.unwrap_or_else(fresh),
            revision: 0,
            is_bound: false,
        }
    }
}

/// Our patients by their id on the bus, one line for each change; the last line of a patient counts.
pub(crate) struct Table {
    file: File,
    pub(crate) rows: HashMap<String, Row>,
}

impl Table {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let context = || format!("cannot open the table {}", path.display());
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(context)?;
        // A crash may have left half a line. It stays unread: its event was not acknowledged and comes again.
        file.write_all(b"\n").with_context(context)?;
        let text = fs::read_to_string(path).with_context(context)?;
        let rows = text.lines().filter_map(|line| {
            let mut columns = line.split('\t');
            let (patient_id, local_id) = (columns.next()?, columns.next()?);
            let (revision, is_bound) = (columns.next()?.parse().ok()?, columns.next()?.parse().ok()?);
            let row = Row {
                local_id: local_id.to_owned(),
                revision,
                is_bound,
            };
            Some((patient_id.to_owned(), row))
        });
        let rows = rows.collect();
        Ok(Self { file, rows })
    }

    /// Returns after it is on the disk.
    pub(crate) fn put(&mut self, patient_id: &str, row: Row) -> Result<()> {
        let Row {
            local_id,
            revision,
            is_bound,
        } = &row;
        let line = format!("{patient_id}\t{local_id}\t{revision}\t{is_bound}\n");
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())?;
        self.rows.insert(patient_id.to_owned(), row);
        Ok(())
    }
}
