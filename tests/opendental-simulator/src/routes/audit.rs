//! `GET /securitylogs`: what the asking developer's program wrote (Open Dental API, SecurityLogs).
//!
//! Only the developer's own rows, the newest first, times in US style whatever format was asked for.

use serde::Serialize;

use crate::answer::Answer;
use crate::formats;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::version::Version;

const SINCE: Version = Version(23, 1, 33);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LogRow {
    security_log_num: u64,
    perm_type: &'static str,
    user_num: i64,
    log_date_time: String,
    log_text: String,
    pat_num: i64,
    comp_name: &'static str,
    log_source: &'static str,
}

/// The developer's rows of the audit trail.
pub(crate) fn list(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    if shared.options.version < SINCE {
        return Err(Refusal::too_old("SecurityLogs GET", SINCE));
    }
    let page = call.params.page(key, &shared.options)?;
    let office = shared.office();
    let rows: Vec<LogRow> = office
        .audit()
        .rev()
        .filter(|row| row.developer == key.developer_name)
        .filter(|row| {
            call.params
                .get("PermType")
                .is_none_or(|wanted| wanted == row.perm_type)
        })
        .map(|row| LogRow {
            security_log_num: row.number,
            perm_type: row.perm_type,
            user_num: 0,
            log_date_time: formats::format(row.local, "M/d/yyyy h:mm:ss tt", &shared.clock),
            log_text: format!("{} by {} through API. ", verb(row.perm_type), row.developer),
            pat_num: row.pat_num,
            comp_name: "SIMULATOR",
            log_source: "API",
        })
        .collect();
    Ok(Answer::json(200, &page.of(rows).collect::<Vec<_>>()))
}

fn verb(perm_type: &str) -> &'static str {
    if perm_type == "PatientCreate" {
        "Created"
    } else {
        "Updated"
    }
}
