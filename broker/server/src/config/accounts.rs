//! The second stage of `[accounts]`: what vendors count requests by, and the systems that use it.

use super::{
    check::{Check, nearest},
    grant::MAX_SPACING,
    model::Account,
    problem::ProblemKind,
    raw::{RawAccount, RawConfig},
    systems::{name, whole},
};
use archwire_core::SystemName;
use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    ops::RangeInclusive,
    time::Duration,
};

const BURST: RangeInclusive<usize> = 1..=1000;
const IN_FLIGHT: RangeInclusive<usize> = 1..=64;
/// An account that says nothing bounds nothing by itself: the grants of its systems do.
const DEFAULT_IN_FLIGHT: usize = *IN_FLIGHT.end();

/// Parses `[accounts]`.
pub(super) fn accounts(
    check: &mut Check<'_>,
    raw: BTreeMap<String, RawAccount>,
) -> Option<BTreeMap<SystemName, Account>> {
    let parse = |(written, raw): (String, RawAccount)| {
        let key = format!("accounts.{written}");
        let name = name(check, &key, &written);
        let account = account(check, &key, raw);
        Some((name?, account?))
    };
    whole(raw.into_iter().map(parse))
}

fn account(check: &mut Check<'_>, key: &str, raw: RawAccount) -> Option<Account> {
    let spacing = match raw.spacing {
        Some(written) => check.duration(&format!("{key}.spacing"), &written, Duration::ZERO..=MAX_SPACING),
        None => Some(Duration::ZERO),
    };
    let burst = match raw.burst {
        Some(written) => check.number(&format!("{key}.burst"), written, BURST),
        None => Some(1),
    };
    let in_flight = match raw.in_flight {
        Some(written) => check.number(&format!("{key}.in-flight"), written, IN_FLIGHT),
        None => Some(DEFAULT_IN_FLIGHT),
    };
    Some(Account {
        spacing: spacing?,
        burst: u32::try_from(burst?).ok().and_then(NonZeroU32::new)?,
        in_flight: NonZeroUsize::new(in_flight?)?,
    })
}

/// Notes every account that no system uses: whoever wrote its pace believes that it is kept.
pub(super) fn unused_accounts(check: &mut Check<'_>, raw: &RawConfig) {
    let is_used = |name: &&String| {
        let mut used = raw.systems.values().filter_map(|system| system.account.as_ref());
        used.any(|used| used == *name)
    };
    for name in raw.accounts.keys().filter(|name| !is_used(name)) {
        let way_out =
            format!("write account = \"{name}\" in the table of each system that it is for, or remove it");
        check.problem(
            &format!("accounts.{name}"),
            ProblemKind::Conflict,
            "is used by no system",
            way_out,
        );
    }
}

/// The account that a system names.
pub(super) fn used_account(
    check: &mut Check<'_>,
    key: &str,
    written: &str,
    accounts: &[String],
) -> Option<SystemName> {
    if accounts.iter().any(|name| name == written) {
        // Where it is no name, its own table has the problem.
        return written.parse().ok();
    }
    let way_out = match nearest(written, accounts.iter().map(String::as_str)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if accounts.is_empty() => "there are no accounts; each has a table: [accounts.NAME]".to_owned(),
        None => format!("the accounts are {}", accounts.join(", ")),
    };
    check.value(key, format!("\"{written}\" is no account"), way_out);
    None
}
