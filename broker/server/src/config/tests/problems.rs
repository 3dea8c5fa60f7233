//! What an administrator is told about a configuration that does not fit.

use super::{Office, system};
use crate::config::{Config, MAX_PROBLEMS};
use std::path::Path;

#[test]
fn several_problems_are_reported_at_once_each_with_its_line() {
    let office = Office::with(
        "[api]\nlisen = \"127.0.0.1:1\"\nlisten = 7400\n[log]\nformat = \"xml\"\nlevel = \"inof\"\n\
         [systems.front-desk]\npoll-every = \"fast\"\n",
    );
    let lines: Vec<_> = office
        .problems()
        .iter()
        .map(|problem| office.line(problem))
        .collect();
    assert_eq!(
        lines,
        [
            "/office/archwire.toml, line 4: config_unknown_key api.lisen is not a key of the configuration \
             -> did you mean listen?",
            "/office/archwire.toml, line 5: config_wrong_type api.listen is a whole number, but must be text in quotes -> ",
            "/office/archwire.toml, line 7: config_value log.format \"xml\" is no format -> write \"human\" or \"json\"",
            "/office/archwire.toml, line 8: config_value log.level \"inof\" is no level -> did you mean \"info\"?",
            "/office/archwire.toml, line 9: config_missing systems.front-desk.connector is missing \
             -> name the connector that speaks for the program: connector = \"opendental\"",
            "/office/archwire.toml, line 10: config_value systems.front-desk.poll-every \"fast\" is no duration \
             -> write a duration from 100ms to 1day, such as \"5s\" or \"250ms\"",
        ]
    );
}

#[test]
fn the_error_shows_every_problem_on_lines_of_its_own() {
    let office = Office::with_file("[practise]\nname = \"maple-street\"\n");
    let error = office.load().map(|_| ()).unwrap_err();
    let file = office.path("archwire.toml").display().to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "the configuration has 2 problems\n\n\
             {file}:\n  practice.name: is missing\n  -> name the practice: name = \"maple-street\" under [practice]\n\n\
             {file}, line 1:\n  practise: is not a key of the configuration\n  -> did you mean practice?"
        )
    );
    assert_eq!(error.code(), "config_invalid");
}

#[test]
fn an_unknown_key_like_no_other_gets_the_list_of_known_ones() {
    let office = Office::with("[data]\nxyz = 1\n");
    assert!(
        office.problem().ends_with("-> known here: folder"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_wrong_type_says_what_was_found_and_what_is_wanted() {
    for (text, found) in [
        ("api = 5", "api is a whole number, but must be a table"),
        ("api = []", "api is a list, but must be a table"),
        ("systems = \"front-desk\"", "systems is text, but must be a table"),
        (
            "nats.replicas = \"1\"",
            "nats.replicas is text, but must be a whole number, without quotes",
        ),
        (
            "nats.max-store = 10",
            "nats.max-store is a whole number, but must be text in quotes",
        ),
    ] {
        let office = Office::with_file(&format!("practice.name = \"maple-street\"\n{text}\n"));
        assert!(office.problem().contains(found), "{}", office.problem());
    }
    let more = "enabled = \"yes\"\ngrants = [5]\nsettings.list = [1]\nsettings.deep = 1.5\n";
    let office = Office::with(&system(more));
    let lines: Vec<_> = office
        .problems()
        .iter()
        .map(|problem| office.line(problem))
        .collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(
        lines[0].contains(
            "line 5: config_wrong_type systems.front-desk.enabled is text, but must be true or false"
        )
    );
    assert!(lines[1].contains("line 6: config_wrong_type systems.front-desk.grants[0] is a whole number"));
    assert!(lines[2].contains("settings.list is a list, but must be text in quotes, a whole number"));
    assert!(lines[3].contains("settings.deep is a number with a fraction"));
}

#[test]
fn a_missing_table_that_is_there_with_a_wrong_type_is_reported_once() {
    let office = Office::with_file("practice = \"maple-street\"\n");
    assert!(
        office
            .problem()
            .contains("line 1: config_wrong_type practice is text"),
        "{}",
        office.problem()
    );
}

#[test]
fn text_that_is_not_toml_is_reported_with_its_line() {
    let office = Office::with("[api\nlisten = \"x\"\n");
    let problems = office.problems();
    assert!(
        office
            .line(&problems[0])
            .starts_with("/office/archwire.toml, line 3: config_unreadable  not TOML: ")
    );
}

#[test]
fn a_key_that_is_written_twice_is_reported_with_its_line() {
    let office = Office::with("[api]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n");
    assert!(
        office
            .problem()
            .contains("line 5: config_unreadable  not TOML: duplicate key"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nowhere/archwire.toml"), [].into_iter())
        .map(|_| ())
        .unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("/nowhere/archwire.toml:\n  cannot be read: No such file"),
        "{told}"
    );
    assert!(told.contains("\n  -> name it with --config FILE"), "{told}");
}

#[test]
fn a_file_larger_than_one_mebibyte_is_refused() {
    let office = Office::with(&"# long\n".repeat(1024 * 1024 / 7));
    assert!(
        office
            .problem()
            .contains("cannot be read: it is larger than 1 MiB"),
        "{}",
        office.problem()
    );
}

#[test]
fn at_most_a_hundred_problems_are_reported() {
    let unknown: String = (0..150).map(|number| format!("unknown-{number} = 1\n")).collect();
    let problems = Office::with_file(&unknown).problems();
    assert_eq!((problems.len(), MAX_PROBLEMS), (100, 100));
}

#[test]
fn names_that_are_none_come_with_one_that_could_be_meant() {
    let office = Office::with("[systems.Front_Desk]\nconnector = \"echo\"\n");
    assert!(
        office.problem().contains("systems.Front_Desk is not a name: "),
        "{}",
        office.problem()
    );
    assert!(
        office.problem().ends_with("-> write front-desk"),
        "{}",
        office.problem()
    );
    let office = Office::with_file("practice.name = \"Maple Street\"\n");
    assert!(
        office
            .problem()
            .contains("practice.name \"Maple Street\" is not a name"),
        "{}",
        office.problem()
    );
}

#[test]
fn a_name_that_looks_like_an_element_of_a_list_is_reported_once() {
    let office = Office::with_file("practice.name = \"maple-street\"\n[log]\n\"level[0]\" = 1\n");
    assert!(
        office
            .problem()
            .contains("line 3: config_unknown_key log.level[0]"),
        "{}",
        office.problem()
    );
}
