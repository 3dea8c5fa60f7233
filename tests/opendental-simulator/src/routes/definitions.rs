//! `GET /definitions`: the office's own word lists (Open Dental API, Definitions). Only category 18, of images, has rows here.

use crate::answer::Answer;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::refusal::Refusal;
use crate::rows::Row;
use crate::shared::Shared;
use crate::version::Version;

/// The category of the categories of images.
const IMAGES: i64 = 18;

const FILTERS: [(&str, Version); 2] = [
    ("Category", Version(21, 1, 0)),
    ("includeHidden", Version(21, 1, 0)),
];

/// The definitions of a category, in the office's order, hidden ones only when asked for.
pub(crate) fn list(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    call.params.only(&FILTERS, shared.options.version)?;
    let category = call.params.number("Category")?;
    let hidden = call.params.switch("includeHidden")?;
    let known = shared.options.image_categories.iter().enumerate();
    let wanted = known
        .filter(|(_, one)| category.is_none_or(|category| category == IMAGES) && (hidden || !one.is_hidden));
    let rows: Vec<Row> = wanted
        .map(|(order, one)| {
            let mut row = Row::default();
            row.push("DefNum", one.def_num);
            row.push("Category", IMAGES);
            row.push("category", "ImageCats");
            row.push("ItemOrder", order);
            row.push("ItemName", one.name.as_str());
            row.push("ItemValue", one.item_value.as_str());
            row.push("isHidden", one.is_hidden.to_string());
            row
        })
        .collect();
    let page = call.params.page(key, &shared.options)?;
    Ok(Answer::json(200, &page.of(rows).collect::<Vec<_>>()))
}
