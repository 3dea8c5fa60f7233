//! Where images are filed: a definition of category 18, by the name that the administrator set (Open Dental API, Definitions).
//!
//! The API wants the definition's number, which is another one in each office. It is looked up by name at every `check`, and
//! kept for deliveries; a delivery that finds none kept looks it up itself. Without a name set, no category is sent, and Open
//! Dental files into the first of its list.

use crate::api::{Api, Error};
use crate::host::{Host, recall, remember};
use crate::row::Word;
use archwire_connector::Disposition;
use archwire_connector::http::Error as HttpError;
use serde::{Deserialize, Serialize};

/// The state's key.
const KEPT: &str = "image-category";

/// Names that are listed to the administrator.
const MOST_NAMES: usize = 30;

/// What was looked up.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    def_num: u64,
}

/// One definition.
#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "DefNum", default)]
    def_num: Word,
    #[serde(rename = "ItemName", default)]
    name: Word,
}

/// The number of the category that is set; `None` where none is set.
///
/// # Errors
/// When the office has no such category, or does not tell.
pub fn def_num(host: &dyn Host, api: &Api<'_>, name: &str) -> Result<Option<u64>, Disposition> {
    if name.is_empty() {
        return Ok(None);
    }
    if let Some(kept) = recall::<Kept>(host, KEPT).filter(|kept| kept.name == name) {
        return Ok(Some(kept.def_num));
    }
    let known = read(api)?;
    match find(&known, name) {
        Some(def_num) => {
            keep(host, name, def_num);
            Ok(Some(def_num))
        }
        None => Err(Disposition::rejected("image-category-unknown").with_detail(unknown(&known, name))),
    }
}

/// What `check` tells of it. A category that is not there is told and does not fail the check: patients do not need one.
pub fn report(host: &dyn Host, api: &Api<'_>, name: &str) -> String {
    let known = match read(api) {
        Ok(known) => known,
        Err(Error::Http(HttpError::Denied)) => {
            return "not readable: GET /api/v1/definitions is not granted".to_owned();
        }
        Err(Error::Unauthorized(_)) => return "not readable: the key may not read definitions".to_owned(),
        Err(error) if error.is_lasting() => return "not readable: the office does not tell".to_owned(),
        Err(_) => return "no answer at present".to_owned(),
    };
    if name.is_empty() {
        let first = known.first().map_or("none", |first| first.name.text());
        return format!("the office's first: {first}");
    }
    match find(&known, name) {
        Some(def_num) => {
            keep(host, name, def_num);
            name.to_owned()
        }
        None => {
            host.forget(KEPT);
            unknown(&known, name)
        }
    }
}

/// Forgets what was looked up when the office refuses it: somebody may have changed the list.
pub fn forget(host: &dyn Host, error: &Error) {
    if matches!(error, Error::Refused { text, .. } if text.as_str().contains("DocCategory")) {
        host.forget(KEPT);
    }
}

fn keep(host: &dyn Host, name: &str, def_num: u64) {
    let name = name.to_owned();
    // Without room for it, each delivery looks it up.
    remember(host, KEPT, &Kept { name, def_num });
}

fn read(api: &Api<'_>) -> Result<Vec<Definition>, Error> {
    serde_json::from_slice(&api.image_categories()?).map_err(|_| Error::Unreadable)
}

/// By the very name, else without regard to case.
fn find(known: &[Definition], name: &str) -> Option<u64> {
    let exact = known.iter().find(|one| one.name.text() == name);
    let folded = || {
        known
            .iter()
            .find(|one| one.name.text().to_lowercase() == name.to_lowercase())
    };
    exact.or_else(folded)?.def_num.text().parse().ok()
}

fn unknown(known: &[Definition], name: &str) -> String {
    let names: Vec<_> = known.iter().take(MOST_NAMES).map(|one| one.name.text()).collect();
    format!(
        "the office has no category {name} for images; it has: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::double::Double;

    const KNOWN: &str =
        r#"[{"DefNum":131,"ItemName":"Xrays"},{"DefNum":"132","ItemName":"Patient Pictures"}]"#;
    const URL: &str = "http://localhost:30223/api/v1";

    #[test]
    fn a_category_is_looked_up_by_name_once() {
        let host = Double::new().answer(200, KNOWN);
        let api = Api::new(&host, URL);
        for _ in 0..2 {
            assert_eq!(def_num(&host, &api, "patient pictures"), Ok(Some(132)));
        }
        assert_eq!(host.asked(), ["GET /definitions?Category=18"]);
        assert_eq!(def_num(&host, &api, ""), Ok(None));
    }

    #[test]
    fn one_that_the_office_does_not_have_is_told_with_those_that_it_has() {
        let host = Double::new().answer(200, KNOWN).answer(200, KNOWN);
        let api = Api::new(&host, URL);
        let refused = def_num(&host, &api, "Ceph").unwrap_err();
        assert_eq!(refused.reason().code, "image-category-unknown");
        let said = "the office has no category Ceph for images; it has: Xrays, Patient Pictures";
        assert_eq!(refused.reason().detail.as_deref(), Some(said));
        assert_eq!(report(&host, &api, "Ceph"), said);
    }

    #[test]
    fn a_check_says_where_images_go_or_why_that_is_not_known() {
        for (host, name, said) in [
            (Double::new().answer(200, KNOWN), "", "the office's first: Xrays"),
            (Double::new().answer(200, KNOWN), "Xrays", "Xrays"),
            (Double::new().answer(200, "[]"), "", "the office's first: none"),
            (
                Double::new().fail(HttpError::Denied),
                "",
                "not readable: GET /api/v1/definitions is not granted",
            ),
            (
                Double::new().answer(401, "\"\""),
                "",
                "not readable: the key may not read definitions",
            ),
            (Double::new().answer(500, ""), "", "no answer at present"),
        ] {
            assert_eq!(report(&host, &Api::new(&host, URL), name), said);
        }
    }
}
