//! A comment as Markdown.

/// Paragraphs, and lists of codes of errors: behind a line that ends in "with", each line that begins with a code of gRPC is an
/// item, to which the indented lines behind it belong.
pub(crate) fn paragraphs(comment: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_over = true;
    for line in comment.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let words = marked(line.trim());
        let last = blocks.last_mut().filter(|_| !is_over);
        let may_be_item = last
            .as_ref()
            .is_some_and(|block| block.ends_with("with") || block.starts_with("- "));
        is_over = words.is_empty();
        match last {
            _ if words.is_empty() => {}
            _ if may_be_item && begins_with_a_code(line) => blocks.push(format!("- {words}")),
            Some(block) if line.starts_with(' ') || !block.starts_with("- ") => {
                block.push(' ');
                block.push_str(&words);
            }
            _ => blocks.push(words),
        }
    }
    let mut text = String::new();
    let mut before: Option<&String> = None;
    for block in &blocks {
        let is_list = |block: &String| block.starts_with("- ");
        text.push_str(match before {
            None => "",
            Some(before) if is_list(before) && is_list(block) => "\n",
            Some(_) => "\n\n",
        });
        text.push_str(block);
        before = Some(block);
    }
    text
}

/// All of it in the cell of a table.
pub(crate) fn cell(comment: &str) -> String {
    let lines = comment.lines().map(str::trim).filter(|line| !line.is_empty());
    marked(&lines.collect::<Vec<_>>().join(" ")).replace('|', "\\|")
}

fn begins_with_a_code(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(code, _)| {
        code.len() > 4
            && code
                .chars()
                .all(|character| character.is_ascii_uppercase() || character == '_')
    })
}

/// What Markdown would take for its own.
fn marked(text: &str) -> String {
    text.replace('<', "&lt;").replace("[a-z0-9-]", "`[a-z0-9-]`")
}

#[test]
fn codes_of_errors_are_a_list_and_the_rest_is_paragraphs() {
    let comment = " Follows the events.\n In order.\n\n Refused with\n INVALID_ARGUMENT: \"a\" (one\n   more), \"b\".\n NOT_FOUND: \"c\".\n";
    let expected = "Follows the events. In order.\n\nRefused with\n\n- INVALID_ARGUMENT: \"a\" (one more), \"b\".\n- NOT_FOUND: \"c\".";
    assert_eq!(paragraphs(comment), expected);
    assert_eq!(
        paragraphs(" Refused with\n NOT_FOUND: \"c\".\n And so on.\n"),
        "Refused with\n\n- NOT_FOUND: \"c\".\n\nAnd so on."
    );
    assert_eq!(
        paragraphs(" Asks.\n NOT_FOUND: \"c\".\n"),
        "Asks. NOT_FOUND: \"c\"."
    );
}

#[test]
fn a_cell_is_one_line_and_holds_no_bar() {
    assert_eq!(
        cell(" One\n two | three.\n\n Four.\n"),
        "One two \\| three. Four."
    );
}
