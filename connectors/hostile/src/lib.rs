//! A connector that misbehaves on command, for the tests of the sandbox. Never for a practice.
//!
//! `poll` takes its command from the cursor, and answers in the next cursor what came of it, so that one component does
//! for all tests. `fetch`, `deliver` and `survey` take theirs from the local id or the cursor. Commands are the arms of
//! the `match`es below.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unsafe_code,
    missing_docs,
    unconditional_recursion,
    reason = "a connector that misbehaves on purpose, over generated bindings"
)]

mod answers;
mod http;
mod outside;

#[allow(clippy::all, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package hostile:guest;
            world hostile {
                include archwire:connector/connector@0.1.0;
                import wasi:cli/environment@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:sockets/instance-network@0.2.12;
                import wasi:sockets/ip-name-lookup@0.2.12;
                import wasi:sockets/tcp-create-socket@0.2.12;
            }
        ",
        world: "hostile:guest/hostile",
        generate_all,
    });
}

use bindings::{
    archwire::connector::{
        exchange::{
            CheckReport, Delivered, Delivery, DeliveryAction, Disposition, ImageDelivered, ImageDelivery,
            ImageObservation, IncomingRequest, Observation, Page, Reason, Received, SurveyPage,
        },
        log, state,
    },
    exports::archwire::connector::plugin::{
        Abilities, Credential, Description, Grant, Guest, Secret, Setting, SettingKind,
    },
};

struct Hostile;

impl Guest for Hostile {
    fn describe() -> Description {
        Description {
            name: "hostile".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Misbehaves on command.".to_owned(),
            abilities: Abilities::CHECK
                | Abilities::POLL
                | Abilities::DELIVER
                | Abilities::FETCH
                | Abilities::SURVEY,
            settings: vec![
                setting("url", SettingKind::Url, Some("http://127.0.0.1:1")),
                setting("greeting", SettingKind::Text, None),
                setting("count", SettingKind::Integer, Some("0")),
            ],
            secrets: vec![Secret {
                name: "key".to_owned(),
                help: "Any text.".to_owned(),
            }],
            credential: Some(Credential {
                header: "Authorization".to_owned(),
                format: "Bearer {key}".to_owned(),
            }),
            grants: vec![Grant {
                to: "{url}".to_owned(),
                methods: vec!["GET".to_owned(), "POST".to_owned()],
                paths: vec!["/**".to_owned()],
                spacing_ms: 0,
                in_flight: 1,
                purpose: "Misbehaving.".to_owned(),
            }],
        }
    }

    fn check() -> Result<CheckReport, Disposition> {
        Ok(CheckReport {
            facts: vec![("version".to_owned(), "1\n2".to_owned()); 20],
        })
    }

    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        let command = cursor.unwrap_or_default();
        let (word, rest) = command.split_once(' ').unwrap_or((&command, ""));
        let said = match word {
            "trap" => std::process::abort(),
            "panic" => panic!("{rest}"),
            "exit" => std::process::exit(3),
            "spin" => spin(),
            "sleep" => outside::sleep(),
            "recurse" => recurse(rest.len()).to_string(),
            "allocate" => allocate(),
            "resources" => http::many_resources(),
            "log" => giant_log(),
            "print" => outside::print(),
            "settings" => outside::settings(),
            "outside" => outside::everything(),
            "images" => outside::images(),
            "state-get" => format!("{:?}", state::get(rest)),
            "state-set" => state_set(rest),
            "state-fill" => state_fill(),
            "state-set-and-trap" => {
                state::set(rest, b"lost").unwrap();
                std::process::abort()
            }
            "state-set-and-reject" => {
                state::set(rest, b"kept").unwrap();
                return Err(rejected("no-such-thing"));
            }
            "reject" => return Err(rejected(rest)),
            "throttle" => return Err(answers::throttled()),
            "request" => http::request(rest),
            "read-back" => http::read_back(rest),
            "ignore" => http::ignore(rest),
            "many" => http::many(rest),
            "together" => http::together(rest),
            "upload" => http::upload(rest),
            "page" => return Ok(answers::page(rest.parse().unwrap(), "done".to_owned())),
            "page-mixed" => return Ok(answers::mixed()),
            "page-merged" => return Ok(answers::merged()),
            "page-images" => return Ok(answers::images()),
            "long-cursor" => "x".repeat(rest.parse().unwrap()),
            _ => format!("unknown command {word}"),
        };
        Ok(answers::page(0, said))
    }

    fn receive(_: IncomingRequest) -> Result<Received, Disposition> {
        Ok(Received {
            observations: Vec::new(),
            status: 200,
        })
    }

    fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
        let local_id = match delivery.local_id.as_deref() {
            Some("answer-no-id") => String::new(),
            Some(id) => id.to_owned(),
            None => "1".to_owned(),
        };
        Ok(Delivered {
            local_id,
            action: DeliveryAction::Unchanged,
        })
    }

    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        match local_id.as_str() {
            "none" => Ok(None),
            "answer-another" => Ok(Some(answers::observation("another"))),
            id => Ok(Some(answers::observation(id))),
        }
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        let local_id = delivery.local_id.unwrap_or_default();
        Ok(ImageDelivered {
            local_id,
            record: delivery.record,
            action: DeliveryAction::Unchanged,
        })
    }

    fn fetch_image(_: String, _: Option<String>) -> Result<Option<ImageObservation>, Disposition> {
        Ok(None)
    }

    fn survey(cursor: Option<String>) -> Result<SurveyPage, Disposition> {
        Ok(answers::survey(
            cursor.and_then(|count| count.parse().ok()).unwrap_or(3),
        ))
    }
}

fn setting(key: &str, kind: SettingKind, default_value: Option<&str>) -> Setting {
    Setting {
        key: key.to_owned(),
        help: "Any.".to_owned(),
        kind,
        default_value: default_value.map(str::to_owned),
    }
}

fn rejected(code: &str) -> Disposition {
    let reason = Reason {
        code: code.to_owned(),
        status: Some(400),
        detail: Some("é".repeat(4096)),
    };
    Disposition::Rejected(reason)
}

fn spin() -> String {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.wrapping_mul(3));
    }
}

fn recurse(depth: usize) -> usize {
    recurse(std::hint::black_box(depth) + 1).wrapping_mul(3) + depth
}

fn allocate() -> String {
    let mut kept = Vec::new();
    loop {
        kept.push(vec![1_u8; 1024 * 1024]);
        std::hint::black_box(&kept);
    }
}

fn giant_log() -> String {
    for number in 0..10_000 {
        log::write(log::Level::Info, "noise", &[("number".to_owned(), number)]);
    }
    log::write(log::Level::Error, &"x".repeat(1024 * 1024), &[]);
    "logged".to_owned()
}

fn state_set(rest: &str) -> String {
    let (key, length) = rest.split_once(' ').unwrap();
    format!(
        "{:?}",
        state::set(key, &vec![b'v'; length.parse().unwrap()]).map_err(|error| error.name())
    )
}

fn state_fill() -> String {
    let set = (0..)
        .map(|number| state::set(&format!("k{number}"), b"v"))
        .take_while(Result::is_ok)
        .count();
    format!("{set} keys")
}

bindings::export!(Hostile with_types_in bindings);
