//! Filters, order and pages that the two patient lists have in common.

use crate::fields::Field;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::model::Patient;
use crate::options::PageOrder;
use crate::refusal::Refusal;
use crate::rows::View;
use crate::shared::Shared;

/// Whether a text contains another, without regard to case.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// The rows of the page that the call wants, in the order that the office happens to have.
pub(crate) fn page<'a>(
    shared: &Shared,
    key: &ApiKey,
    call: &Call,
    mut rows: Vec<&'a Patient>,
) -> Result<impl Iterator<Item = &'a Patient>, Refusal> {
    let page = call.params.page(key, &shared.options)?;
    match shared.options.page_order {
        PageOrder::PatNum => rows.sort_by_key(|patient| patient.pat_num),
        PageOrder::Name => rows.sort_by_cached_key(|patient| {
            (
                patient.get(Field::LName).to_lowercase(),
                patient.get(Field::FName).to_lowercase(),
                patient.pat_num,
            )
        }),
        PageOrder::DateTStamp => rows.sort_by_key(|patient| (patient.date_t_stamp, patient.pat_num)),
        PageOrder::Shuffled => {
            let salt = mixed(shared.options.seed ^ mixed(shared.pass(&key.customer_key, page.offset)));
            rows.sort_by_key(|patient| mixed(salt ^ patient.pat_num.unsigned_abs()));
        }
    }
    Ok(page.of(rows))
}

/// How rows look for this call.
pub(crate) fn view<'a>(shared: &'a Shared, call: &'a Call) -> View<'a> {
    View {
        options: &shared.options,
        clock: &shared.clock,
        date: call.params.date_format(),
        date_time: call.params.date_time_format(),
    }
}

/// A well-mixed number, so that one seed gives one order on every machine (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
