//! Text for a terminal: what came from elsewhere cannot steer it, and columns line up in any script.
//!
//! A patient's name may hold anything a program let somebody type. Control characters would steer the terminal, and
//! characters that turn the direction of writing or take no room could make one name look like another; all of them
//! are written out as `\u{..}`.

use jiff::Timestamp;
use std::{
    fmt::Write as _,
    io,
    time::{SystemTime, UNIX_EPOCH},
};
use unicode_width::UnicodeWidthChar as _;

/// Columns that everything fits into.
pub(super) const COLUMNS: usize = 100;
/// Between two columns of a table.
const GAP: &str = "  ";

/// Text that only shows itself.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Whether a character does something other than show itself: controls, line and paragraph separators, and the
/// characters of Unicode's category Cf that turn the direction of writing or are invisible.
pub(super) fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A time as people read it, in UTC.
pub(super) fn time(at: SystemTime) -> String {
    let at = Timestamp::try_from(at);
    at.map_or_else(
        |_| "-".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The time of a message, or the beginning of 1970 where it has none.
pub(super) fn message_time(at: Option<prost_types::Timestamp>) -> SystemTime {
    at.and_then(|at| SystemTime::try_from(at).ok())
        .unwrap_or(UNIX_EPOCH)
}

/// Rows in columns, each as wide as its widest cell and no wider than its limit; longer cells go on below.
pub(super) struct Table<const N: usize> {
    limits: [usize; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with these limits in columns; together with two between each pair they should be within [`COLUMNS`].
    pub(super) fn new(limits: [usize; N]) -> Self {
        Self {
            limits,
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells are cleaned.
    pub(super) fn row(&mut self, cells: [impl AsRef<str>; N]) {
        self.rows.push(cells.map(|cell| clean(cell.as_ref())));
    }

    /// Writes the rows.
    pub(super) fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        let mut widths = [0; N];
        for row in &self.rows {
            for ((width, cell), limit) in widths.iter_mut().zip(row).zip(self.limits) {
                *width = (*width).max(width_of(cell)).min(limit);
            }
        }
        self.rows.iter().try_for_each(|row| write_row(out, row, &widths))
    }
}

fn write_row(out: &mut impl io::Write, row: &[String], widths: &[usize]) -> io::Result<()> {
    let cells: Vec<_> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrapped(cell, *width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for at in 0..height {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let part = cell.get(at).map_or("", String::as_str);
            line.push_str(part);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(width_of(part))));
            line.push_str(GAP);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Columns that a text takes.
fn width_of(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// A text in lines of at most `width` columns, broken after a space, `/` or `,` where there is one.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        while taken + wide > width && !line.is_empty() {
            let rest = match line.rfind([' ', '/', ',']) {
                Some(at) => line.split_off(at + 1),
                None => String::new(),
            };
            lines.push(line.trim_end().to_owned());
            taken = width_of(&rest);
            line = rest;
        }
        line.push(character);
        taken += wide;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn written<const N: usize>(table: &Table<N>) -> String {
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_gets_through(text in ".{0,60}", at in 0u32..0xa0) {
            let text = format!("{text}{}\u{202e}\u{9b}31m", char::from_u32(at).unwrap());
            prop_assert!(!clean(&text).chars().any(steers));
        }

        #[test]
        fn lines_are_within_their_width_and_lose_nothing(text in "[a-z王é/, ]{0,200}", width in 2usize..40) {
            let lines = wrapped(&text, width);
            prop_assert!(lines.iter().all(|line| width_of(line) <= width), "{lines:?}");
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }

    #[test]
    fn a_name_cannot_pretend_to_be_another() {
        assert_eq!(clean("Ann\u{202e}a\u{1b}[2J"), "Ann\\u{202e}a\\u{1b}[2J");
        assert_eq!(clean("Zoë 王"), "Zoë 王");
    }

    #[test]
    fn columns_line_up_in_any_script() {
        let mut table = Table::new([8, 20]);
        table.row(["王小明", "x"]);
        table.row(["Zoë", "y"]);
        assert_eq!(written(&table), "王小明  x\nZoë     y\n");
    }

    #[test]
    fn long_cells_go_on_below_and_break_at_words() {
        let mut table = Table::new([12, 3]);
        table.row(["telecom/phone-any", "555"]);
        assert_eq!(written(&table), "telecom/      555\nphone-any\n");
    }

    #[test]
    fn times_are_in_utc() {
        let at = UNIX_EPOCH + Duration::from_secs(1_772_373_802);
        assert_eq!(time(at), "2026-03-01 14:03:22");
    }
}
